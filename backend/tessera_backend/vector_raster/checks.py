"""What a scene must be, checked once at the door: the kernels trust it."""

from __future__ import annotations

import numpy as np

from tessera_protocol.errors import error

from .scene import Scene

# Beyond, rows and columns are not exact whole numbers any more.
FARTHEST = 1e12


def check(scene: Scene, width: int, height: int) -> None:
    """Refuse what the kernels can't take.

    Raises:
        TesseraError: another size than the canvas, arrays that do not fit each other, or values that are not finite.
    """
    if (scene.width, scene.height) != (width, height):
        raise _unfit("width", f"The scene has {scene.width} x {scene.height} px, the canvas {width} x {height}.")
    paint, paths = scene.paint, len(scene.paths) - 1
    stops = np.shape(paint.offsets)[-1]
    shapes = {
        "points": (scene.points, (len(scene.points), 2)),
        "kind": (paint.kind, (paths,)),
        "geometry": (paint.geometry, (paths, 4)),
        "offsets": (paint.offsets, (paths, stops)),
        "colors": (paint.colors, (paths, stops, 4)),
        "opacity": (scene.opacity, (paths,)),
        "even_odd": (scene.even_odd, (paths,)),
        "stroke": (scene.stroke, (paths,)),
    }
    for name, (values, shape) in shapes.items():
        if np.shape(values) != shape:
            raise _unfit(name, f"The scene's {name} have the shape {np.shape(values)}.", allowed=str(shape))
        # One sum is finite only where all values are, and it is quick.
        if not np.isfinite(np.sum(values)):
            raise _unfit(name, f"The scene's {name} hold a value that is not a finite number.")
    if np.abs(scene.points).max(initial=0) > FARTHEST:
        raise _unfit("points", "A point of the scene is too far away.", allowed=f"up to {FARTHEST:g} px")
    if stops < 1:
        raise _unfit("offsets", "The scene's paint has no stops.", allowed="one or more")
    _check_parts("paths", scene.paths, len(scene.contours) - 1, 1)
    _check_parts("contours", scene.contours, len(scene.points), 3)


def _check_parts(name: str, starts: np.ndarray, count: int, step: int) -> None:
    """Boundaries from 0 to count that never fall back, each a multiple of `step`."""
    starts = np.asarray(starts)
    whole = len(starts) > 0 and starts[0] == 0 and starts[-1] == count
    if not whole or (np.diff(starts) < 0).any() or (starts % step).any():
        steps = "" if step == 1 else f", in multiples of {step}"
        raise _unfit(
            name, f"The scene's {name} don't divide what they own.", allowed=f"ascending from 0 to {count}{steps}"
        )


def _unfit(field: str, problem: str, **details: str) -> Exception:
    return error("unusable-input", problem, field=field, **details)
