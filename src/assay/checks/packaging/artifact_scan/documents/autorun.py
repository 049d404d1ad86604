"""Commands in JSON that a tool runs by itself: install scripts, an editor's tasks, a container's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.rules import code
from assay.checks.packaging.artifact_scan.texts import commands, shell
from assay.core.finding import Severity

MAX_SCRIPTS = 20
# By file name: the keys whose text is run, and who runs it.
_FILES: Mapping[str, tuple[frozenset[str], str]] = {
    "package.json": (
        frozenset({"preinstall", "install", "postinstall", "prepare"}),
        "npm runs it at installation",
    ),
    "devcontainer.json": (
        frozenset({"initializeCommand", "onCreateCommand", "postCreateCommand", "postStartCommand"}),
        "the editor runs it when it opens the container",
    ),
}


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Look for such commands in the files that hold them."""
    base = blob.name.rsplit("/", 1)[-1].lower()
    if base == "tasks.json" and any(pair == ("runOn", "folderOpen") for pair in values(document)):
        message = "The editor runs a task of it as soon as the folder is opened (runOn: folderOpen)."
        inspection.report(code.AUTORUN.finding(message, blob.place()))
    keys, who = _FILES.get(base.lstrip("."), (frozenset[str](), ""))
    for key, value in values(document) if keys else ():
        if key not in keys or not isinstance(value, str):
            continue
        message = f"`{key}`: {who}."
        inspection.report(code.AUTORUN.finding(message, blob.place(), severity=Severity.LOW))
        scripts = [word for word in re.split(r"[\s;&|()\"']+", value) if shell.is_script(word)]
        inspection.outcome.wired += [blob.beside(word) for word in scripts[:MAX_SCRIPTS]]
        for command in commands.find(value, "unix"):
            inspection.report(shell.finding(blob, command, shell.raised(command.severity), key, 1))
