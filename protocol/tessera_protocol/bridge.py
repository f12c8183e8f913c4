"""For hosts whose Python can't load ZeroMQ: another Python holds the socket, and messages go through its pipes.

`BridgeLink` is the host's end. Run as a program (`python -m tessera_protocol.bridge`), this module is the other end;
the connection comes first through stdin, so that no key is ever seen in a list of processes.
"""

from __future__ import annotations

import dataclasses
import json
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

from . import paths
from .connection import Connection
from .errors import error
from .messages import Bytes

# A message in a pipe: the number of frames, then each frame's length and bytes.
_COUNT = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")


def write_message(pipe: IO[bytes], frames: Sequence[Bytes]) -> None:
    """Put one multipart message into a pipe."""
    pipe.write(_COUNT.pack(len(frames)))
    for frame in frames:
        pipe.write(_LENGTH.pack(memoryview(frame).nbytes))
        pipe.write(frame)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> list[Bytes] | None:
    """The next multipart message of a pipe; None at its end, also when it ends within a message."""
    count = pipe.read(_COUNT.size)
    if len(count) < _COUNT.size:
        return None
    frames: list[Bytes] = []
    for _ in range(_COUNT.unpack(count)[0]):
        length = pipe.read(_LENGTH.size)
        if len(length) < _LENGTH.size:
            return None
        (size,) = _LENGTH.unpack(length)
        frame = pipe.read(size)
        if len(frame) < size:
            return None
        frames.append(frame)
    return frames


class BridgeLink:
    """A Link through a bridge process.

    Args:
        python: an interpreter that has this package and ZeroMQ: the backend's.
        connection: endpoint and keys.
    Raises:
        Unreachable: "start-failed", the interpreter can't be started.
    """

    def __init__(self, python: str, connection: Connection) -> None:
        command = [python, "-m", "tessera_protocol.bridge"]
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            self._process = subprocess.Popen(
                command,
                env=paths.clean_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=hidden,
            )
        except OSError as exc:
            raise error(
                "start-failed",
                f"The bridge to the backend could not be started with {python}: {exc}.",
                remedy="Run `tessera install` again for this program.",
            ) from exc
        self._arrived: queue.SimpleQueue[list[Bytes] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="tessera-bridge", daemon=True)
        self._reader.start()
        self.send([json.dumps(dataclasses.asdict(connection)).encode()])

    def send(self, frames: Sequence[Bytes]) -> None:
        assert self._process.stdin is not None
        try:
            write_message(self._process.stdin, frames)
        except OSError:
            return  # The bridge has ended; the silence that follows is reported like a dead backend's.

    def receive(self, timeout: float) -> list[Bytes] | None:
        try:
            return self._arrived.get(timeout=timeout) if timeout > 0 else self._arrived.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue  # What was not sent is dropped, as a socket's close does.

    def _read(self) -> None:
        assert self._process.stdout is not None
        while (message := read_message(self._process.stdout)) is not None:
            self._arrived.put(message)


def main() -> None:
    """Relay until the host closes its end."""
    import zmq

    from . import codec
    from .link import ZmqLink

    first = read_message(sys.stdin.buffer)
    if first is None:
        return
    link = ZmqLink(Connection(**json.loads(bytes(first[0]))), codec.FRAME_BYTES)
    inbox: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PAIR)
    inbox.bind("inproc://stdin")
    threading.Thread(target=_pump_stdin, daemon=True).start()
    poller = zmq.Poller()
    poller.register(link.socket, zmq.POLLIN)
    poller.register(inbox, zmq.POLLIN)
    while True:
        readable = dict(poller.poll())
        if inbox in readable:
            frames = inbox.recv_multipart()
            if frames == [b""]:
                break
            link.send(frames)
        if link.socket in readable:
            message = link.receive(0.0)
            assert message is not None
            write_message(sys.stdout.buffer, message)
    inbox.close()
    link.close()


def _pump_stdin() -> None:
    # A thread, because Windows can't wait for a pipe and a socket at once.
    import zmq

    outbox: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PAIR)
    outbox.connect("inproc://stdin")
    while (message := read_message(sys.stdin.buffer)) is not None:
        outbox.send_multipart(message)
    outbox.send(b"")
    outbox.close()


if __name__ == "__main__":
    main()
