"""`assay convert MODEL -o FILE`: the numbers of a checkpoint as safetensors, without unpickling it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.exits import Exit
from assay.cli.output import file_to_write, progress
from assay.cli.saying import say
from assay.core.errors import UsageError

if TYPE_CHECKING:
    from assay.subjects.weights import Conversion

SUFFIX = ".safetensors"
SHOWN = 10  # names of each kind


@click.command("convert")
@click.argument("model", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The safetensors file to write.")
@click.option(
    "--tensors-only", is_flag=True, help="Leave out, and name, what else a checkpoint's pickle holds."
)
@click.option(
    "--shared-once",
    is_flag=True,
    help="Write tensors that share their numbers once, and the other names into the metadata.",
)
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def command(
    model: str,
    output: str,
    tensors_only: bool,  # noqa: FBT001
    shared_once: bool,  # noqa: FBT001
    force: bool,  # noqa: FBT001
    no_progress: bool,  # noqa: FBT001
) -> int:
    """Write the tensors of MODEL as one safetensors file.

    MODEL is a PyTorch checkpoint, a folder of them, or the `.index.json` of a checkpoint's shards.

    The checkpoint's pickle is walked in a confined process that builds symbols and calls nothing. Numbers
    and short texts beside the tensors go into the file's metadata. A checkpoint that imports more than
    tensors are made of is refused, and the message names what; `assay explain` tells more. With
    --tensors-only the tensors are written all the same, and nothing else, unless some of them cannot be told.

    Exit codes: 0 all was written, or all tensors with --tensors-only; 2 nothing was written; 4 the tensors
    were written, and something else of the checkpoint is in neither file nor metadata.

    \b
    Examples:
      assay convert pytorch_model.bin -o model.safetensors
      assay convert --tensors-only last.ckpt -o last.safetensors
    """  # noqa: D301  click keeps lines after the backspace
    from assay.subjects.weights import convert, open_weights  # noqa: PLC0415

    target = _target(output, force=force)
    opened = open_weights(Path(model), tensors_only=tensors_only)
    with opened as weights, progress("converting", disabled=no_progress) as shown:
        written = convert(
            weights,
            target,
            shared_once=shared_once,
            progress=lambda done, total: shown.update(done, total, "bytes"),
        )
    _tell(target, written)
    lost = bool(written.left_out) and not tensors_only
    return Exit.INCOMPLETE if lost else Exit.CLEAN


def _target(output: str, *, force: bool) -> Path:
    target = file_to_write(output)
    if target.suffix != SUFFIX:
        raise UsageError(f"-o {output}: the name must end in {SUFFIX}", remedy="Scanners go by what it says.")
    if target.exists() and not force:
        raise UsageError(f"-o {output}: exists already", remedy="Name another file, or give --force.")
    return target


def _tell(target: Path, written: Conversion) -> None:
    tensors = "1 tensor" if written.tensors == 1 else f"{written.tensors:,} tensors"
    say(f"{target}: {tensors}, {written.size:,} bytes")
    _list("in the metadata as names of other tensors", written.aliases)
    _list("in the metadata", written.values)
    left_out = [f"{name} ({what})" for name, what in written.left_out]
    _list("left out", left_out, written.unnamed)
    _list("left out, and never imported", written.foreign)


def _list(what: str, names: Sequence[str], unnamed: int = 0) -> None:
    from assay.reports.plain import visible  # noqa: PLC0415

    if not names:
        return
    more = len(names) - SHOWN + unnamed
    shown = ", ".join(visible(name, limit=200) for name in names[:SHOWN])
    click.echo(f"{what}: {shown}" + (f" and {more:,} more" if more > 0 else ""))
