"""From what the machine recorded to findings."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from assay.checks.packaging.artifact_scan import policy, rules, targets
from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.checks.packaging.artifact_scan.extensions import PICKLED
from assay.checks.packaging.artifact_scan.next_steps import CONVERT
from assay.checks.packaging.artifact_scan.texts.programs import is_prose
from assay.checks.packaging.artifact_scan.traces import Traces, effect_of
from assay.core.explanation import Explanation
from assay.core.finding import Finding, Location, Rule, Severity
from assay.subjects.pickles.machine import Machine
from assay.subjects.pickles.records import Event, PickleRecord

TEXT_HEAD = 1 << 16
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_WORD = re.compile(rb"(?:[\w'.#+-]|[\x80-\xff]){0,60}")
_BY_CHANCE = ("where argument", "passes ", "with more")  # misuse that a memo that is off may come to
_CALLS = frozenset({"REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST"})
MAX_FINDINGS = 100  # of one file; the rest says the same
# Formats whose loaders supply objects by persistent ids, and the ids that they know.
_TORCH = frozenset({
    "pytorch-zip", "pytorch-legacy", "pytorch-tar", "torchscript", "torch-export", "torch-package",
})  # fmt: skip
_ITS_OWN = ("the program that it was written for, whose unpickler has a persistent_load",)
_TORCH_IDS = ("('storage',", "('module',", "('reduce_package',")
INSIDE = " (in a pickle inside its bytes)"
_OBFUSCATED = {
    "computed-name": "import a function or class whose name it computes first: {0}",
    "computed-call": "call what it computed first: {0}({1})",
    "extension": "import whatever extension code {0} stands for on the machine that loads it (copyreg)",
}
_EFFECTS = {
    "computed-name": "Any function or class can be reached so, and called, without its name in the file.",
    "computed-call": "Any function can be reached so, and called, without its name in the file.",
    "extension": "Another file, loaded before, may have registered any function or class for this code.",
    "mutate": "All code of the process that uses this class or function later behaves as the file says.",
    "misuse": "",
}
_TRACED = _EFFECTS.keys()


def judge(
    blob: Blob, machine: Machine, allow: Mapping[str, str], outcome: Outcome, *, probe: bool
) -> PickleRecord | None:
    """Read `blob` as pickles and report what they do; None where it is no pickle."""
    record = machine.read(blob.fd, blob.start, blob.size, probe=probe)
    if not record.is_pickle or (probe and _is_chance(record, blob)):
        return None
    allow = _with_own_code(record, blob, outcome, allow)
    record = _without_confusion(record)
    if "walk" not in record.machines and (add := _walk_to(record, allow)):
        record = add(record, machine.read(blob.fd, blob.start, blob.size, walk=True))
    record = _without_storages(record, blob, outcome)
    outcome.streams += record.streams
    outcome.notes |= set(record.notes)
    found = _findings(record, blob, allow)
    outcome.findings += found[:MAX_FINDINGS]
    for reason in record.incomplete[:20]:
        reason = f"not every byte of the pickle was read as its loader would: {reason}"  # noqa: PLW2901
        outcome.skip(blob, reason, CONVERT)
    named = sorted({".".join(e.what[:2]) for e in record.of("global")})
    outcome.globals |= set(named[:1000])
    outcome.storages[blob.name] = {e.what[0]: int(e.what[1]) for e in record.of("storage")}
    formats = sorted({e.what[0] for e in record.of("format")})
    outcome.documents.append(
        {"file": blob.name, "format": [*formats, "pickle"][0], "machines": list(record.machines),
         "streams": record.streams,
         "globals": [n[:200] for n in named[:200]]}
    )  # fmt: skip
    return record


def _is_chance(record: PickleRecord, blob: Blob) -> bool:
    """Whether a text merely begins as a pickle of protocol 0 does: `cat`, `dog` imports at.dog.

    Its name has to say that it is a text, or every line of it has to be a word. It is a pickle all the same
    when a machine reads it to its STOP, when it calls something, and when it names known danger.
    """
    if not is_prose(blob.name) and not _is_list_of_words(blob):
        return False
    if any(event.kind == "end" and not event.what[1] for event in record.events):
        return False
    serious = record.of("call", "mutate", "misuse", *_OBFUSCATED, "frame")
    # In a list of names one may stand twice; no module has an attribute of its own name that does harm.
    named = [event.what[:2] for event in record.of("global") if event.what[0] != event.what[1]]
    denied = any(policy.is_denied(*one) for one in named)
    return not serious and not denied and is_text(blob.head(TEXT_HEAD))


def _is_list_of_words(blob: Blob) -> bool:
    """Whether its lines are words, under a name that no loader of pickles goes by."""
    if blob.name.lower().endswith(PICKLED):
        return False
    head = blob.head(TEXT_HEAD)
    lines = head.splitlines()
    if len(head) < blob.size:
        lines = lines[:-1]
    return all(_WORD.fullmatch(line) for line in lines)


def is_text(head: bytes) -> bool:
    """Whether bytes are UTF-8, but for a character cut off at the end, without control characters."""
    if _CONTROLS.search(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _with_own_code(
    record: PickleRecord, blob: Blob, outcome: Outcome, allow: Mapping[str, str]
) -> Mapping[str, str]:
    """Add the globals that are classes of the archive that the pickle lies in."""
    prefixes = tuple(
        prefix for archive, prefix in outcome.namespaces.items() if blob.name.startswith(f"{archive}!/")
    )
    named = {".".join(event.what[:2]) for event in record.of("global")} if prefixes else set()
    own = {name for name in named if prefixes and name.startswith(prefixes)}
    return {**allow, **dict.fromkeys(own, "a class that the archive itself defines")} if own else allow


def _without_confusion(record: PickleRecord) -> PickleRecord:
    """Without what a plain reader puts together past joblib's arrays of objects (pickles apart).

    Its memo is then off by what is in them. Where all was read as joblib reads it, only names count that are
    known to be dangerous, and misuse that an attack is made of.
    """
    joblib = any(event.what[0] == "joblib" for event in record.of("format"))
    if not joblib or record.incomplete:
        return record
    return replace(record, events=tuple(event for event in record.events if not _is_confused(event)))


def _without_storages(record: PickleRecord, blob: Blob, outcome: Outcome) -> PickleRecord:
    """Without the persistent ids that torch's loaders supply, where the pickle lies in what they load."""
    around = {
        str(entry["format"]) for entry in outcome.documents if blob.name.startswith(f"{entry['file']}!/")
    }
    if _TORCH.isdisjoint(around | {event.what[0] for event in record.of("format")}):
        return record
    kept = (event for event in record.events if event.kind != "persistent" or not _is_torchs(event, around))
    return replace(record, events=tuple(kept))


