"""Palettes in Blender: swatches that recolour at once, lists, files."""

from __future__ import annotations

from PIL import Image

from .blender import Blender
from .blender_box import inside


def test_swatches_recolour_at_once(blender: Blender) -> None:
    """A swatch changes the faces that have it; a palette that is pasted is taken on by nearness; locks are kept."""
    answer = inside(
        blender,
        """
box()
voxify()
made = active()
red = next(s for s in made.tessera.swatches if s.name_of_color == "#e70000")
red.color = (0, 1, 0)
live = colors(made.data)
red.locked = True
voxify()
made = active()
kept = sorted((s.name_of_color, s.locked) for s in made.tessera.swatches)
bpy.ops.tessera.palette_paste(text="ff8000 000080 #00c000")
pasted = colors(made.data)
settings.side = 12
voxify()
used = sorted(s.name_of_color for s in active().tessera.swatches)
bpy.ops.tessera.swatch_remove(index=1)
answer([live, kept, pasted, settings.palette_from, used, colors(active().data)])
""",
    )
    live, kept, pasted, palette_from, used, _ = answer
    assert live == [[0, 0, 0.8], [0, 1, 0]]
    assert ["#00ff00", True] in kept
    assert pasted == [[0, 0, 0.22], [1, 0.22, 0]]
    assert palette_from == "these"
    assert set(used) <= {"#ff8000", "#000080", "#00c000"}


def test_palette_files(blender: Blender) -> None:
    """Read from .gpl, written as .hex; other kinds of file say what can be read."""
    gimp = "GIMP Palette\nName: two\n#\n255 0 0 red\n  0 128 255\tsky\n"
    (blender.folder / "two.gpl").write_text(gimp)
    (blender.folder / "two.aco").write_bytes(b"two")
    picture = Image.new("RGBA", (4, 2))
    picture.putpixel((1, 0), (255, 0, 0, 255))
    picture.putpixel((2, 1), (0, 128, 255, 255))
    picture.save(blender.folder / "two.png")
    (blender.folder / "no.png").write_bytes(b"two")
    answer = inside(
        blender,
        """
bpy.ops.object.select_all(action="DESELECT")
bpy.context.view_layer.objects.active = None
bpy.ops.tessera.palette_import(filepath=given["folder"] + "/two.gpl")
bpy.ops.tessera.palette_import(filepath=given["folder"] + "/two.png")
of_picture = [s.name_of_color for s in settings.swatches]
bpy.ops.tessera.palette_import(filepath=given["folder"] + "/two.gpl")
bpy.ops.tessera.palette_export(filepath=given["folder"] + "/out.hex")
said = []
for name in ("two.aco", "no.png"):
    try:
        bpy.ops.tessera.palette_import(filepath=given["folder"] + "/" + name)
    except RuntimeError as exc:
        said.append(str(exc))
left = [image.name for image in bpy.data.images if image.name.endswith(".png")]
answer([[s.name_of_color for s in settings.swatches], of_picture, left, *said])
""",
        folder=str(blender.folder),
    )
    assert answer[0] == ["#ff0000", "#0080ff"]
    assert answer[1] == answer[0]
    assert answer[2] == []
    assert "two.aco is no palette" in answer[3]
    assert ".gpl" in answer[3]
    assert "no.png" in answer[4]
    assert (blender.folder / "out.hex").read_text() == "ff0000\n0080ff\n"
