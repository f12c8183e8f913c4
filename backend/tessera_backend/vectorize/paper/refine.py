"""Stage II: colours for the structure, which stays as it is then, and more shapes where the drawing is furthest off.

After Wang et al., CVPR 2025, section 3.3, with the numbers of the authors' code. Colours are what is dominant where a
shape is seen, below all that covers it. New shapes come from the connected regions with most error, as the text says;
the code takes the largest regions of like error, as LIVE does (Ma et al., CVPR 2022), which leaves more of it.
Shapes that do little are taken out, and neighbours of one colour become one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree
from skimage.measure import label as components

from ...progress import SILENT, Progress
from ...vector_raster import Raster, Scene
from ..curves.area import cover
from ..drawing import Drawing, Path
from ..palette import chosen
from ..scene import to_paths, to_scene
from .structure import TOLERANCE, Adam, Points, curves, flat

ROUNDS = 5
# Of the paths that are left, what a round adds; the last one adds all.
SHARE = 0.6
# Steps after adding, and after taking out and joining.
STEPS, STEPS_AFTER = 100, 50
COLOR_RATE = 0.01
# Colours that the picture is reduced to, to find dominant ones; of a sample of pixels.
_CLUSTERS, _SAMPLE = 80, 20_000
# And to find regions: with 80 a line falls apart into its core and its rims, and a third less of the error is found.
_FEW = 8
# Squared error, over three channels, that calls for no shape. Published as 0.025; this leaves 4 % less in all.
_NO_ERROR = 0.01
# A shape is taken out if that raises the sum of squared errors by less than this share of what shapes have left of it
# each, or by less than this in all, which nobody sees.
_WORTHLESS, _UNSEEN = 0.1, 0.01
# Two shapes are joined if they share that many pixels and their colours are that near, summed over channels.
_TOUCHING, _SAME_COLOR = 3, 0.1
# A new shape that has this share of a structure shape, and is larger by this factor, goes beneath it.
_COVERS, _LARGER = 0.7, 1.1


@dataclasses.dataclass(frozen=True)
class Item:
    """A path, and whether it still changes. `part` is the structure's part that it is, or lies on."""

    path: Path
    part: int
    free: bool