def _is_torchs(event: Event, around: set[str]) -> bool:
    return "pytorch-tar" in around or event.what[0].startswith(_TORCH_IDS)


def _is_confused(event: Event) -> bool:
    if event.kind == "global":
        return event.what[2:] == ("plain",) and not policy.is_denied(*event.what[:2])
    plain = event.kind == "misuse" and event.what[4:] == ("plain",)
    return plain and event.what[1].startswith(_BY_CHANCE) and not _is_watched(event.what[0])


def _is_watched(name: str) -> bool:
    module, _, last = name.rpartition(".")
    return (module, last) in policy.watched()


def _walk_to(record: PickleRecord, allow: Mapping[str, str]) -> Callable[..., PickleRecord] | None:
    """How to take in what a walk would add; None where it would add nothing."""
    if _needs_walk(record, allow):
        return _with_offsets
    return _with_targets if record.of("asks") else None


def _needs_walk(record: PickleRecord, allow: Mapping[str, str]) -> bool:
    """Whether the walk can tell more: where it is, or what becomes of what is only called."""
    named = {event.what[:2] for event in record.of("global")}
    told = record.of("global", "mutate", "misuse", *_OBFUSCATED)
    return not named.isdisjoint(policy.watched()) or any(not _fine(event, allow) for event in told)


def _with_offsets(record: PickleRecord, walked: PickleRecord) -> PickleRecord:
    """The machine's own word first; the walk adds where it is."""
    known = {(e.kind, e.what[:2]) for e in walked.events if e.offset is not None}
    kept = [e for e in record.events if (e.kind, e.what[:2]) not in known]
    return replace(record, events=(*walked.events, *kept))


def _with_targets(record: PickleRecord, walked: PickleRecord) -> PickleRecord:
    """All is as the machine has it, and it cannot tell what a setting would be made of."""
    return replace(record, events=(*record.events, *walked.of("target")))


def _fine(event: Event, allow: Mapping[str, str]) -> bool:
    if event.kind == "global":
        return policy.is_allowed(event.what[0], event.what[1], allow)
    return event.kind == "misuse" and event.what[0] in allow


def _findings(record: PickleRecord, blob: Blob, allow: Mapping[str, str]) -> list[Finding]:
    # The machine that knows where it is has the better word on the same thing.
    events = sorted(_without_echoes(record.events), key=lambda event: event.offset is None)
    traces = Traces(events)
    found: dict[tuple[str, str], Finding] = {}
    for event in events:
        finding = _finding(event, traces, blob, allow)
        if finding is not None:
            found.setdefault((finding.rule, finding.message), finding)
    return sorted(found.values(), key=lambda finding: -finding.severity.rank)


def _without_echoes(events: Sequence[Event]) -> list[Event]:
    """Without computed calls that the C machine alone tells of, where the walk tells their place."""
    placed = {(event.kind, event.depth) for event in events if event.offset is not None}
    return [
        event
        for event in events
        if event.kind != "computed-call"
        or event.offset is not None
        or (event.kind, event.depth) not in placed
    ]


