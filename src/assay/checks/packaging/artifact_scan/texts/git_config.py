"""Configurations of git: what of them names a program that git starts by itself.

Source: git-config(1), gitattributes(5), githooks(5). A repository that comes as an archive or a copied folder
brings its `.git/config` along, and so does a bare repository inside of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.rules import code
from assay.checks.packaging.artifact_scan.texts import commands, shell
from assay.core.finding import Severity

MAX_TOLD = 25
MAX_TEXT = 4 << 20
_NAMES = frozenset({"config", "config.worktree", ".gitconfig", "gitconfig"})
_HEADER = re.compile(r'\[\s*([\w.-]+)(?:\s+"((?:\\.|[^"\\\n])*)")?\s*\]')
_SETTING = re.compile(r"([A-Za-z][\w-]*)\s*(?:=\s*(.*))?$", re.DOTALL)
# The full name, with its middle part as `*`; lower case.
_ALWAYS = frozenset({
    "core.fsmonitor", "core.sshcommand", "core.hookspath", "core.askpass", "core.gitproxy", "core.editor",
    "core.pager", "core.alternaterefscommand", "sequence.editor", "interactive.difffilter", "diff.external",
    "diff.*.command", "diff.*.textconv", "merge.*.driver", "filter.*.clean", "filter.*.smudge",
    "filter.*.process", "credential.helper", "credential.*.helper", "gpg.program", "gpg.*.program",
    "gpg.ssh.defaultkeycommand", "uploadpack.packobjectshook", "trailer.*.command", "trailer.*.cmd",
    "lfs.customtransfer.*.path", "lfs.extension.*.clean", "lfs.extension.*.smudge", "hook.*.command",
    "remote.*.uploadpack", "remote.*.receivepack", "init.templatedir", "include.path", "includeif.*.path",
})  # fmt: skip
_WHEN_ASKED = frozenset({"mergetool.*.cmd", "difftool.*.cmd", "guitool.*.cmd", "browser.*.cmd", "man.*.cmd"})
_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off", "1", "0"})
_PATH = r"(?:/(?:usr|bin|opt|snap|nix|Applications)(?:/(?!\.\.?/)[\w.-]+)*/)?"  # where systems keep programs
# What settings of these names are for, started as their own documentation says.
_KNOWN = re.compile(
    rf"{_PATH}git[ -]lfs (?:clean|smudge|filter-process)(?: --skip)?(?: -- ?%f)?|{_PATH}git-xet(?: \S+)?"
    rf"|huggingface-cli|hf|{_PATH}ssh(?: -[46CT]| -i [\w./~-]+| -o (?:IdentitiesOnly|BatchMode)=yes)*"
    r"|store|cache(?: --timeout[= ]\d+)?|manager(?:-core)?|osxkeychain|libsecret|wincred|oauth|gnome-keyring"
    rf"|!{_PATH}gh auth git-credential|!aws codecommit credential-helper \$@"
    rf"|{_PATH}(?:gpg2?|gpgsm|ssh-keygen|less(?: -\w+)?|more|cat|delta|diff-so-fancy|vim?|nvim|nano|emacs)"
    r"|true|code --wait|git-(?:upload|receive)-pack|exiftool|jupytext --to py --stdout"
)
_OWN_HOOKS = frozenset({".husky", ".husky/_", ".githooks", ".git/hooks"})


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting: its full name in lower case with `*` for a middle part, what it says, and its line."""

    name: str
    value: str
    line: int


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Report settings of a git configuration that have a program started."""
    base = blob.name.replace("!/", "/").rsplit("/", 1)[-1].lower()
    if base not in _NAMES or "[" not in text or len(text) > MAX_TEXT:
        return
    told = 0
    for setting in _settings(text):
        severity = _severity(setting)
        if severity is None or told >= MAX_TOLD:
            continue
        told += 1
        inspection.report(
            code.AUTORUN.finding(_message(setting), blob.at_line(setting.line), severity=severity)
        )
        for command in commands.find(setting.value, "unix"):
            raised = shell.raised(command.severity)
            inspection.report(shell.finding(blob, command, raised, setting.name, setting.line))


def _message(setting: _Setting) -> str:
    shown = setting.value[:100]
    if setting.name == "core.hookspath":
        return f"git takes its hooks from {shown!r} (core.hooksPath)."
    if setting.name in {"include.path", "includeif.*.path"}:
        return f"git takes more settings from {shown!r} ({setting.name})."
    return f"git starts {shown!r} by itself ({setting.name})."


def _severity(setting: _Setting) -> Severity | None:
    """How bad a setting is; None where it starts nothing, or what is known."""
    name, value = setting.name, setting.value.strip()
    if value.lower() in _SWITCHES:
        return None
    if name == "core.hookspath" and value in _OWN_HOOKS:
        return Severity.LOW  # what lies there is judged as hooks
    if name in _ALWAYS or (name.startswith("pager.") and name.count(".") == 1):
        return None if _KNOWN.fullmatch(value) else Severity.MEDIUM
    if name in _WHEN_ASKED or (name.startswith("alias.") and value.startswith("!")):
        return Severity.LOW
    other = (
        (name == "submodule.*.update" and value.startswith("!"))
        or (name.endswith(".url") and value.startswith(("ext::", "-")))
        or (name == "protocol.ext.allow" and value.lower() != "never")
    )
    return Severity.MEDIUM if other else None


def _settings(text: str) -> Iterator[_Setting]:
    section = ""
    for number, logical in _lines(text):
        line = logical.strip()
        while header := _HEADER.match(line):
            section = _section(header[1].lower(), header[2])
            line = line[header.end() :].strip()
        found = _SETTING.match(line)
        if section and found:
            key = found[1].lower()
            yield _Setting(f"{section}.{key}", _plain(found[2] or ""), number)


def _section(name: str, subsection: str | None) -> str:
    if subsection is None:
        first, _, rest = name.partition(".")  # the old form has both in one
        return f"{first}.*" if rest else first
    if name == "lfs":  # has settings of four parts
        return f"lfs.{subsection.split('.')[0].lower()}.*"
    return f"protocol.{subsection.lower()}" if name == "protocol" else f"{name}.*"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, numbered by the first."""
    pending, first = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        first = first if pending else number
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        yield first, pending + line
        pending = ""
    if pending:
        yield first, pending


def _plain(value: str) -> str:
    """A value without its quotes, escapes and comment."""
    made, quoted, at = [], False, 0
    while at < len(value):
        one = value[at]
        if one == "\\" and at + 1 < len(value):
            at += 1
            made.append({"n": "\n", "t": "\t"}.get(value[at], value[at]))
        elif one == '"':
            quoted = not quoted
        elif one in "#;" and not quoted:
            break
        else:
            made.append(one)
        at += 1
    return "".join(made).strip()
