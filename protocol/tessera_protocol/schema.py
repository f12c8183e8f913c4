"""How a job's parameters are declared: one line each, read by every surface (CLI, .inx, bpy, Qt) and the server.

A parameter is a dataclass field made by `integer`, `number`, `boolean`, `choice` or `text`, whose `Spec` says
its range, unit, label and help. `check` turns untrusted values into a parameter object, or raises InvalidInput.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from .errors import error


@dataclasses.dataclass(frozen=True)
class Spec:
    """One parameter, as a surface needs it to make a control.

    Attributes:
        kind: "integer", "number", "boolean", "choice" or "text".
        default: value when nothing is given.
        low, high: inclusive range of numbers; for text, the greatest length is `high`.
        unit: "mm", "px", ... or "" for a plain number.
        label: the control's name, in sentence case.
        help: one or two sentences for a tooltip or `--help`.
        page: the tab or option group it belongs to.
        choices: for "choice", value -> label.
        from_host: a host that works on a document supplies the value itself, and shows no control.
    """

    kind: str
    default: Any
    label: str
    help: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    page: str = ""
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    from_host: bool = False

    @property
    def is_color(self) -> bool:
        """Whether a text is a colour, which hosts have a control of their own for: its default says so."""
        return self.kind == "text" and len(self.default) == 7 and bool(self.default.startswith("#"))

    @property
    def allowed(self) -> str:
        """The range or the choices, as a person reads them."""
        if self.kind == "choice":
            return ", ".join(self.choices)
        if self.kind == "boolean":
            return "true or false"
        if self.kind == "text":
            return f"text of at most {self.high:g} characters"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.low:g} to {self.high:.12g}{unit}"


def integer(default: int, low: int, high: int, label: str, help: str, **more: Any) -> Any:
    """A whole number in [low, high]."""
    return _field(Spec("integer", default, label, help, low, high, **more))


def number(default: float, low: float, high: float, label: str, help: str, **more: Any) -> Any:
    """A finite float in [low, high]."""
    return _field(Spec("number", default, label, help, low, high, **more))


def boolean(default: bool, label: str, help: str, **more: Any) -> Any:
    """Yes or no."""
    return _field(Spec("boolean", default, label, help, **more))


def choice(default: str, choices: Mapping[str, str], label: str, help: str, **more: Any) -> Any:
    """One of `choices`, which maps each value to its label."""
    return _field(Spec("choice", default, label, help, choices=choices, **more))


def text(default: str, high: int, label: str, help: str, **more: Any) -> Any:
    """A string of at most `high` characters."""
    return _field(Spec("text", default, label, help, high=high, **more))


def _field(spec: Spec) -> Any:
    return dataclasses.field(default=spec.default, metadata={"spec": spec})


P = TypeVar("P")


def specs(params: Any) -> dict[str, Spec]:
    """name -> Spec of a parameter class or object, in declaration order."""
    return {f.name: f.metadata["spec"] for f in dataclasses.fields(params)}


def changed(params: Any) -> dict[str, Any]:
    """The values that differ from their defaults: what travels on the wire."""
    return {
        name: getattr(params, name) for name, spec in specs(params).items() if getattr(params, name) != spec.default
    }


def check(cls: type[P], values: Mapping[str, Any]) -> P:
    """A checked parameter object; what is not given takes its default.

    Raises:
        InvalidInput: codes "unknown-parameter", "wrong-type" or "out-of-range", naming the field.
    """
    known = specs(cls)
    for name in values:
        if name not in known:
            raise error(
                "unknown-parameter",
                f"There is no parameter {name!r}.",
                field=str(name),
                allowed=", ".join(known),
                remedy="Update the add-on or the backend, so that both are of one version.",
            )
    made = cls(**{name: _checked(name, known[name], value) for name, value in values.items()})
    consistent = getattr(made, "check_together", None)
    if consistent is not None:
        consistent()
    return made


def _checked(name: str, spec: Spec, value: Any) -> Any:
    if spec.kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    wanted = {"integer": int, "number": float, "boolean": bool}.get(spec.kind, str)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise error(
            "wrong-type",
            f"{spec.label} is {value!r}, but it has to be {_article(spec.kind)} ({spec.allowed}).",
            field=name,
            given=repr(value)[:80],
            allowed=spec.allowed,
        )
    if not _within(spec, value):
        shown = repr(value) if isinstance(value, str) else f"{value:.12g}"
        raise error(
            "out-of-range",
            f"{spec.label} is {shown[:80]}, but {spec.allowed} {'is' if spec.kind == 'text' else 'are'} possible.",
            field=name,
            given=value if not isinstance(value, str) else value[:80],
            allowed=spec.allowed,
            remedy=_nearest(spec, value),
        )
    return value


def _article(kind: str) -> str:
    return {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "yes or no",
        "choice": "one of its choices",
    }.get(kind, "text")


def _within(spec: Spec, value: Any) -> bool:
    if spec.kind == "choice":
        return value in spec.choices
    if spec.kind == "text":
        return len(value) <= (spec.high or 0)
    if spec.kind in ("integer", "number"):
        return math.isfinite(value) and (spec.low or 0) <= value <= (spec.high or 0)
    return True


def _nearest(spec: Spec, value: Any) -> str | None:
    if spec.kind not in ("integer", "number") or math.isnan(value):
        return None
    return f"Use {spec.low if value < (spec.low or 0) else spec.high:.12g}."


def describe(cls: type[Any]) -> list[dict[str, Any]]:
    """The schema as plain data, for `welcome` messages and other languages."""
    return [
        {
            "name": name,
            **{k: v for k, v in dataclasses.asdict(spec).items() if v not in (None, "", {}, False)},
        }
        | {"default": spec.default}
        for name, spec in specs(cls).items()
    ]
