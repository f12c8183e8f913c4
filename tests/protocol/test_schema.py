"""The schema: what `check` lets through and what it says otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera_protocol import schema
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import JOBS, StippleParams

FIELDS = [(job.name, name) for job in JOBS.values() for name in schema.specs(job.params)]


def values(spec: schema.Spec) -> st.SearchStrategy[object]:
    """Every value that a parameter allows."""
    if spec.kind == "integer":
        return st.integers(int(spec.low or 0), int(spec.high or 0))
    if spec.kind == "number":
        return st.floats(spec.low or 0, spec.high or 0)
    if spec.kind == "choice":
        return st.sampled_from(sorted(spec.choices))
    return st.booleans() if spec.kind == "boolean" else st.text(max_size=int(spec.high or 0))


@pytest.mark.parametrize(("job", "name"), FIELDS)
def test_every_parameter_is_declared_in_full(job: str, name: str) -> None:
    """Each has a label, a help that is a sentence, a page, and a default that it allows."""
    spec = schema.specs(JOBS[job].params)[name]
    assert spec.label[0].isupper()
    assert spec.help.endswith(".")
    assert spec.page
    assert getattr(schema.check(JOBS[job].params, {name: spec.default}), name) == spec.default


@pytest.mark.parametrize(("job", "name"), FIELDS)
@given(data=st.data())
def test_allowed_values_survive_the_wire(job: str, name: str, data: st.DataObject) -> None:
    """What a parameter allows passes `check`, and `changed` sends it unless it is the default."""
    params = JOBS[job].params
    spec = schema.specs(params)[name]
    value = data.draw(values(spec))
    try:
        made = schema.check(params, {name: value})
    except InvalidInput as exc:
        # Rules over two parameters, and the form of a colour, may refuse what the range allows.
        assert exc.failure.field in ("radius_min", "color", "palette", "locked", "diffusion_model", "sam_checkpoint")
        return
    assert schema.check(params, schema.changed(made)) == made
    assert (name in schema.changed(made)) == (value != spec.default)


@pytest.mark.parametrize(
    ("given_values", "code", "field"),
    [
        ({"dots": 9}, "out-of-range", "dots"),
        ({"dots": 100_001}, "out-of-range", "dots"),
        ({"dots": 12.5}, "wrong-type", "dots"),
        ({"dots": True}, "wrong-type", "dots"),
        ({"dots": None}, "wrong-type", "dots"),
        ({"gamma": float("nan")}, "out-of-range", "gamma"),
        ({"gamma": float("inf")}, "out-of-range", "gamma"),
        ({"gamma": "1"}, "wrong-type", "gamma"),
        ({"engine": "magic"}, "out-of-range", "engine"),
        ({"invert": 1}, "wrong-type", "invert"),
        ({"color": "red"}, "out-of-range", "color"),
        ({"color": "#12345g"}, "out-of-range", "color"),
        ({"color": "#" * 5000}, "out-of-range", "color"),
        ({"radius_min": 2.0, "radius_max": 1.0}, "out-of-range", "radius_min"),
        ({"palette": "#ff0000 blue"}, "out-of-range", "palette"),
        ({"palette": "#ff0000,#FF0000"}, "out-of-range", "palette"),
        ({"palette": " ".join(f"#0000{n:02x}" for n in range(17))}, "out-of-range", "palette"),
        ({"palette": "x" * 256}, "out-of-range", "palette"),
        ({"plates": "cmyk", "invert": True}, "out-of-range", "invert"),
        ({"dotz": 5}, "unknown-parameter", "dotz"),
    ],
)
def test_what_is_not_allowed_is_named(given_values: dict[str, object], code: str, field: str) -> None:
    """A refusal says which parameter, and never repeats a huge value."""
    with pytest.raises(InvalidInput) as caught:
        schema.check(StippleParams, given_values)
    assert (caught.value.failure.code, caught.value.failure.field) == (code, field)
    assert len(str(caught.value)) < 400


def test_the_sentence_an_artist_reads() -> None:
    """Value, range and remedy, in one breath."""
    with pytest.raises(InvalidInput) as caught:
        schema.check(StippleParams, {"dots": 250_000})
    assert str(caught.value) == "Dots is 250000, but 10 to 100000 are possible. Use 100000."


def test_palettes_as_people_write_them() -> None:
    """Spaces, commas or both separate colours, which are told in lower case."""
    for text in ("#ff0000 #00FF00", "#FF0000,#00ff00", " #ff0000 , #00ff00\n"):
        assert schema.check(StippleParams, {"palette": text}).palette_colors == ("#ff0000", "#00ff00")


def test_whole_numbers_are_numbers() -> None:
    """An integer is fine where a number is wanted: JSON and command lines write 1 for 1.0."""
    assert schema.check(StippleParams, {"gamma": 2}).gamma == 2.0
