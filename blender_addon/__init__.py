"""Tessera in Blender: meshes become palette voxel art. Here is what Blender reads of an add-on: its way in and out."""

import os
import sys

bl_info = {
    "name": "Tessera",
    "description": "Meshes become palette voxel art",
    "author": "The Tessera developers",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > Tessera",
    "category": "Object",
}

_LIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
sys.path[:0] = [os.path.join(_LIB, f"cp{sys.version_info[0]}{sys.version_info[1]}"), _LIB]


def register() -> None:
    """Add the panel and its operators, and the properties of scenes and objects."""
    # Imported late: what needs no Blender can be had without it.
    import bpy

    from . import kept, operators, panel, preview, properties, runs

    runs.state.left = kept.left()
    for module in (preview, properties, operators, panel):
        module.register()
    bpy.app.handlers.load_pre.append(runs.forget)


def unregister() -> None:
    """Take everything away; what runs can be fetched later."""
    import bpy

    from . import operators, panel, preview, properties, runs

    runs.leave()
    bpy.app.handlers.load_pre.remove(runs.forget)
    if bpy.app.timers.is_registered(runs.tick):
        bpy.app.timers.unregister(runs.tick)
    for module in (panel, operators, properties, preview):
        module.unregister()
