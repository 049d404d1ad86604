"""docs/policy.md says what is: every reason, every setting, and an example that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from assay.gate import builtin_names, load_pack, open_engine, run_policy_tests

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("pack", builtin_names())
def test_every_reason_is_documented(pack: str) -> None:
    section = PAGE.split(f"\n## {pack}\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z-]+)` \| (fail|hold) \|", section, re.MULTILINE))
    (module,) = load_pack(pack).modules
    given = {(i, d) for d, i in re.findall(r'(fail|hold)\("([a-z-]+)"', module.source)}
    assert documented == given
    assert given


def test_every_setting_is_documented() -> None:
    settings = load_pack("baseline").settings
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert set(settings) <= set(rows)
    for name in ("required", "never_waived", "comparisons", "review_rules"):
        assert re.findall(r"`([^`]+)`", rows[name]) == settings[name]
    assert all(f"`{name}`" in PAGE for name in load_pack("strict").settings)


def test_every_option_for_review_is_documented() -> None:
    for check, names in load_pack("baseline").settings["review_options"].items():
        assert f"| {check} | {', '.join(f'`{name}`' for name in names)} |" in PAGE


def test_example_pack_works(tmp_path: Path) -> None:
    folder = tmp_path / "sizes"
    folder.mkdir()
    found = re.findall(r"^`policies/sizes/([\w.]+)`\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for name, text in found:
        (folder / name).write_text(text, encoding="utf-8")
    assert [name for name, _ in found] == ["pack.yaml", "sizes.rego", "sizes_test.rego"]
    assert yaml.safe_load(found[0][1])["extends"] == ["baseline"]
    run = run_policy_tests(load_pack("sizes", root=tmp_path), open_engine(deadline=30))
    assert run.message == "pack sizes: 2 pass"
