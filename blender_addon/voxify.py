"""From the artist's selection to a request, and from its result to the document."""

import dataclasses
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bpy

from tessera_protocol.errors import Failure, error
from tessera_protocol.messages import Result

from . import gather, kept, palettes, place, properties, recolor, runs, sheet
from .follow import Request
from .scene import Scene

# Types of objects that have a surface of their own.
SURFACES = ("MESH", "CURVE", "SURFACE", "META", "FONT")


@dataclasses.dataclass(frozen=True)
class Target:
    """What the voxels become, by names: what runs in between may make anything else of the document.

    Attributes:
        result: an object that gets them; "" for a new one.
        name: of a new one.
        sources: the objects that become voxels.
        locked: colours that have a lock.
        began: when the artist asked, seconds of `time.monotonic`.
    """

    scene: str
    view_layer: str
    result: str
    name: str
    sources: tuple[str, ...]
    anchor: tuple[float, ...]
    kind: str
    hide_source: bool
    locked: tuple[str, ...]
    began: float

    @staticmethod
    def of(context: Any, sources: Sequence[Any]) -> "Target":
        """As the artist's settings say."""
        settings = context.scene.tessera
        again = properties.active_result(context)
        order = [context.active_object, *sources] if context.active_object in sources else sources
        # Not an armature or empty that is selected together with what it moves.
        first = next((source for source in order if source.type in SURFACES), order[0])
        return Target(
            context.scene.name,
            context.view_layer.name,
            again.name if again is not None and again.type == "MESH" else "",
            f"{first.name} voxels",
            tuple(source.name for source in sources),
            tuple(first.matrix_world.translation),
            settings.kind,
            settings.hide_source,
            tuple(swatch.name_of_color for swatch in properties.shown_palette(context) if swatch.locked),
            time.monotonic(),
        )


def chosen(context: Any) -> list[Any]:
    """The objects that are to become voxels: the selected ones, or what the active result was made of.

    Raises:
        InvalidInput: "unusable-input" where there are none.
    """
    result = properties.active_result(context)
    if result is None:
        return [object for object in context.selected_objects if properties.result_of(object) is None]
    found = [source.object for source in result.tessera.sources]
    there = [object for object in found if object is not None and object.name in context.view_layer.objects]
    if not there:
        raise error(
            "unusable-input",
            f"What {result.name} was made of is not in this view layer any more.",
            remedy="Select another object, and press Voxify again.",
        )
    return there


def gathered(context: Any, sources: Sequence[Any]) -> Scene:
    """The surfaces of objects at the current frame, even of hidden ones; raises as `gather`."""
    for source in sources:
        if source.mode == "EDIT":
            source.update_from_editmode()
    with _shown(sources, context.view_layer):
        return gather.gather(sources, context.evaluated_depsgraph_get(), bpy.path.abspath)


def begin(context: Any) -> None:
    """Have the selection made voxels.

    Raises:
        TesseraError: there is nothing that could be.
    """
    runs.state.begin()
    sources = chosen(context)
    params = properties.params_of(context.scene.tessera, properties.shown_palette(context))
    scene = gathered(context, sources)
    target = Target.of(context, sources)

    def done(result: Result) -> None:
        runs.place(lambda: finish(target, result, scene.notes), result)

    job = ("voxelize", params, scene.buffers())
    runs.follower.add(Request(target.sources[0], *job, done, runs.state.fail, about(target, scene.notes)))


def about(target: Target, notes: Sequence[str]) -> dict[str, Any]:
    """What `fetch` needs, should this Blender not be there when the result is."""
    return {"file": bpy.data.filepath, "target": dataclasses.asdict(target), "notes": list(notes)}


def fetch(left: kept.Left) -> None:
    """Have a result that a Blender left brought; in another document it is an object of its own."""
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in left.about["target"].items()}
    target = dataclasses.replace(Target(**fields), began=time.monotonic())
    if not bpy.data.filepath or left.about["file"] != bpy.data.filepath:
        here = {"scene": bpy.context.scene.name, "view_layer": bpy.context.view_layer.name}
        target = dataclasses.replace(target, result="", sources=(), **here)

    def done(result: Result) -> None:
        runs.place(lambda: finish(target, result, left.about["notes"]), result)

    def failed(failure: Failure) -> None:
        if failure.code == "no-such-job":
            problem = f"The result {target.name} of an earlier session is not kept any more."
            failure = Failure(failure.code, problem, remedy="Press Voxify again.")
        runs.state.fail(failure)

    runs.follower.add(Request(target.name, "voxelize", None, {}, done, failed, left.about, left.job_id, attach=True))


