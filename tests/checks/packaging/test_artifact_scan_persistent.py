"""Persistent ids: torch uses them for storages; anywhere else a program decides what they give."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.checks.packaging.artifact_scan import ArtifactScan
from assay.core.report import Status
from fixtures.archives import real_zip
from fixtures.scanning import found, scan_bytes
from fixtures.torch_containers import old
from fixtures.torch_zip import legacy_checkpoint, state_dict_pickle

LOW = {("pickle/persistent-id", "low")}


WEIGHTS = {"w": np.ones(4, "f4")}
ZIP = {
    "p/data.pkl": state_dict_pickle(WEIGHTS),
    "p/byteorder": b"little",
    "p/data/0": bytes(16),
    "p/version": b"3\n",
}


class Asking(pickle.Pickler):
    """Writes complex numbers as ids."""

    def persistent_id(self, obj: object) -> object:
        """Its row in a database."""
        return ("row", 42) if isinstance(obj, complex) else None


def with_ids(protocol: int = 4) -> bytes:
    out = io.BytesIO()
    Asking(out, protocol).dump({"a": 1j, "b": 2j})
    return out.getvalue()


def test_an_id_outside_of_torchs_files_is_told_once(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pkl", with_ids())
    (finding,) = report.findings
    assert (report.status, finding.rule, finding.severity.value) == (
        Status.PASS,
        "pickle/persistent-id",
        "low",
    )
    assert finding.message == "Loading it would ask the loading program for what ('row', 42) stands for."
    assert finding.explanation is not None
    assert finding.explanation.loaders == (
        "the program that it was written for, whose unpickler has a persistent_load",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"Prow 42\n.",
        with_ids(2),
        state_dict_pickle(WEIGHTS),
        real_zip(("data.pkl", with_ids())),
    ],
    ids=["protocol 0", "protocol 2", "torch's own without its file", "an ordinary zip"],
)
def test_wherever_else_it_lies(content: bytes, tmp_path: Path) -> None:
    assert not LOW - found(scan_bytes(tmp_path, "m.bin", content))


@pytest.mark.parametrize(
    "make",
    [
        lambda: real_zip(*ZIP.items()),
        lambda: legacy_checkpoint(WEIGHTS),
        old,
    ],
    ids=["zip", "legacy", "tar"],
)
def test_torchs_own_are_silent(make: Callable[[], bytes], tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", make())
    assert (report.status, found(report)) == (Status.PASS, set()), report


def test_an_id_that_torch_does_not_know_is_told_in_its_files_too(tmp_path: Path) -> None:
    members = {"p/data.pkl": with_ids(2), "p/version": b"3\n", "p/byteorder": b"little"}
    assert not LOW - found(scan_bytes(tmp_path, "m.pt", real_zip(*members.items())))


def test_attack_an_id_of_torch_package_calls_what_it_names(tmp_path: Path) -> None:
    # The importer answers ("reduce_package", id, function, arguments) with function(importer, *arguments).
    pid = b"(\x8c\x0ereduce_packageK\0cbuiltins\ngetattr\n\x8c\x0dimport_module\x85tQ."
    members = {
        "p/model/m.pkl": b"\x80\x04" + pid,
        "p/.data/extern_modules": b"builtins\n",
        "p/.data/version": b"6\n",
        "p/byteorder": b"little",
    }
    report = scan_bytes(tmp_path, "m.pt", real_zip(*members.items()))
    messages = " ".join(finding.message for finding in report.findings)
    assert report.status is Status.FAIL
    assert "getattr" in messages
    assert "import_module" in messages


def test_the_rule_is_listed() -> None:
    assert "pickle/persistent-id" in {rule.id for rule in ArtifactScan.info.rules}
