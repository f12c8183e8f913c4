"""`tessera train`: make weights of learned engines anew, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tessera_protocol.errors import error

from .bar import ProgressBar


@click.group("train")
def train_command() -> None:
    """Train learned engines. What is trained is used by naming its file of weights."""


@train_command.command("stipple")
@click.argument("recipe")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The .safetensors file to write.")
@click.option("--pictures", type=click.Path(path_type=Path), multiple=True, help="Folder of pictures; repeatable.")
@click.option("--minutes", type=float, default=15.0, show_default=True, help="CPU minutes to train.")
@click.option("--steps", type=int, help="Steps to train, instead of minutes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same weights.")
@click.option("--start", type=click.Path(path_type=Path), help="Weights to start from.")
@click.option("--width", type=int, default=64, show_default=True, help="Channels of the net.")
@click.option("--depth", type=int, default=4, show_default=True, help="Blocks of the net.")
@click.option("--variant", default="full", show_default=True, help="control: vanilla, gecco, gated or full.")
@click.option("--targets", default="tone", show_default=True, help="control: engine to learn from, tone or wvs.")
@click.option("--device", default="cpu", show_default=True, help="As torch names it: cpu, cuda, mps.")
@click.option("--resume", is_flag=True, help="Go on from the .state file beside the output.")
def stipple(recipe: str, output: Path, resume: bool, **options: Any) -> None:
    """Train the learned stippler with RECIPE.

    \b
    local    the net over the kd grid of a density, for many calls
    student  the same net, from weights of `local`, for few calls
    base     the U-Net of the published model, for sets without a density
    control  its control branch, on weights of `base`, which makes it follow one

    Beside the weights it writes a log (.jsonl) and, each minute, a state to resume from (.state).
    """
    from tessera_backend.stipple.diffusion import training
    from tessera_backend.stipple.diffusion.training.loop import Settings, train

    if recipe not in training.RECIPES:
        raise error(
            "out-of-range",
            f"There is no recipe {recipe!r}.",
            field="recipe",
            given=recipe,
            allowed=", ".join(training.RECIPES),
            remedy=f"Take one of: {', '.join(training.RECIPES)}.",
        )
    check_output(output)
    with ProgressBar() as bar:
        bar("reading", 0.0, "Reading pictures")
        made = training.recipe(recipe)(Settings(**options))
        from tessera_backend.progress import Progress

        meta = train(made, output, resume=resume, progress=Progress(bar))
    click.echo(f"{output}: {meta['steps']} steps in {meta['cpu_seconds']} s of CPU time")


def check_output(output: Path) -> None:
    """Refuse, before any work, an output that can't be written.

    Raises:
        InvalidInput: "unusable-input".
    """
    if output.suffix != ".safetensors" or not output.parent.is_dir():
        raise error(
            "unusable-input",
            f"Weights can't be written to {output}.",
            field="output",
            given=str(output),
            allowed="a .safetensors file in a folder that is there",
        )
