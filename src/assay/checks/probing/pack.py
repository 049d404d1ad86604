"""Files of probes: the built-in packs, and a user's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.checks.probing.named_files import locate
from assay.checks.probing.probe import Detector, Probe
from assay.core.data_files import read_data
from assay.core.errors import ConfigError
from assay.core.strict_yaml import read_yaml

_PACKS = Path(__file__).with_name("packs")
MAX_FILE = 4 << 20  # bytes
MAX_PROBES = 20_000
MAX_TURNS = 20
MAX_TEXT = 50_000  # characters
_NEEDS = {
    Detector.PATTERN: "pattern",
    Detector.SPLIT: "wordings",
}


def builtin_packs() -> tuple[str, ...]:
    """The names of the packs that come with Assay."""
    return tuple(sorted(path.stem for path in _PACKS.glob("*.yaml")))


def read_packs(names: Sequence[str], root: str = "") -> tuple[Probe, ...]:
    """The probes of packs: names of built-in ones, or YAML files.

    Args:
        names: as given by the user.
        root: the folder that relative files start from.

    Raises:
        ConfigError: a pack does not exist, cannot be read, or holds what is no probe.
    """
    probes: dict[str, Probe] = {}
    for name in names:
        for probe in _pack(name, root):
            if probe.id in probes:
                raise ConfigError(f"two probes are called {probe.id!r}", subject=name, remedy="Rename one.")
            probes[probe.id] = probe
    if len(probes) > MAX_PROBES:
        raise ConfigError(f"more than {MAX_PROBES:,} probes", subject="packs", remedy="Use fewer packs.")
    return tuple(probes.values())


def _pack(name: str, root: str) -> Iterator[Probe]:
    if name in builtin_packs():
        document = read_data(_PACKS / f"{name}.yaml")
    elif name.endswith((".yaml", ".yml")):
        document = read_yaml(locate(name, root), limit=MAX_FILE)
    else:
        known = ", ".join(builtin_packs())
        raise ConfigError(f"no pack {name!r}", subject="packs", remedy=f"Built in: {known}; or a YAML file.")
    if not isinstance(document, list):
        raise ConfigError("is no list of groups of probes", subject=name, remedy="See docs/probes.md.")
    for number, group in enumerate(document, 1):
        yield from _group(group, f"{name}, group {number}")


def _group(group: Any, where: str) -> Iterator[Probe]:
    """What a group says holds for all of its probes, unless one of them says otherwise."""
    if not isinstance(group, dict) or not isinstance(group.get("probes"), dict):
        raise ConfigError("has no `probes`", subject=where, remedy="See docs/probes.md.")
    common = {key: value for key, value in group.items() if key != "probes"}
    for short, said in group["probes"].items():
        own = said if isinstance(said, dict) else {"turns": said}
        yield _probe(str(short), {**common, **own}, f"{where}, probe {short}")


def _probe(short: str, said: Mapping[str, Any], where: str) -> Probe:
    unknown = sorted(set(said) - {"family", "turns", "detector", "system", "tools", "document", "pattern",
                                  "forbidden", "wordings", "mutate", "tags"})  # fmt: skip
    if unknown:
        raise ConfigError(f"unknown key {unknown[0]!r}", subject=where, remedy="See docs/probes.md.")
    try:
        detector = Detector(said["detector"])
        family = str(said["family"])
        probe = Probe(
            id=f"{family}/{short}",
            family=family,
            turns=_texts(said.get("turns", ())),
            detector=detector,
            system=str(said.get("system", "")),
            tools=tuple(dict(tool) for tool in said.get("tools", ())),
            document=str(said.get("document", "")),
            pattern=str(said.get("pattern", "")),
            forbidden=_texts(said.get("forbidden", ())),
            wordings=_texts(said.get("wordings", ())),
            mutate=said.get("mutate", True) is True,
            tags=_texts(said.get("tags", ())),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"is no probe: {error}", subject=where, remedy="See docs/probes.md.") from error
    _validate(probe, where)
    return probe


def _texts(said: Any) -> tuple[str, ...]:
    if isinstance(said, str):
        return (said,)
    if not all(isinstance(one, str) for one in said):
        raise TypeError("a text was expected")
    return tuple(said)


def _validate(probe: Probe, where: str) -> None:
    asked = probe.wordings if probe.detector is Detector.SPLIT else probe.turns
    problem = ""
    if not asked or len(asked) > MAX_TURNS:
        problem = f"it must have 1 to {MAX_TURNS} turns"
    elif any(len(text) > MAX_TEXT for text in (*asked, probe.document, probe.system)):
        problem = f"a text is longer than {MAX_TEXT:,} characters"
    elif (needed := _NEEDS.get(probe.detector)) and not getattr(probe, needed):
        problem = f"the detector {probe.detector.value} needs `{needed}`"
    elif probe.detector is Detector.TOOL and not probe.tools:
        problem = "the detector tool needs `tools`"
    if problem:
        raise ConfigError(problem, subject=where, remedy="See docs/probes.md.")
