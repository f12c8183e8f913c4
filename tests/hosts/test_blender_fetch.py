"""What becomes of voxels that were on their way when Blender went: they are fetched when it is there again."""

from __future__ import annotations

import pytest

from tests.conftest import BackendProcess

from .blender import Blender
from .blender_box import inside

BEGIN = """
import os, signal, time, tessera
from tessera_protocol import paths
box()
settings.engine, settings.iterations = "voxify", 400
bpy.ops.wm.save_as_mainfile(filepath=given["folder"] + "/boat.blend")
bpy.ops.tessera.voxify()
while not runs.follower.requests[0].running:
    runs.tick()
    time.sleep(0.01)
with open(given["folder"] + "/job", "w") as file:
    file.write(runs.follower.requests[0].job_id)
"""
FETCH = """
from tessera import kept
before = [len(runs.state.left), [left.about["target"]["name"] for left in runs.state.left]]
done = list(bpy.ops.tessera.fetch(wait=True))
made = active()
sources = [source.object.name if source.object else None for source in made.tessera.sources]
answer([before, done, made.name, sources, colors(made.data), len(kept.left()), len(runs.state.left), voxify()])
"""


def test_after_a_crash(blender: Blender, backend: BackendProcess) -> None:
    """Killed in mid-job; in the saved document the voxels come as if nothing had been, and can be made again."""
    with pytest.raises(AssertionError, match="ended with -9"):
        inside(blender, BEGIN + "os.kill(os.getpid(), signal.SIGKILL)", folder=str(blender.folder))
    job = (blender.folder / "job").read_text()
    with backend.client() as client:
        assert job in [entry["job_id"] for entry in client.jobs()]

    script = (
        "bpy.ops.wm.open_mainfile(filepath=given['folder'] + '/boat.blend')\nsettings = bpy.context.scene.tessera\n"
    )
    answer = inside(blender, script + FETCH, folder=str(blender.folder))

    assert answer[:2] == [[1, ["Box voxels"]], ["FINISHED"]]
    assert answer[2:4] == ["Box voxels", ["Box"]]
    assert len(answer[4]) == 2
    assert answer[5:] == [0, 0, ["FINISHED"]]
    with backend.client() as client:
        assert job not in [entry["job_id"] for entry in client.jobs()]


def test_after_it_was_closed(blender: Blender) -> None:
    """The job goes on without Blender; another document gets the voxels alone, as they don't belong there."""
    inside(blender, BEGIN + "tessera.unregister()", folder=str(blender.folder))

    answer = inside(blender, FETCH)

    assert answer[:2] == [[1, ["Box voxels"]], ["FINISHED"]]
    assert answer[2:4] == ["Box voxels", [None]]
    assert len(answer[4]) == 2
    assert answer[5:7] == [0, 0]
    assert "not in this view layer any more" in answer[7]


def test_what_the_backend_does_not_have_is_told_once(blender: Blender) -> None:
    """A result that got too old is told, and offered no more."""
    answer = inside(
        blender,
        """
from tessera import kept
box()
about = {"file": "", "notes": [], "target": {
    "scene": "Scene", "view_layer": "ViewLayer", "result": "", "name": "Old voxels", "sources": [], "anchor": [0, 0, 0],
    "kind": "mesh", "hide_source": False, "locked": [], "began": 0.0}}
kept.keep("0" * 32, about)
runs.state.left = kept.left()
before = inventory()
try:
    bpy.ops.tessera.fetch(wait=True)
    said = ""
except RuntimeError as exc:
    said = str(exc)
answer([said, before == inventory(), len(kept.left()), len(runs.state.left)])
""",
    )
    assert "Old voxels" in answer[0]
    assert answer[1:] == [True, 0, 0]


def test_a_result_is_kept_until_it_is_placed(blender: Blender) -> None:
    """In Edit Mode it waits here, and the backend has it still: a crash then would lose nothing."""
    answer = inside(
        blender,
        """
import time
from tessera import kept
from tessera_protocol.client import Client
box()
bpy.ops.tessera.voxify()
bpy.ops.object.mode_set(mode="EDIT")
while not runs.state.placing:
    runs.tick()
    time.sleep(0.01)
job, = runs.state.placing[0][1]
def there():
    with Client("test") as client:
        return job in [entry["job_id"] for entry in client.jobs()]
waiting = [there(), job in [left.job_id for left in kept.left()]]
bpy.ops.object.mode_set(mode="OBJECT")
runs.finish()
answer([waiting, there(), job in [left.job_id for left in kept.left()], active().name])
""",
    )
    assert answer == [[True, True], False, False, "Box voxels"]
