"""The fair queue: order, turns, limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera_backend.server.pool import Member, Pool
from tessera_backend.server.queue import FairQueue
from tessera_protocol.errors import Refused

pushes = st.lists(st.sampled_from("abc"), max_size=12)


def filled(sessions: list[str]) -> FairQueue:
    queue = FairQueue(100, 100)
    for index, session in enumerate(sessions):
        queue.push(session, f"{session}{index}")
    return queue


def drained(queue: FairQueue) -> list[str]:
    jobs = []
    while (job := queue.pop()) is not None:
        jobs.append(job)
    return jobs


@given(pushes)
def test_everything_comes_out_once_and_in_order_within_a_session(sessions: list[str]) -> None:
    """Nothing is lost, doubled, or overtaken by a later job of its own session."""
    jobs = drained(filled(sessions))
    assert sorted(jobs) == sorted(f"{s}{i}" for i, s in enumerate(sessions))
    for session in "abc":
        mine = [int(job[1:]) for job in jobs if job[0] == session]
        assert mine == sorted(mine)


@given(pushes)
def test_position_is_the_number_of_jobs_served_before(sessions: list[str]) -> None:
    """What `accepted` promises is what happens, when nobody else comes."""
    queue = filled(sessions)
    promised = {f"{s}{i}": queue.position(f"{s}{i}") for i, s in enumerate(sessions)}
    assert {job: rank for rank, job in enumerate(drained(queue))} == promised


@given(pushes)
def test_sessions_take_turns(sessions: list[str]) -> None:
    """Among the first n jobs served, no session with jobs left has two fewer than another."""
    jobs = drained(filled(sessions))
    for n in range(len(jobs)):
        waiting = {job[0] for job in jobs[n:]}
        served = {s: sum(job[0] == s for job in jobs[:n]) for s in set(sessions)}
        for session in waiting:
            assert all(served[session] >= count - 1 for count in served.values())


def test_limits_are_refusals() -> None:
    """Full for one session, then for all; the sentence says how many wait."""
    queue = FairQueue(2, 3)
    for session, job in (("a", "1"), ("a", "2"), ("b", "3")):
        queue.check_room(session)
        queue.push(session, job)
    with pytest.raises(Refused, match="2 jobs"):
        queue.check_room("a")
    with pytest.raises(Refused, match="3 jobs"):
        queue.check_room("b")


def test_remove_and_choose() -> None:
    """A waiting job can be taken out; a worker can pass over what it can't do."""
    queue = filled(["a", "a", "b"])
    queue.push("c", "c3", learned=True)
    assert queue.remove("a0")
    assert not queue.remove("a0")
    assert queue.pop(lambda learned: learned) == "c3"
    assert queue.pop(lambda learned: learned) is None
    assert len(queue) == 2


@pytest.mark.parametrize(
    ("devices", "takers"),
    [
        (["cpu"], {"classical": ["cpu"], "learned": ["cpu"]}),
        (["cpu", "cuda:0", "cuda:1"], {"classical": ["cpu"], "learned": ["cuda:0", "cuda:1"]}),
        (["mps"], {"classical": ["mps"], "learned": ["mps"]}),
    ],
)
def test_networks_go_to_accelerators(devices: list[str], takers: dict[str, list[str]]) -> None:
    """With a GPU beside the CPU each does its own kind of job; one kind of worker alone does all."""
    pool = Pool(None, {}, None)  # type: ignore[arg-type]
    pool._members = {device: Member(device, device, None) for device in devices}
    for kind, expected in takers.items():
        assert [m.device for m in pool.members if pool.suits(m, kind == "learned")] == expected
