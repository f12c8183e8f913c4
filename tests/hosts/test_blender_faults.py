"""What goes wrong in Blender: bad input, jobs that are cancelled, backends that are not there or go away."""

from __future__ import annotations

import dataclasses
import threading

from tests.conftest import BackendProcess

from .blender import Blender
from .blender_box import inside


def test_bad_input_is_told_and_changes_nothing(blender: Blender) -> None:
    """Nothing selected, no faces, no area, no finite corner, a palette of one colour: a sentence each."""
    answer = inside(
        blender,
        """
said = []
def attempt():
    before = inventory()
    said.append([voxify(), inventory() == before, runs.running()])

bpy.ops.object.select_all(action="DESELECT")
bpy.context.view_layer.objects.active = None
attempt()
for corners in ([], [(0, 0, 0)] * 3, [(math.nan, 0, 0)] * 3):
    box()
    mesh = bpy.data.meshes.new("bad")
    mesh.from_pydata(corners, [], [(0, 1, 2)] if corners else [])
    bpy.context.object.data = mesh
    attempt()
box()
bpy.ops.tessera.palette_paste(text="#ff0000")
attempt()
settings.palette_from = "choose"
settings.swatches.clear()
answer([said, voxify()])
""",
    )
    said, afterwards = answer
    words = ["Nothing is selected", "no surface", "", "", "The palette has one colour"]
    for (message, same, running), word in zip(said, words, strict=True):
        assert isinstance(message, str), message
        assert word in message
        assert "bug" not in message
        assert same
        assert not running
    assert afterwards == ["FINISHED"]


def test_cancel_leaves_the_document_alone(blender: Blender) -> None:
    """A job that is cancelled leaves the document as it was, and the next one works."""
    answer = inside(
        blender,
        """
import time
from tessera.follow import INTERVAL
box()
settings.side = 256
before = inventory()
bpy.ops.tessera.voxify()
while not runs.follower.requests or not runs.follower.requests[0].running:
    runs.tick()
    time.sleep(0.01)
words, share = runs.progress()
bpy.ops.tessera.cancel()
runs.finish()
ended = [runs.state.failure.code, inventory() == before, words]
settings.side = 16
answer([ended, voxify()])
""",
    )
    (code, same, words), afterwards = answer
    assert (code, same) == ("cancelled", True)
    assert words.startswith("Box: ")
    assert afterwards == ["FINISHED"]


def test_several_jobs_at_once(blender: Blender) -> None:
    """A second object is asked for while the first runs: both come, each by its own name."""
    answer = inside(
        blender,
        """
first = box("One")
bpy.ops.mesh.primitive_ico_sphere_add(location=(0, 0, 9))
second = bpy.context.object
second.name = "Two"
for source in (first, second):
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = source
    source.select_set(True)
    bpy.ops.tessera.voxify()
count = len(runs.follower.requests)
runs.finish()
answer([count, sorted(o.name for o in bpy.data.collections["Voxels"].objects)])
""",
    )
    assert answer == [2, ["One voxels", "Two voxels"]]


def test_a_backend_is_started(lonely_blender: Blender) -> None:
    """Where none runs, the add-on starts one by itself."""
    answer = inside(lonely_blender, "box()\nbefore = runs.follower.requests\nanswer([before, voxify(), active().name])")
    assert answer == [[], ["FINISHED"], "Box voxels"]


def test_a_backend_that_goes_in_mid_job_is_told(blender: Blender, own_backend: BackendProcess) -> None:
    """The artist reads so soon, the document is as it was, and nothing is left running."""
    process = own_backend.start().process
    assert process is not None
    # Only when it is waited for is it gone.
    threading.Thread(target=process.wait, daemon=True).start()
    answer = inside(
        dataclasses.replace(blender, home=own_backend.home),
        """
import os, signal
box()
settings.side = 256
before = inventory()
bpy.ops.tessera.voxify()
while not runs.follower.requests[0].running:
    runs.tick()
os.kill(given["pid"], signal.SIGKILL)
runs.finish()
answer([runs.state.failure.code, str(runs.state.failure), inventory() == before, runs.running()])
""",
        pid=process.pid,
    )
    code, said, same, running = answer
    assert code == "backend-silent"
    assert "tessera serve" in said
    assert (same, running) == (True, False)
