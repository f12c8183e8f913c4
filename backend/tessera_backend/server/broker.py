"""The broker: one ROUTER for clients, one for workers, one loop. Takes messages, keeps the queue, tells followers."""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import zmq

from tessera_backend import __version__
from tessera_protocol import PROTOCOL_VERSION, codec, connection, messages
from tessera_protocol.connection import Connection
from tessera_protocol.errors import Failure, TesseraError, error
from tessera_protocol.jobs import JOBS
from tessera_protocol.messages import Bytes, Message

from . import intake, sockets
from .pool import Pool
from .previews import Previews, unpacked
from .queue import FairQueue
from .settings import Settings
from .spool import WAITING, Entry, Spool, request_of
from .zap import Gatekeeper

log = logging.getLogger(__name__)

TICK_MS = 50
SWEEP_EVERY = 60.0
MOST_PEERS = 1000


class Broker:
    """The whole server in one process and thread; workers are processes of their own.

    Args:
        settings: limits and places.
    Raises:
        sqlite3.OperationalError: another backend owns the spool.
        zmq.ZMQError: the port is taken.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spool = Spool(settings.spool)
        lost = self._spool.recover()
        self._queue = FairQueue(settings.queue_per_session, settings.queue_total)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        server, client, worker = zmq.curve_keypair(), zmq.curve_keypair(), zmq.curve_keypair()
        self._gate = Gatekeeper(self._context, {b"client": client[0], b"worker": worker[0]})
        self._front = sockets.bind(self._context, b"client", server[1], settings.host, settings.port)
        back = sockets.bind(self._context, b"worker", server[1], "127.0.0.1", 0)
        link = {"endpoint": sockets.endpoint(back), "keys": (server[0], *worker)}
        self._pool = Pool(back, link, settings)
        self._back = back
        self.connection = Connection(
            sockets.endpoint(self._front),
            server[0].decode(),
            client[0].decode(),
            client[1].decode(),
            os.getpid(),
            __version__,
        )
        self._peers: dict[bytes, tuple[str, str]] = {}
        self._followers: dict[str, dict[bytes, int]] = {}
        self._previews = Previews()
        self._number = 0
        self._devices = ["cpu"]
        self._started = self._last_used = time.time()
        self._stop = False
        log.info("backend started", extra={"endpoint": self.connection.endpoint, "lost_jobs": lost})

    def serve(self) -> None:
        """Run until stopped; leaves no worker and no connection file behind.

        Raises:
            Unreachable: "start-failed", the connection file can't be written.
        """
        probe: subprocess.Popen[bytes] | None = _probe_devices()
        self._pool.start("cpu")
        poller = zmq.Poller()
        for socket in (self._front, self._back, self._gate.socket):
            poller.register(socket, zmq.POLLIN)
        swept = 0.0
        try:
            connection.write(self._settings.connection_file, self.connection)
            while not self._stop:
                readable = dict(poller.poll(TICK_MS))
                if self._gate.socket in readable:
                    self._gate.answer()
                if self._back in readable:
                    self._hear_worker()
                if self._front in readable:
                    self._hear_client()
                self._pool.tick(self._fail)
                self._dispatch()
                if probe is not None and probe.poll() is not None:
                    self._add_devices(probe)
                    probe = None
                if time.time() - swept > SWEEP_EVERY:
                    swept = time.time()
                    self._spool.sweep(self._settings.keep_days, self._settings.keep_bytes)
                    self._exit_when_idle()
        finally:
            if probe is not None:
                probe.kill()
                probe.communicate()
            self._close()

    def stop(self) -> None:
        """End the loop at its next turn; safe to call from a signal handler."""
        self._stop = True

    # --- clients

    def _hear_client(self) -> None:
        identity, *frames = self._front.recv_multipart(copy=False)
        peer = identity.bytes
        parts: list[Bytes] = [frame.buffer for frame in frames]
        self._last_used = time.time()
        try:
            envelope = codec.decode(parts)
            handler = _HANDLERS.get(type(envelope.message))
            if handler is None:
                raise error("bad-message", f"{type(envelope.message).__name__} is not for the backend.")
            handler(self, peer, envelope.id, envelope.message)
        except TesseraError as exc:
            log.info("refused", extra={"code": exc.failure.code, "problem": exc.failure.problem})
            self._refuse(peer, parts, exc.failure)
        except Exception:
            # A bug in a handler must not end the server for everybody else.
            log.exception("internal error while handling a message")
            failure = Failure(
                "internal-error",
                "Something went wrong inside the backend; this is a bug.",
                remedy=f"Please report it, with the end of the log in {self._settings.log}.",
            )
            self._refuse(peer, parts, failure)

    def _refuse(self, peer: bytes, parts: Sequence[Bytes], failure: Failure) -> None:
        self._answer(peer, codec.message_id(parts), messages.Failed(_job_of(parts), failure))

    def _on_hello(self, peer: bytes, number: int, message: messages.Hello) -> None:
        if PROTOCOL_VERSION not in message.versions:
            raise error(
                "version-mismatch",
                f"The client speaks protocol version {message.versions}, this backend {PROTOCOL_VERSION}.",
                allowed=str(PROTOCOL_VERSION),
                remedy="Update whichever is older: the add-on (tessera install ...) or the backend (pip install -U).",
            )
        self._peers[peer] = (message.client[:80], message.session[:80])
        if len(self._peers) > MOST_PEERS:
            # ROUTER does not say who left; the oldest have most likely, and lose but their name in the lists.
            del self._peers[next(iter(self._peers))]
        schemas = [job.describe() for job in JOBS.values()]
        welcome = messages.Welcome(PROTOCOL_VERSION, __version__, self._devices, schemas, self._settings.limits())
        self._answer(peer, number, welcome)

    def _on_ping(self, peer: bytes, number: int, message: messages.Ping) -> None:
        self._answer(peer, number, messages.Pong())

    def _on_submit(self, peer: bytes, number: int, message: messages.Submit) -> None:
        intake.check(message, self._settings.image_pixels)
        known = self._spool.find(message.job_id)
        if known is not None:
            if (known.job, known.request) != (message.job, json.loads(json.dumps(request_of(message)))):
                raise error(
                    "job-id-conflict",
                    "This job id was used before, for another request.",
                    field="job_id",
                    given=message.job_id,
                    remedy="Make a new id for each job.",
                )
            self._follow(peer, number, known)
            return
        client, session = self._peers.get(peer, ("unknown", peer.hex()))
        self._queue.check_room(session)
        self._spool.add(message, client, session)
        self._queue.push(session, message.job_id, JOBS[message.job].learned(message.params))
        log.info("job accepted", extra={"job_id": message.job_id, "job": message.job, "client": client})
        self._follow(peer, number, self._spool.get(message.job_id))
        # After the answer, because large inputs take their time; a crash would fail the job with or without them.
        try:
            self._spool.keep_inputs(message)
        except TesseraError as exc:
            self._queue.remove(message.job_id)
            self._fail(message.job_id, exc.failure)

    def _on_attach(self, peer: bytes, number: int, message: messages.Attach) -> None:
        self._follow(peer, number, self._spool.get(message.job_id))

    def _follow(self, peer: bytes, number: int, entry: Entry) -> None:
        if entry.state in WAITING:
            self._followers.setdefault(entry.job_id, {})[peer] = number
        position = self._queue.position(entry.job_id)
        self._answer(peer, number, messages.Accepted(entry.job_id, entry.state, position))
        if entry.state == "queued" and not any(m.state in ("ready", "busy") for m in self._pool.members):
            text = "Getting ready; the first run compiles its kernels, which takes up to a minute"
            self._answer(peer, number, messages.Progress(entry.job_id, "compiling", 0.0, text))
        if entry.state not in WAITING:
            self._answer(peer, number, self._end_of(entry))

    def _on_cancel(self, peer: bytes, number: int, message: messages.Cancel) -> None:
        entry = self._spool.get(message.job_id)
        if entry.state not in WAITING:
            self._answer(peer, number, self._end_of(entry))
            return
        self._followers.setdefault(entry.job_id, {}).setdefault(peer, number)
        if self._queue.remove(entry.job_id):
            self._fail(entry.job_id, Failure("cancelled", "The job was cancelled while it waited."))
        else:
            self._pool.cancel(entry.job_id)

    def _on_enough(self, peer: bytes, number: int, message: messages.Enough) -> None:
        self._pool.tell(message.job_id, "enough")

    def _on_acknowledge(self, peer: bytes, number: int, message: messages.Acknowledge) -> None:
        entry = self._spool.get(message.job_id)
        if entry.state in WAITING:
            raise error("bad-message", "The job is not done yet.", field="job_id", remedy="Cancel it instead.")
        self._spool.forget(entry.job_id)
        self._answer(peer, number, messages.Acknowledged(entry.job_id))

    def _on_jobs(self, peer: bytes, number: int, message: messages.Jobs) -> None:
        keys = ("job_id", "job", "state", "client", "submitted", "finished", "bytes")
        listed = [{key: getattr(entry, key) for key in keys} for entry in self._spool.all()]
        self._answer(peer, number, messages.JobList(listed[:1000]))

    def _on_status(self, peer: bytes, number: int, message: messages.Status) -> None:
        workers = [
            {"pid": m.process.pid, "name": m.name, "device": m.device, "state": m.state, "job_id": m.job_id}
            for m in self._pool.members
        ]
        entries = self._spool.all()
        status = {
            "version": __version__,
            "protocol": PROTOCOL_VERSION,
            "endpoint": self.connection.endpoint,
            "pid": os.getpid(),
            "uptime": round(time.time() - self._started, 1),
            "devices": self._devices,
            "workers": workers,
            "queue": len(self._queue),
            "kept_results": sum(e.state == "done" for e in entries),
            "kept_bytes": sum(e.bytes for e in entries),
            "log": str(self._settings.log),
        }
        self._answer(peer, number, messages.BackendStatus(status))

    def _on_stop(self, peer: bytes, number: int, message: messages.Stop) -> None:
        self._answer(peer, number, messages.Stopping())
        self._stop = True

    # --- workers

    def _hear_worker(self) -> None:
        report = self._pool.receive()
        if report is None:
            return
        job_id = report["job_id"]
        if report["kind"] == "progress":
            self._tell(job_id, _progress_of(report))
        elif report["kind"] == "preview":
            self._show(dataclasses.replace(_progress_of(report), buffers=unpacked(report["buffers"])))
        elif report["kind"] == "failed":
            self._fail(job_id, Failure(**report["failure"]))
        elif report["kind"] == "done":
            self._spool.finish(job_id, report["meta"], report["outputs"])
            log.info("job done", extra={"job_id": job_id})
            self._tell(job_id, self._end_of(self._spool.get(job_id)))
            self._followers.pop(job_id, None)

    def _dispatch(self) -> None:
        if not self._pool.members:
            # No worker starts on this machine: whoever waits has to hear of it.
            while (stranded := self._queue.pop()) is not None:
                self._fail(stranded, _no_worker(self._settings))
        for member in self._pool.ready():
            job_id = self._queue.pop(functools.partial(self._pool.suits, member))
            if job_id is None:
                continue
            entry = self._spool.get(job_id)
            order = {
                "job_id": job_id,
                "job": entry.job,
                "params": entry.request["params"],
                "inputs": self._spool.inputs(entry),
                "folder": str(self._spool.folder(job_id)),
            }
            self._spool.running(job_id)
            self._pool.run(member, order)

    def _fail(self, job_id: str, failure: Failure) -> None:
        self._spool.fail(job_id, failure)
        log.info("job failed", extra={"job_id": job_id, "code": failure.code})
        self._tell(job_id, messages.Failed(job_id, failure))
        self._followers.pop(job_id, None)

    def _end_of(self, entry: Entry) -> Message:
        if entry.state == "done":
            return messages.Result(entry.job_id, entry.job, entry.meta, self._spool.outputs(entry))
        return messages.Failed(entry.job_id, entry.failure or Failure("internal-error", "The job has no result."))

    # --- the rest

    def _tell(self, job_id: str, message: Message) -> None:
        for peer, number in self._followers.get(job_id, {}).items():
            self._answer(peer, number, message)

    def _show(self, progress: messages.Progress) -> None:
        for peer, number in self._followers.get(progress.job_id, {}).items():
            if self._previews.may_go(peer):
                self._number += 1
                frames = codec.encode(progress, self._number, number)
                self._front.send_multipart([peer, *self._previews.watched(peer, frames)], copy=False)

    def _answer(self, peer: bytes, re: int | None, message: Message) -> None:
        self._number += 1
        frames = codec.encode(message, self._number, re)
        # A peer that has gone is no error: what it would have got is in the spool.
        self._front.send_multipart([peer, *frames], copy=False)

    def _add_devices(self, probe: subprocess.Popen[bytes]) -> None:
        found, _ = probe.communicate()
        try:
            devices: Sequence[str] = json.loads(found)
        except ValueError:
            log.warning("the devices of this machine could not be listed; only the CPU is used")
            return
        self._devices = list(devices)
        for device in devices:
            if device != "cpu":
                self._pool.start(device)

    def _exit_when_idle(self) -> None:
        busy = len(self._queue) or any(m.job_id for m in self._pool.members)
        limit = self._settings.idle_exit * 60
        if limit and not busy and time.time() - self._last_used > limit:
            log.info("idle: ending")
            self._stop = True

    def _close(self) -> None:
        connection.remove(self._settings.connection_file, os.getpid())
        for entry in self._spool.all():
            if entry.state in WAITING:
                failure = Failure("stopping", "The backend was stopped.", remedy="Start it and run the job again.")
                self._fail(entry.job_id, failure)
        self._pool.close()
        for socket in (self._front, self._back, self._gate.socket):
            socket.close()
        self._context.term()
        self._spool.close()
        log.info("backend ended")


def _job_of(parts: Sequence[Bytes]) -> str:
    """The job id that a refused message spoke of, or "": so that its sender can tell which job is meant."""
    try:
        message = codec.decode(parts).message
    except TesseraError:
        return ""
    return str(getattr(message, "job_id", ""))[:40]


def _progress_of(report: Mapping[str, Any]) -> messages.Progress:
    return messages.Progress(report["job_id"], report["stage"], report["fraction"], report["text"])


def _no_worker(settings: Settings) -> Failure:
    return Failure(
        "internal-error",
        "The backend can't start a worker process on this machine.",
        remedy=f"Run `tessera doctor`; the reason is at the end of the log in {settings.log}.",
    )


def _probe_devices() -> subprocess.Popen[bytes]:
    # A process of its own, because listing devices needs torch, which the broker never loads.
    return subprocess.Popen([sys.executable, "-m", "tessera_backend.devices"], stdout=subprocess.PIPE)


_HANDLERS: Mapping[type[Message], Callable[..., None]] = {
    messages.Hello: Broker._on_hello,
    messages.Ping: Broker._on_ping,
    messages.Submit: Broker._on_submit,
    messages.Attach: Broker._on_attach,
    messages.Cancel: Broker._on_cancel,
    messages.Enough: Broker._on_enough,
    messages.Acknowledge: Broker._on_acknowledge,
    messages.Jobs: Broker._on_jobs,
    messages.Status: Broker._on_status,
    messages.Stop: Broker._on_stop,
}
