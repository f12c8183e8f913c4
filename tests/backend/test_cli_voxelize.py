"""`tessera voxelize`, as a user runs it: files of all kinds, palettes, odd meshes, words and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.visual.material import SimpleMaterial
from trimesh.visual.texture import TextureVisuals

from tessera_backend import images, jobs, palettes
from tessera_backend.cli import main
from tessera_backend.cli.voxelize import KINDS
from tessera_backend.voxelize import Voxels
from tessera_backend.voxelize.export.files import SUFFIXES
from tessera_backend.voxelize.export.sparse import from_json, from_npz
from tessera_backend.voxelize.export.vox import from_vox
from tessera_backend.voxelize.source.load import load
from tessera_backend.voxelize.source.scene import packed
from tessera_protocol.client import Buffer
from tests.conftest import BackendProcess, until

from .test_cli import tessera

QUICK = ("--side", "12", "--colors", "3")


def here(*arguments: object) -> int:
    """The exit code of `tessera` in this process, which has loaded all that a new one would load for seconds."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments], prog_name="tessera")
    return int(ended.value.code or 0)


def write_figure(path: Path) -> Path:
    """A red box under a blue ball, as .glb with vertex colours."""
    scene = trimesh.Scene()
    box, ball = trimesh.creation.box((2, 1, 2)), trimesh.creation.icosphere(2, 1.0)
    box.visual.vertex_colors = [230, 5, 5, 255]
    ball.visual.vertex_colors = [5, 10, 220, 255]
    scene.add_geometry(box)
    scene.add_geometry(ball, transform=trimesh.transformations.translation_matrix([0, 2, 0]))
    scene.export(path)
    return path


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    return write_figure(tmp_path / "figure.glb")


def assert_figure(voxels: Voxels) -> None:
    """Blue stands on red."""
    shape = voxels.labels.shape
    assert max(shape) == shape[2] == 12
    halves = voxels.labels[..., :3], voxels.labels[..., 6:]
    bottom, top = (voxels.palette[np.bincount(half[half > 0]).argmax() - 1] for half in halves)
    assert bottom.argmax() == 0
    assert top.argmax() == 2


def test_a_mesh_becomes_voxels(mesh: Path) -> None:
    """Exit code 0, one line on stdout, a .vox beside the mesh; nothing else."""
    done = tessera("voxelize", mesh, *QUICK, "--seed", "4")
    assert done.returncode == 0, done.stderr
    target = mesh.with_suffix(".vox")
    line = rf"{re.escape(str(target))}: (\d+) voxels of (\d) colours, (\d+) x (\d+) x 12, engine surface, [\d.]+ s\n"
    found = re.fullmatch(line, done.stdout)
    assert found, done.stdout
    voxels = from_vox(target.read_bytes())
    assert voxels.solid.sum() == int(found[1])
    assert voxels.labels.shape == (int(found[3]), int(found[4]), 12)
    assert_figure(voxels)
    assert sorted(path.name for path in mesh.parent.iterdir()) == ["figure.glb", "figure.vox"]


def test_every_kind_of_file(mesh: Path) -> None:
    """Those that Tessera reads back are the same voxels; there is a test of each elsewhere. A preview beside them."""
    assert KINDS == SUFFIXES
    readers: dict[str, Callable[[bytes], Voxels]] = {".vox": from_vox, ".npz": from_npz, ".json": from_json}
    made = {}
    for kind in KINDS:
        target, preview = mesh.with_name(f"art{kind.upper()}"), mesh.with_name("shown.png")
        assert here("voxelize", mesh, "-o", target, "--preview", preview, *QUICK) == 0
        assert target.stat().st_size > 100
        if kind in readers:
            made[kind] = readers[kind](target.read_bytes())
            assert_figure(made[kind])
        picture = images.load(preview)
        assert picture.shape == (800, 800, 4)
        assert (picture[..., 3] == 255).mean() > 0.1
        preview.unlink()
    np.testing.assert_array_equal(made[".npz"].labels, made[".json"].labels)
    assert mesh.with_name("art_palette.png").is_file()


