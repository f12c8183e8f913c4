"""The loop that all recipes share: AdamW, warm-up and cosine, clipping, a moving average, a state to resume from.

A recipe draws everything random in a step from the seed and the step's number. So a run that was interrupted and
resumed ends with the same weights, bit for bit, as one that was not, where its length is given in steps.
"""

from __future__ import annotations

import abc
import copy
import dataclasses
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from tessera_protocol.errors import error

from .... import __version__, models
from ....progress import SILENT, Progress

_WARM_UP = 50
_LAST_RATE = 0.03
_LONGEST_GRADIENT = 1.0
_LOG_EVERY = 20
_MEASURE_EVERY = 1000
_KEEP_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """How long and with what to train.

    Attributes:
        steps: how many; None leaves it to `minutes`, of CPU time.
        seed: of all that is random.
        pictures: folders of pictures for densities.
        start: weights to start from; None is for the recipe to decide.
        width: channels of the net, and `depth` its blocks, where nothing else says so.
        variant: of the control branch, and `targets` the engine it learns from; for recipe `control`.
        device: of torch.
    """

    steps: int | None = None
    minutes: float = 15.0
    seed: int = 0
    pictures: tuple[Path, ...] = ()
    start: Path | None = None
    width: int = 64
    depth: int = 4
    variant: str = "full"
    targets: str = "tone"
    device: str = "cpu"


class Recipe(abc.ABC):
    """One kind of training."""

    kind: ClassVar[str]
    rate: ClassVar[float]
    net: nn.Module

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abc.abstractmethod
    def losses(self, step: int) -> Iterator[Tensor]:
        """Losses of one step; each is differentiated before the next is asked for, and their gradients add up."""

    @abc.abstractmethod
    def meta(self) -> dict[str, Any]:
        """What has to be in the file of weights: `architecture`, `recipe`, `data`."""

    def measures(self, net: nn.Module) -> dict[str, float]:
        """How good `net`, the averaged one, is by now, for the log; asked for each 1000 steps."""
        return {}

    def generator(self, step: int) -> np.random.Generator:
        """The only source of randomness in a step."""
        return np.random.default_rng([self.settings.seed, step])


def train(recipe: Recipe, output: Path, *, resume: bool = False, progress: Progress = SILENT) -> dict[str, Any]:
    """Train, and write weights to `output`, a log beside it (.jsonl) and a state to resume from (.state).

    Args:
        resume: go on from the state beside `output`.
    Returns:
        what the file's header says.
    Raises:
        InvalidInput: "missing-input" if there is no state to resume; "unusable-input" if it is another run's.
    """
    torch.manual_seed(recipe.settings.seed)
    run = _Run(recipe)
    state = output.with_suffix(".state")
    if resume:
        run.restore(state)
    log = output.with_suffix(".jsonl")
    if not resume:
        log.unlink(missing_ok=True)
    run.go(log, state, progress)
    run.keep(state)
    meta = {"kind": recipe.kind, **recipe.meta(), "steps": run.step, "cpu_seconds": round(run.seconds)}
    meta["version"] = __version__
    models.save(output, run.average.state_dict(), meta)
    return meta


class _Run:
    """A run's state, and its way through the steps."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.settings = recipe, recipe.settings
        self.average = copy.deepcopy(recipe.net).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(recipe.net.parameters(), recipe.rate, betas=(0.9, 0.99), weight_decay=1e-4)
        self.step, self.seconds = 0, 0.0

    @property
    def fraction(self) -> float:
        """How much of the run is over."""
        if self.settings.steps is not None:
            return self.step / self.settings.steps
        return self.seconds / (60 * self.settings.minutes)

    def go(self, log: Path, state: Path, progress: Progress) -> None:
        kept, recent = time.monotonic(), []
        while self.fraction < 1:
            begun = time.process_time()
            recent.append(self.one())
            self.seconds += time.process_time() - begun
            self.step += 1
            progress("training", self.fraction, f"Step {self.step}, loss {recent[-1]:.4f}")
            if self.step % _LOG_EVERY == 0 or self.fraction >= 1:
                line = {"step": self.step, "seconds": round(self.seconds, 1), "loss": round(float(np.mean(recent)), 5)}
                if self.step % _MEASURE_EVERY == 0 or self.fraction >= 1:
                    line |= self.recipe.measures(self.average)
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                recent = []
            if time.monotonic() - kept > _KEEP_SECONDS:
                self.keep(state)
                kept = time.monotonic()

    def one(self) -> float:
        """One step; returns its loss."""
        recipe = self.recipe
        recipe.net.train()
        cosine = 0.5 * (1 + math.cos(math.pi * min(self.fraction, 1.0)))
        rate = recipe.rate * min(1.0, (self.step + 1) / _WARM_UP) * (_LAST_RATE + (1 - _LAST_RATE) * cosine)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        total = 0.0
        for loss in recipe.losses(self.step):
            loss.backward()
            total += float(loss.detach())
        nn.utils.clip_grad_norm_(recipe.net.parameters(), _LONGEST_GRADIENT)
        self.optimizer.step()
        decay = min(0.995, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), recipe.net.parameters(), strict=True):
                mean.lerp_(weight, 1 - decay)
        return total

    def _identity(self) -> dict[str, Any]:
        settings = dataclasses.replace(self.settings, pictures=(), start=None, device="cpu")
        return {**dataclasses.asdict(settings), "kind": self.recipe.kind, "pictures": len(self.settings.pictures)}

    def keep(self, path: Path) -> None:
        """Write all that a run needs to go on, whole or not at all."""
        draft = path.with_name(path.name + ".part")
        torch.save(
            {
                "identity": json.dumps(self._identity(), default=str),
                "step": self.step,
                "seconds": self.seconds,
                "net": self.recipe.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
            draft,
        )
        draft.replace(path)

    def restore(self, path: Path) -> None:
        """Go on where the run that wrote `path` was."""
        if not path.is_file():
            raise error("missing-input", f"There is no {path} to resume from.", field="resume")
        known = torch.load(path, map_location=self.settings.device, weights_only=True)
        if known["identity"] != json.dumps(self._identity(), default=str):
            raise error(
                "unusable-input",
                f"{path} is of another run: {known['identity']}.",
                field="resume",
                remedy="Give the same recipe, length, seed and net, or name another output.",
            )
        self.step, self.seconds = known["step"], known["seconds"]
        self.recipe.net.load_state_dict(known["net"])
        self.average.load_state_dict(known["average"])
        self.optimizer.load_state_dict(known["optimizer"])
