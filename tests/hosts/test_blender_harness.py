"""The way into Blender that all its tests go: scripts run in the program and in bpy, and failures are failures."""

from __future__ import annotations

import pytest
from PIL import Image

from .blender import Blender


def test_a_script_runs_inside(blender: Blender) -> None:
    """It gets values, has the add-on with its libraries, finds the backend, and answers."""
    script = """
        import zmq, msgpack, tessera_protocol.client as client, tessera
        with client.Client("test") as backend:
            workers = backend.status()["workers"]
        files = [module.__file__ for module in (tessera, zmq, msgpack, client)]
        scene = bpy.data.scenes[0].name
        answer({"twice": given["number"] * 2, "files": files, "workers": len(workers), "scene": scene})
    """

    answer = blender.run(script, number=21)

    assert isinstance(answer, dict)
    assert (answer["twice"], answer["scene"]) == (42, "Scene")
    assert answer["workers"] >= 1
    assert all(file.startswith(str(blender.addon)) for file in answer["files"])


def test_what_a_script_raises_fails_the_test(blender: Blender) -> None:
    """With its traceback; what an earlier script answered does not count."""
    blender.run("answer(1)")
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        blender.run("1 / 0")
    assert blender.run("pass") is None


@pytest.mark.host("blender window")
def test_a_script_in_the_window(blender_window: Blender) -> None:
    """Steps run while Blender lives, clicks reach it, and the picture shows its window, not an empty screen."""
    script = """
        def steps():
            ticks = []
            bpy.app.timers.register(lambda: ticks.append(1) or 0.01)
            yield from until(lambda: len(ticks) > 3)
            area = next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")
            # The middle of the view has the cube; a click beside it takes its selection away.
            click(area.x + 80, 900 - area.y - 80)
            yield from until(lambda: not any(object.select_get() for object in bpy.data.objects))
            screenshot("window")
            answer(len(bpy.context.window_manager.windows))
    """

    assert blender_window.window(script) == 1
    with Image.open(blender_window.folder / "window.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 50


@pytest.mark.host("blender window")
def test_what_a_step_raises_fails_the_test(blender_window: Blender) -> None:
    """An exception in a timer, which Blender itself would ignore, ends it."""
    with pytest.raises(AssertionError, match="KeyError: 'staged'"):
        blender_window.window("def steps():\n    yield 0.01\n    raise KeyError('staged')")