def _texts(tmp_path: Path) -> dict[str, Path]:
    colors = np.array([[255, 0, 0], [0, 0, 255], [250, 250, 250]], np.uint8)
    (tmp_path / "inks.hex").write_text(palettes.to_hex(colors))
    (tmp_path / "inks.gpl").write_text(palettes.to_gpl(colors, "inks"))
    (tmp_path / "inks.png").write_bytes(images.encode_png(colors[None]))
    (tmp_path / "inks").write_text(palettes.to_hex(colors))
    return {name: tmp_path / name for name in ("inks.hex", "inks.gpl", "inks.png", "inks")}


def test_palettes(mesh: Path, tmp_path: Path) -> None:
    """A list of colours, or a file of any kind that is read: the same voxels, of these colours."""
    long = " ".join(f"#{number:06x}" for number in range(255))
    assert here("voxelize", mesh, "-o", tmp_path / "art.npz", "--palette", long, *QUICK) == 0
    given = ["#ff0000 #0000ff,#fafafa", *_texts(tmp_path).values()]
    made = []
    for palette in given:
        assert here("voxelize", mesh, "-o", tmp_path / "art.npz", "--palette", palette, *QUICK) == 0
        made.append(from_npz((tmp_path / "art.npz").read_bytes()))
    for voxels in made:
        np.testing.assert_array_equal(voxels.palette, [[255, 0, 0], [0, 0, 255], [250, 250, 250]])
        np.testing.assert_array_equal(voxels.labels, made[0].labels)


def test_here_and_through_the_backend_are_the_same(backend: BackendProcess, mesh: Path, tmp_path: Path) -> None:
    """--backend gives the same voxels, and leaves nothing behind in the backend."""
    made = []
    for more in ([], ["--backend"]):
        done = tessera("voxelize", mesh, "-o", tmp_path / "art.json", *QUICK, *more, env=backend.environment)
        assert done.returncode == 0, done.stderr
        made.append(from_json((tmp_path / "art.json").read_bytes()))
    for name in ("labels", "palette", "origin", "size"):
        np.testing.assert_array_equal(getattr(made[0], name), getattr(made[1], name))
    with backend.client() as client:
        assert all(job["client"] != "cli" for job in client.jobs())


