"""Progress and previews: what a job says on its way, and who makes it say how little."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import zmq

from tessera_backend import jobs
from tessera_backend.progress import SILENT, Progress
from tessera_backend.server.previews import Previews, packed, unpacked
from tessera_backend.stipple import stipple
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import StippleParams
from tests.conftest import until

RAMP = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))


def test_a_preview_is_made_only_when_somebody_looks() -> None:
    """Nobody listens: the callable is never called, not even through parts."""

    def costly() -> None:
        raise AssertionError("nobody wanted it")

    SILENT.show(costly)
    SILENT.part(0.2, 0.4).showing(lambda preview: preview).show(costly)


def test_previews_go_through_parts_and_what_finishes_them() -> None:
    """Inner stages know less: each `showing` on the way out adds what it knows."""
    seen: list[object] = []
    progress = Progress(listener=lambda preview: seen.append(preview()))
    inner = progress.showing(lambda made: (*made, "outer")).part(0.1, 0.5).showing(lambda made: (made, "inner"))
    inner.part(0.0, 0.5).show(lambda: "sites")
    assert seen == [("sites", "inner", "outer")]


def test_showing_keeps_report_and_cancel() -> None:
    """It changes previews and nothing else."""
    seen: list[tuple[str, float]] = []
    progress = Progress(lambda stage, share, _: seen.append((stage, share)), lambda: len(seen) > 0)
    shown = progress.part(0.5, 1.0).showing(lambda made: made)
    shown("relaxing", 0.5)
    assert seen == [("relaxing", 0.75)]
    with pytest.raises(Cancelled):
        shown("relaxing", 0.6)


@pytest.mark.parametrize("engine", ["tone", "wvs", "gbn"])
def test_each_engine_shows_its_dots_as_it_goes(engine: str) -> None:
    """Every step is offered; positions are shares of the page, those of the last step near the result's."""
    previews: list[dict[str, np.ndarray]] = []
    progress = Progress(listener=lambda preview: previews.append(preview()))
    params = StippleParams(dots=60, engine=engine, iterations=5, page_width=80.0, page_height=60.0, margin=5.0)

    result = stipple(RAMP, params, progress)

    assert len(previews) >= 5
    for preview in previews:
        positions = preview["positions"]
        assert (positions.dtype, positions.shape) == (np.float32, (60, 2))
        assert ((positions > 5 / 80) & (positions < 1)).all()
    np.testing.assert_allclose(previews[-1]["positions"] * (80, 60), result.positions, atol=0.5)


@pytest.mark.parametrize("engine", ["tone", "wvs"])
def test_previews_of_plates(engine: str) -> None:
    """Dots of all plates so far, in their order, with the colours of all inks: in the end as many as the result has."""
    previews: list[dict[str, np.ndarray]] = []
    progress = Progress(listener=lambda preview: previews.append(preview()))
    picture = np.stack([RAMP, RAMP.T, 255 - RAMP], -1)

    result = stipple(picture, StippleParams(dots=90, engine=engine, iterations=4, plates="cmyk"), progress)

    for preview in previews:
        assert len(preview["plates"]) == len(preview["positions"])
        assert (np.diff(preview["plates"].astype(int)) >= 0).all()
        assert preview["inks"].tolist() == [
            [int(plate["color"][at : at + 2], 16) for at in (1, 3, 5)] for plate in result.meta["plates"]
        ]
    assert np.array_equal(previews[-1]["plates"], result.plates)


def test_previews_do_not_change_the_result() -> None:
    """Looking at the dots does not move them."""
    params = StippleParams(dots=60, iterations=5)
    watched = stipple(RAMP, params, Progress(listener=lambda preview: preview()))
    assert np.array_equal(watched.positions, stipple(RAMP, params).positions)


def test_buffers_survive_a_workers_report() -> None:
    """unpacked(packed(b)) is b."""
    buffers = {"positions": jobs.as_buffer(np.arange(6, dtype=np.float32).reshape(3, 2))}
    (back,) = unpacked(packed(buffers)).values()
    assert (back.dtype, back.shape, bytes(back.data)) == ("float32", (3, 2), bytes(buffers["positions"].data))


@pytest.fixture
def router() -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.bind("inproc://front")
        yield router


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_one_preview_at_a_time_goes_to_a_client(router: zmq.Socket[bytes], size: int) -> None:
    """A client that does not read holds back its next preview, and nobody else's; when it has read, it gets one."""
    previews = Previews()
    with router.context.socket(zmq.DEALER) as slow:
        slow.routing_id = b"slow"
        slow.connect("inproc://front")
        assert previews.may_go(b"slow")
        router.send_multipart([b"slow", *previews.watched(b"slow", [b"header", bytes(size)])], copy=False)
        assert not previews.may_go(b"slow")
        assert previews.may_go(b"quick")
        assert slow.recv_multipart() == [b"header", bytes(size)]
        until(lambda: previews.may_go(b"slow"), 10)


def test_a_client_that_is_gone_holds_nothing_back(router: zmq.Socket[bytes]) -> None:
    """What is sent to nobody has left."""
    previews = Previews()
    router.send_multipart([b"gone", *previews.watched(b"gone", [b"header", bytes(100_000)])], copy=False)
    until(lambda: previews.may_go(b"gone"), 10)
