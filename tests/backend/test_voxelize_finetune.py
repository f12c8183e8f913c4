"""Engine voxify: gradients, the optimization, and what becomes of small meshes."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from tessera_backend.progress import Progress
from tessera_backend.voxelize import direct, metrics, voxelize
from tessera_backend.voxelize.components import components
from tessera_backend.voxelize.finetune.descent import descend
from tessera_backend.voxelize.finetune.field import around
from tessera_backend.voxelize.finetune.loss import Views
from tessera_backend.voxelize.finetune.targets import Target, of_views, pixel_art, seen_first
from tessera_backend.voxelize.finetune.voxify import finetuned
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.mesh import Mesh
from tessera_backend.voxelize.render.views import six_views
from tessera_backend.voxelize.shape.hull import coverages, inside
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import VoxelizeParams

from .voxel_meshes import ball, box, mesh

WEIGHTS = (3.0, 1.0, 0.2)
SHAPE = (3, 4, 5)


def targets(seed):
    """Random ones of all six views; some pixels have no depth."""
    rng = np.random.default_rng(seed)
    made = []
    for axis in range(3):
        sides = [side for other, side in enumerate(SHAPE) if other != axis]
        for above in (True, False):
            color, covered = rng.random((*sides, 3)).astype(np.float32), rng.random(sides) < 0.7
            depth = np.where(rng.random(sides) < 0.8, rng.random(sides) * SHAPE[axis], -1).astype(np.float32)
            made.append(Target(axis, above, color, covered, depth))
    return made


def scene(seed, dtype=torch.float64):
    """Random voxels, some of them air, one deep inside."""
    rng = np.random.default_rng(seed)
    index = np.full(SHAPE, -1, np.int32)
    active = rng.random(SHAPE) < 0.7
    active[1, 2, 2] = False
    index[active] = np.arange(active.sum())
    index[1, 2, 2] = -2
    torch.manual_seed(seed)
    count = int(active.sum())
    alpha = (0.05 + 0.85 * torch.rand(count, dtype=dtype)).requires_grad_()
    return Views(index, targets(seed), dtype=dtype), alpha, torch.rand(count, 3, dtype=dtype).requires_grad_()


@pytest.mark.parametrize("seed", range(4))
def test_kernels_are_the_reference(seed):
    """Loss and gradients, under a random upstream gradient and emphasis; the same numbers to float64's precision."""
    views, alpha, rgb = scene(seed)
    emphasis = np.random.default_rng(seed).random(6).tolist()
    ours, theirs = (way(alpha, rgb, WEIGHTS, emphasis) for way in (views.loss, views.by_torch))
    torch.testing.assert_close(ours, theirs)
    for one, other in zip(*(torch.autograd.grad(1.7 * lost, (alpha, rgb)) for lost in (ours, theirs)), strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_are_finite_differences():
    """gradcheck perturbs every opacity and colour."""
    views, alpha, rgb = scene(7)
    assert torch.autograd.gradcheck(lambda a, c: views.loss(a, c, WEIGHTS), (alpha, rgb))


def test_float32_is_as_good():
    """What is behind a nearly opaque voxel is left out; the loss is the same to 1e-5."""
    views, alpha, rgb = scene(3)
    single = Views(views.index.numpy().astype(np.int32), views.targets)
    lost = single.loss(alpha.detach().float(), rgb.detach().float(), WEIGHTS)
    assert lost.dtype == torch.float32
    assert float(lost) == pytest.approx(float(views.loss(alpha, rgb, WEIGHTS).detach()), rel=1e-5)


def test_the_way_without_kernels_finds_the_same(monkeypatch):
    """As on other devices: the same steps, the same voxels."""
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[1:5, 1:5, 1:5] = 1
    labels[2:4, 1, 2:4] = 2
    field, views, palette = problem(labels)
    by_kernels = descend(field, views, palette, 12)
    monkeypatch.setattr(views, "on_cpu", False)
    by_torch = descend(field, views, palette, 12)
    np.testing.assert_array_equal(by_kernels.solid, by_torch.solid)
    np.testing.assert_allclose(by_kernels.logits, by_torch.logits, atol=1e-3)


def problem(labels):
    """A field that begins as mist, and views of given labels."""
    palette = np.array([[200, 40, 40], [30, 60, 220]], np.uint8)
    wanted = []
    for axis in range(3):
        for above in (True, False):
            first = seen_first(labels, axis, above)
            color = (palette[np.maximum(first, 1) - 1] / 255).astype(np.float32)
            wanted.append(Target(axis, above, color, first > 0, np.full(first.shape, -1, np.float32)))
    full = [np.ones([n for a, n in enumerate(labels.shape) if a != axis], np.float32) for axis in range(3)]
    field = around(np.ones(labels.shape, np.uint8), full, free=np.ones(labels.shape, bool))
    field = dataclasses.replace(field, solid=np.zeros(len(field), bool))
    return field, Views(field.index, wanted), palette


def test_descent_reaches_a_known_shape():
    """From mist to a figure that its silhouettes and colours determine."""
    labels = np.zeros((7, 6, 8), np.uint8)
    labels[1:6, 1:5, 0:5] = 1
    labels[3, 2:4, 5:7] = 2
    field, views, palette = problem(labels)
    found = descend(field, views, palette, 120)
    solid = field.with_solid(found.solid)
    np.testing.assert_array_equal(solid, labels > 0)
    made = np.zeros(labels.shape, np.uint8)
    made[tuple(field.places.T)] = np.where(found.solid, found.logits.argmax(1) + 1, 0)
    for axis in range(3):
        for above in (True, False):
            np.testing.assert_array_equal(seen_first(made, axis, above), seen_first(labels, axis, above))
    first, last = found.losses["views"]
    assert last < first / 5


def test_what_is_not_free_stays():
    """Only the voxels that may change do."""
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[1:4, 1:4, 1:3] = 1
    _, views, palette = problem(labels)
    free = np.zeros(labels.shape, bool)
    free[3:] = True
    field = around(np.ones_like(labels), [], free=free)
    field = dataclasses.replace(field, solid=np.zeros(len(field), bool))
    found = field.with_solid(descend(field, Views(field.index, views.targets), palette, 60).solid)
    assert found[:3].all()
    assert not found[4:].any()


def test_the_same_seed_gives_the_same():
    """And another one other draws."""
    field, views, palette = problem(np.pad(np.ones((3, 3, 3), np.uint8), 1))
    first, again, other = (descend(field, views, palette, 10, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.logits, again.logits)
    assert not np.array_equal(first.logits, other.logits)


def figure():
    """A red body with a blue head that is seen as a step, and a thin antenna."""
    parts = [box((-2, -1, 0), (2, 1, 5)), ball((0, 0, 6), 1.3, 12), box((-0.05, -0.05, 7), (0.05, 0.05, 9))]
    rgb = [(0.8, 0.1, 0.1, 1.0), (0.1, 0.1, 0.9, 1.0), (0.9, 0.9, 0.2, 1.0)]
    colors = np.concatenate([np.tile(color, (len(part), 3, 1)) for part, color in zip(parts, rgb, strict=True)])
    return mesh(*parts, colors=colors)


@pytest.mark.parametrize("crispness", [0.0, 1.0])
def test_a_figure_keeps_its_parts_and_symmetry(crispness):
    """Silhouettes as good as where it began, one piece, mirrored, no more colours; the antenna is there."""
    shape = figure()
    grid = Grid.fitted(shape, 20)
    begin = direct.voxelized(shape, 20, 4, crispness=crispness)
    made = finetuned(shape, grid, begin, 60, crispness=crispness)
    views = six_views(shape, grid)
    assert metrics.silhouettes(made.solid, views).iou >= metrics.silhouettes(begin.solid, views).iou - 0.005
    assert len(components(made.solid)[1]) == 1
    np.testing.assert_array_equal(made.labels, np.flip(made.labels, 0))
    assert len(made.palette) <= 4
    assert made.solid[:, :, -1].any()
    assert made.meta["steps"] == 60


def test_progress_sees_every_step_and_may_stop():
    """Cancelled at once; with `enough`, the result so far; previews are pictures."""
    shape = figure()
    grid, begin = Grid.fitted(shape, 12), direct.voxelized(shape, 12, 4)
    said, pictures = [], []
    listening = Progress(lambda *told: said.append(told[0]), listener=lambda preview: pictures.append(preview()))
    finetuned(shape, grid, begin, 10, progress=listening)
    assert said.count("optimizing") == 10
    assert pictures
    assert pictures[0]["picture"].dtype == np.uint8
    assert pictures[0]["picture"].shape[2] == 4
    enough = Progress(enough=lambda: True)
    assert finetuned(shape, grid, begin, 50, progress=enough).meta["steps"] == 1
    asked = []
    with pytest.raises(Cancelled):
        finetuned(shape, grid, begin, 50, progress=Progress(cancelled=lambda: asked.append(1) or len(asked) > 9))
    assert len(asked) == 10


def test_a_flat_mesh_has_only_two_views():
    """Edge-on nothing is seen, so nothing is asked for."""
    square = Mesh.of(np.array([[[0, 0, 0], [4, 0, 0], [4, 0, 4]], [[0, 0, 0], [4, 0, 4], [0, 0, 4]]], np.float32))
    begin = direct.voxelized(square, 8, 2)
    made = finetuned(square, Grid.fitted(square, 8), begin, 20)
    np.testing.assert_array_equal(made.solid, begin.solid)


def test_pixel_art_is_of_the_palette_and_keeps_eyes():
    """Two dark spots between voxels, on white: whole pixels of the dark colour, none in between."""
    head = box((0, 0, 0), (12, 4, 12))
    eyes = [box((x, -0.01, 7.4), (x + 1.6, 0, 9.0)) for x in (2.3, 8.1)]
    colors = np.concatenate([np.full((12, 3, 4), 1.0), np.tile((0.02, 0.02, 0.02, 1), (24, 3, 1))])
    shape = mesh(head, *eyes, colors=colors)
    views = six_views(shape, Grid.fitted(shape, 12))
    palette = np.array([[255, 255, 255], [20, 20, 20], [130, 130, 130]], np.uint8)
    art = pixel_art(views[3], views[3].coverage() > 0.5, palette)
    assert set(np.unique(art)) == {1, 2}
    assert 4 <= (art == 2).sum() <= 9
    wanted = of_views(views, (np.ones((12, 4, 12))).astype(np.uint8), palette, crispness=1.0)
    np.testing.assert_allclose(wanted[3].color, palette[art - 1] / 255, atol=1e-6)
    assert wanted[3].depth[0, 0] == pytest.approx(0.01, abs=0.01)
    assert coverages(views, Grid.fitted(shape, 12), inside(views, Grid.fitted(shape, 12)))[0].shape == (4, 12)


def test_locked_and_given_colours_stay_what_they_are():
    """Others are moved to suit the views; these are not."""
    locked = voxelize(figure(), VoxelizeParams(side=12, engine="voxify", iterations=10, colors=4, locked="#c81e1e"))
    assert locked.palette[0].tolist() == [200, 30, 30]
    assert len(locked.palette) <= 4
    params = VoxelizeParams(side=12, engine="voxify", iterations=10, palette="#ff0000 #0000ff #00ff00")
    given = voxelize(figure(), params)
    assert given.palette.tolist() == [[255, 0, 0], [0, 0, 255], [0, 255, 0]]
    assert given.labels.max() <= 3


def test_the_job_says_how_it_went():
    """Engine, steps, losses, where it began; all of it plain JSON."""
    meta = voxelize(figure(), VoxelizeParams(side=12, engine="voxify", iterations=15)).meta
    assert (meta["engine"], meta["weights"], meta["device"], meta["init"], meta["steps"]) == (
        "voxify",
        None,
        "cpu",
        "surface",
        15,
    )
    first, last = meta["losses"]["views"]
    assert last < first
    assert json.loads(json.dumps(meta)) == meta


def test_the_surface_engine_never_loads_torch():
    """Who does not ask for voxify need not wait for it."""
    script = (
        "import sys, numpy as np; from tessera_backend.voxelize import Mesh, VoxelizeParams, voxelize\n"
        "voxelize(Mesh.of(np.eye(3)[None]), VoxelizeParams(side=8)); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
