"""From a job's schema to command line options and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from tessera_protocol import schema
from tessera_protocol.schema import Spec

_TYPES = {"integer": int, "number": float, "text": str}


def job_options(params: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds one option for each parameter of a job."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        # click shows options in the reverse order of decoration.
        for name, spec in reversed(schema.specs(params).items()):
            function = _option(name, spec)(function)
        return function

    return decorate


def given(params: type[Any], values: Mapping[str, Any]) -> Any:
    """The checked parameter object from an option dictionary; ranges are checked by the schema, not by click.

    Raises:
        InvalidInput: a value outside its range.
    """
    known = schema.specs(params)
    return schema.check(params, {k: v for k, v in values.items() if k in known and v is not None})


def _option(name: str, spec: Spec) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flag = "--" + name.replace("_", "-")
    if spec.kind == "boolean":
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=spec.help)
    if spec.kind == "choice":
        text = f"{spec.help} [default: {spec.default}]"
        return click.option(flag, name, type=click.Choice(list(spec.choices)), default=None, help=text)
    unit = f" {spec.unit}" if spec.unit else ""
    text = f"{spec.help} [{spec.allowed}; default: {spec.default}{unit}]"
    return click.option(flag, name, type=_TYPES[spec.kind], default=None, metavar=spec.unit.upper() or None, help=text)
