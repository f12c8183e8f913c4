"""A range of frames as a sequence of meshes: one grid and one palette for all, each seen in its own frames."""

import dataclasses
from typing import Any

import bpy

from tessera_protocol.errors import Failure, error
from tessera_protocol.messages import Result

from . import place, properties, recolor, runs, voxify
from .follow import Request
from .scene import Box, Part, Scene, around

# Jobs that are sent ahead: the backend has something to do, and its queue stays short.
AHEAD = 3


class Animation:
    """Frames on their way: read one after another, voxelized, and put into the document together at the end.

    Args:
        context: of Blender, where the artist asked.
    Raises:
        InvalidInput: nothing is selected, or there is no frame.
    """

    def __init__(self, context: Any) -> None:
        settings = context.scene.tessera
        self._frames = list(range(settings.frame_first, settings.frame_last + 1, settings.frame_step))
        if not self._frames:
            raise error(
                "out-of-range",
                f"There is no frame from {settings.frame_first} to {settings.frame_last}.",
                field="frame_last",
                given=settings.frame_last,
                allowed=f"{settings.frame_first} and later",
                remedy="Set Last to a later frame.",
            )
        sources = voxify.chosen(context)
        if not sources:
            # Says so.
            voxify.gathered(context, sources)
        self._params = properties.params_of(settings, properties.shown_palette(context))
        self._target = dataclasses.replace(voxify.Target.of(context, sources), result="")
        self._step = settings.frame_step
        self._back = context.scene.frame_current
        self._scenes: list[Scene] = []
        self._bounds: Box | None = None
        self._sent = 0
        self._results: dict[int, Result] = {}
        self._over = False

    @property
    def text(self) -> str:
        """What is being done."""
        if len(self._scenes) < len(self._frames):
            return f"Reading frame {self._frames[len(self._scenes)]}"
        return f"{len(self._results)} of {len(self._frames)} frames"

    @property
    def fraction(self) -> float:
        """How far it is, 0 to 1."""
        return (0.2 * len(self._scenes) + 0.8 * len(self._results)) / len(self._frames)

    def tick(self) -> bool:
        """Read a frame, or send what can be sent; false at the end."""
        if self._over:
            return False
        if len(self._scenes) < len(self._frames):
            self._read()
        elif len(self._results) == len(self._frames):
            runs.place(self._finish, *self._results.values())
            return False
        else:
            self._send()
        return True

    def cancel(self) -> None:
        """Stop, and put nothing into the document."""
        self._over = True
        self._return()

    def _read(self) -> None:
        """Gather one frame, as Blender shows it."""
        context = bpy.context
        context.scene.frame_set(self._frames[len(self._scenes)])
        sources = [bpy.data.objects[name] for name in self._target.sources if name in bpy.data.objects]
        read = voxify.gathered(context, sources)
        box = read.bounds()
        self._bounds = box if self._bounds is None else around([self._bounds, box])
        self._scenes.append(_shared(read, self._scenes[0]) if self._scenes else read)
        if len(self._scenes) == len(self._frames):
            self._return()

    def _send(self) -> None:
        """The first frame alone, as it chooses the colours; then some at a time."""
        ahead = AHEAD if self._results else 1
        while self._sent < len(self._frames) and self._sent - len(self._results) < ahead:
            self._submit(self._sent)
            self._sent += 1

    def _submit(self, number: int) -> None:
        params = self._params
        if number:
            # All frames have the first one's colours; `locked` is for those that still choose.
            colors = " ".join(dict.fromkeys(voxify.colors_of(self._results[0])))
            if colors.count("#") > 1:
                params = dataclasses.replace(params, palette=colors, locked="")
        name = f"{self._target.sources[0]}, frame {self._frames[number]}"
        buffers = self._scenes[number].buffers(self._bounds)

        def done(result: Result) -> None:
            self._results[number] = result

        runs.follower.add(Request(name, "voxelize", params, buffers, done, self._fail))

    def _fail(self, failure: Failure) -> None:
        """One frame can't be had: then none is."""
        if not self._over:
            self._over = True
            runs.state.fail(failure)
            runs.follower.cancel()

    def _return(self) -> None:
        """To the frame that the artist was at."""
        bpy.context.scene.frame_set(self._back)

    def _finish(self) -> None:
        """All frames into the document, below one empty that moves them together."""
        target = self._target
        scene = bpy.data.scenes.get(target.scene) or bpy.context.scene
        frames = [place.Voxels.of(self._results[number], target.kind) for number in range(len(self._frames))]
        collection = place.voxel_collection(bpy.data, scene)
        root = bpy.data.objects.new(target.name, None)
        root.location = target.anchor
        collection.objects.link(root)
        material = place.palette_material(bpy.data, f"{target.name} palette")
        for frame, voxels in zip(self._frames, frames):
            made = place.put(bpy.data, collection, f"{target.name} {frame:04}", voxels, target.anchor, material)
            made.parent = root
            made.location = (0.0, 0.0, 0.0)
            self._time(made, frame)
        notes = list(dict.fromkeys(note for read in self._scenes for note in read.notes))
        voxify.record(root, target, self._results[0], notes)
        recolor.recolor(root)
        voxify.show(root, target)

    def _time(self, made: Any, frame: int) -> None:
        """Show an object from its frame to the next one's: the first from the beginning on, the last to the end."""
        shown = [(frame, False)]
        if frame != self._frames[0]:
            shown.insert(0, (frame - 1, True))
        if frame != self._frames[-1]:
            shown.append((frame + self._step, True))
        for at, hidden in shown:
            made.hide_viewport = made.hide_render = hidden
            made.keyframe_insert("hide_viewport", frame=at)
            made.keyframe_insert("hide_render", frame=at)


def _shared(read: Scene, former: Scene) -> Scene:
    """The same scene, with the former's arrays where they are equal: most frames differ in their vertices alone."""
    parts = [_alike(part, other) for part, other in zip(read.parts, former.parts)] + read.parts[len(former.parts) :]
    textures = former.textures if read.textures == former.textures else read.textures
    return dataclasses.replace(read, parts=parts, textures=textures)


def _alike(part: Part, former: Part) -> Part:
    names = ("vertices", "triangles", "loops", "slots", "uv", "colors")
    same = {name: getattr(former, name) for name in names if getattr(former, name) == getattr(part, name)}
    return dataclasses.replace(part, **same)
