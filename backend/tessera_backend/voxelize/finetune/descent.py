"""The optimization itself: Adam on opacity and palette logits of a field's voxels."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

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
        show: makes a preview of the present solid, bool (A,), and labels, int (A,).
    """
    device, dtype = views.index.device, views.dtype
    # Drawn on the CPU, so that a seed is the same on all devices.
    rng = torch.Generator().manual_seed(seed)
    colors = torch.as_tensor(palette / 255, dtype=dtype, device=device)
    opacity, table = (values.to(device, dtype).requires_grad_() for values in _start(field, len(palette), logits))
    twin, like = (torch.as_tensor(numbers, device=device) for numbers in (field.twin, field.like))
    rates = [(opacity, schedule.OPACITY_RATE), (table, schedule.LOGITS_RATE)]
    adam = torch.optim.Adam([{"params": [one], "lr": rate} for one, rate in rates], betas=schedule.BETAS)
    losses: dict[str, list[Tensor]] = {}
    done = 0
    # A guide's network is large: it gets what threads there are.
    with _one_thread() if guide is None else contextlib.nullcontext():
        for done in range(1, steps + 1):
            step = schedule.at((done - 1) / max(steps - 1, 1))
            front = [(target.axis, target.above) == _FRONT for target in views.targets]
            alpha = torch.sigmoid(opacity[twin])
            rgb = (_drawn(table, step.temperature, step.hard, rng) @ colors)[like]
            lost = views.loss(alpha, rgb, step.weights, [step.front if one else step.others for one in front])
            if step.weights[0]:
                _note(losses, "views", lost)
            if guide is not None and step.clip:
                guided = guide(alpha, rgb)
                _note(losses, "clip", guided)
                lost = lost + step.clip * guided
            adam.zero_grad()
            lost.backward()
            adam.step()
            progress("optimizing", done / steps, f"Step {done} of {steps}")
            if show is not None and done % _SHOWN == 0:
                progress.show(lambda: show(*_hardened(opacity, table, field)))
            if progress.enough():
                break
    solid, _ = _hardened(opacity, table, field)
    told = {name: [float(value) for value in values] for name, values in losses.items()}
    return Found(solid, table.detach().float().cpu().numpy()[field.like], done, told)


def _start(field: Field, count: int, logits: np.ndarray | None) -> tuple[Tensor, Tensor]:
    opacity = np.where(field.solid, schedule.OPACITY, -schedule.OPACITY)
    if logits is None:
        logits = np.zeros((len(field), count), np.float32)
        logits[np.arange(len(field)), field.label] = schedule.LOGIT
    return torch.tensor(opacity), torch.tensor(logits)


def _drawn(logits: Tensor, temperature: float, hard: bool, rng: torch.Generator) -> Tensor:
    """Gumbel-softmax (Jang et al. 2017), straight-through if `hard`: (A, K), rows sum to 1."""
    noise = torch.empty(logits.shape).exponential_(generator=rng).clamp_min_(_SMALLEST).log_().neg_()
    soft = functional.softmax((logits + noise.to(logits)) / temperature, 1)
    if not hard:
        return soft
    whole = torch.zeros_like(soft).scatter_(1, soft.argmax(1, keepdim=True), 1.0)
    return whole + soft - soft.detach()


def _hardened(opacity: Tensor, logits: Tensor, field: Field) -> tuple[np.ndarray, np.ndarray]:
    """Which voxels are solid, bool (A,), and their colours, int64 (A,)."""
    solid, label = opacity.detach() > 0, logits.detach().argmax(1)
    return solid.cpu().numpy()[field.twin], label.cpu().numpy()[field.like]


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
