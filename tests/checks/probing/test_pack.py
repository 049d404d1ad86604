"""Packs of probes: the built-in ones are sound, and what is no probe is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.checks.deployment.pentest.rules import FAMILIES
from assay.checks.probing.pack import builtin_packs, read_packs
from assay.checks.probing.probe import Detector
from assay.core.errors import ConfigError


def test_every_built_in_probe_belongs_to_a_rule_and_is_tagged() -> None:
    probes = read_packs(builtin_packs())
    assert len(probes) > 100
    assert {probe.family for probe in probes} == set(FAMILIES)
    for probe in probes:
        assert any(tag.startswith("owasp:LLM") for tag in probe.tags), probe.id
        assert (
            any(tag.startswith("atlas:") for tag in probe.tags)
            or probe.family == "inconsistent-refusal"
            or (probe.detector is Detector.PATTERN)
        ), probe.id


def test_a_probe_of_markers_gives_its_halves_apart() -> None:
    for probe in read_packs(["injection"]):
        text = "".join((*probe.turns, probe.document))
        assert text.count("{left}") == text.count("{right}") == 1, probe.id
        between = text[text.index("{left}") + 6 : text.index("{right}")]
        assert any(sign.isalnum() for sign in between), probe.id
        assert bool(probe.document) == ("{document}" in "".join(probe.turns)), probe.id


def test_a_pack_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "- family: house\n  detector: pattern\n  pattern: blue\n  probes:\n"
        "    colour: Which colour?\n    twice: {turns: [One, Two], pattern: red}\n"
    )
    first, second = read_packs(["own.yaml"], str(tmp_path))
    assert (first.id, first.turns, first.pattern) == ("house/colour", ("Which colour?",), "blue")
    assert (second.turns, second.pattern) == (("One", "Two"), "red")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not valid YAML"), ("a: 1", "no list of groups"), ("- 3", "has no `probes`"),
        ("- {family: a, detector: canary, probes: {b: c, b: d}}", "is not valid YAML"),
        ("- {family: a, probes: {b: c}}", "is no probe"),
        ("- {family: a, detector: moon, probes: {b: c}}", "is no probe"),
        ("- {family: a, detector: canary, probes: {b: {turns: 3}}}", "is no probe"),
        ("- {family: a, detector: canary, probes: {b: {turns: [3]}}}", "is no probe"),
        ("- {family: a, detector: canary, probes: {b: {turns: []}}}", "1 to 20 turns"),
        ("- {family: a, detector: canary, colour: red, probes: {b: c}}", "unknown key 'colour'"),
        ("- {family: a, detector: pattern, probes: {b: c}}", "needs `pattern`"),
        ("- {family: a, detector: tool, probes: {b: c}}", "needs `tools`"),
        ("- {family: a, detector: split, probes: {b: c}}", "1 to 20 turns"),
        (2 * "- {family: a, detector: canary, probes: {b: c}}\n", "two probes are called"),
    ],
)  # fmt: skip
def test_what_is_no_probe_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        read_packs(["own.yaml"], str(tmp_path))


def test_a_pack_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="no pack 'moon'"):
        read_packs(["moon"])
    with pytest.raises(ConfigError, match="cannot be read"):
        read_packs(["moon.yaml"], "/nonexistent")
