"""Outlines: dark edges, that leave what is thin, small or round as it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.progress import Progress
from tessera_backend.voxelize import voxelize
from tessera_backend.voxelize.color.outline import outlined
from tessera_backend.voxelize.direct import voxelized
from tessera_backend.voxelize.sides import SIDES, first_labels
from tessera_backend.voxelize.voxels import Voxels
from tessera_protocol.errors import TesseraError
from tessera_protocol.jobs import VoxelizeParams

from .voxel_grids import grids
from .voxel_meshes import ball, box, mesh

RED, NIGHT = (200, 40, 40), (20, 20, 30)


def voxels(labels, *palette):
    return Voxels(labels, np.array(palette, np.uint8), np.zeros(3), np.ones(3))


def test_a_box_has_dark_edges():
    """The rim of each side, and nothing else; a palette without a dark colour gets one, if it may."""
    block = np.ones((9, 8, 7), np.uint8)
    drawn = outlined(voxels(block, RED, NIGHT))
    assert len(drawn.palette) == 2
    for side in SIDES:
        rim = first_labels(drawn.labels, side)
        assert (rim[1:-1, 1:-1] == 1).all()
        rim[1:-1, 1:-1] = 2
        assert (rim == 2).all()
    added = outlined(voxels(block, RED))
    assert (added.labels == drawn.labels).all()
    assert added.palette[1].max() < 80
    assert (outlined(voxels(block, RED), add=False).labels == 1).all()


def test_thin_parts_and_eyes_stay():
    """A stick of two voxels, and an eye at the rim that a row would be cut off."""
    labels = np.zeros((12, 9, 24), np.uint8)
    labels[..., :12] = 1
    labels[5:7, 4:6, 12:] = 2
    labels[8:10, 0, 9:12] = 3
    drawn = outlined(voxels(labels, RED, (90, 200, 90), (200, 200, 200), NIGHT)).labels
    assert (drawn[5:7, 4:6, 14:] == 2).all()
    assert (drawn[8:10, 0, 9:12] == 3).all()
    assert (drawn[4, 0, 11], drawn[11, 0, 5]) == (4, 4)


def test_a_ball_has_no_seams():
    """What is the rim of one view lies in the middle of others; on a smooth surface it would cross them."""
    place = np.stack(np.mgrid[:30, :30, :30], -1) - 14.5
    labels = (np.linalg.norm(place, axis=-1) < 14.7).astype(np.uint8)
    assert (outlined(voxels(labels, RED, NIGHT)).labels == 2).sum() < 0.02 * labels.sum()


def rounded(side, steps):
    """A cube whose twelve edges are cut off in steps, whose risers and treads are one voxel."""
    away = np.abs(np.stack(np.mgrid[:side, :side, :side]) - (side - 1) / 2)
    two = np.sort(away, 0)[1:].sum(0)
    return (two <= side - 1 - steps).astype(np.uint8)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_round_edges_have_no_lines(steps):
    """A box of rounded edges stays as it is, though it is as dark as one with sharp edges where views see its rim."""
    drawn = outlined(voxels(rounded(20, steps), RED, NIGHT)).labels
    assert not (drawn == 2).any()
    assert (outlined(voxels(rounded(20, 0), RED, NIGHT)).labels == 2).any()


def test_lines_are_whole_or_none():
    """An edge with two notches is one line; of one that is round but for a short piece, that is none; nor is a knob."""
    notched = np.ones((20, 20, 20), np.uint8)
    notched[0, 9:11, -1] = 0
    drawn = outlined(voxels(notched, RED, NIGHT)).labels
    edge = drawn[0, :, -1]
    assert (edge[notched[0, :, -1] > 0] == 2).all()
    blunt = np.zeros((20, 20, 23), np.uint8)
    blunt[..., :20] = rounded(20, 2)
    blunt[0, 8:12, 1:19] = 1
    blunt[8:12, 8:12, 18:23] = 1
    assert not (outlined(voxels(blunt, RED, NIGHT)).labels == 2).any()


@settings(max_examples=40, deadline=None)
@given(labels=grids(9), axis=st.integers(0, 2))
def test_outlines_are_drawn_once_and_mirrored(labels, axis):
    """Of the mirror image it is the mirror image; no voxel comes or goes; empty grids stay so."""
    palette = (RED, NIGHT, (240, 240, 240))
    drawn = outlined(voxels(labels, *palette)).labels
    mirrored = outlined(voxels(np.ascontiguousarray(np.flip(labels, axis)), *palette)).labels
    assert np.array_equal(drawn, np.flip(mirrored, axis))
    assert np.array_equal(drawn > 0, labels > 0)
    assert set(np.unique(drawn[drawn != labels])) <= {2}


def test_the_engine_keeps_a_colour_for_outlines():
    """No more colours than asked for; a given palette stays as it is."""
    shape = mesh(box(high=(3, 2, 2)), colors=np.random.default_rng(3).random((12, 3, 3)) / 2 + 0.5)
    assert len(voxelize(shape, VoxelizeParams(side=16, colors=3, outline=True)).palette) == 3
    own = " ".join("#{:02x}{:02x}{:02x}".format(*color) for color in (RED, NIGHT))
    drawn = voxelize(shape, VoxelizeParams(side=16, palette=own, outline=True))
    assert drawn.palette.tolist() == [list(RED), list(NIGHT)]
    assert (drawn.labels == 2).any()


def test_every_step_is_told_and_may_be_the_last():
    """Fractions never fall; a job cancelled at any of them ends there."""
    told = []
    voxelized(mesh(ball()), 16, progress=Progress(lambda stage, fraction, text: told.append(fraction)))
    assert len(told) >= 7
    assert told == sorted(told)
    for last in range(len(told)):
        asked = iter([False] * last + [True])
        with pytest.raises(TesseraError, match="cancelled"):
            voxelized(mesh(ball()), 16, progress=Progress(cancelled=lambda asked=asked: next(asked)))
