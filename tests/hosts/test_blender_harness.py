"""The way into Blender that all its tests go: scripts run in the program and in bpy, and failures are failures."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.conftest import BackendProcess, until

from .blender import Blender, stop_backend


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


def test_a_backend_that_it_starts_does_not_stay(lonely_blender: Blender) -> None:
    """With the command that the installer wrote, one comes up where none runs; the harness ends it again."""
    script = """
        import json, os, tessera
        from tessera_protocol import launch
        with open(os.path.join(os.path.dirname(tessera.__file__), "settings.json")) as file:
            command = json.load(file)["backend_command"]
        with launch.connect_or_start(command, "test") as backend:
            answer(backend.status()["workers"] != [])
    """
    assert lonely_blender.run(script) is True
    file = BackendProcess(lonely_blender.home).connection_file
    assert file.exists()

    stop_backend(lonely_blender.home)

    # A backend takes it away as the last thing that it does.
    until(lambda: not file.exists(), 20)


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
