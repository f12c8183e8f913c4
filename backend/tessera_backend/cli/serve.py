"""`tessera serve`: run the backend in the foreground."""

from __future__ import annotations

import sqlite3
from typing import Any

import click

from tessera_protocol.errors import error


@click.command("serve")
@click.option("--host", help="Address to listen on. Anything but loopback lets other machines in [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port [default: a free one].")
@click.option(
    "--idle-exit",
    type=float,
    metavar="MINUTES",
    help="End after so long without clients and jobs [default: never].",
)
@click.option("--keep-days", type=float, help="Forget results that nobody fetched after so long [default: 7].")
@click.option("--keep-bytes", type=int, help="Most bytes of kept results [default: 4 GiB].")
@click.option("--image-pixels", type=int, help="Most pixels of an input picture [default: 250,000,000].")
def serve_command(**options: Any) -> None:
    """Run the backend until Ctrl-C, `tessera stop`, or a long idle time."""
    import signal

    import zmq

    from tessera_backend.server.broker import Broker
    from tessera_backend.server.log import set_up
    from tessera_backend.server.settings import Settings

    settings = Settings(**{name: value for name, value in options.items() if value is not None})
    try:
        log_path = set_up(settings.log, "broker")
        broker = Broker(settings)
    except OSError as exc:
        raise error(
            "start-failed",
            f"The backend can't keep its log and results: {exc}.",
            remedy="Set TESSERA_HOME to a folder of your own.",
        ) from exc
    except sqlite3.OperationalError as exc:
        raise error(
            "start-failed",
            f"Another backend is running already, with the results in {settings.spool} ({exc}).",
            remedy="Use that one (tessera status), or stop it: tessera stop.",
        ) from exc
    except zmq.ZMQError as exc:
        raise error("start-failed", f"The address can't be used: {exc}.", remedy="Leave --port out.") from exc
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: broker.stop())
    click.echo(f"Tessera backend on {broker.connection.endpoint} (log: {log_path})")
    broker.serve()
