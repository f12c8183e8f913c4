"""What is measured of voxels, whoever made them, against the mesh itself."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
from PIL import Image

from tessera_backend.voxelize import metrics
from tessera_backend.voxelize.color import color_metrics
from tessera_backend.voxelize.components import components, floaters
from tessera_backend.voxelize.export.sheet import to_sheet
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.mesh import Mesh
from tessera_backend.voxelize.render.views import View, six_views
from tessera_backend.voxelize.voxels import Voxels

# A mesh is symmetric if its silhouettes and their mirror images have this intersection over union.
SYMMETRIC = 0.98


@dataclasses.dataclass(frozen=True)
class Record:
    """The numbers of one method's voxels of one mesh.

    Attributes:
        mesh, method: names.
        side, colors: what was asked for.
        triangles: of the mesh.
        voxels: that are solid.
        iou: with the six silhouettes, mean.
        bound: what silhouettes of voxel-sized pixels reach.
        free_iou: with silhouettes from 32 directions, mean.
        error: mean CIEDE2000 of the six views.
        used: colours that occur.
        parts: that do not touch.
        loose: voxels of parts with less than 0.5 % of all.
        faces: between solid and empty.
        asymmetry: share of voxels without a mirror image; None where the mesh has none.
        compliance: share of the sheet's opaque pixels that are of at most `colors` palette colours.
        load: CPU seconds from file to mesh.
        seconds, wall: CPU and wall seconds from mesh to voxels, medians.
        megabytes: peak of the process.
    """

    mesh: str
    method: str
    side: int
    colors: int
    triangles: int
    voxels: int
    iou: float
    bound: float
    free_iou: float
    error: float
    used: int
    parts: int
    loose: int
    faces: int
    asymmetry: float | None
    compliance: float
    load: float
    seconds: float
    wall: float
    megabytes: float

    @property
    def ratio(self) -> float:
        """What was reached of the bound."""
        return self.iou / self.bound


class Judge:
    """Of one mesh at one resolution."""

    def __init__(self, name: str, mesh: Mesh, side: int) -> None:
        self._name, self._mesh, self._side = name, mesh, side
        self.grid = Grid.fitted(mesh, side)
        self._views = six_views(mesh, self.grid)
        self._axis = next((axis for axis in range(2) if _symmetric(self._views, axis)), None)
        # Many methods and numbers of colours have one shape.
        self._free: dict[bytes, float] = {}

    def record(self, method: str, colors: int, voxels: Voxels, costs: dict[str, float]) -> Record:
        """All numbers; `costs` are the record's last four fields."""
        solid = voxels.solid
        found = metrics.silhouettes(solid, self._views)
        return Record(
            mesh=self._name,
            method=method,
            side=self._side,
            colors=colors,
            triangles=len(self._mesh),
            voxels=int(np.count_nonzero(solid)),
            iou=found.iou,
            bound=found.bound,
            free_iou=self._free_iou(solid),
            error=color_metrics.colors_error(voxels.labels, voxels.palette, self._views),
            used=len(np.unique(voxels.labels[solid])),
            parts=len(components(solid)[1]),
            loose=int(floaters(solid).sum()),
            faces=metrics.exposed_faces(solid),
            asymmetry=None if self._axis is None else metrics.asymmetry(solid, self._axis),
            compliance=_compliance(voxels, colors),
            **costs,
        )

    def _free_iou(self, solid: np.ndarray) -> float:
        key = np.packbits(solid).tobytes()
        if key not in self._free:
            self._free[key] = metrics.free_iou(self._mesh, solid, self.grid) if solid.any() else 0.0
        return self._free[key]


def _compliance(voxels: Voxels, colors: int) -> float:
    """Of the sheet of six views as it is on disk."""
    sheet = np.asarray(Image.open(io.BytesIO(to_sheet(voxels))))
    return color_metrics.palette_compliance(sheet[sheet[..., 3] > 0][:, :3], voxels.palette[:colors])


def _symmetric(views: tuple[View, ...], axis: int) -> bool:
    """Whether the two views that show an axis lie on their mirror images."""
    for view in views[::2]:
        across = [other for other in range(3) if other != view.axis]
        if axis in across:
            mirrored = np.flip(view.hit, across.index(axis))
            if (view.hit & mirrored).sum() < SYMMETRIC * (view.hit | mirrored).sum():
                return False
    return True
