"""The queue of waiting jobs: bounded, first come first served within a session, taking turns between sessions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from tessera_protocol.errors import error


class FairQueue:
    """Job ids, waiting.

    Args:
        per_session: most waiting jobs of one session.
        total: most waiting jobs of all.
    """

    def __init__(self, per_session: int, total: int) -> None:
        self._per_session = per_session
        self._total = total
        # Sessions in the order of their turns; the first is served next.
        self._sessions: OrderedDict[str, list[str]] = OrderedDict()
        self._learned: set[str] = set()

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._sessions.values())

    def check_room(self, session: str) -> None:
        """Refuse when one more would be too many.

        Raises:
            Refused: "queue-full".
        """
        mine = len(self._sessions.get(session, ()))
        if mine >= self._per_session or len(self) >= self._total:
            limit = self._per_session if mine >= self._per_session else self._total
            raise error(
                "queue-full",
                f"{limit} jobs are waiting already, and no more are taken.",
                given=limit,
                remedy="Wait until some are done, or cancel some: tessera jobs, tessera cancel.",
            )

    def push(self, session: str, job_id: str, learned: bool = False) -> None:
        """Let a job wait; `learned` says whether it is a network's."""
        self._sessions.setdefault(session, []).append(job_id)
        if learned:
            self._learned.add(job_id)

    def pop(self, accepts: Callable[[bool], bool] = lambda learned: True) -> str | None:
        """The next job of a kind, learned or not, that `accepts` takes, or None; its session goes to the line's end."""
        for session, jobs in self._sessions.items():
            chosen = next((job for job in jobs if accepts(job in self._learned)), None)
            if chosen is not None:
                self._drop(session, chosen)
                if session in self._sessions:
                    self._sessions.move_to_end(session)
                return chosen
        return None

    def remove(self, job_id: str) -> bool:
        """Take a job out; whether it was there."""
        for session, jobs in self._sessions.items():
            if job_id in jobs:
                self._drop(session, job_id)
                return True
        return False

    def position(self, job_id: str) -> int:
        """How many waiting jobs are served before this one; 0 when it is next or does not wait."""
        rank, turn = 0, -1
        for index, (_session, jobs) in enumerate(self._sessions.items()):
            if job_id in jobs:
                rank, turn = jobs.index(job_id), index
        if turn < 0:
            return 0
        # A session's job of rank r is served in round r: after r jobs of each later, and r + 1 of each earlier session.
        lengths = [len(jobs) for jobs in self._sessions.values()]
        return sum(min(n, rank + (i < turn)) for i, n in enumerate(lengths) if i != turn) + rank

    def _drop(self, session: str, job_id: str) -> None:
        self._sessions[session].remove(job_id)
        self._learned.discard(job_id)
        if not self._sessions[session]:
            del self._sessions[session]
