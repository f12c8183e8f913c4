"""Commands that ask the running backend: status, jobs, cancel, fetch, stop."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.command("status")
@as_json
def status_command(as_json: bool) -> None:
    """What the running backend is doing."""
    status = _ask("status")
    if as_json:
        click.echo(json.dumps(status, indent=2))
        return
    click.echo(
        f"Tessera {status['version']} on {status['endpoint']}, process {status['pid']}, up {_span(status['uptime'])}"
    )
    click.echo(f"Devices: {', '.join(status['devices'])}")
    for worker in status["workers"]:
        job = f", job {worker['job_id']}" if worker["job_id"] else ""
        click.echo(f"  {worker['name']} (process {worker['pid']}): {worker['state']}{job}")
    click.echo(f"Waiting: {status['queue']}   kept results: {status['kept_results']} ({status['kept_bytes']:,} bytes)")


@click.command("jobs")
@as_json
def jobs_command(as_json: bool) -> None:
    """List the jobs that the backend knows, newest first."""
    jobs = _ask("jobs")
    if as_json:
        click.echo(json.dumps(jobs, indent=2))
        return
    for job in jobs:
        age = _span(time.time() - job["submitted"])
        click.echo(f"{job['job_id']}  {job['job']:<10} {job['state']:<10} {age:>8} ago  from {job['client']}")
    if not jobs:
        click.echo("No jobs.")


@click.command("cancel")
@click.argument("job_id")
def cancel_command(job_id: str) -> None:
    """Cancel the job JOB_ID."""
    from tessera_protocol.client import Client

    with Client("cli") as client:
        client.finish_cancel(job_id)
    click.echo(f"{job_id}: ended")


@click.command("fetch")
@click.argument("job_id")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write [default: JOB_ID.svg or .vox].")
@click.option("--keep", is_flag=True, help="Leave the result in the backend, too.")
def fetch_command(job_id: str, output: Path | None, keep: bool) -> None:
    """Get the kept result of JOB_ID, or wait for it: what a program that crashed would have lost."""
    from tessera_protocol.client import Client

    from . import stipple, vectorize, voxelize

    savers = {
        "stipple": (stipple.save_result, ".svg"),
        "vectorize": (vectorize.save_result, ".svg"),
        "voxelize": (voxelize.save_result, ".vox"),
    }
    with Client("cli") as client:
        client.attach(job_id)
        result = client.follow(job_id)
        # A file that can't be written leaves the result where it is.
        save, suffix = savers[result.job]
        output = output or Path(f"{job_id[:32]}{suffix}")
        told = save(result, output)
        if not keep:
            client.acknowledge(job_id)
    click.echo(f"{output}: {told}")


@click.command("stop")
def stop_command() -> None:
    """End the running backend; jobs that wait or run are reported as failed."""
    from tessera_protocol.client import Client

    with Client("cli") as client:
        connection = client.connection
        client.stop()
    deadline = time.monotonic() + 10
    while connection.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    click.echo("The backend has stopped.")


def _ask(question: str) -> Any:
    from tessera_protocol.client import Client

    with Client("cli") as client:
        return getattr(client, question)()


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
