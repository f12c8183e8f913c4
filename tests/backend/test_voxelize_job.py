"""The whole job `voxelize`, in-process and through a real backend: what comes out of it is what the schema says."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tessera_backend import jobs
from tessera_backend.progress import SILENT, Progress
from tessera_backend.voxelize import Mesh, voxelize
from tessera_backend.voxelize.color.palette import METHODS
from tessera_backend.voxelize.components import components
from tessera_backend.voxelize.export.arrays import from_arrays
from tessera_backend.voxelize.source.scene import packed
from tessera_protocol.errors import Cancelled, InvalidInput
from tessera_protocol.jobs import JOBS, VoxelizeParams
from tessera_protocol.messages import Buffer
from tests.conftest import BackendProcess

from .voxel_meshes import ball, box

FACTS = {
    "engine", "weights", "device", "seed", "version", "triangles", "shape", "voxels", "colors", "origin", "size",
    "parameters", "notes",
}  # fmt: skip
QUICK = {"side": 20, "colors": 3}


def figure() -> Mesh:
    """A red ball on a blue box with a green stick."""
    parts = [ball((0, 0, 2), 1, 12), box((-1, -1, -1), (1, 1, 1)), box((-0.03, -0.03, 2.5), (0.03, 0.03, 5))]
    colors = np.repeat([[0.9, 0.05, 0.05, 1], [0.05, 0.1, 0.9, 1], [0.05, 0.6, 0.1, 1]], [len(p) for p in parts], 0)
    return Mesh.of(np.concatenate(parts), colors=np.repeat(colors[:, None], 3, 1))


def inputs(mesh: Mesh, **more: Any) -> dict[str, Buffer]:
    header, arrays = packed(mesh)
    scene = json.dumps(json.loads(header) | more).encode()
    return {"scene": Buffer.file(scene)} | {name: jobs.as_buffer(values) for name, values in arrays.items()}


def done(params: dict[str, Any], progress: Progress = SILENT, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and arrays of a job in this process."""
    meta, outputs = jobs.run("voxelize", params, inputs(figure(), **more), progress)
    return meta, {name: jobs.array(buffer) for name, buffer in outputs.items()}


def test_the_outputs_are_the_schemas() -> None:
    """Names, dtypes and shapes; metadata is plain JSON and says what was done."""
    meta, arrays = done(QUICK)
    assert list(arrays) == [spec.name for spec in JOBS["voxelize"].outputs]
    letters: dict[str, int] = {}
    for spec in JOBS["voxelize"].outputs:
        assert arrays[spec.name].dtype == spec.dtype
        for want, length in zip(spec.shape, arrays[spec.name].shape, strict=True):
            assert letters.setdefault(want, length) == length if isinstance(want, str) else want == length
    assert meta.keys() >= FACTS
    assert json.loads(json.dumps(meta)) == meta
    assert (meta["engine"], meta["voxels"]) == ("surface", np.count_nonzero(arrays["labels"]))
    assert meta["shape"] == list(arrays["labels"].shape)


def test_meshes_and_points_are_the_voxels() -> None:
    """The greedy mesh encloses as much as there are voxels, with their colours; points are those with an open face."""
    meta, arrays = done(QUICK)
    voxels = from_arrays(arrays, meta)
    here = voxelize(figure(), VoxelizeParams(**QUICK))
    for name in ("labels", "palette", "origin", "size"):
        np.testing.assert_array_equal(getattr(voxels, name), getattr(here, name))
    corners = arrays["vertices"].astype(np.float64)[arrays["quads"]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0])
    volume = (normals * corners[:, 0]).sum() / 3
    assert volume == pytest.approx(meta["voxels"] * voxels.size.prod(), rel=1e-4), "faces look outwards"
    places = np.rint((arrays["points"] - voxels.origin) / voxels.size - 0.5).astype(int)
    around = np.pad(voxels.solid, 1)
    beside = [np.roll(around, step, axis)[1:-1, 1:-1, 1:-1] for axis in range(3) for step in (1, -1)]
    np.testing.assert_array_equal(places, np.argwhere(voxels.solid & ~np.logical_and.reduce(beside)))
    np.testing.assert_array_equal(arrays["point_labels"] + 1, voxels.labels[tuple(places.T)])
    assert set(np.unique(arrays["quad_labels"])) == {0, 1, 2}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_palette_methods(method: str) -> None:
    """Each finds the three colours, and says which it was."""
    meta, arrays = done(QUICK | {"palette_method": method})
    assert meta["parameters"].get("palette_method", "k-means") == method
    assert len(arrays["palette"]) == 3
    assert sorted(np.argmax(arrays["palette"], 1)) == [0, 1, 2]


def test_hollow_voxels_look_the_same() -> None:
    """Only what cannot be seen is missing."""
    (solid, whole), (hollow, shell) = (done(QUICK | {"inside": inside}) for inside in ("solid", "hollow"))
    assert hollow["voxels"] < 0.7 * solid["voxels"]
    np.testing.assert_array_equal(shell["labels"][shell["labels"] > 0], whole["labels"][shell["labels"] > 0])
    for axis, end in itertools.product(range(3), (0, -1)):
        first = [np.take(_packed_to(grid, axis, end), end, axis) for grid in (whole["labels"], shell["labels"])]
        np.testing.assert_array_equal(*first)


def _packed_to(labels: np.ndarray, axis: int, end: int) -> np.ndarray:
    """Columns with their first voxel at one end."""
    order = np.argsort(labels > 0 if end else labels == 0, axis, kind="stable")
    return np.take_along_axis(labels, order, axis)