@pytest.mark.parametrize("suffix", [None, ".glb", ".png"])
def test_fetch(backend: BackendProcess, mesh: Path, tmp_path: Path, suffix: str | None) -> None:
    """A kept result becomes any kind of file; .vox by default."""
    header, arrays = packed(load(mesh)[0])
    sent = {"scene": Buffer.file(header)} | {name: jobs.as_buffer(values) for name, values in arrays.items()}
    with backend.client() as client:
        job_id = client.submit("voxelize", {"side": 12}, sent)
        client.follow(job_id)
    target = tmp_path / f"{job_id}{suffix or '.vox'}"
    wrong = tessera("fetch", job_id, "-o", "art.svg", env=backend.environment, cwd=tmp_path)
    assert wrong.returncode == 2
    assert ".vox" in wrong.stderr
    output = [] if suffix is None else ["-o", target]
    done = tessera("fetch", job_id, *output, env=backend.environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+ voxels of \d colours, \d+ x \d+ x 12, engine surface\n", done.stdout)
    assert target.stat().st_size > 100


@pytest.mark.parametrize("through", [[], ["--backend"]])
def test_a_missing_texture_is_a_note(backend: BackendProcess, tmp_path: Path, through: list[str]) -> None:
    """Voxels all the same, in plain colours, and which file is missing, on stderr."""
    board = trimesh.creation.box()
    material = SimpleMaterial(image=Image.new("RGB", (4, 4), (255, 0, 0)), name="wood")
    board.visual = TextureVisuals(uv=np.zeros((len(board.vertices), 2)), material=material)
    text, files = trimesh.exchange.obj.export_obj(board, return_texture=True, mtl_name="box.mtl")
    (tmp_path / "box.obj").write_text(text)
    (tmp_path / "box.mtl").write_bytes(files["box.mtl"])
    done = tessera("voxelize", "box.obj", "-o", "box.vox", *QUICK, *through, cwd=tmp_path, env=backend.environment)
    assert done.returncode == 0, done.stderr
    notes = [line for line in done.stderr.splitlines() if line.startswith("Note: ")]
    assert len(notes) == 1
    told = r"Note: The texture \S+\.(png|jpe?g) is missing: .*plain colours\. Put it beside box\.obj\."
    assert re.fullmatch(told, notes[0])


def _flat(path: Path, corners: list[list[float]]) -> None:
    """One triangle, in text."""
    lines = [*("v {} {} {}".format(*corner) for corner in corners), "f 1 2 3\n"]
    path.write_text("\n".join(lines))


def _many(path: Path) -> None:
    """Five million triangles: a ball that the scene places four thousand times."""
    scene = trimesh.Scene(trimesh.creation.icosphere(3))
    scene.export(path)
    data = path.read_bytes()
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    document["nodes"] = [{"mesh": 0}] * 4000
    document["scenes"] = [{"nodes": list(range(4000))}]
    document["scene"] = 0
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = len(text).to_bytes(4, "little") + b"JSON" + text + data[20 + length :]
    path.write_bytes(b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunks)).to_bytes(4, "little") + chunks)


