from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import ConfigError
from assay.gate import builtin_names, load_pack, load_packs, open_engine, policy_digest, run_policy_tests

Bench = Any  # conftest's; importlib mode has no name for it
SOUND = "evaluated := true\n\nreasons := set()\n"


def test_builtin_packs() -> None:
    assert builtin_names() == ["baseline", "strict"]
    strict = load_pack("strict")
    assert list(strict.closure()) == ["baseline", "strict"]
    assert [module.name for module in strict.all_modules()] == [
        "baseline/baseline.rego",
        "strict/strict.rego",
    ]


@pytest.mark.parametrize("name", ["baseline", "strict"])
def test_builtin_packs_pass_their_own_tests(name: str) -> None:
    run = run_policy_tests(load_pack(name), open_engine(deadline=30))
    assert [result for result in run.results if result.outcome != "pass"] == []
    assert run.passed
    assert len(run.results) >= 10


def test_pack_in_full(bench: Bench) -> None:
    manifest = "name: our-rules\ntitle: Ours\nextends: [baseline]\nsettings: {limit: 3}\n"
    folder = bench.write_pack(
        "", name="ours", pack__yaml=manifest, people__json='["ann"]', more__yaml="a: 1\n"
    )
    (folder / "ours.rego").write_text(f"package assay.our_rules\n\n{SOUND}", encoding="utf-8")
    pack = load_pack("ours", root=bench.folder)
    assert (pack.name, pack.title, pack.package) == ("our-rules", "Ours", "assay.our_rules")
    data = pack.data({"our-rules": {"limit": 5}, "team": "red"})
    assert data["settings"]["our-rules"] == {"limit": 5}
    assert data["files"] == {"people": ["ann"], "more": {"a": 1}}
    assert data["user"] == {"our-rules": {"limit": 5}, "team": "red"}
    assert "required" in data["settings"]["baseline"]
    assert set(pack.digests) == {"more.yaml", "ours.rego", "pack.yaml", "people.json"}


def test_lists_of_what_is_asked_only_grow(bench: Bench) -> None:
    manifest = "settings: {required: [a, b], never_waived: [a], other: [a]}\n"
    bench.write_pack(SOUND, pack__yaml=manifest)
    user = {"ours": {"required": ["c", "a"], "never_waived": [], "other": []}}
    data = load_pack("ours", root=bench.folder).data(user)
    assert data["settings"]["ours"] == {"required": ["a", "b", "c"], "never_waived": ["a"], "other": []}
    assert data["user"] == user


def test_digest_changes_with_every_file_that_decides_and_no_other(bench: Bench) -> None:
    def digest() -> str:
        return policy_digest(load_packs(["ours"], root=bench.folder), {})

    folder = bench.write_pack(SOUND, pack__yaml="title: a\n", data__json="{}")
    first = digest()
    bench.write_pack(SOUND, ours_test__rego="package assay.ours_test\n\ntest_a if true\n")
    (folder / "README.md").write_text("not read", encoding="utf-8")
    assert digest() == first
    seen = {first}
    for name, text in (
        ("pack.yaml", "title: b\n"),
        ("data.json", "[]"),
        ("ours.rego", f"package assay.ours\n# a comment\n{SOUND}"),
        ("more.rego", "package assay.ours\n\nx := 1\n"),
    ):
        (folder / name).write_text(text, encoding="utf-8")
        seen.add(digest())
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pack.yaml": "nme: x\n"}, "unknown key 'nme'"),
        ({"pack.yaml": "extends: baseline\n"}, "extends must be a list"),
        ({"pack.yaml": "- 1\n"}, "is not a mapping"),
        ({"pack.yaml": "a: [\n"}, "cannot be parsed"),
        ({"pack.yaml": "settings: &a {x: 1}\ntitle: *a\n"}, "aliases are not allowed"),
        ({"pack.yaml": "name: '../x'\n"}, "cannot be a pack's name"),
        ({"pack.yaml": "name: baseline\n"}, "'baseline' is the name of a built-in pack"),
        ({"pack.yaml": "extends: [nothing]\n"}, "extends 'nothing', which does not exist"),
        ({"pack.yaml": "extends: ['../ours']\n"}, "packs extend each other: ours → ours"),
        ({"data.json": "{"}, "cannot be parsed"),
        ({"data.json": "{}", "data.yaml": "{}"}, "stands twice"),
        ({"data.yaml": "day: 2026-01-01\n"}, "cannot be parsed"),
        ({"ours.rego": "x := 1\n"}, r"is package \(none\)"),
        ({"ours.rego": "package assay.baseline\n\nx := 1\n"}, "is package assay.baseline"),
        ({"ours.rego": "package assay.ours\n\nx := input.chekcs\n"}, "line 3: input has no field 'chekcs'"),
        (
            {"ours.rego": "package assay.ours\n\nx if {\n\tinptu.checks\n}\n"},
            "line 4: 'inptu' is bound nowhere",
        ),
    ],
)
def test_broken_packs_are_refused(bench: Bench, files: dict[str, str], message: str) -> None:
    folder = bench.write_pack(SOUND)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_pack("ours", root=bench.folder)


@pytest.mark.parametrize(
    "raw", [b"package assay.ours\n\xff", b"package assay.ours\n\0", b"#" * (1 << 20 | 1)]
)
def test_bytes_that_are_no_policy_are_refused(bench: Bench, raw: bytes) -> None:
    (bench.write_pack(SOUND) / "ours.rego").write_bytes(raw)
    with pytest.raises(ConfigError):
        load_pack("ours", root=bench.folder)


def test_comments_may_stand_anywhere(bench: Bench) -> None:
    folder = bench.write_pack(SOUND)
    (folder / "ours.rego").write_text(f"# ours\npackage assay.ours # ours\n\n{SOUND}", encoding="utf-8")
    assert load_pack("ours", root=bench.folder).package == "assay.ours"


def test_pack_named_twice_is_refused(bench: Bench) -> None:
    bench.write_pack(SOUND)
    assert len(load_packs(["baseline", "ours"], root=bench.folder)) == 2
    with pytest.raises(ConfigError, match="names 'ours' twice"):
        load_packs(["ours", "./ours"], root=bench.folder)


def test_pack_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no policy pack 'nothing'") as raised:
        load_pack("nothing", root=tmp_path)
    assert "baseline, strict" in raised.value.remedy
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"holds no \*.rego"):
        load_pack("empty", root=tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        "import data.files\n\nx := files.people[0]",
        "import data.settings.ours as own\n\nx := own.limit",
        "import data.files as listed # who\n\nx := listed.people # all",
        'x if {\n\tsome name, check in input.checks\n\tcheck.present\n\tname != ""\n}',
        "f(check) := check.status\n\nx := {f(c) | some c in input.checks}",
        'x := concat(", ", ["uses http.send and time.now_ns in text only"])',
        "# http.send in a comment\nx := time.clock(0)",
        'x := [y.a | y := {"a": 1}]',
        'x := input["checks"]',
    ],
)
def test_sound_rego_is_not_refused(bench: Bench, body: str) -> None:
    bench.write_pack(f"{SOUND}\n{body}\n" if not body.startswith("import") else f"{body}\n\n{SOUND}")
    assert load_pack("ours", root=bench.folder).modules
