"""What files are called and how they are kept: what misleads people or takes a module's place."""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.core.finding import Finding, Location, Severity

MAX_FINDINGS = 50  # of one rule
# Libraries that loading a model imports; a file of that name in the working folder takes their place.
_LIBRARIES = frozenset({
    "torch", "numpy", "transformers", "safetensors", "tokenizers", "huggingface_hub", "diffusers",
    "accelerate",
    "peft", "tensorflow", "keras", "onnx", "onnxruntime", "sklearn", "joblib", "scipy", "pandas", "PIL",
    "yaml",
    "requests", "tqdm", "sentencepiece", "gguf", "vllm", "jax", "flax", "timm", "einops", "regex",
    "packaging",
    "bitsandbytes", "xformers", "triton", "sentence_transformers", "datasets", "filelock", "jinja2",
    "ctransformers",
})  # fmt: skip
# Modules of Python that are imported by nearly every program.
_EVERYWHERE = frozenset({
    "os", "json", "re", "io", "typing", "pickle", "struct", "zipfile", "logging", "functools", "collections",
    "importlib", "pathlib", "subprocess", "tempfile", "shutil", "random", "copy", "warnings", "inspect",
    "enum",
    "dataclasses", "contextlib", "hashlib", "socket", "ssl", "threading", "types", "abc", "ast", "operator",
    "itertools", "copyreg", "urllib", "http", "base64", "datetime", "string", "textwrap", "traceback",
    "weakref",
})  # fmt: skip
_SOURCES = (".py", ".pyc", ".pyd", ".so")
_RUNNABLE = frozenset({
    ".exe", ".scr", ".com", ".bat", ".cmd", ".ps1", ".sh", ".js", ".vbs", ".jar", ".msi", ".dll", ".so",
    ".lnk",
    ".py", ".pif", ".hta", ".app", ".desktop",
})  # fmt: skip
_DATA = frozenset({
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".npz", ".npy", ".pkl", ".json",
    ".txt",
    ".md", ".yaml", ".yml", ".pdf", ".png", ".jpg", ".jpeg", ".csv", ".parquet", ".model", ".jinja", ".jsonl",
})  # fmt: skip
_HIDDEN_AND_KNOWN = frozenset({
    ".git", ".gitattributes", ".gitignore", ".gitkeep", ".keep", ".ds_store", ".dockerignore",
    ".editorconfig", ".cache", ".github",
    ".gitmodules", ".pre-commit-config.yaml", ".gitlab-ci.yml", ".flake8", ".nojekyll", ".python-version",
    ".locks",
    ".no_exist", ".huggingface",
})  # fmt: skip
_CREDENTIALS = frozenset({
    ".env", ".netrc", "_netrc", ".pypirc", ".npmrc", ".git-credentials", "id_rsa", "id_dsa", "id_ecdsa",
    "id_ed25519",
    ".htpasswd", ".pgpass", "credentials.json", "service-account.json", ".aws", ".ssh", ".kube", ".dockercfg",
})  # fmt: skip


def judge(files: Sequence[tuple[Path, str]], *, folder: bool) -> Iterator[Finding]:
    """Judge the names of all files of a subject; those of a folder also together."""
    found = [*(one for _, name in files for one in _name(name))]
    if folder:
        names = [name for _, name in files]
        found += [*_shadows(names), *_collisions(names), *_hidden(names), *_generation(names), *_kept(files)]
    counted: Counter[str] = Counter()
    for finding in sorted(found, key=lambda one: -one.severity.rank):
        counted[finding.rule] += 1
        if counted[finding.rule] <= MAX_FINDINGS:
            yield finding


def _hidden_characters(name: str) -> set[str]:
    if name.isascii() and name.isprintable():
        return set()
    from assay.guard.unicode import hidden_spans  # noqa: PLC0415  start-up: such names are rare

    kinds = {span.kind for span in hidden_spans(name)}
    # Texts have line ends and tabs; in a name they forge a line of whatever lists it.
    return kinds | ({"control"} if any(unicodedata.category(one) == "Cc" for one in name) else set())


def _name(name: str) -> Iterator[Finding]:
    place = Location(path=name)
    if kinds := _hidden_characters(name):
        message = f"Its name holds hidden characters ({', '.join(sorted(kinds))}): {ascii(name)[:150]}."
        yield rules.repository.NAME.finding(message, place, severity=Severity.HIGH)
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes[-2:]]
    if len(suffixes) > 1 and suffixes[0] in _DATA and suffixes[1] in _RUNNABLE:
        message = f"Its name ends in {''.join(suffixes)!r}: a program that a glance takes for data."
        yield rules.repository.NAME.finding(message, place)


