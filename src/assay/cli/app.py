"""The `assay` command. Sub-commands are imported when they are called, so that help stays fast."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from assay import __version__
from assay.cli import INTERRUPTED, SignalledError
from assay.cli.exits import Exit
from assay.cli.saying import say_error, say_usage, speak_any_encoding
from assay.core.errors import AssayError

# Command, its module below assay.cli, and its line in `assay --help`.
COMMANDS = {
    "init": ("init", "Write assay.yaml for what is found here."),
    "scan": ("scan", "Scan model artifacts for hidden code: a table, an exit code."),
    "explain": ("explain", "Show what each finding of a scan would have run, where, and what to do."),
    "convert": ("convert", "Write a checkpoint's tensors as safetensors, without unpickling it."),
    "guard": ("guard", "Judge a text, or many, as the gateway would, and explain the verdict."),
    "check": ("check", "Run any single check on a subject."),
    "snapshot": ("snapshot", "Keep a vector store's entries, to compare with later."),
    "sign": ("sign", "Sign a model's bytes, in the form of OpenSSF Model Signing."),
    "verify": ("verify", "Verify a model's signature, file by file."),
    "diff": ("diff", "Compare two models' weights, or two endpoints' answers."),
    "run": ("run", "Run the whole pipeline: checks, evidence, verdict, promotion."),
    "approve": ("approve", "Sign an approval for a release that is on hold."),
    "promote": ("promote", "Finish a release whose verdict is pass."),
    "rollback": ("rollback", "Go back to the newest release that passes today's policy."),
    "prove": ("prove", "Show and verify everything that is known about a subject."),
    "controls": ("controls", "Show the checklist: which checks fulfil it, and when they last ran."),
    "ledger": ("ledger", "Verify, show, prove and anchor the ledger."),
    "key": ("key", "Show, export, rotate and revoke signing keys."),
    "gateway": ("gateway", "Serve an OpenAI-compatible API with the guard on both ways."),
    "policy": ("policy", "List, show and test policy packs."),
    "config": ("config", "Show the configuration in force, and where each value is from."),
    "demo": ("demo", "A real small model, its poisoned twin, and what happens to each."),
}


BROKEN_PIPE = 128 + 13
COMPLETION = "_ASSAY_COMPLETE"  # set by what completes words in a shell


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The commands, in the order of a model's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module; its command is called `command`."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"assay.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _next_step(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "Free some space, then run it again; nothing was half-written."
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}:
        return "Correct the path."
    if error.errno == errno.EROFS:
        return "Choose a place that is not mounted read-only."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "Correct the permissions, or run it as the owner."
    return "Check the file and the disk it lies on, then run it again."


def _interrupted(error: BaseException) -> int:
    """The exit code that shells give for the signal; click has an error of its own around it."""
    cause = error.__cause__ or error
    number = cause.number if isinstance(cause, SignalledError) else signal.SIGINT
    click.echo("assay: interrupted" if number == signal.SIGINT else "assay: terminated", err=True)
    return INTERRUPTED[signal.Signals(number)]


def _unread() -> int:
    """The reader (head, less) went away: leave without a second error at interpreter exit.

    The code is the one that a shell gives for it: what was not read must not pass for clean.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return BROKEN_PIPE


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="assay")
def assay() -> None:
    """Secure the life of a language model: check every stage, sign what was found, decide what ships.

    Exit codes: 0 clean or passed, 1 findings or verdict fail, 2 usage or operational error,
    3 verdict hold, 4 incomplete (something was not examined).
    """


def _invoked(arguments: list[str]) -> Any:
    """What the command gives.

    As `click`'s own `main`, which however answers a closed pipe with the code that means findings.
    """
    if COMPLETION in os.environ:
        return assay.main(arguments, prog_name="assay", standalone_mode=False)
    try:
        with assay.make_context("assay", arguments) as context:
            return assay.invoke(context)
    except click.exceptions.Exit as error:  # of --help and --version
        return error.exit_code


def run(arguments: Sequence[str]) -> int:
    """Run `assay` with these arguments; returns the exit code."""
    speak_any_encoding()
    try:
        code = _invoked(list(arguments))
        sys.stdout.flush()
    except click.ClickException as error:
        say_usage(error)
        return Exit.ERROR
    except (click.Abort, KeyboardInterrupt) as error:
        return _interrupted(error)
    except AssayError as error:
        say_error(error)
        return Exit.ERROR
    except BrokenPipeError:
        return _unread()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        say_error(AssayError(reason, subject=str(error.filename or ""), remedy=_next_step(error)))
        return Exit.ERROR
    except (Exception, SystemExit) as error:
        if os.environ.get("ASSAY_TRACEBACK"):
            raise
        cause = f"internal error: {type(error).__name__}: {error}"
        remedy = "This is a defect of Assay. Run it again with ASSAY_TRACEBACK=1 and report what it prints."
        say_error(AssayError(cause, remedy=remedy))
        return Exit.ERROR
    return int(code or 0)
