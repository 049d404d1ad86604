"""Scripts of all languages but Python beside the weights, and the files that tools run by themselves."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.rules import code
from assay.core.finding import Finding, Severity

if TYPE_CHECKING:
    from assay.checks.packaging.artifact_scan.texts.commands import Command

MAX_FINDINGS = 25  # in one file
_QUOTED = 120  # characters
_SUFFIXES = {
    **dict.fromkeys((".sh", ".bash", ".zsh", ".ksh", ".fish", ".command", ".mk", ".envrc", ".service",
                     ".desktop", ".dockerfile"), "unix"),
    **dict.fromkeys((".bat", ".cmd", ".ps1", ".psm1", ".psd1"), "windows"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx", ".vbs", ".hta"), "web"),
    **dict.fromkeys((".rb", ".rake", ".gemspec"), "ruby"), **dict.fromkeys((".pl", ".pm"), "perl"),
    **dict.fromkeys((".php", ".phtml", ".php5", ".phar"), "php"), ".lua": "lua", ".r": "r",
}  # fmt: skip
_NAMES = {
    **dict.fromkeys(("makefile", "gnumakefile", "dockerfile", "containerfile", "justfile", "procfile",
                     "jenkinsfile", ".envrc", ".bashrc", ".profile", ".bash_profile", ".zshrc",
                     ".gitlab-ci.yml", ".travis.yml", "azure-pipelines.yml", ".pre-commit-config.yaml"),
                     "unix"),
    **dict.fromkeys(("rakefile", "gemfile", "vagrantfile", "brewfile"), "ruby"), ".rprofile": "r",
}  # fmt: skip
_INTERPRETERS = {
    **dict.fromkeys(("node", "nodejs", "deno", "bun", "tsx", "ts-node"), "web"),
    **dict.fromkeys(("pwsh", "powershell"), "windows"),
    "perl": "perl", "ruby": "ruby", "jruby": "ruby", "lua": "lua", "luajit": "lua", "php": "php",
    "Rscript": "r",
}  # fmt: skip
_VERSION = re.compile(r"[\d.]+$")  # of `lua5.4`, `php8`
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")  # of types: nothing in them is run
_UNIX = re.compile(r"^(?:ba|z|da|k|a|fi|c|tc)?sh$|^(?:rbash|busybox|make|expect|awk)$")
_HOOK_FOLDERS = (".git/hooks/", ".githooks/", ".husky/", "/hooks/")
_HOOKS = frozenset({
    "applypatch-msg", "commit-msg", "post-applypatch", "post-checkout", "post-commit", "post-merge",
    "post-rewrite",
    "pre-applypatch", "pre-commit", "pre-merge-commit", "pre-push", "pre-rebase", "prepare-commit-msg",
    "post-update", "pre-receive", "update", "post-receive", "fsmonitor-watchman", "pre-auto-gc",
})  # fmt: skip
_RAISED = {Severity.LOW: Severity.MEDIUM, Severity.MEDIUM: Severity.HIGH}


def language(name: str, first_line: str) -> str:
    """The family of scripts that a file's name or first line says; "" where neither does."""
    base = name.rsplit("/", 1)[-1].lower()
    called = interpreter(first_line)
    spoken = _INTERPRETERS.get(_VERSION.sub("", called))
    if is_hook(name):
        return spoken or "unix"
    if ".github/workflows/" in name:
        return "unix"
    if base.endswith(_DECLARATIONS):
        return ""
    known = _NAMES.get(base) or _SUFFIXES.get(posixpath.splitext(base)[1])
    if known or base.startswith("dockerfile."):
        return known or "unix"
    return spoken or ("unix" if _UNIX.match(called) else "")


def interpreter(first_line: str) -> str:
    """The program that a shebang names, through `env` if need be; "" where there is none."""
    words = first_line[2:].split() if first_line.startswith("#!") else []
    while words:
        word = words.pop(0).rsplit("/", 1)[-1]
        if word != "env" and not word.startswith("-") and "=" not in word:
            return word
    return ""


def is_hook(name: str) -> bool:
    """Whether git would run it: a hook's name in a folder of hooks."""
    lowered = "/" + name.replace("!/", "/").lower()
    base = lowered.rsplit("/", 1)[-1]
    return base in _HOOKS and any(folder in lowered for folder in _HOOK_FOLDERS)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge a whole script."""
    from assay.checks.packaging.artifact_scan.texts.commands import find  # noqa: PLC0415  start-up

    by_itself = _runs_by_itself(blob, inspection)
    spoken = language(blob.name, text.split("\n", 1)[0]) or "unix"
    docker = "dockerfile" in blob.name.lower() or "containerfile" in blob.name.lower()
    for number, command in enumerate(find(text, spoken)):
        if number >= MAX_FINDINGS:
            break
        severity = command.severity
        if docker and severity is Severity.MEDIUM:
            severity = Severity.LOW  # what an image build fetches stays in the image
        if by_itself:
            severity = raised(severity)
        inspection.report(finding(blob, command, severity))


def raised(severity: Severity) -> Severity:
    """How bad a command is where nobody has to start it."""
    return _RAISED.get(severity, severity)


def is_script(name: str) -> bool:
    """Whether a file's name says that it is a script."""
    return bool(language(name, ""))


def finding(
    blob: Blob, command: Command, severity: Severity, name: str = "", line: int | None = None
) -> Finding:
    """The finding that says what a command does."""
    from assay.checks.packaging.artifact_scan.texts import secrets  # noqa: PLC0415  start-up

    rule = code.REVERSE_SHELL if command.rule == "reverse-shell" else code.SCRIPT
    shown = secrets.mask(command.quote[: _QUOTED * 3])[:_QUOTED]
    place = blob.at_line(line or command.line, name)
    return rule.finding(f"It {command.what}: {shown!r}.", place, severity=severity)


def _runs_by_itself(blob: Blob, inspection: Inspection) -> bool:
    base = blob.name.rsplit("/", 1)[-1].lower()
    if is_hook(blob.name):
        message, severity = f"git runs it as its {base} hook.", Severity.MEDIUM
        if ".git/hooks/" not in blob.name:
            message, severity = (
                f"git runs it as its {base} hook where this folder is set up for it.",
                Severity.LOW,
            )
    elif base == ".envrc":
        message, severity = "direnv runs it for whoever enters the folder and allowed it once.", Severity.LOW
    else:
        return False
    inspection.report(code.AUTORUN.finding(message, blob.place(), severity=severity))
    return True
