"""A range of frames in Blender, as a sequence of meshes."""

from __future__ import annotations