def _finding(event: Event, traces: Traces, blob: Blob, allow: Mapping[str, str]) -> Finding | None:
    finding = _judged(event, traces, blob, allow)
    if finding is None or finding.explanation is not None or event.kind not in _TRACED:
        return finding
    return replace(finding, explanation=_in_member(traces.explain(event, _effect(event)), blob))


def _judged(event: Event, traces: Traces, blob: Blob, allow: Mapping[str, str]) -> Finding | None:
    place = blob.place(event.offset if event.depth == 0 else None)
    inside = INSIDE if event.depth else ""
    if event.kind == "global":
        if policy.is_allowed(event.what[0], event.what[1], allow):
            return _native(event, place, inside)
        return _global(event, traces, blob, inside)
    if event.kind in _OBFUSCATED:
        told = (
            (event.source, *event.what[1:]) if event.kind == "computed-name" and event.source else event.what
        )
        text = _OBFUSCATED[event.kind].format(*(part[:150] for part in (*told, "", "")))
        return rules.pickles.OBFUSCATED.finding(f"Loading it would {text}{inside}.", place)
    if event.kind == "target":
        return _target(event.what[1], allow, place)
    if event.kind == "mutate":
        message = f"Loading it would change {event.what[0][:100]} itself ({event.what[2]}){inside}."
        return rules.pickles.TAMPERED.finding(message, place, data={"state": event.what[1]})
    if event.kind == "misuse":
        return None if event.what[0] in allow else _misuse(event, place, inside)
    if event.kind == "frame":
        message = f"Python's unpicklers would load different objects from these bytes: {event.what[0][:150]}."
        return rules.pickles.FRAMES.finding(message, place)
    if event.kind == "persistent":
        message = (
            f"Loading it would ask the loading program for what {event.what[0][:100]} stands for{inside}."
        )
        return rules.pickles.PERSISTENT.finding(message, place, explanation=Explanation(loaders=_ITS_OWN))
    if event.kind == "junk" and event.what[0] != "0":
        count = int(event.what[0])
        message = f"After the last pickle {counted(count)} that no unpickler reads{inside}."
        return rules.pickles.TRAILING.finding(message, place)
    return None


def counted(count: int) -> str:
    """A number of bytes with its verb."""
    return "follows 1 byte" if count == 1 else f"follow {count:,} bytes"


def _in_member(explanation: Explanation, blob: Blob) -> Explanation:
    """Its steps counted from the start of the member, as locations are."""
    steps = [
        step if step.offset is None else replace(step, offset=max(0, step.offset - blob.start))
        for step in explanation.steps
    ]
    return replace(explanation, steps=tuple(steps))


def _effect(event: Event) -> str:
    """What comes of an event that is no plain import."""
    if event.kind == "misuse" and event.what[0].rpartition(".")[2] in {"getattr", "partial"}:
        return "What it gives can call any method, and with it any code, when the object is made or used."
    return _EFFECTS.get(event.kind, "")


def _global(event: Event, traces: Traces, blob: Blob, inside: str) -> Finding:
    module, name = event.what[:2]
    rule: Rule = rules.pickles.GLOBAL if policy.is_denied(module, name) else rules.pickles.UNKNOWN
    full = f"{module}.{name}"[:150]
    call = traces.call_of(event)
    if call is not None:
        message = f"Loading it would call {full}({call.what[1][:150]}){inside}."
    else:
        message = f"Loading it would import {full}{inside}."
    at = call.offset if call is not None and call.offset is not None else event.offset
    data = {"global": full, "arguments": call.what[1] if call else "", "opcode": call.what[2] if call else ""}
    explanation = _in_member(traces.explain(event, effect_of(module, name, call)), blob)
    place = blob.place(at if event.depth == 0 else None)
    return rule.finding(message, place, data=data, explanation=explanation)


def _target(name: str, allow: Mapping[str, str], place: Location) -> Finding | None:
    """What a setting would be made of; classes of a project's own are what checkpoints of it name."""
    finding = targets.judged(name, allow, place, how="A `_target_` in its settings")
    known = finding is not None and finding.rule == rules.configurations.DANGEROUS.id
    return finding if known else None


def _misuse(event: Event, place: Location, inside: str) -> Finding:
    name, reason, shown, how = event.what[:4]
    name, shown = name[:150], shown[:150]
    if how == "BUILD":
        would = f"give {name} a state, {shown}, that {reason}"
    elif how in _CALLS:
        would = f"call {name}({shown}) as no framework does: {reason.removeprefix('where ')}"
    else:
        would = f"use {name} so that it {reason}"
    data = {"global": name, "arguments": shown, "opcode": how}
    severity = Severity.CRITICAL if _is_watched(name) else None
    return rules.pickles.MISUSED.finding(
        f"Loading it would {would}{inside}.", place, severity=severity, data=data
    )


def _native(event: Event, place: Location, inside: str) -> Finding | None:
    library = policy.native().get((event.what[0], event.what[1]))
    if library is None:
        return None
    message = f"Loading it would have {library}'s native parser read bytes of the pickle{inside}."
    return rules.pickles.NATIVE.finding(message, place)