def finish(target: Target, result: Result, notes: Sequence[str]) -> Any:
    """Put a result into the document; the object.

    Raises:
        Refused: a result that this version does not know.
    """
    voxels = place.Voxels.of(result, target.kind)
    scene = bpy.data.scenes.get(target.scene) or bpy.context.scene
    old = scene.objects.get(target.result) if target.result else None
    collection = place.voxel_collection(bpy.data, scene)
    made = place.put(bpy.data, collection, target.name, voxels, target.anchor, old=old)
    record(made, target, result, notes)
    show(made, target)
    return made


def record(made: Any, target: Target, result: Result, notes: Sequence[str]) -> None:
    """Write into a result how it was made, and its palette."""
    notes = [*notes, *result.meta.get("notes", ())]
    sources = [bpy.data.objects[name] for name in target.sources if name in bpy.data.objects]
    place.describe(made, result, sources, notes, time.monotonic() - target.began)
    colors = colors_of(result)
    properties.fill(made.tessera.swatches, colors, target.locked)
    labels = result.buffers.get("labels")
    if made.type == "MESH" and labels is not None:
        grid = sheet.Grid(labels.shape, bytes(labels.data), tuple(colors), tuple(range(len(colors))))
        made.tessera.grid = grid.to_text()


def colors_of(result: Result) -> list[str]:
    """The palette of a result, as #rrggbb."""
    rgb = bytes(result.buffers["palette"].data)
    return ["#" + rgb[at : at + 3].hex() for at in range(0, len(rgb), 3)]


def show(made: Any, target: Target) -> None:
    """Select a result and hide what it was made of, in the view layer that the artist saw."""
    scene = bpy.data.scenes.get(target.scene) or bpy.context.scene
    layer = scene.view_layers.get(target.view_layer) or scene.view_layers[0]
    # A new collection's objects are not in it before.
    layer.update()
    if made.name not in layer.objects:
        return
    for object in layer.objects:
        object.select_set(False, view_layer=layer)
    made.select_set(True, view_layer=layer)
    layer.objects.active = made
    for name in target.sources if target.hide_source else ():
        if name in layer.objects:
            layer.objects[name].hide_set(True, view_layer=layer)


def summary_of(made: Any) -> str:
    """A line on a result."""
    if made.type == "EMPTY":
        return f"{len(made.children)} frames, {made.tessera.seconds:.1f} s"
    meta = json.loads(made.tessera.meta or "{}")
    colors = len(made.tessera.swatches)
    count = "1 colour" if colors == 1 else f"{colors} colours"
    return f"{meta.get('voxels', 0):,} voxels, {count}, {made.tessera.seconds:.1f} s"


def take_palette(context: Any, colors: Sequence[str]) -> None:
    """Make these, #rrggbb, the palette that the panel shows; an active result takes the nearest of them at once."""
    result = properties.active_result(context)
    swatches = properties.shown_palette(context)
    former = [tuple(swatch.color) for swatch in swatches]
    properties.fill(swatches, colors)
    if result is not None and len(colors):
        shares = [palettes.to_share(color) for color in colors]
        numbers = [palettes.nearest(color, shares) for color in former]
        recolor.relabel(result, numbers)
        if result.tessera.grid:
            result.tessera.grid = sheet.Grid.of_text(result.tessera.grid).renumbered(numbers).to_text()
        recolor.recolor(result)


@contextmanager
def _shown(objects: Sequence[Any], layer: Any) -> Iterator[None]:
    """Within this, objects that the eye in the outliner hides are not hidden: hidden ones are not evaluated."""
    hidden = [object for object in objects if object.name in layer.objects and object.hide_get(view_layer=layer)]
    for object in hidden:
        object.hide_set(False, view_layer=layer)
    try:
        yield
    finally:
        for object in hidden:
            object.hide_set(True, view_layer=layer)