class Refinement:
    """A drawing under way.

    Args:
        image: float32 (H, W, 3), sRGB in [0, 1], on white.
        alpha: float32 (H, W), or None of an opaque picture. With it, drawings are compared without white beneath, on
            which nobody would notice white shapes that stray; new shapes begin where it is at least one half.
        tolerance: px, of new curves.
        smallest: px, of new shapes.
        seed: of the colours that the picture is reduced to.
    """

    def __init__(self, image: np.ndarray, alpha: np.ndarray | None, tolerance: float, smallest: int, seed: int) -> None:
        self.height, self.width = image.shape[:2]
        target = image if alpha is None else np.dstack([image - (1 - alpha[..., None]), alpha])
        self._target = np.ascontiguousarray(target.transpose(0, 2, 1), np.float32)
        self._opaque = np.ones(image.shape[:2], np.bool_) if alpha is None else alpha >= 0.5
        self._image, self._tolerance, self._smallest = image, tolerance, smallest
        self._raster = Raster(self.width, self.height, target.shape[2], tolerance=TOLERANCE)
        self.colors, self.clusters = reduced(image, seed)
        few = chosen(self.colors, np.bincount(self.clusters.ravel(), minlength=len(self.colors)), _FEW, seed)
        self._few = cKDTree(few).query(self.colors)[1][self.clusters]
        self.items: list[Item] = []

    def begin(self, paths: Sequence[Path], masks: Sequence[np.ndarray]) -> None:
        """The structure, back to front, gets its colours; what nobody sees of it is left out; the rest is frozen.

        Args:
            paths: for each part its path; those without contours are left out.
            masks: of the parts.
        """
        kept = [i for i, path in enumerate(paths) if path.contours]
        self.items = [Item(paths[i], i, False) for i in kept]
        self.render()
        top = self._raster.top()
        for n, i in enumerate(kept):
            seen = (top == n) & self._opaque
            dominant = np.argmax(np.bincount(self.clusters[seen if seen.any() else masks[i]]))
            self.items[n] = Item(dataclasses.replace(paths[i], fill=self.colors[dominant]), i, False)
        self._thin(False, 0.0)

    def render(self) -> np.ndarray:
        """The drawing as it is: float32 (H, 3, W) on white, or (H, 4, W), premultiplied."""
        return self._raster.forward(self._scene(self.items))

    def error(self) -> float:
        """Mean squared error."""
        return float(np.mean((self.render() - self._target) ** 2))

    def add(self, count: int, masks: Sequence[np.ndarray], level: int) -> int:
        """Put shapes on the regions of the largest error.

        Args:
            count: how many at most.
            masks: of the structure's parts.
            level: of the new paths.
        Returns:
            how many there were.
        """
        drawn = self.render().transpose(0, 2, 1)
        if drawn.shape[2] == 4:
            drawn = drawn[..., :3] + 1 - drawn[..., 3:]
        off = drawn - self.colors[self.clusters]
        regions = worst((off * off).sum(2) * self._opaque, self._few, count, self._smallest)
        added = 0
        for region in regions:
            contours = curves(region, self._tolerance)
            if contours:
                self._place(Path(contours, self._image[region].mean(0).astype(np.float64), level=level), region, masks)
                added += 1
        return added

    def descend(self, steps: int, progress: Progress = SILENT) -> None:
        """Move the points and colours of the paths that are free, against the picture, until that is enough."""
        free = [i for i, item in enumerate(self.items) if item.free]
        if not free:
            return
        # What lies below the first free path never changes.
        ground = self._raster.forward(self._scene(self.items[: free[0]]))
        moving = self.items[free[0] :]
        moved = flat([item.path for item in moving])
        held = np.array([not item.free for item in moving])
        fixed = np.repeat(held, moved.sizes)
        points, colors = Points(moved, steps), moved.paint.colors[:, 0, :3]
        adam = Adam(colors.shape)
        for step in range(steps):
            progress("refine", step / steps, f"{len(self.items)} paths")
            if progress.enough():
                break
            off = self._raster.forward(moved.scene(self.width, self.height), ground) - self._target
            found = self._raster.backward(off * np.float32(2 / off.size))
            points.move(np.where(fixed[:, None], 0, found.points))
            colors += adam.change(np.where(held[:, None], 0, found.colors[:, 0, :3]), COLOR_RATE)
            np.clip(colors, 0, 1, out=colors)
        paths = to_paths(moved.scene(self.width, self.height), [item.path for item in moving])
        self.items[free[0] :] = [
            dataclasses.replace(old, path=path) if old.free else old for old, path in zip(moving, paths, strict=True)
        ]

    def prune(self) -> None:
        """Take out free paths that are worth next to nothing."""
        self._thin(True, _WORTHLESS)

    def join(self) -> None:
        """Free paths that touch and have one colour become one path, where the lower of them is."""
        covered = {i: self._cover(i) for i, item in enumerate(self.items) if item.free}
        for low in sorted(covered):
            for high in [i for i in covered if i > low]:
                if low in covered and self._alike(low, high, covered):
                    areas = [np.count_nonzero(covered[i]) for i in (low, high)]
                    fill = np.average([self.items[i].path.fill for i in (low, high)], 0, areas)
                    both = covered[low] | covered.pop(high)
                    contours = curves(both, self._tolerance)
                    path = dataclasses.replace(self.items[low].path, contours=contours, fill=fill)
                    self.items[low] = dataclasses.replace(self.items[low], path=path)
                    covered[low] = both
        self.items = [item for i, item in enumerate(self.items) if not item.free or i in covered]

    def _thin(self, free: bool, share: float) -> None:
        """Take out paths worth less than a share of the mean error, one by one, as one may replace another."""
        while any(item.free is free for item in self.items):
            off = self.render() - self._target
            limit = max(share * float((off * off).sum()) / len(self.items), _UNSEEN)
            worth = self._raster.removal(self._target)
            worth[[item.free is not free or self._is_ground(item) for item in self.items]] = np.inf
            least = int(np.argmin(worth))
            if worth[least] > limit:
                break
            del self.items[least]

    def _is_ground(self, item: Item) -> bool:
        """Whether it lies beneath all of an opaque picture: it stays, white or hidden, and nothing shines through."""
        return item.part == 0 and not item.free and self._opaque.all()

    def _place(self, path: Path, region: np.ndarray, masks: Sequence[np.ndarray]) -> None:
        """On top of all; but beneath a structure shape that it would hide, as part of the structure's level."""
        size = np.count_nonzero(region)
        for n, item in enumerate(self.items):
            mask = masks[item.part]
            if item.free or not np.count_nonzero(mask) * _LARGER < size:
                continue
            if np.count_nonzero(mask & region) >= _COVERS * np.count_nonzero(mask):
                self.items.insert(n, Item(dataclasses.replace(path, level=item.path.level), item.part, True))
                return
        on = max((i for i in range(len(masks))), key=lambda i: (np.count_nonzero(masks[i] & region), i))
        self.items.append(Item(path, on, True))

    def _cover(self, i: int) -> np.ndarray:
        return cover(self.items[i].path, self.width, self.height)

    def _alike(self, low: int, high: int, covered: dict[int, np.ndarray]) -> bool:
        apart = np.abs(np.subtract(self.items[low].path.fill, self.items[high].path.fill)).sum()
        return apart <= _SAME_COLOR and np.count_nonzero(covered[low] & covered[high]) >= _TOUCHING

    def _scene(self, items: Sequence[Item]) -> Scene:
        return to_scene(Drawing(self.width, self.height, tuple(item.path for item in items), ("",)))


def reduced(image: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The picture in few colours: these, float64 (K, 3), and which of them each pixel has, (H, W)."""
    pixels = np.asarray(image, np.float64).reshape(-1, 3)
    sample = pixels
    if len(pixels) > _SAMPLE:
        sample = pixels[np.random.default_rng(seed).choice(len(pixels), _SAMPLE, replace=False)]
    colors = chosen(sample, np.ones(len(sample)), _CLUSTERS, seed)
    return colors, cKDTree(colors).query(pixels)[1].reshape(image.shape[:2])


def worst(error: np.ndarray, clusters: np.ndarray, count: int, smallest: int) -> list[np.ndarray]:
    """The connected regions of one colour that have most of the error.

    Args:
        error: float (H, W), squared, summed over channels.
        clusters: int (H, W), which of a few colours each pixel has.
        count: how many regions at most.
        smallest: px; smaller ones are none.
    Returns:
        bool (H, W) each, the worst first.
    """
    labels = components(np.where(error >= _NO_ERROR, clusters + 1, 0), connectivity=1).ravel()
    sizes, errors = np.bincount(labels), np.bincount(labels, error.ravel())
    errors[sizes < smallest] = 0
    errors[0] = 0
    return [(labels == i).reshape(error.shape) for i in np.argsort(-errors, kind="stable")[:count] if errors[i] > 0]
