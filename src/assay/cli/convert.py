"""`assay convert MODEL -o FILE`: the numbers of a checkpoint as safetensors, without unpickling it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.output import progress
from assay.core.errors import SubjectError, UsageError

if TYPE_CHECKING:
    from assay.subjects.weights import Weights

SUFFIX = ".safetensors"


@click.command("convert")
@click.argument("model", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The safetensors file to write.")
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def command(model: str, output: str, force: bool, no_progress: bool) -> int:  # noqa: FBT001
    """Write the tensors of MODEL, a PyTorch checkpoint or a folder of them, as one safetensors file.

    The checkpoint's pickle is read by a machine that builds symbols and calls nothing. A checkpoint that
    holds anything but plain tensors is refused, and the message names what; `assay scan` tells more.

    \b
    Example:
      assay convert pytorch_model.bin -o model.safetensors
    """  # noqa: D301  click keeps lines after the backspace
    from assay.subjects.weights import open_weights, write_safetensors  # noqa: PLC0415

    target = _target(output, force=force)
    with open_weights(Path(model)) as weights, progress("converting", disabled=no_progress) as shown:
        _require_whole(weights)
        written = write_safetensors(
            target,
            weights.tensors.values(),
            metadata={"format": "pt"},
            progress=lambda done, total: shown.update(done, total, "bytes"),
        )
        count = len(weights.tensors)
    click.echo(f"{target}: {count:,} tensors, {written:,} bytes")
    return 0


def _target(output: str, *, force: bool) -> Path:
    target = Path(output)
    if target.suffix != SUFFIX:
        raise UsageError(f"-o {output}: the name must end in {SUFFIX}", remedy="Scanners go by what it says.")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"-o {output}: the folder does not exist", remedy="Make it first.")
    if target.exists() and not force:
        raise UsageError(f"-o {output}: exists already", remedy="Name another file, or give --force.")
    return target


def _require_whole(weights: Weights) -> None:
    """Refuse what would leave something out, or write something twice under one name."""
    for unreadable in weights.unreadable:
        raise SubjectError(unreadable.reason, subject=unreadable.name, remedy=unreadable.remedy)
    for problem in weights.problems:
        raise SubjectError(problem, subject=str(weights.path), remedy="Name the one file to convert.")
    doubled = next((name for name in weights.tensors if " @ " in name), None)
    if doubled:
        raise SubjectError(
            f"holds a tensor twice: {doubled[:200]}",
            subject=str(weights.path),
            remedy="Name the one file to convert.",
        )