@pytest.fixture
def odd_files(mesh: Path, tmp_path: Path) -> Path:
    """A folder of meshes and other files that are of no use."""
    (tmp_path / "empty.glb").touch()
    (tmp_path / "words.glb").write_text("not a mesh")
    (tmp_path / "cut.glb").write_bytes(mesh.read_bytes()[:300])
    (tmp_path / "nothing.obj").write_text("# no faces\nv 0 0 0\n")
    (tmp_path / "drawing.blend").write_text("BLENDER")
    _flat(tmp_path / "nan.obj", [[float("nan")] * 3] * 3)
    _flat(tmp_path / "line.obj", [[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    _flat(tmp_path / "point.obj", [[1, 2, 3]] * 3)
    (tmp_path / "one.hex").write_text("ff0000\n")
    (tmp_path / "many.png").write_bytes(images.encode_png(np.arange(768, dtype=np.uint8).reshape(1, 256, 3)))
    (tmp_path / "words.gpl").write_text("GIMP Palette\nred green blue\n")
    (tmp_path / "folder.vox").mkdir()
    return tmp_path


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command in a folder: exit code 2, one sentence or two, no traceback, nothing written; the sentences."""

    def run(folder: Path, *arguments: object) -> str:
        before = sorted(folder.rglob("*"))
        monkeypatch.chdir(folder)
        code = here("voxelize", *arguments)
        said = capsys.readouterr()
        assert code == 2, said.err
        assert said.err.startswith("Error: ")
        assert "Traceback" not in said.err
        assert len(said.err) < 500
        assert said.out == ""
        assert sorted(folder.rglob("*")) == before
        return said.err

    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.glb"], "missing.glb does not exist"),
        (["."], "is a folder"),
        (["empty.glb"], "empty.glb is empty (0 bytes)"),
        (["words.glb"], "words.glb is damaged"),
        (["cut.glb"], "cut.glb is damaged"),
        (["nothing.obj"], "has no faces"),
        (["drawing.blend"], "ends in .blend, which is not read here"),
        (["nan.obj"], "No corner of the mesh has a finite position"),
        (["line.obj"], "no area"),
        (["point.obj"], "no area"),
        (["figure.glb", "--side", "4"], "Resolution is 4, but 8 to 256 voxels are possible"),
        (["figure.glb", "--colors", "1"], "Colours is 1, but 2 to 32 are possible"),
        (["figure.glb", "--crispness", "nan"], "Crispness is nan"),
        (["figure.glb", "--palette", "#ff0000"], "The palette has one colour"),
        (["figure.glb", "--palette", "red,green"], "'red', which is not a colour"),
        (["figure.glb", "--palette", "one.hex"], "The palette has one colour"),
        (["figure.glb", "--palette", "#00000z " * 200], "'#00000z', which is not a colour"),
        (["figure.glb", "--palette", "."], "can't be read"),
        (["figure.glb", "--palette", "many.png"], "256 colours, but at most 255"),
        (["figure.glb", "--palette", "words.gpl"], "The palette is damaged"),
        (["figure.glb", "--palette", "none.gpl"], "none.gpl can't be read"),
        (["figure.glb", "--palette", "#ff0000 #00ff00", "--locked", "#0000ff"], "Both a palette and locked colours"),
        (["figure.glb", "--colors", "2", "--locked", "#100000 #200000 #300000"], "3 colours, but at most 2"),
        (["figure.glb", "--sheet", "none.png"], "none.png can't be read"),
        (["figure.glb", "--sheet", "many.png", "--engine", "voxify"], "does not fit a grid of"),
        (["figure.glb", "--sheet", "many.png"], "engine surface looks at the mesh alone"),
        (["figure.glb", "--engine", "voxify", "--device", "nowhere"], "no device nowhere"),
        (["figure.glb", "-o", "art.fbx"], "ends in .fbx, but .vox, .glb"),
        (["figure.glb", "-o", "art"], "ends in nothing, but .vox, .glb"),
        (["figure.glb", "-o", "no/such/art.vox"], "no folder"),
        (["figure.glb", "-o", "folder.vox"], "folder.vox is a folder"),
        (["figure.glb", "--preview", "shown.jpg"], "only .png is possible"),
        (["figure.glb", "--preview", "no/shown.png"], "no folder"),
        (["figure.glb", "-o", "art.png", "--preview", "./art.png"], "are one file"),
    ],
    ids=str,
)
def test_bad_input_is_exit_code_2_and_one_sentence(
    odd_files: Path, refused: Callable[..., str], arguments: list[str], words: str
) -> None:
    """What was wrong and what to do."""
    assert words in refused(odd_files, *arguments)


def test_five_million_triangles_are_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    """Before they are placed: it takes no gigabytes."""
    _many(tmp_path / "many.glb")
    assert "5,120,000 triangles, which are too many" in refused(tmp_path, "many.glb")


@pytest.mark.parametrize("through_backend", [False, True])
def test_ctrl_c_twice_cancels_cleanly(own_backend: BackendProcess, tmp_path: Path, through_backend: bool) -> None:
    """The first asks for what there is, the second ends it: exit code 130, a word, no file, no job left running."""
    trimesh.creation.icosphere(4).export(tmp_path / "ball.glb")
    command = [sys.executable, "-u", "-m", "tessera_backend", "voxelize", "ball.glb", "--side", "256"]
    if through_backend:
        own_backend.start()
        command.append("--backend")
    with subprocess.Popen(
        command, env=own_backend.environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        maps = Path(f"/proc/{process.pid}/maps")
        until(lambda: "llvmlite" in maps.read_text())
        os.kill(process.pid, signal.SIGINT)
        while "press Ctrl-C again" not in process.stderr.readline():
            assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    # Where the signal came within an exec() of an import, CPython ends itself by it, which shells tell as 130, too.
    assert process.returncode in (130, -signal.SIGINT), said
    assert "Cancelled; nothing was written." in said
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["ball.glb"]
    if through_backend:
        with own_backend.client() as client:
            until(lambda: all(job["state"] == "cancelled" for job in client.jobs()))
