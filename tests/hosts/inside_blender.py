"""Runs inside Blender or bpy, with nothing of the tests' environment: the add-on enabled, then one script.

What a script finds beside `bpy`: `given` (a dict), `answer(value)` (JSON, the last one counts), and, in a window,
`screenshot(name)`, `click(x, y)` and `until(condition, seconds)`. There it defines a generator `steps()`, and each
number that it yields is a pause of so many seconds, in which Blender lives on.
"""

import json
import os
import subprocess
import sys
import time
import traceback

import bpy


def answer(value):
    """Hand a JSON value back to the test."""
    with open(order["answer"], "w", encoding="utf-8") as file:
        json.dump(value, file)


def screenshot(name):
    """Save the whole screen as NAME.png in the test's folder."""
    target = os.path.join(os.path.dirname(order["answer"]), name + ".png")
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
    subprocess.run(["import", "-window", "root", target], check=True)


def click(x, y):
    """Press the left button at a pixel of the screen, counted from its upper left; Blender sees it after a pause."""
    subprocess.run(["xdotool", "mousemove", str(x), str(y), "click", "1"], check=True)


def until(condition, seconds=60.0):
    """Steps that wait for a condition: `value = yield from until(...)`; RuntimeError when it does not come true."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise RuntimeError(f"did not happen within {seconds} s")
        yield 0.02


def drive(steps):
    """Advance the steps by Blender's timer; then end Blender, with exit code 1 if one of them raised."""

    def step():
        try:
            return float(next(steps))
        except StopIteration:
            bpy.ops.wm.quit_blender()
        except BaseException:
            # What a timer raises would be printed and forgotten.
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        return None

    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(step, first_interval=1.0)


def main():
    """Enable the add-on, and run the script that the order names."""
    # As a module, bpy makes Blender's own modules known only once it is imported.
    import addon_utils

    def fail(exc):
        raise exc

    if order["enabled"]:
        addon_utils.enable(order["enabled"], default_set=True, handle_error=fail)
    scope = {"__name__": "inside", "bpy": bpy, "given": order["given"]}
    scope.update(answer=answer, screenshot=screenshot, click=click, until=until)
    with open(order["script"], encoding="utf-8") as file:
        exec(compile(file.read(), order["script"], "exec"), scope)
    if order["window"]:
        drive(scope["steps"]())


with open(sys.argv[-1], encoding="utf-8") as file:
    order = json.load(file)
try:
    main()
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    # The only way out with a code from every version, with and without a window.
    os._exit(1)
