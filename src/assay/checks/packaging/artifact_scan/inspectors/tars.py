"""tar: members are regions of the same file, examined in turn; what readers take differently is told."""

from __future__ import annotations

from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import torch_tars
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.members import (
    report_link,
    report_names,
    report_traversal,
)
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, UNPACK, raised
from assay.core.errors import LimitError, SubjectError
from assay.subjects.archives.tar_members import TarMember, TarReader

MAX_PROBLEMS = 20
_NO_DATA = {"folder", "label", "listing"}


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Examine the members; those of a PyTorch 0.1 tar as its loader reads them."""
    reader = TarReader(blob.data, blob.start, blob.end)
    members: list[TarMember] = []
    try:
        for member in reader:
            members.append(member)
            if len(members) > inspection.options.max_members:
                reason = f"it has more than {inspection.options.max_members:,} members"
                raise LimitError(reason, remedy=raised("max_members"))
    except SubjectError as error:
        inspection.skip(blob, f"the tar cannot be read to its end: {error.cause}", error.remedy or AGAIN)
    for problem in dict.fromkeys(reader.problems[:MAX_PROBLEMS]):
        message = f"The tar is inconsistent: {problem}."
        inspection.report(rules.files.ARCHIVE.finding(message, blob.place()))
    legacy = torch_tars.is_legacy(members)
    kind = "pytorch-tar" if legacy else _kind(members)
    if kind:
        inspection.outcome.rename(blob, kind)
    report_names(blob, "tar", [m.name for m in members if m.kind not in _NO_DATA], inspection)
    for member in members:
        _member(blob, member, inspection, legacy=legacy)
    if reader.trailing >= 0:
        size = blob.end - reader.trailing
        message = f"{size:,} bytes that are no member follow the end of the tar."
        inspection.report(rules.files.TRAILING.finding(message, blob.place()))
        inspection.examine(blob.member_at("(after the tar)", reader.trailing, size))


def _kind(members: list[TarMember]) -> str:
    """The format that these members make: NeMo's models are tars of a configuration and weights."""
    names = {PurePosixPath(member.name).name for member in members}
    nemo = "model_config.yaml" in names and any(name.startswith("model_weights") for name in names)
    return "nemo" if nemo else ""


def _member(blob: Blob, member: TarMember, inspection: Inspection, *, legacy: bool) -> None:
    report_traversal(blob, member.name, inspection)
    inner = blob.member_at(member.name, member.start, member.size)
    if member.kind == "symbolic link":
        report_link(blob, member.name, member.target, inspection)
    elif member.kind == "hard link":
        report_traversal(blob, member.target, inspection)
    elif member.kind in {"device", "pipe"}:
        message = f"Member {member.name[:100]!r} is a {member.kind}: unpacking makes one."
        inspection.report(rules.files.TRAVERSAL.finding(message, blob.place()))
    elif member.kind == "file" and member.size:
        if legacy and member.name in torch_tars.RAW:
            torch_tars.inspect_raw(inner, member.name, inspection)
        else:
            inspection.examine(inner)
    elif member.kind not in {"file", *_NO_DATA}:
        inspection.skip(inner, f"a {member.kind} is not put together by this version", UNPACK)
