"""Inkscape's dialogs are made from the schema, and the ones in the repository are up to date."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tessera_backend.install import inx
from tessera_backend.install.sources import source_folder
from tessera_protocol import schema
from tessera_protocol.jobs import JOBS

NS = {"x": inx.NAMESPACE}
FIELDS = [
    (effect, name)
    for effect in inx.EFFECTS
    for params in (effect.job.params, effect.own)
    for name in schema.specs(params)
]


def dialog(effect: inx.Effect) -> ET.Element:
    return ET.fromstring(inx.render(effect))


def test_every_job_has_an_effect() -> None:
    """A job that is declared is in the menu, but for the mesh of a Blender scene."""
    assert {effect.job.name for effect in inx.EFFECTS} == set(JOBS) - {"voxelize"}


@pytest.mark.parametrize("effect", inx.EFFECTS, ids=lambda effect: effect.job.name)
def test_the_committed_file_is_up_to_date(effect: inx.Effect) -> None:
    """After a change of the schema: python -m tessera_backend.install.inx."""
    committed = (source_folder("inkscape") / effect.inx).read_text(encoding="utf-8")
    assert committed == inx.render(effect), "run: python -m tessera_backend.install.inx"
    assert (source_folder("inkscape") / effect.script).is_file()


@pytest.mark.parametrize(("effect", "name"), FIELDS, ids=lambda value: getattr(value, "script", value))
def test_every_parameter_has_its_control(effect: inx.Effect, name: str) -> None:
    """Type, range, default, unit and help arrive in the dialog; what the host supplies has no control."""
    spec = {**schema.specs(effect.job.params), **schema.specs(effect.own)}[name]
    found = dialog(effect).findall(f".//x:page/x:param[@name='{name}']", NS)
    if spec.from_host:
        assert found == []
        return
    (param,) = found
    assert param.get("gui-description") == spec.help
    assert param.get("gui-text") == (f"{spec.label} ({spec.unit})" if spec.unit else spec.label)
    if spec.kind == "choice":
        options = {option.get("value"): option.text for option in param}
        assert options == dict(spec.choices)
        assert param[0].get("value") == spec.default
    elif spec.kind == "boolean":
        assert param.text == str(spec.default).lower()
    elif spec.kind in ("integer", "number"):
        assert float(param.text or "") == spec.default
        assert (float(param.get("min", "")), float(param.get("max", ""))) == (spec.low, spec.high)
        # The control must be able to show the default and the ends of the range.
        digits = int(param.get("precision", "0"))
        assert all(round(value, digits) == value for value in (spec.default, spec.low, spec.high) if value is not None)
    elif param.get("type") == "color":
        assert int(param.text or "", 16) == int(spec.default[1:] + "ff", 16)
    else:
        assert (param.get("type"), param.text or "") == ("string", spec.default)


@pytest.mark.parametrize("effect", inx.EFFECTS, ids=lambda effect: effect.job.name)
def test_pages_in_the_order_of_the_schema(effect: inx.Effect) -> None:
    """One tab a page of the schema, in its order, and the help last."""
    shown = [spec.page for spec in schema.specs(effect.job.params).values() if not spec.from_host]
    titles = [page.get("gui-text") for page in dialog(effect).findall(".//x:page", NS)]
    assert titles == [*dict.fromkeys(shown), "Help"]
