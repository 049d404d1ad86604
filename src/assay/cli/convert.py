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
SHOWN = 10  # names of what was left out


@click.command("convert")
@click.argument("model", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The safetensors file to write.")
@click.option(
    "--tensors-only", is_flag=True, help="Leave out, and name, what else a checkpoint's pickle holds."
)
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def command(model: str, output: str, tensors_only: bool, force: bool, no_progress: bool) -> int:  # noqa: FBT001
    """Write the tensors of MODEL, a PyTorch checkpoint or a folder of them, as one safetensors file.

    The checkpoint's pickle is read by a machine that builds symbols and calls nothing. A checkpoint that
    holds anything but plain tensors is refused, and the message names what; `assay explain` tells more. With
    --tensors-only the tensors are written all the same, unless some of them cannot be told.

    \b
    Examples:
      assay convert pytorch_model.bin -o model.safetensors
      assay convert --tensors-only last.ckpt -o last.safetensors
    """  # noqa: D301  click keeps lines after the backspace
    from assay.reports.plain import visible  # noqa: PLC0415
    from assay.subjects.weights import open_weights, write_safetensors  # noqa: PLC0415

    target = _target(output, force=force)
    opened = open_weights(Path(model), tensors_only=tensors_only)
    with opened as weights, progress("converting", disabled=no_progress) as shown:
        _require_whole(weights)
        written = write_safetensors(
            target,
            weights.tensors.values(),
            metadata={"format": "pt"},
            progress=lambda done, total: shown.update(done, total, "bytes"),
        )
        count = len(weights.tensors)
        left_out = list(dict.fromkeys(weights.left_out))
    click.echo(f"{target}: {count:,} tensors, {written:,} bytes")
    if left_out:
        more = f" and {len(left_out) - SHOWN:,} more" if len(left_out) > SHOWN else ""
        click.echo(f"left out, and never imported: {visible(', '.join(left_out[:SHOWN]), limit=1000)}{more}")
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
    if not weights.tensors and not weights.unreadable:
        raise SubjectError(
            "holds no tensors",
            subject=str(weights.path),
            remedy="Estimators of scikit-learn are no tensors: ask for skops or ONNX instead.",
        )
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