def _shadows(names: Iterable[str]) -> Iterator[Finding]:
    for name in names:
        module = _module(name)
        if module in _LIBRARIES or module in _EVERYWHERE:
            message = f"`import {module}` from this folder gets this file instead of the library."
            yield rules.repository.SHADOW.finding(message, Location(path=name))
        elif module in sys.stdlib_module_names and module not in {"test", "__main__", "this"}:
            message = f"`import {module}` from this folder gets this file instead of Python's own module."
            yield rules.repository.SHADOW.finding(message, Location(path=name), severity=Severity.LOW)


def _module(name: str) -> str:
    """The top-level module that a file would be, imported from the folder; "" for any other."""
    parts = PurePosixPath(name).parts
    if not parts[-1].endswith(_SOURCES):
        return ""
    stem = parts[-1].split(".", 1)[0]
    if len(parts) == 1:
        return stem
    # A folder without it gives way to the installed library.
    return parts[0] if len(parts) == 2 and stem == "__init__" else ""  # noqa: PLR2004  folder and file


def _collisions(names: Iterable[str]) -> Iterator[Finding]:
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[unicodedata.normalize("NFKC", name).casefold()].append(name)
    for several in alike.values():
        if len(several) > 1:
            shown = ", ".join(ascii(name)[:60] for name in several[:4])
            message = f"Where case does not count, one file overwrites the other: {shown}."
            yield rules.repository.NAME.finding(message, Location(path=several[0]))


def _generation(names: Iterable[str]) -> Iterator[Finding]:
    """What transformers' `generate` takes from a repository in place of its own loop (`custom_generate`)."""
    for name in names:
        if PurePosixPath(name).parts[-2:] == ("custom_generate", "generate.py"):
            message = "transformers runs it in place of its own `generate`, with trust_remote_code=True."
            yield rules.repository.REMOTE.finding(message, Location(path=name))


def _hidden(names: Iterable[str]) -> Iterator[Finding]:
    for name in names:
        parts = [part.lower() for part in PurePosixPath(name).parts]
        place = Location(path=name)
        if not _CREDENTIALS.isdisjoint(parts):
            message = "A file of this name is where tools keep credentials."
            yield rules.repository.HIDDEN_FILE.finding(message, place, severity=Severity.LOW)
        elif any(part.startswith(".") for part in parts) and _HIDDEN_AND_KNOWN.isdisjoint(parts):
            yield rules.repository.HIDDEN_FILE.finding(
                "Its name begins with a dot: a plain listing does not show it.", place
            )


def _kept(files: Sequence[tuple[Path, str]]) -> Iterator[Finding]:
    """How the files are kept: marked as executable, or known under a name outside the folder."""
    facts = [(name, state) for path, name in files if (state := _state(path)) is not None]
    # A link's own mode says nothing, and what it leads to is not kept here.
    own = [(name, state.st_mode) for name, state in facts if not stat.S_ISLNK(state.st_mode)]
    marked = [name for name, mode in own if mode & 0o111 and PurePosixPath(name).suffix.lower() in _DATA]
    # Where all of them are, it is the file system that knows no such mark.
    if not all(mode & 0o111 for _, mode in own):
        for name in marked:
            yield rules.repository.EXECUTABLE.finding(
                "This data file is marked as a program that can be started.", Location(path=name)
            )
    seen = Counter((state.st_dev, state.st_ino) for _, state in facts)
    for name, state in facts:
        outside = state.st_nlink - seen[state.st_dev, state.st_ino]
        if outside > 0 and stat.S_ISREG(state.st_mode):
            names = "1 more name" if outside == 1 else f"{outside} more names"
            message = f"The same file has {names} outside of the folder (hard links)."
            yield rules.repository.HARD_LINK.finding(message, Location(path=name))


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def remote_code(findings: Sequence[Finding], names: Iterable[str]) -> list[Finding]:
    """Join what configurations ask to import with the files that are there."""
    present = set(names)
    joined: list[Finding] = []
    named: dict[str, str] = {}
    for finding in findings:
        modules = finding.data.get("modules")
        if finding.rule != rules.repository.REMOTE.id or not isinstance(modules, list):
            joined.append(finding)
            continue
        folder = PurePosixPath(finding.location.path).parent
        files = {str(one): (folder / f"{str(one).replace('.', '/')}.py").as_posix() for one in modules}
        named.update({file: finding.location.path for file in files.values() if file in present})
        joined.append(replace(finding, message=finding.message + _fate(files, present)))
    return joined + [
        rules.repository.REMOTE_MODULE.finding(f"{config} names it to be imported.", Location(path=file))
        for file, config in sorted(named.items())
    ]


def _fate(files: dict[str, str], present: set[str]) -> str:
    there = sorted(file for file in files.values() if file in present)
    others = sorted(module for module in files if "--" in module)
    gone = sorted(file for module, file in files.items() if file not in present and "--" not in module)
    said = [f" Here: {', '.join(there)}."] if there else []
    said += [f" From another repository, not examined: {', '.join(others)}."] if others else []
    said += [f" Not in this folder: {', '.join(gone)}."] if gone else []
    return "".join(said)[:300]
