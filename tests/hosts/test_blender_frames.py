"""A range of frames in Blender, as a sequence of meshes."""

from __future__ import annotations

import pytest

from .blender import Blender
from .blender_box import inside


def test_frames_share_grid_and_palette(blender: Blender) -> None:
    """Three frames of a moving box: one object each, seen in its own frame, aligned, with the same colours."""
    answer = inside(
        blender,
        """
source = box()
for frame, x in ((1, 10), (3, 14)):
    source.location.x = x
    source.keyframe_insert("location", frame=frame)
for curve in (source.animation_data.action.fcurves if hasattr(source.animation_data.action, "fcurves")
              else source.animation_data.action.layers[0].strips[0].channelbags[0].fcurves):
    for point in curve.keyframe_points:
        point.interpolation = "LINEAR"
scene = bpy.context.scene
scene.frame_set(2)
settings.frame_first, settings.frame_last = 1, 3
done = list(bpy.ops.tessera.voxify_frames(wait=True))
root = active()
seen = []
for frame in (1, 2, 3, 4):
    scene.frame_set(frame)
    shown = [child for child in root.children if not child.hide_viewport]
    lows = [min((child.matrix_world @ v.co).x for v in child.data.vertices) for child in shown]
    seen.append([[child.name for child in shown], lows, [colors(child.data) for child in shown]])
for swatch in root.tessera.swatches:
    swatch.color = (1, 1, 1)
white = {tuple(map(tuple, colors(child.data))) for child in root.children}
answer([done, root.name, scene.frame_current, seen, root.location[:], sorted(white)])
""",
    )
    done, name, _, seen, location, white = answer
    assert (done, name) == (["FINISHED"], "Box voxels")
    assert [names for names, _, _ in seen] == [[f"Box voxels {at:04}"] for at in (1, 2, 3)] + [["Box voxels 0003"]]
    # The box of all frames has 16 voxels along 8 units.
    assert [low for _, (low,), _ in seen] == pytest.approx([8, 10, 12, 12], abs=0.51)
    assert all(color == [[0, 0, 0.8], [0.8, 0, 0]] for _, _, (color,) in seen)
    assert location[2] == pytest.approx(1)
    assert white == [[[1, 1, 1]]]
