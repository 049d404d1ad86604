"""`artifact.signature` with certificates: chains, names, validity, revocation."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from assay.core.canonical import JSON
from assay.core.report import Report, Status
from fixtures.signed_models import FILES, check, rules, signed, write
from fixtures.signers import NOW, Authority, Issued, bundle, chain, statement


class Publisher:
    """A root, an intermediate authority, and a signer of models."""

    def __init__(self, folder: Path, *, middle: dict[str, Any] | None = None, **signer: Any) -> None:
        self.model = write(folder / "model")
        self.root = Authority(folder / "ca", "root")
        self.middle = Authority(folder / "ca", "middle", self.root, **(middle or {}))
        self.signer = self.middle.issue("release", **signer)
        self.publish(self.signer, self.middle.own)

    def publish(self, *presented: Issued) -> None:
        signed(self.model, bundle(statement(FILES), presented[0].keys, chain(*presented)))

    def check(self, **options: JSON) -> Report:
        named: dict[str, JSON] = {"certificates": [str(self.root.own.path)], **options}
        return check(self.model, **named)


def test_a_chain_to_a_trusted_authority_passes(tmp_path: Path) -> None:
    report = Publisher(tmp_path).check()
    assert report.status is Status.PASS
    assert report.metrics["method"] == "certificate"
    assert report.metrics["signer"] == "certificate 'release'"


@pytest.mark.parametrize("kind", ["p384", "p521", "ed25519"])
def test_other_curves_pass(tmp_path: Path, kind: str) -> None:
    assert Publisher(tmp_path, kind=kind).check().status is Status.PASS


def test_the_intermediate_may_be_named_instead_of_carried(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    publisher.publish(publisher.signer)
    assert rules(publisher.check()) == ["untrusted-signer"]
    both: list[JSON] = [str(publisher.root.own.path), str(publisher.middle.own.path)]
    assert publisher.check(certificates=both).status is Status.PASS
    assert publisher.check(certificates=[str(publisher.signer.path)]).status is Status.PASS


def test_another_authority_of_the_same_name_is_not_trusted(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    impostor = Authority(tmp_path / "fake", "root")
    middle = Authority(tmp_path / "fake", "middle", impostor)
    publisher.publish(middle.issue("release"), middle.own, impostor.own)
    report = publisher.check()
    assert report.status is Status.FAIL
    assert rules(report) == ["untrusted-signer"]


def test_a_certificate_that_did_not_sign_is_invalid(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    other = publisher.middle.issue("somebody")
    presented = chain(publisher.signer, publisher.middle.own)
    signed(publisher.model, bundle(statement(FILES), other.keys, presented))
    assert rules(publisher.check()) == ["invalid"]


@pytest.mark.parametrize("usage", [True, False])
def test_a_signer_may_not_issue_certificates(tmp_path: Path, usage: bool) -> None:
    publisher = Publisher(tmp_path, usage=usage)
    rogue = Authority(tmp_path / "ca", "rogue", publisher.root)
    rogue.own = publisher.signer  # an ordinary certificate used as an authority
    publisher.publish(rogue.issue("victim"), publisher.signer, publisher.middle.own)
    report = publisher.check()
    assert rules(report) == ["untrusted-signer"]
    assert "no authority" in report.findings[0].message


@pytest.mark.parametrize(
    ("signer", "reason"),
    [
        ({"usage": False, "extended": None}, "does not say that it may be used for signatures"),
        ({"extended": ExtendedKeyUsageOID.SERVER_AUTH}, "for another use than signing"),
        ({"critical": "1.3.6.1.4.1.55555.1"}, "critical extension 1.3.6.1.4.1.55555.1"),
    ],
)
def test_a_certificate_for_something_else_does_not_count(
    tmp_path: Path, signer: dict[str, Any], reason: str
) -> None:
    report = Publisher(tmp_path, **signer).check()
    assert rules(report) == ["untrusted-signer"]
    assert reason in report.findings[0].message


@pytest.mark.parametrize("signer", [{"extended": None}, {"usage": False}])
def test_either_usage_is_enough(tmp_path: Path, signer: dict[str, Any]) -> None:
    assert Publisher(tmp_path, **signer).check().status is Status.PASS


def test_an_authority_that_may_not_sign_certificates_does_not_count(tmp_path: Path) -> None:
    assert rules(Publisher(tmp_path, middle={"signs": False}).check()) == ["untrusted-signer"]


def test_the_length_of_a_path_is_kept(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path, middle={"path_length": 0})
    assert publisher.check().status is Status.PASS
    below = Authority(tmp_path / "ca", "below", publisher.middle)
    publisher.publish(below.issue("release"), below.own, publisher.middle.own)
    assert "longer than an authority" in publisher.check().findings[0].message


def test_names_in_the_certificate_are_compared(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path, email="release@example.org")
    assert publisher.check(identity="release@example.org").status is Status.PASS
    assert publisher.check(identity="release").status is Status.PASS
    report = publisher.check(identity="other@example.org")
    assert rules(report) == ["untrusted-signer"]
    assert report.metrics["verified"] is False


@pytest.mark.parametrize("days", [(-400, -1), (1, 400)])
def test_a_certificate_outside_its_time_is_told(tmp_path: Path, days: tuple[int, int]) -> None:
    report = Publisher(tmp_path, days=days).check()
    assert report.status is Status.FAIL
    assert rules(report) == ["expired-certificate"]
    assert report.metrics["signer"] == "certificate 'release'"


def test_a_revoked_certificate_fails_and_a_fresh_list_passes(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    lists: list[JSON] = [str(publisher.root.revoke()), str(publisher.middle.revoke())]
    assert publisher.check(revocations=lists).status is Status.PASS
    publisher.middle.revoke(publisher.signer)
    report = publisher.check(revocations=lists)
    assert rules(report) == ["revoked"]
    assert report.metrics["verified"] is False


def test_a_revoked_authority_takes_its_signers_with_it(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    lists: list[JSON] = [str(publisher.root.revoke(publisher.middle.own)), str(publisher.middle.revoke())]
    assert rules(publisher.check(revocations=lists)) == ["revoked"]


def test_a_stale_or_missing_list_is_not_a_pass(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    stale = publisher.middle.revoke(until=NOW - timedelta(hours=1))
    report = publisher.check(revocations=[str(publisher.root.revoke()), str(stale)])
    assert report.status is Status.INCOMPLETE
    assert [skipped.what for skipped in report.coverage.skipped] == ["middle"]


def test_somebody_elses_list_revokes_nothing_and_vouches_for_nothing(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    impostor = Authority(tmp_path / "fake", "middle")
    forged = impostor.revoke(publisher.signer)
    report = publisher.check(revocations=[str(publisher.root.revoke()), str(forged)])
    assert report.findings == ()
    assert report.status is Status.INCOMPLETE


def test_certificates_that_issue_each_other_end(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    a = Authority(tmp_path / "loop", "a")
    b = Authority(tmp_path / "loop", "b", a)
    a.own = Authority(tmp_path / "loop2", "a", b).own
    publisher.publish(b.issue("release"), *[a.own, b.own] * 7)
    assert rules(publisher.check()) == ["untrusted-signer"]
