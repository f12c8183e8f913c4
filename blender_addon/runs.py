"""What runs now, and what came of the last run: the one place that the panel, the operators and the timer share."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable
from typing import Any

import bpy
from bpy.app.handlers import persistent

from tessera_protocol import paths
from tessera_protocol.errors import Failure, TesseraError
from tessera_protocol.messages import Result

from . import kept, preview
from .follow import INTERVAL, Follower

follower = Follower("blender")


class State:
    """For the panel.

    Attributes:
        failure: why the last run came to nothing.
        placing: results that wait to be put into the document: what does it, and their jobs.
        left: jobs that a Blender left, whose results can be fetched.
        shown: what sidebars show of all this.
        sequence: frames on their way, with a `tick` like the follower's, `fraction`, `text` and `cancel`; or None.
    """

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.placing: list[tuple[Callable[[], None], list[str]]] = []
        self.left: list[kept.Left] = []
        self.shown: tuple[Any, ...] = ()
        self.sequence: Any = None

    def begin(self) -> None:
        """A run begins: what was said of others is over."""
        self.failure = None
        preview.clear()

    def fail(self, failure: Failure) -> None:
        """A run came to nothing."""
        self.failure = failure
        # Of a backend that went away, in mid-job perhaps.
        self.left = kept.left(follower.job_ids)


state = State()


def running() -> bool:
    """Whether there is anything that can be cancelled."""
    return bool(follower.requests or state.sequence is not None or state.placing)


def progress() -> tuple[str, float]:
    """What the panel says of the run: words, and how far it is, 0 to 1."""
    if state.placing and not can_place():
        return "Done: leave this mode to get the voxels", 1.0
    if state.sequence is not None:
        return state.sequence.text, state.sequence.fraction
    if follower.starting:
        return "Starting the Tessera backend", 0.0
    requests = follower.requests
    if not requests:
        return "", 0.0
    more = f" ({len(requests) - 1} more)" if len(requests) > 1 else ""
    return f"{requests[0].name}: {requests[0].stage}{more}", requests[0].fraction


def watch() -> None:
    """Have `tick` called until all is done."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=INTERVAL)


def finish() -> None:
    """Wait until all is done, for scripts: Blender's timers don't run without a window."""
    while (pause := tick()) is not None:
        time.sleep(pause)


def tick() -> float | None:
    """One look at everything that runs; when to look again."""
    try:
        follower.tick()
        if state.sequence is not None and not state.sequence.tick():
            state.sequence = None
        while state.placing and can_place():
            _place(*state.placing.pop(0))
        if follower.requests:
            preview.show(follower.requests[0].picture)
    except TesseraError as exc:
        # Of a frame that can't be read; what goes wrong with jobs comes to those who asked for them.
        cancel()
        state.fail(exc.failure)
    except Exception:
        _report_bug()
    redraw()
    return INTERVAL if running() else None


def cancel() -> None:
    """End everything."""
    if state.sequence is not None:
        state.sequence.cancel()
    for _, job_ids in state.placing:
        for job_id in job_ids:
            follower.settle(job_id)
    state.placing.clear()
    follower.cancel()


def place(work: Callable[[], None], *results: Result) -> None:
    """Have results put into the document, as soon as undo can hold that."""
    state.placing.append((work, [result.job_id for result in results]))


def leave() -> None:
    """Blender ends, or the add-on does: jobs go on, and their results can be fetched later."""
    state.sequence = None
    state.placing.clear()
    follower.leave()


@persistent
def forget(*_: Any) -> None:
    """Another file is opened: what runs is not for it."""
    state.sequence = None
    state.placing.clear()
    state.begin()
    follower.forget()


def can_place() -> bool:
    """Whether one undo step can hold a result: in Edit Mode and its like, undo knows the mode's own data only."""
    active = bpy.context.view_layer.objects.active
    return active is None or active.mode in ("OBJECT", "POSE")


def redraw() -> None:
    """Have sidebars drawn anew, where they would look different; not the views beside them, which may be slow."""
    shown = (running(), *progress(), preview.icon(), state.failure, len(state.left))
    if shown == state.shown:
        return
    state.shown = shown
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type == "UI":
                    region.tag_redraw()


def _place(work: Callable[[], None], job_ids: list[str]) -> None:
    try:
        work()
    except TesseraError as exc:
        state.fail(exc.failure)
        return
    finally:
        # What can't be placed now can't be later.
        for job_id in job_ids:
            follower.settle(job_id)
    # Without it, undo and redo of what a timer did end Blender.
    bpy.ops.ed.undo_push(message="Voxify")


def _report_bug() -> None:
    log = paths.state_dir() / "blender.log"
    # A full disk must not turn the message into a traceback.
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
    forget()
    state.fail(
        Failure(
            "internal-error", f"Something went wrong inside Tessera; this is a bug. Report it, with the end of {log}."
        )
    )
