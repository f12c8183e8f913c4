"""A real backend and a real client: the way of a request."""

from __future__ import annotations

import numpy as np
import pytest

from tessera_backend import jobs
from tessera_backend.stipple import stipple
from tessera_protocol import messages
from tessera_protocol.client import Buffer, Client, new_job_id
from tessera_protocol.errors import InvalidInput, Refused
from tessera_protocol.jobs import StippleParams
from tests.conftest import BackendProcess, until

RAMP = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
SMALL = {"dots": 50, "iterations": 3}


def ramp() -> dict[str, Buffer]:
    return {"image": jobs.as_buffer(RAMP)}


def test_the_backend_gives_what_the_function_gives(client: Client) -> None:
    """Same function, same seed, same dots, bit for bit; and the metadata says what made them."""
    params = StippleParams(dots=500, seed=7)
    result = client.follow(client.submit("stipple", params, ramp()))
    here = stipple(RAMP, params)
    np.testing.assert_array_equal(jobs.array(result.buffers["positions"]), here.positions)
    np.testing.assert_array_equal(jobs.array(result.buffers["radii"]), here.radii)
    assert result.meta["engine"] == "tone"
    assert result.meta["seed"] == 7


def test_progress_only_grows_and_names_its_stages(client: Client) -> None:
    """An artist's bar never runs backwards."""
    seen: list[messages.Progress] = []
    client.follow(client.submit("stipple", {"dots": 5000, "iterations": 200}, ramp()), seen.append)
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert all(0 <= f <= 1 for f in fractions)
    assert len({p.stage for p in seen}) >= 2


def test_submitting_twice_is_harmless(client: Client) -> None:
    """The same id again follows the same job; another request under it is refused."""
    job_id = new_job_id()
    client.submit("stipple", SMALL, ramp(), job_id)
    client.submit("stipple", SMALL, ramp(), job_id)
    client.follow(job_id)
    client.submit("stipple", SMALL, ramp(), job_id)
    client.follow(job_id)
    assert sum(job["job_id"] == job_id for job in client.jobs()) == 1
    client.submit("stipple", {**SMALL, "seed": 1}, ramp(), job_id)

    def conflict() -> list[str]:
        return [e.failure.code for e in client.poll(0.1) if isinstance(e, messages.Failed)]

    assert until(conflict, 10) == ["job-id-conflict"]


def test_a_result_waits_for_whoever_attaches_until_it_is_acknowledged(backend: BackendProcess, client: Client) -> None:
    """Another connection fetches it, as often as it likes; then it is gone."""
    job_id = client.submit("stipple", SMALL, ramp())
    client.follow(job_id)
    with backend.client() as other:
        for _ in range(2):
            other.attach(job_id)
            assert len(jobs.array(other.follow(job_id).buffers["positions"])) == 50
        other.acknowledge(job_id)
        other.attach(job_id)
        with pytest.raises(Refused, match="no job"):
            other.follow(job_id)


def test_an_encoded_picture_is_read_in_the_worker(client: Client) -> None:
    """Hosts send files as they are; a damaged one comes back as a sentence."""
    from tessera_backend.images import encode_png

    png = encode_png(RAMP)
    result = client.follow(client.submit("stipple", SMALL, {"image": Buffer.file(png, "image/png")}))
    assert len(jobs.array(result.buffers["positions"])) == 50
    with pytest.raises(InvalidInput) as caught:
        client.follow(client.submit("stipple", SMALL, {"image": Buffer.file(png[: len(png) // 2], "image/png")}))
    assert caught.value.failure.code == "unreadable-input"


@pytest.mark.parametrize(
    ("job", "params", "buffers", "code"),
    [
        ("paint", {}, {}, "unknown-job"),
        ("stipple", {"dots": 0}, ramp(), "out-of-range"),
        ("stipple", {"radius_min": 3.0}, ramp(), "out-of-range"),
        ("stipple", {}, {}, "missing-input"),
        ("stipple", {}, {**ramp(), "../../evil": Buffer.file(b"x")}, "unreadable-input"),
        ("stipple", {}, {"image": Buffer.array(bytes(64), "float64", (2, 4))}, "unreadable-input"),
        ("stipple", {}, {"image": Buffer.array(bytes(70), "uint8", (2, 5, 7))}, "unreadable-input"),
        ("stipple", {}, {**ramp(), "clip": Buffer.array(bytes(8), "float32", (1, 2))}, "unreadable-input"),
    ],
)
def test_what_cannot_become_a_job_is_refused_at_the_door(
    client: Client, job: str, params: dict[str, object], buffers: dict[str, Buffer], code: str
) -> None:
    """Nothing of it reaches the spool."""
    job_id = client.submit(job, params, buffers)
    with pytest.raises((InvalidInput, Refused)) as caught:
        client.follow(job_id)
    assert caught.value.failure.code == code
    assert all(entry["job_id"] != job_id for entry in client.jobs())


def test_job_ids_are_digits_only(client: Client) -> None:
    """An id becomes a folder's name: nothing else gets there."""
    client.submit("stipple", SMALL, ramp(), "../../../etc/passwd")
    failed = until(lambda: [e for e in client.poll(0.1) if isinstance(e, messages.Failed)], 10)
    assert failed[0].failure.code == "bad-message"  # type: ignore[index]


def test_accepted_tells_the_place_in_the_queue(client: Client) -> None:
    """The first is next; the third of the same session has one or two before it, as long as the first runs."""
    ids = [client.submit("stipple", {"dots": 20_000, "iterations": 100}, ramp()) for _ in range(3)]
    places: dict[str, int] = {}
    while len(places) < 3:
        places.update({e.job_id: e.position for e in client.poll(10) if isinstance(e, messages.Accepted)})
    for job_id in reversed(ids):
        client.finish_cancel(job_id)
    assert places[ids[0]] == 0
    assert places[ids[0]] <= places[ids[1]] < places[ids[2]]


def test_status_says_who_works(backend: BackendProcess, client: Client) -> None:
    """Version, endpoint, devices, workers with process and state, queue length."""
    status = client.status()
    assert backend.process is not None
    assert status["pid"] == backend.process.pid
    assert status["endpoint"].startswith("tcp://127.0.0.1:")
    assert status["devices"][0] == "cpu"
    assert status["workers"][0]["state"] in ("ready", "busy")
    assert status["queue"] == 0


def test_a_client_of_another_version_is_told_to_update(client: Client) -> None:
    """Before any job is lost to a misunderstanding."""
    with pytest.raises(Refused, match="Update") as caught:
        client._ask(messages.Hello([99], "old", "s"), messages.Welcome, 5.0)
    assert caught.value.failure.code == "version-mismatch"
