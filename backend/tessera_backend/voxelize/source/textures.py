"""The textures of a scene on the wire: decoded when a material first wants them, with notes of those that can't be."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.errors import InvalidInput, TesseraError, error

from ... import images
from ...colour import linear_to_srgb
from .fields import Fields, damaged
from .linked import told

_KINDS = ("file", "srgb", "linear")
# Of all textures together: one of 16384 x 16384, which is a gigabyte.
MOST_TEXELS = 1 << 28
_QUICK = 1  # zlib's level: they travel within one machine


@dataclasses.dataclass(frozen=True)
class _Texture:
    name: str
    kind: str
    data: np.ndarray  # uint8 (bytes,)
    shape: tuple[int, int]  # height and width, of raw pixels


class Textures:
    """All of a scene.

    Attributes:
        notes: a sentence for each texture that was wanted and is missing or damaged.
    """

    def __init__(self, entries: list[Fields], data: np.ndarray | None) -> None:
        """
        Args:
            data: uint8 (B,), where they lie.
        Raises:
            InvalidInput: "unreadable-input" for places beyond the data, or raw pixels of another size.
        """
        self.notes: list[str] = []
        self._made: dict[int, np.ndarray | None] = {}
        self._texels = 0
        self._all = [_texture(entry, np.zeros(0, np.uint8) if data is None else data) for entry in entries]

    def __len__(self) -> int:
        return len(self._all)

    def pixels(self, number: int) -> np.ndarray | None:
        """uint8 (H, W, 4), sRGB with straight alpha, row 0 at the top; None, and a note, if it can't be read.

        Raises:
            InvalidInput: "too-large" where all that were wanted have too many texels together.
        """
        if number not in self._made:
            made = self._made[number] = self._decoded(self._all[number])
            self._texels += 0 if made is None else made.shape[0] * made.shape[1]
        return self._made[number]

    def _decoded(self, texture: _Texture) -> np.ndarray | None:
        if not len(texture.data):
            self.notes.append(told("texture", texture.name))
            return None
        room = MOST_TEXELS - self._texels
        if texture.kind != "file":
            if texture.shape[0] * texture.shape[1] > room:
                raise too_large()
            return _of_floats(texture)
        try:
            return _rgba(images.load(texture.data.tobytes(), max_pixels=room))
        except InvalidInput as refused:
            if refused.failure.code == "too-large":
                raise too_large() from refused
            problem = refused.failure.problem.replace("The picture", f"The texture {texture.name}")
            self.notes.append(f"{problem} The parts that use it have their plain colours.")
            return None


def _texture(entry: Fields, data: np.ndarray) -> _Texture:
    offset, length, kind = entry.count("offset"), entry.count("bytes"), entry.choice("kind", _KINDS)
    if offset + length > len(data):
        raise damaged(f"{entry.where} ends at byte {offset + length}, but there are {len(data)} bytes of textures")
    shape = (0, 0)
    if kind != "file":
        shape = entry.count("height"), entry.count("width")
        # None at all says that it is missing, whatever its size was.
        if length not in (0, 16 * shape[0] * shape[1]):
            raise damaged(
                f"{entry.where} has {length} bytes, but {shape[1]} x {shape[0]} pixels have {16 * shape[0] * shape[1]}"
            )
    return _Texture(entry.where.removeprefix("the texture ").strip('"'), kind, data[offset : offset + length], shape)


def too_large() -> TesseraError:
    """The failure of textures that are too many, or one that is too large."""
    return error(
        "too-large",
        "The textures have too many pixels together.",
        field="textures",
        allowed=f"at most {MOST_TEXELS:,} pixels",
        remedy="Scale them down: voxels show no more than 2048 x 2048 of each.",
    )


def _of_floats(texture: _Texture) -> np.ndarray:
    """Of float32 RGBA, lowest row first."""
    values = np.frombuffer(texture.data.tobytes(), "<f4").reshape(*texture.shape, 4)[::-1]
    values = np.clip(np.nan_to_num(values), 0, 1)
    if texture.kind == "linear":
        values = np.concatenate([linear_to_srgb(values[..., :3]), values[..., 3:]], 2)
    return np.rint(values * 255).astype(np.uint8)


def _rgba(picture: np.ndarray) -> np.ndarray:
    """Of what `images.load` gives."""
    if picture.dtype == np.uint16:
        picture = (picture // 257).astype(np.uint8)
    if picture.ndim == 2:
        picture = picture[..., None]
    colors, alpha = (picture[..., :-1], picture[..., -1:]) if picture.shape[2] in (2, 4) else (picture, None)
    height, width = picture.shape[:2]
    made = np.full((height, width, 4), 255, np.uint8)
    made[..., :3] = colors
    if alpha is not None:
        made[..., 3:] = alpha
    return made


def packed_textures(pictures: list[np.ndarray]) -> tuple[dict[int, int], list[dict[str, Any]], np.ndarray]:
    """Their numbers by id, entries of a header, and bytes, uint8 (B,), of pictures uint8 (H, W, 3 or 4), each once."""
    numbers: dict[int, int] = {}
    entries: list[dict[str, Any]] = []
    files: list[bytes] = []
    for picture in pictures:
        if id(picture) not in numbers:
            numbers[id(picture)] = len(entries)
            file = images.encode_png(picture, level=_QUICK)
            place = {"offset": sum(map(len, files)), "bytes": len(file)}
            entries.append({"name": str(len(entries)), "kind": "file", **place})
            files.append(file)
    return numbers, entries, np.frombuffer(b"".join(files), np.uint8)
