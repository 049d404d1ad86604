"""Every attack of the tests and its benign twin, shown to every scanner."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .cases import Case
from .scanners import Answer, Scanner, Verdict, environment

_SECONDS = 120  # that a scanner may take for a file
_BATCH = 100
Paths = dict[str, Path]
Verdicts = dict[str, dict[str, Verdict]]


def all_cases() -> list[Case]:
    """All of them, by class."""
    from .container_cases import containers  # noqa: PLC0415  the tests' modules take a second to import
    from .format_cases import formats  # noqa: PLC0415
    from .pickle_cases import pickles  # noqa: PLC0415

    made = [*pickles(), *containers(), *formats()]
    repeated = [key for key, count in Counter(case.key for case in made).items() if count > 1]
    if repeated:
        raise ValueError(f"two cases have one name: {repeated}")
    return made


def judge(scanners: Sequence[Scanner], cache: Path, chosen: Sequence[Case]) -> Verdicts:
    """Scanner to case to verdict; the others are asked once for each file and version of theirs."""
    with tempfile.TemporaryDirectory() as name:
        paths = {case.key: case.write(Path(name)) for case in chosen}
        return {scanner.label: _judged(scanner, cache, chosen, paths) for scanner in scanners}


def _judged(scanner: Scanner, cache: Path, chosen: Sequence[Case], paths: Paths) -> dict[str, Verdict]:
    file = cache / f"{scanner.label}-{scanner.version}.verdicts.json"
    known = json.loads(file.read_text()) if scanner.version and file.exists() else {}
    fresh = [case for case in chosen if case.digest not in known]
    scan = _each if scanner.apart else _forked
    for start in range(0, len(fresh), _BATCH):
        halves = [fresh[start : start + _BATCH : 2], fresh[start + 1 : start + _BATCH : 2]]
        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(lambda half: list(scan(scanner, cache, [paths[c.key] for c in half])), halves)
        for half, answered in zip(halves, answers, strict=True):
            known |= {
                case.digest: _verdict(scanner, answer).value
                for case, answer in zip(half, answered, strict=True)
            }
        if scanner.version:
            file.write_text(json.dumps(known))
    return {case.key: Verdict(known[case.digest]) for case in chosen}


def _verdict(scanner: Scanner, answer: Answer) -> Verdict:
    return Verdict.UNEXAMINED if answer.code is None else scanner.read(answer)


def _each(scanner: Scanner, cache: Path, paths: Sequence[Path]) -> Iterator[Answer]:
    """A process for each path."""
    for path in paths:
        command = scanner.command(cache, path)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", check=False, timeout=_SECONDS,
                env=environment(), cwd=path.parent,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            yield Answer(None, "", "")
        else:
            yield Answer(done.returncode, done.stdout, done.stderr)


def _forked(scanner: Scanner, cache: Path, paths: Sequence[Path]) -> Iterator[Answer]:
    """A fork for each path of one process in which the scanner is imported."""
    warm = Path(__file__).with_name("warm.py")
    command = [str(scanner.python(cache)), str(warm), scanner.entry, str(_SECONDS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=environment(),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for path in paths:
            process.stdin.write(json.dumps([*scanner.options, str(path)]) + "\n")
            process.stdin.flush()
            yield Answer(**json.loads(process.stdout.readline()))
        process.stdin.close()


def table(chosen: Sequence[Case], verdicts: Verdicts) -> Iterator[str]:
    """The attacks that each scanner caught and left unexamined, and the false alarms, by class."""
    names = list(verdicts)
    groups = list(dict.fromkeys(case.group for case in chosen))
    for title, attack in (("attacks", True), ("benign", False)):
        yield f"| {title} | files | {' | '.join(names)} |"
        yield f"| --- | --- |{' --- |' * len(names)}"
        totals: dict[str, Counter[Verdict]] = {name: Counter() for name in names}
        for group in groups:
            keys = [case.key for case in chosen if case.group == group and case.attack == attack]
            counts = {name: Counter(verdicts[name][key] for key in keys) for name in names}
            for name in names:
                totals[name] += counts[name]
            yield _row(group, len(keys), counts)
        yield _row("all", sum(case.attack == attack for case in chosen), totals)
        yield ""


def _row(group: str, files: int, counts: dict[str, Counter[Verdict]]) -> str:
    cells = (f"{c[Verdict.FLAGGED]} / {c[Verdict.UNEXAMINED]}" for c in counts.values())
    return f"| {group} | {files} | {' | '.join(cells)} |"


def differences(chosen: Sequence[Case], verdicts: Verdicts) -> Iterator[str]:
    """Every attack that this project does not flag, all benign that it does not pass, and who does better."""
    for case in chosen:
        ours = verdicts["assay"][case.key]
        best = Verdict.FLAGGED if case.attack else Verdict.CLEAN
        others = [name for name, by_case in verdicts.items() if name != "assay" and by_case[case.key] is best]
        if ours is not best:
            yield f"{case.key}: assay says {ours.value}; {', '.join(others) or 'nobody'} says {best.value}"


def report(cache: Path, only: str, scanners: Sequence[Scanner]) -> Iterator[str]:
    """Run scanners on all cases whose name contains `only`."""
    chosen = [case for case in all_cases() if only in case.key]
    verdicts = judge(scanners, cache, chosen)
    (cache / "verdicts.json").write_text(
        json.dumps(
            {case.key: {name: v[case.key].value for name, v in verdicts.items()} for case in chosen}, indent=1
        )
    )
    yield from table(chosen, verdicts)
    yield from differences(chosen, verdicts)
