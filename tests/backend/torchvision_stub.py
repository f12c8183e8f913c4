"""What segment-anything uses of torchvision, for tests where the real one can't be imported. Not a replacement."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image


def resize(image, size):
    return image.resize((size[1], size[0]), Image.Resampling.BILINEAR)


def box_area(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def batched_nms(boxes, scores, idxs, iou_threshold):
    """Greedy suppression; segment-anything puts all boxes into one category."""
    assert not idxs.any()
    kept = []
    for i in torch.argsort(scores, descending=True, stable=True).tolist():
        if all(_iou(boxes[i], boxes[k]) <= iou_threshold for k in kept):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def _iou(a, b):
    low, high = torch.maximum(a[:2], b[:2]), torch.minimum(a[2:], b[2:])
    common = (high - low).clamp(min=0).prod()
    return float(common / (box_area(a[None])[0] + box_area(b[None])[0] - common).clamp(min=1e-9))


@contextmanager
def importable() -> Iterator[None]:
    """torchvision can be imported: the real one if it works here, else these few functions."""
    try:
        import torchvision.ops  # noqa: F401
    except (ImportError, RuntimeError):
        before = set(sys.modules)
        sys.modules |= _modules()
        yield
        for name in [n for n in sys.modules if n not in before and n.startswith(("torchvision", "segment_anything"))]:
            del sys.modules[name]
        return
    yield


def _modules() -> dict[str, types.ModuleType]:
    functions = {
        "torchvision.ops.boxes": {"batched_nms": batched_nms, "box_area": box_area},
        "torchvision.transforms.functional": {
            "resize": resize,
            "to_pil_image": lambda array: Image.fromarray(np.asarray(array)),
        },
    }
    names = ["torchvision", "torchvision.ops", "torchvision.transforms", *functions]
    modules = {name: types.ModuleType(name) for name in names}
    for name, content in functions.items():
        vars(modules[name]).update(content)
    return modules
