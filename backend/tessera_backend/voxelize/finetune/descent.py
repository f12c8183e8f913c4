"""The optimization itself: Adam on opacity and palette logits of a field's voxels."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...progress import SILENT, Progress
from . import schedule
from .field import Field
from .loss import Views

# Views have numbers as in `views.six_views`: the front looks along +y, from below.
_FRONT = (1, False)
_SMALLEST = 1e-20
# Previews are offered every so many steps.
_SHOWN = 5

# Of opacities (A,) and colours (A, 3), sRGB: a scalar.
Guide = Callable[[Tensor, Tensor], Tensor]


@dataclasses.dataclass(frozen=True)
class Found:
    """What the optimization ends with.

    Attributes:
        solid: bool (A,), of the field's voxels.
        logits: float32 (A, K), of the palette's colours.
        steps: how many were made.
        losses: of the views, at the first step and the last; and "clip", with guidance, at its first and last.
    """

    solid: np.ndarray
    logits: np.ndarray
    steps: int
    losses: dict[str, list[float]]


def descend(
    field: Field,
    views: Views,
    palette: np.ndarray,
    steps: int,
    *,
    logits: np.ndarray | None = None,
    guide: Guide | None = None,
    stay: float = 0.0,
    seed: int = 0,
    progress: Progress = SILENT,
    show: Callable[[np.ndarray, np.ndarray], object] | None = None,
) -> Found:
    """Optimize a field until its views look as they shall.

    Args:
        views: of the field's index.
        palette: uint8 (K, 3), sRGB.
        steps: 1 or more.
        logits: float32 (A, K), where colours begin; at the field's labels.
        guide: one more loss, as of CLIP.
        stay: the weight of squared differences to the opacities at first, per pixel that shows something.
        show: makes a preview of the present solid, bool (A,), and labels, int (A,).
    """
    voxels = _Voxels(field, palette, views, logits)
    adam = torch.optim.Adam(voxels.groups(), betas=schedule.BETAS)
    # Drawn on the CPU, so that a seed is the same on all devices.
    rng = torch.Generator().manual_seed(seed)
    front = [(target.axis, target.above) == _FRONT for target in views.targets]
    losses: dict[str, list[Tensor]] = {}
    calm, done = stay / max(sum(np.count_nonzero(target.covered) for target in views.targets), 1), 0
    first = voxels.drawn(schedule.at(0.0), rng)[0].detach()
    # A guide's network is large: it gets what threads there are.
    with _one_thread() if guide is None else contextlib.nullcontext():
        for done in range(1, steps + 1):
            step = schedule.at((done - 1) / max(steps - 1, 1))
            alpha, rgb = voxels.drawn(step, rng)
            lost = views.loss(alpha, rgb, step.weights, [step.front if one else step.others for one in front])
            if step.weights[0]:
                _note(losses, "views", lost)
            if guide is not None and step.clip:
                guided = guide(alpha, rgb)
                _note(losses, "clip", guided)
                lost = lost + step.clip * guided
            if calm:
                lost = lost + calm * ((alpha - first) ** 2).sum()
            adam.zero_grad()
            lost.backward()
            adam.step()
            progress("optimizing", done / steps, f"Step {done} of {steps}")
            if show is not None and done % _SHOWN == 0:
                progress.show(lambda: show(*voxels.hardened()))
            if progress.enough():
                break
    told = {name: [float(value) for value in values] for name, values in losses.items()}
    return Found(voxels.hardened()[0], voxels.logits.detach().float().cpu().numpy()[field.like], done, told)


class _Voxels:
    """What is optimized: opacity logits (A,) and palette logits (A, K); twins share those of the first of them."""

    def __init__(self, field: Field, palette: np.ndarray, views: Views, logits: np.ndarray | None) -> None:
        if logits is None:
            logits = np.zeros((len(field), len(palette)), np.float32)
            logits[np.arange(len(field)), field.label] = schedule.LOGIT
        kind = {"dtype": views.dtype, "device": views.index.device}
        self.opacity = torch.tensor(np.where(field.solid, schedule.OPACITY, -schedule.OPACITY), **kind)
        self.logits = torch.tensor(logits, **kind)
        self._colors = torch.tensor(palette / 255, **kind)
        self._twin, self._like = (torch.as_tensor(one, device=views.index.device) for one in (field.twin, field.like))
        self.opacity.requires_grad_()
        self.logits.requires_grad_()

    def groups(self) -> list[dict[str, Any]]:
        """Tensors and their rates, as optimizers take them."""
        rates = [(self.opacity, schedule.OPACITY_RATE), (self.logits, schedule.LOGITS_RATE)]
        return [{"params": [values], "lr": rate} for values, rate in rates]

    def drawn(self, step: schedule.Step, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Opacities (A,), and colours (A, 3), by chance."""
        chosen = _drawn(self.logits, step.temperature, step.hard, rng)
        return torch.sigmoid(self.opacity[self._twin]), (chosen @ self._colors)[self._like]

    def hardened(self) -> tuple[np.ndarray, np.ndarray]:
        """Which voxels are solid, bool (A,), and their colours, int64 (A,)."""
        solid, label = self.opacity.detach()[self._twin] > 0, self.logits.detach().argmax(1)[self._like]
        return solid.cpu().numpy(), label.cpu().numpy()


def _drawn(logits: Tensor, temperature: float, hard: bool, rng: torch.Generator) -> Tensor:
    """Gumbel-softmax (Jang et al. 2017), straight-through if `hard`: (A, K), rows sum to 1."""
    noise = torch.empty(logits.shape).exponential_(generator=rng).clamp_min_(_SMALLEST).log_().neg_()
    soft = functional.softmax((logits + noise.to(logits)) / temperature, 1)
    if not hard:
        return soft
    whole = torch.zeros_like(soft).scatter_(1, soft.argmax(1, keepdim=True), 1.0)
    return whole + soft - soft.detach()


def _note(losses: dict[str, list[Tensor]], name: str, lost: Tensor) -> None:
    """The first and the last; as tensors, since reading one waits for the device."""
    value = lost.detach()
    losses[name] = [losses.get(name, [value])[0], value]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Operations this small take several times as long on two threads as on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