def test_locked_colours_and_materials() -> None:
    """Both kinds are in the palette."""
    header = json.loads(packed(figure())[0])
    header["materials"][0]["locked"] = "#102030"
    _, arrays = done(QUICK | {"locked": "#ffcc00"}, materials=header["materials"])
    assert {(16, 32, 48), (255, 204, 0)} <= set(map(tuple, arrays["palette"].tolist()))
    assert set(np.unique(arrays["quad_labels"])) == {arrays["palette"].tolist().index([16, 32, 48])}


def test_thin_parts() -> None:
    """The stick is kept, thickened or dropped."""
    made = [done(QUICK | {"thin": thin, "symmetry": "off"})[1] for thin in ("drop", "keep", "thicken")]
    counts = [np.count_nonzero(arrays["labels"]) for arrays in made]
    assert counts[0] < counts[1] < counts[2]
    assert len(components(done(QUICK)[1]["labels"] > 0)[1]) == 1


def test_progress_and_preview() -> None:
    """Never backwards, to 1; a picture of the voxels, sRGB with alpha."""
    told: list[float] = []
    pictures: list[np.ndarray] = []
    listener = lambda make: pictures.append(make()["picture"])  # noqa: E731
    done(QUICK, Progress(lambda stage, fraction, text: told.append(fraction), listener=listener))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert {(picture.shape, picture.dtype.name) for picture in pictures} == {((360, 360, 4), "uint8")}
    assert (pictures[-1][..., 3] == 255).mean() > 0.05


def test_cancel_at_any_time() -> None:
    stages: list[str] = []
    done(QUICK, Progress(lambda stage, *_: stages.append(stage)))
    for last in range(1, len(stages)):
        count = itertools.count()
        with pytest.raises(Cancelled):
            done(QUICK, Progress(cancelled=lambda count=count, last=last: next(count) == last))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("params", "words"),
    [({"palette": "#ff0000"}, "one colour"), ({"side": 7}, "Resolution is 7"), ({"locked": "#1"}, "'#1'")],
)
def test_parameters_that_cannot_be(params: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        done(params)


def test_what_is_transparent_everywhere_is_no_voxels() -> None:
    header = json.loads(packed(figure())[0])
    header["materials"][0] |= {"cutoff": 0.5, "color": [1, 1, 1, 0]}
    with pytest.raises(InvalidInput, match="transparent everywhere"):
        done(QUICK, materials=header["materials"])


def test_through_a_real_backend(backend: BackendProcess) -> None:
    """The same voxels as in-process; a note of a missing texture in the metadata; a preview on the way."""
    header = json.loads(packed(figure())[0])
    header["materials"][0]["texture"] = 0
    header["textures"] = [{"name": "wood.png", "offset": 0, "bytes": 0, "kind": "file"}]
    sent = inputs(figure(), **header)
    colors = jobs.array(sent["colors"])
    sent["uv"] = jobs.as_buffer(np.zeros((len(colors), 2), np.float32))
    pictures = []
    with backend.client() as client:
        job_id = client.submit("voxelize", QUICK, sent)
        result = client.follow(job_id, lambda p: pictures.append(p.buffers) if p.buffers else None)
        client.acknowledge(job_id)
    _, arrays = done(QUICK)
    for name, values in arrays.items():
        np.testing.assert_array_equal(jobs.array(result.buffers[name]), values)
    assert result.meta["notes"] == ["The texture wood.png is missing: the parts that use it have their plain colours."]
    assert {(buffer.shape, buffer.dtype) for shown in pictures for buffer in shown.values()} <= {
        ((360, 360, 4), "uint8")
    }


@pytest.mark.parametrize(
    ("scene", "code", "words"),
    [
        (b"{", "unreadable-input", "no JSON"),
        (b'{"parts": []}', "unusable-input", "no parts"),
        (b'{"parts": [{"vertices": 3, "triangles": 9}]}', "unreadable-input", "rows"),
    ],
)
def test_a_backend_survives_strangers(backend: BackendProcess, scene: bytes, code: str, words: str) -> None:
    """What cannot be read is a failure of that job, and the next one is done."""
    sent = inputs(figure())
    with backend.client() as client:
        job_id = client.submit("voxelize", QUICK, sent | {"scene": Buffer.file(scene)})
        with pytest.raises(InvalidInput, match=words) as caught:
            client.follow(job_id)
        assert caught.value.failure.code == code
        client.acknowledge(job_id)
        good = client.submit("voxelize", QUICK, sent)
        assert client.follow(good).meta["voxels"] > 0
        client.acknowledge(good)


def test_warm_leaves_nothing_to_compile() -> None:
    """After `warm`, a first job of another mesh, with its preview, needs no kernel that is not there."""
    script = """
import gc, sys
from numba.core.registry import CPUDispatcher
from tessera_backend import jobs, voxelize
from tessera_backend.cli.voxelize import buffers_of
from tessera_backend.demo.model import robot
from tessera_backend.progress import Progress
voxelize.warm()
kernels = [kernel for kernel in gc.get_objects() if isinstance(kernel, CPUDispatcher)]
before = {kernel: len(kernel.signatures) for kernel in kernels}
jobs.run("voxelize", {"side": 24}, buffers_of(robot()), Progress(listener=lambda preview: preview()))
sys.exit(", ".join(kernel.__name__ for kernel in kernels if len(kernel.signatures) > before[kernel]) or 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
