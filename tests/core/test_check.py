"""The plug-in seam: options, loading, the registered checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assay.core.check import Context, check_names, load_check, parse_options
from assay.core.controls import CONTROLS
from assay.core.errors import CheckError, ConfigError, UsageError


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a check that is not there."""

    tolerance: float = 0.5
    suites: list[str] = field(default_factory=list)


def test_options_are_validated_and_defaulted() -> None:
    assert parse_options(Options, {}) == Options()
    assert parse_options(Options, {"tolerance": 1, "suites": ["a"]}) == Options(1.0, ["a"])


@pytest.mark.parametrize(
    ("raw", "message"),
    [({"tolerence": 1}, "unknown option 'tolerence'"), ({"tolerance": "much"}, "option 'tolerance'")],
)
def test_a_wrong_option_is_an_error_not_a_default(raw: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_options(Options, raw)


def test_an_unknown_check_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        load_check("artifact.scam")
    assert "artifact.scan" in caught.value.remedy


@pytest.mark.parametrize("name", check_names())
def test_every_registered_check_loads_and_describes_itself(name: str) -> None:
    info = load_check(name).info
    assert info.name == name
    assert info.rules
    assert len({rule.id for rule in info.rules}) == len(info.rules)
    for rule in info.rules:
        assert rule.remedy, rule.id
        assert not rule.title.endswith("."), rule.id
        assert rule.description, rule.id


def test_every_registered_check_has_its_page_which_names_all_its_rules() -> None:
    docs = Path(__file__).parents[2] / "docs" / "checks"
    for name in check_names():
        page = (docs / f"{name}.md").read_text(encoding="utf-8")
        for rule in load_check(name).info.rules:
            assert rule.id in page, f"{name}: {rule.id} is not documented"


def test_every_registered_check_serves_a_control() -> None:
    served = {check for control in CONTROLS for check in control.checks}
    assert set(check_names()) <= served
    assert len(CONTROLS) == 7


def test_a_cancelled_run_stops_at_its_next_checkpoint(tmp_path: Path) -> None:
    Context(tmp_path).checkpoint()
    with pytest.raises(CheckError, match="cancelled"):
        Context(tmp_path, cancelled=lambda: True).checkpoint()
