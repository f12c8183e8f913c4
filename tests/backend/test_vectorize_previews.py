"""Previews of a vectorization, as the server asks for them."""

import numpy as np
import pytest

from tessera_backend import jobs
from tessera_backend.progress import Progress


@pytest.mark.parametrize("engine", ["fast", "best", "paper"])
def test_every_engine_shows_pictures(engine):
    """Each preview is a picture of the drawing, as large as what it is fitted to."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[10:40, 10:40] = 200
    image[5:12, 50:60] = [255, 0, 0]
    seen = []

    jobs.run(
        "vectorize",
        {"engine": engine, "paths": 8},
        {"image": jobs.as_buffer(image)},
        Progress(lambda *_: None, None, lambda preview: seen.append(preview())),
    )

    assert len(seen) > 0
    assert all(list(buffers) == ["picture"] for buffers in seen)
    assert {(buffers["picture"].shape, buffers["picture"].dtype.name) for buffers in seen} == {(image.shape, "uint8")}
