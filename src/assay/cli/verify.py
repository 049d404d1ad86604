"""`assay verify PATH`: whether these are the bytes that somebody you trust has signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.exits import exit_for_reports
from assay.cli.output import emit, output_options, parse_outputs, progress
from assay.core.errors import UsageError

if TYPE_CHECKING:
    from assay.core.subject import Subject

FILE = click.Path(dir_okay=False)
CHECK = "artifact.signature"


@click.command("verify")
@click.argument("path", type=click.Path())
@click.option("--signature", type=FILE, help="Default: model.sig in the folder, NAME.sig beside a file.")
@click.option("--key", "keys", multiple=True, type=FILE, help="PEM public key of a signer.")
@click.option("--certificate", "certificates", multiple=True, type=FILE, help="PEM authorities or signers.")
@click.option("--revocations", multiple=True, type=FILE, help="Certificate revocation lists.")
@click.option("--identity", default="", help="Who must have signed: as in the certificate, or at Sigstore.")
@click.option("--issuer", default="", help="The OpenID Connect issuer of a Sigstore identity.")
@click.option(
    "--sigstore",
    "--trust-config",
    "sigstore",
    default="",
    metavar="ROOT",
    help="For Sigstore: a trusted-root or client-trust file, `production` or `staging`.",
)
@click.option(
    "--offline", is_flag=True, help="Go by the stored root of `production` or `staging`; fetch nothing."
)
@output_options
def command(
    path: str,
    signature: str | None,
    format_: str,
    outputs: tuple[str, ...],
    no_progress: bool,  # noqa: FBT001  click hands flags over so
    **named: Any,
) -> int:
    """Verify the OpenSSF Model Signing bundle of a model, and compare every file with what was signed.

    Inside a project its options for artifact.signature count too. Without a key, Assay's own is believed.
    Exit codes: 0 verified, 1 not the signed bytes or not signed by anyone you trust, 4 it could not be told.

    \b
    Examples:
      assay verify model/
      assay verify model/ --key publisher.pub
      assay verify model/ --certificate authority.pem --identity release@example.org
      assay verify model/ --sigstore production --identity me@example.org --issuer https://github.com/login/oauth
    """  # noqa: D301  click keeps lines after the backspace
    from assay.cli.documents import document_of  # noqa: PLC0415
    from assay.core.check import load_check  # noqa: PLC0415
    from assay.core.subject import Subject  # noqa: PLC0415
    from assay.pipeline.runner import Task, run_task  # noqa: PLC0415

    targets = parse_outputs(outputs)
    check = load_check(CHECK)
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in named.items()}
    given["signature"] = signature or ""
    options = {**_project_options(), **_absolute({k: v for k, v in given.items() if v}), "required": True}
    subject = Subject.from_path(Path(path))
    with progress("verifying", disabled=no_progress) as shown:
        report = run_task(Task(check, subject, None, options), progress=shown).report
    emit(document_of([report], check.info.title, notes=_ledger_notes(subject)), format_, targets)
    return exit_for_reports([report])


def _absolute(options: dict[str, Any]) -> dict[str, Any]:
    """Paths on the command line start from the working folder, and those of assay.yaml from its own."""
    for key in ("keys", "certificates", "revocations"):
        if key in options:
            options[key] = [str(Path(path).absolute()) for path in options[key]]
    if "signature" in options:
        options["signature"] = str(Path(options["signature"]).absolute())
    if options.get("sigstore") not in {None, "production", "staging"}:
        options["sigstore"] = str(Path(options["sigstore"]).absolute())
    return options


def _project_options() -> dict[str, Any]:
    from assay.core.check import load_check  # noqa: PLC0415
    from assay.pipeline.plan import check_options  # noqa: PLC0415
    from assay.pipeline.project import find_project, load_project  # noqa: PLC0415

    try:
        find_project(Path())
    except UsageError:
        return {}
    return dict(check_options(load_project(Path()), load_check(CHECK)))


def _ledger_notes(subject: Subject) -> tuple[str, ...]:
    """What the ledger of the project here says of exactly these bytes."""
    from assay.pipeline.journal import Journal, ledger_uri  # noqa: PLC0415
    from assay.pipeline.project import find_project, load_project  # noqa: PLC0415
    from assay.pipeline.proof import prove  # noqa: PLC0415

    try:
        find_project(Path())
    except UsageError:
        return ()
    project = load_project(Path())
    uri = ledger_uri(project)
    if isinstance(uri, Path) and not uri.exists():
        return ()
    journal = Journal.of_project(project)
    try:
        proof = prove(journal, subject.sha256)
    finally:
        journal.close()
    if not proof.entries:
        return ("the ledger here does not know these bytes",)
    state = "all verified" if proof.sound else "NOT all verified"
    return (f"the ledger here knows these bytes: {len(proof.entries)} entries, {state} (assay prove)",)
