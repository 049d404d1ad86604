from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from assay.checks.packaging.sbom import SupplySbom
from assay.core.canonical import JSON, canonical_bytes
from assay.core.check import Check, Context
from assay.core.errors import CheckError, SubjectError
from assay.core.finding import Finding, Severity
from assay.core.report import Report, Status
from assay.subjects.environment import environment_subject, read_environment


class Prefix:
    """An environment made of real files, as an installer would leave it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.site = root / "lib/python3.12/site-packages"
        self.site.mkdir(parents=True)
        (root / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.4\n")

    def install(
        self,
        name: str,
        version: str = "1.0",
        *,
        headers: str = "License-Expression: MIT\n",
        files: Mapping[str, str] | None = None,
        direct_url: JSON = None,
        record: bool = True,
    ) -> Path:
        info = self.site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{headers}\nLong description\n"
        (info / "METADATA").write_text(metadata)
        lines = [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
        for path, text in (files or {f"{name}/__init__.py": f"# {name}\n"}).items():
            (self.site / path).parent.mkdir(parents=True, exist_ok=True)
            (self.site / path).write_text(text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={digest},{len(text)}")
        if direct_url is not None:
            (info / "direct_url.json").write_text(json.dumps(direct_url))
        if record:
            (info / "RECORD").write_text("\n".join(lines) + "\n")
        return info

    def check(self, workspace: Path, **options: JSON) -> Report:
        subject = environment_subject(str(self.root))
        return SupplySbom().run(subject, Context(workspace, options=options))


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    return Prefix(tmp_path / "env")


def rules(report: Report) -> list[tuple[str, Severity]]:
    return [(finding.rule, finding.severity) for finding in report.findings]


def bom_of(report: Report) -> Any:
    bom = json.loads(json.dumps(report.details["bom"]))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None
    return bom


def only(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def test_it_is_a_check() -> None:
    assert isinstance(SupplySbom(), Check)
    assert len({rule.id for rule in SupplySbom.info.rules}) == len(SupplySbom.info.rules)


def test_a_clean_environment_passes_with_a_valid_bill(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("Requests_Like", headers="License: Apache 2.0\nRequires-Dist: leaf>=1\nSummary: asks\n")
    prefix.install("leaf", "2.0")
    report = prefix.check(tmp_path)
    assert report.status is Status.PASS
    assert report.findings == ()
    assert report.metrics["packages"] == 2
    assert report.metrics["files_compared"] == 2
    bom = bom_of(report)
    assert [c["purl"] for c in bom["components"]] == ["pkg:pypi/leaf@2.0", "pkg:pypi/requests-like@1.0"]
    assert bom["components"][1]["licenses"] == [
        {"license": {"acknowledgement": "declared", "id": "Apache-2.0"}}
    ]
    graph = {d["ref"]: d.get("dependsOn", []) for d in bom["dependencies"]}
    assert graph["environment"] == ["pkg:pypi/requests-like@1.0"]
    assert graph["pkg:pypi/requests-like@1.0"] == ["pkg:pypi/leaf@2.0"]


def test_the_running_environment_has_a_valid_bill(tmp_path: Path) -> None:
    report = SupplySbom().run(environment_subject(), Context(tmp_path, options={"verify_files": False}))
    bom = bom_of(report)
    assert "pydantic" in {component["name"] for component in bom["components"]}
    assert "files were not compared with their records (verify_files)" in report.coverage.notes


def test_the_same_environment_gives_the_same_bytes(tmp_path: Path) -> None:
    bills = []
    for place in ("a", "b"):
        prefix = Prefix(tmp_path / place)
        for name in ("zeta", "alpha") if place == "a" else ("alpha", "zeta"):
            prefix.install(name)
        bills.append(canonical_bytes(prefix.check(tmp_path).details))
    assert bills[0] == bills[1]


def test_the_digest_follows_what_is_installed(prefix: Prefix) -> None:
    info = prefix.install("one")
    before = environment_subject(str(prefix.root))
    assert environment_subject(str(prefix.root)) == before
    (info / "RECORD").write_text((info / "RECORD").read_text() + "extra.py,,\n")
    assert environment_subject(str(prefix.root)).sha256 != before.sha256


def test_attack_a_changed_file_fails(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("victim", files={"victim/__init__.py": "x = 1\n", "victim/other.py": "y = 2\n"})
    (prefix.site / "victim/__init__.py").write_text("import os; x = 1\n")
    report = prefix.check(tmp_path)
    assert report.status is Status.FAIL
    assert rules(report) == [("sbom/modified-file", Severity.HIGH)]
    assert only(report).message == "victim/__init__.py of victim 1.0 is not the file that was installed"
    assert report.metrics["modified_files"] == 1
    assert prefix.check(tmp_path, verify_files=False).status is Status.PASS


def test_attack_a_pipe_in_place_of_a_file_does_not_hang(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("victim")
    path = prefix.site / "victim/__init__.py"
    path.unlink()
    os.mkfifo(path)
    assert rules(prefix.check(tmp_path)) == [("sbom/modified-file", Severity.HIGH)]


def test_attack_startup_code_that_no_package_owns(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("owner", files={"owner.pth": "import owner\n", "owner/__init__.py": "\n"})
    assert prefix.check(tmp_path).findings == ()
    (prefix.site / "zz_evil.pth").write_text("import this\n")
    (prefix.site / "sitecustomize.py").write_text("pass\n")
    report = prefix.check(tmp_path)
    assert rules(report) == [("sbom/unrecorded-code", Severity.MEDIUM)] * 2
    assert {finding.location.path for finding in report.findings} == {"zz_evil.pth", "sitecustomize.py"}
    assert prefix.check(tmp_path, fail_on="medium").status is Status.FAIL


def test_native_libraries_are_listed_and_compared_on_request(prefix: Prefix, tmp_path: Path) -> None:
    files = {"fast/_core.so": "ELF", "fast.libs/libz.so.1": "ELF", "fast/__init__.py": ""}
    prefix.install("fast", files=files)
    report = prefix.check(tmp_path)
    properties = bom_of(report)["components"][0]["properties"]
    assert [p["value"] for p in properties if p["name"] == "assay:native-library"] == [
        "fast.libs/libz.so.1",
        "fast/_core.so",
    ]
    assert report.metrics["native_packages"] == 1
    (prefix.site / "fast/_core.so").write_text("evil")
    assert prefix.check(tmp_path).findings == ()
    assert rules(prefix.check(tmp_path, verify_native=True)) == [("sbom/modified-file", Severity.HIGH)]


@pytest.mark.parametrize(
    ("direct_url", "severity", "kind"),
    [
        ({"url": "file:///src/x", "dir_info": {"editable": True}}, Severity.INFO, "editable"),
        ({"url": "file:///src/x", "dir_info": {}}, Severity.LOW, "folder"),
        (
            {"url": "https://u:secret@h/x.git", "vcs_info": {"vcs": "git", "commit_id": "ab" * 20}},
            Severity.LOW,
            "vcs",
        ),
        ({"url": "https://h/x.git", "vcs_info": {"vcs": "git", "commit_id": "main"}}, Severity.MEDIUM, "vcs"),
        ({"url": "https://h/x y[1].zip", "archive_info": {}}, Severity.MEDIUM, "archive"),
        (
            {"url": "https://h/x.zip", "archive_info": {"hashes": {"sha256": "ab" * 32}}},
            Severity.LOW,
            "archive",
        ),
        (
            {"url": "https://h/x.zip", "archive_info": {"hash": "sha256=" + "ab" * 32}},
            Severity.LOW,
            "archive",
        ),
    ],
)
def test_packages_from_elsewhere(
    prefix: Prefix, tmp_path: Path, direct_url: JSON, severity: Severity, kind: str
) -> None:
    prefix.install("elsewhere", direct_url=direct_url)
    report = prefix.check(tmp_path)
    assert rules(report) == [("sbom/direct-url", severity)]
    assert only(report).data["kind"] == kind
    assert "secret" not in json.dumps(bom_of(report)) + str(only(report).data)


def test_the_same_package_twice(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("twin", "1.0", files={"twin/a.py": "a"})
    prefix.install("Twin", "2.0", files={"twin/b.py": "b"})
    report = prefix.check(tmp_path)
    assert only(report).message == "twin is installed 2 times: 1.0, 2.0"
    assert len(bom_of(report)["components"]) == 2


def test_the_very_same_version_twice_still_has_unique_references(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path / "env")
    prefix.install("twin", files={"twin/a.py": "a"})
    prefix.install("Twin", files={"twin/b.py": "b"})
    assert len({c["bom-ref"] for c in bom_of(prefix.check(tmp_path))["components"]}) == 2


def test_a_missing_file_is_told(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("holey")
    (prefix.site / "holey/__init__.py").unlink()
    report = prefix.check(tmp_path)
    assert rules(report) == [("sbom/missing-file", Severity.LOW)]
    assert report.status is Status.PASS


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\n", {"expression": "MIT OR Apache-2.0"}),
        ("License: MIT\n", {"license": {"id": "MIT"}}),
        ("Classifier: License :: OSI Approved :: MIT License\n", {"license": {"id": "MIT"}}),
        ("Classifier: License :: OSI Approved :: BSD License\n", {"license": {"name": "BSD License"}}),
        ("License: Our own terms\n  More of them\n", {"license": {"name": "Our own terms"}}),
        ("License: UNKNOWN\n", None),
        ("", None),
    ],
)
def test_licences(prefix: Prefix, tmp_path: Path, headers: str, licence: Any) -> None:
    prefix.install("one", headers=headers)
    report = prefix.check(tmp_path)
    listed = bom_of(report)["components"][0].get("licenses", [])
    for entry in listed:
        (entry.get("license") or entry).pop("acknowledgement")
    assert listed == ([licence] if licence else [])
    assert rules(report) == ([] if licence else [("sbom/missing-licence", Severity.INFO)])
    assert report.metrics["without_licence"] == (0 if licence else 1)


def test_extras_and_markers_are_followed(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("app", headers="License: MIT\nRequires-Dist: lib[fast]\n")
    requires = (
        'Requires-Dist: speed; extra == "fast"\nRequires-Dist: docs; extra == "docs"\n'
        'Requires-Dist: old; python_version < "3.8"\nRequires-Dist: !!nonsense\n'
    )
    prefix.install("lib", headers="License: MIT\n" + requires)
    for name in ("speed", "docs", "old"):
        prefix.install(name)
    graph = {d["ref"]: d.get("dependsOn", []) for d in bom_of(prefix.check(tmp_path))["dependencies"]}
    assert graph["pkg:pypi/lib@1.0"] == ["pkg:pypi/speed@1.0"]


def test_broken_metadata_is_incomplete(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("good")
    (prefix.site / "bad-1.0.dist-info").mkdir()
    (prefix.site / "worse-1.0.dist-info").mkdir()
    (prefix.site / "worse-1.0.dist-info/METADATA").write_bytes(b"\xff\xfe Name:\n\n")
    report = prefix.check(tmp_path)
    assert report.status is Status.INCOMPLETE
    assert [(s.what, s.reason) for s in report.coverage.skipped] == [
        ("bad-1.0.dist-info", "has no METADATA"),
        ("worse-1.0.dist-info", "its METADATA states no valid name and version"),
    ]


def test_attack_removing_the_record_does_not_hide_a_change(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("victim", record=False)
    report = prefix.check(tmp_path)
    assert report.status is Status.INCOMPLETE
    assert "has no RECORD" in report.coverage.skipped[0].reason


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("direct_url.json", b"[" * 60_000),
        ("direct_url.json", b'{"url": 3, "vcs_info": 4}'),
        ("RECORD", b"\xff\xfe,sha256=x,1\n"),
        ("RECORD", b'"unclosed,sha256=x,1\n'),
    ],
)
def test_attack_malformed_files_are_incomplete(
    prefix: Prefix, tmp_path: Path, file: str, content: bytes
) -> None:
    (prefix.install("bad") / file).write_bytes(content)
    report = prefix.check(tmp_path)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].what == "bad"


def test_attack_a_malformed_hash_is_not_a_match(prefix: Prefix, tmp_path: Path) -> None:
    (prefix.install("bad") / "RECORD").write_text("bad/__init__.py,sha256=!,1\n")
    assert rules(prefix.check(tmp_path)) == [("sbom/modified-file", Severity.HIGH)]


def test_more_files_than_allowed_is_incomplete(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("big", files={f"big/{n}.py": "" for n in range(5)})
    report = prefix.check(tmp_path, max_files=3)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].reason == "2 recorded files are more than max_files allows"


def test_an_environment_that_changed_is_an_error(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("one")
    subject = environment_subject(str(prefix.root))
    prefix.install("two")
    with pytest.raises(CheckError, match="changed since it was named"):
        SupplySbom().run(subject, Context(tmp_path))


def test_what_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="no Python environment"):
        environment_subject(str(tmp_path))


def test_an_empty_environment_is_incomplete(prefix: Prefix, tmp_path: Path) -> None:
    assert prefix.check(tmp_path).status is Status.INCOMPLETE


def test_system_packages_outside_are_not_passed_over(prefix: Prefix, tmp_path: Path) -> None:
    prefix.install("one")
    (prefix.root / "pyvenv.cfg").write_text("version = 3.12.4\ninclude-system-site-packages = true\n")
    assert prefix.check(tmp_path).status is Status.INCOMPLETE


def test_the_python_version_is_read_not_run(prefix: Prefix) -> None:
    prefix.install("one")
    assert read_environment(prefix.root).python == "3.12.4"
    (prefix.root / "pyvenv.cfg").unlink()
    assert read_environment(prefix.root).python == "3.12"
