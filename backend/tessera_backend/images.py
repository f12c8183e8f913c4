"""Picture files to arrays and back, for all jobs: one place that knows Pillow's modes, profiles and failures.

What comes out is always sRGB, straight alpha, upright, first frame only. Files are input from strangers: the
size in the header is checked before a pixel is decoded, and whatever Pillow raises on damaged data ends as
InvalidInput. Decoding works in strips, so that a picture is never held more than twice.
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from tessera_protocol.errors import TesseraError, error

MAX_PIXELS = 250_000_000
# Only formats that decode pixels: Pillow's EPS reader, for one, would start Ghostscript on a stranger's file.
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM")
KINDS = "PNG, JPEG, TIFF, WebP, GIF, BMP or PPM"
_STRIP_PIXELS = 1 << 20
_EXIF_ORIENTATION = 0x0112

# Pillow's pixel limit and Python's warning filters are global to the process; decoding takes turns with them.
_pillow_turn = threading.RLock()


def load(source: bytes | Path, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a picture: sRGB, straight alpha, EXIF orientation applied, the first frame of an animation.

    Args:
        source: an encoded file, or the path of one.
        max_pixels: most pixels (width times height); checked in the header, before decoding.
    Returns:
        uint8 (H, W, 3) RGB or (H, W, 4) RGBA; for grey files uint8 or uint16 (H, W), with alpha (H, W, 2).
        16 bit grey stays 16 bit, and 32 bit grey becomes it: floats are scaled from [0, 1]; floats beyond
        that, and whole numbers beyond 0 to 65535, are stretched from their least to their greatest.
    Raises:
        InvalidInput: "unreadable-input" for what is missing, damaged or of another kind; "too-large".
    """
    with _opened(source) as picture:
        _limit(picture, source, max_pixels)
        with _damage_told(source):
            picture.load()
            orientation = _orientation(picture)
            pixels = _by_strips(picture, _reader(picture, source))
    return _upright(pixels, orientation)


def size(source: bytes | Path) -> tuple[int, int]:
    """Width and height in pixels as `load` would give them, from the header alone.

    (A PNG that has its EXIF block behind the pixels, which is rare, counts as upright here.)

    Raises:
        InvalidInput: "unreadable-input".
    """
    with _opened(source) as picture, _damage_told(source):
        width, height = _stored_size(picture)
        # Asking a PNG without an EXIF block in its header for EXIF would decode it all.
        late_exif = picture.format == "PNG" and not {"exif", "Raw profile type exif"} & picture.info.keys()
        turned = not late_exif and _orientation(picture) >= 5
    return (height, width) if turned else (width, height)


def encode_png(pixels: np.ndarray, level: int = 6) -> bytes:
    """A PNG file of uint8 (H, W), (H, W, 2), (H, W, 3) or (H, W, 4), or of uint16 (H, W).

    Args:
        level: of compression, from 1, quick, to 9, small.
    Raises:
        ValueError: any other shape or dtype.
    """
    many = pixels.ndim == 3 and pixels.shape[2] in (2, 3, 4)
    if not (
        (pixels.dtype == np.uint8 and (many or pixels.ndim == 2)) or (pixels.dtype == np.uint16 and pixels.ndim == 2)
    ):
        raise ValueError(f"no PNG can be made of {pixels.dtype} {pixels.shape}")
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=level)
    return file.getvalue()


# -- opening, and what can be wrong with a file ----------------------------------------------------------


@contextlib.contextmanager
def _opened(source: bytes | Path) -> Iterator[Image.Image]:
    """The picture with its header read; closed, and its memory given back, at the end."""
    if isinstance(source, Path):
        if not source.is_file():
            found = "is not a file" if source.exists() else "does not exist"
            raise _unreadable(source, found, f"Name a {KINDS} file.")
        try:
            file: io.BufferedIOBase = source.open("rb")
        except OSError as problem:
            reason = (problem.strerror or str(problem)).lower()
            raise _unreadable(source, f"cannot be opened ({reason})", "Check its permissions.") from problem
    else:
        file = io.BytesIO(source)
    with file, our_limits():
        head = file.read(512)
        file.seek(0)
        if not head:
            raise _unreadable(source, "is empty (0 bytes)", "Save or copy the picture again.")
        try:
            picture = Image.open(file, formats=FORMATS)
        except Exception as problem:  # a header can be damaged in as many ways as Pillow has readers
            raise _unknown_kind(source, head) from problem
        try:
            yield picture
        finally:
            picture.close()


@contextlib.contextmanager
def our_limits() -> Iterator[None]:
    """Pillow without its pixel limit, which warns or raises at other sizes than ours, and without notes."""
    with _pillow_turn, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = theirs


@contextlib.contextmanager
def _damage_told(source: bytes | Path) -> Iterator[None]:
    """Whatever Pillow raises on a damaged file (OSError, SyntaxError, struct.error, ...), as InvalidInput."""
    try:
        yield
    except TesseraError:
        raise
    except MemoryError as problem:
        raise error(
            "too-large",
            f"{_which(source)} does not fit in this machine's memory.",
            field="image",
            remedy="Scale it down, or close other programs.",
        ) from problem
    except Exception as problem:
        reason = str(problem).strip().rstrip(".") or type(problem).__name__
        raise _unreadable(
            source,
            f"is damaged or cut off ({reason})",
            "Save or copy it again, as PNG for instance.",
        ) from problem


def _limit(picture: Image.Image, source: bytes | Path, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        side = int(max_pixels**0.5)
        raise error(
            "too-large",
            f"{_which(source)} has {width} x {height} pixels ({width * height / 1e6:.6g} million), "
            f"but at most {max_pixels / 1e6:.6g} million are possible.",
            field="image",
            given=width * height,
            allowed=f"at most {max_pixels} pixels",
            remedy=f"Scale it down, to {side} x {side} pixels for instance.",
        )


def _unreadable(source: bytes | Path, what: str, remedy: str) -> TesseraError:
    given = str(source) if isinstance(source, Path) else f"{len(source)} bytes"
    problem = f"{_which(source)} {what}."
    return error("unreadable-input", problem, field="image", given=given, allowed=KINDS, remedy=remedy)


def _unknown_kind(source: bytes | Path, head: bytes) -> TesseraError:
    """Names the kind if it is one that artists have: to know it is half the remedy."""
    known = {
        "an SVG drawing": b"<svg" in head.lower() or b"<!doctype svg" in head.lower(),
        "a PDF document": head.startswith(b"%PDF"),
        "a HEIC or AVIF picture": head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"avif"),
        "a Photoshop document": head.startswith(b"8BPS"),
        "a GIMP document": head.startswith(b"gimp xcf"),
    }
    for kind, matches in known.items():
        if matches:
            return _unreadable(source, f"is {kind}, which is not read here", f"Export it as PNG ({KINDS} are read).")
    return _unreadable(source, f"is no picture of a known kind ({KINDS}), or is damaged", "Export it as PNG.")


def _which(source: bytes | Path) -> str:
    return f"The file {source}" if isinstance(source, Path) else "The picture"


# -- header ----------------------------------------------------------------------------------------------


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation still to be applied, 1 to 8. Pillow turns TIFFs itself while it loads them."""
    value = picture.getexif().get(_EXIF_ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def _stored_size(picture: Image.Image) -> tuple[int, int]:
    """Before orientation: newer Pillows report that of a TIFF already turned."""
    tags = getattr(picture, "tag_v2", None)
    return (int(tags[256]), int(tags[257])) if tags else picture.size


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """EXIF 2.32, table 6: which way row 0 and column 0 of the stored picture look."""
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90,
    }
    return np.ascontiguousarray(turns[orientation](pixels)) if orientation in turns else pixels


# -- pixels ----------------------------------------------------------------------------------------------

Reader = Callable[[Image.Image], np.ndarray]


def _reader(picture: Image.Image, source: bytes | Path) -> Reader:
    """What turns a strip of this picture into its part of the array."""
    if picture.mode in ("I", "F"):
        return _wide_reader(picture, source)
    if picture.mode in ("1", "L", "LA", "La") or picture.mode.startswith("I;16"):
        return _grey_reader(picture)
    return _color_reader(picture)


def _by_strips(picture: Image.Image, read: Reader) -> np.ndarray:
    """`read` on full-width strips, joined: its temporary copies are a megapixel each, not a picture each."""
    width, height = picture.size
    rows = max(1, _STRIP_PIXELS // width)
    pixels = np.empty(0)
    for top in range(0, height, rows):
        strip = read(picture.crop((0, top, width, min(top + rows, height))))
        if top == 0:
            pixels = np.empty((height, *strip.shape[1:]), strip.dtype)
        pixels[top : top + rows] = strip
    return pixels


def _wide_reader(picture: Image.Image, source: bytes | Path) -> Reader:
    """32 bit whole numbers or floats to uint16; what goes beyond 16 bits or [0, 1] is stretched."""
    low, high = picture.getextrema()
    full = 1.0 if picture.mode == "F" else 65535.0
    if low >= 0 and high <= full:
        low, high = 0.0, full

    def read(strip: Image.Image) -> np.ndarray:
        values = np.asarray(strip).astype(np.float64)
        if not np.isfinite(values).all():
            what = "holds pixels that are no numbers (NaN or infinite)"
            raise _unreadable(source, what, "Export it as 16 bit PNG.")
        values = np.rint((values - low) * (65535.0 / ((high - low) or 1.0)))
        return values.astype(np.uint16)

    return read


def _grey_reader(picture: Image.Image) -> Reader:
    """1, 8 and 16 bit grey, with alpha or with one value that counts as clear."""
    curve = _grey_curve(picture)
    clear = picture.info.get("transparency") if picture.mode in ("1", "L") or "I" in picture.mode else None

    def read(strip: Image.Image) -> np.ndarray:
        values = np.asarray(strip.convert("LA") if strip.mode == "La" else strip)
        if values.dtype == bool:
            values = values.astype(np.uint8) * 255
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if values.ndim == 3:
            return np.dstack([_curved(values[..., 0], curve), values[..., 1]])
        if isinstance(clear, int):
            alpha = np.where(values == clear, 0, np.iinfo(values.dtype).max).astype(values.dtype)
            return np.dstack([_curved(values, curve), alpha])
        return _curved(values, curve)

    return read


def _color_reader(picture: Image.Image) -> Reader:
    """RGB or RGBA, through the embedded profile where that changes anything."""
    alpha = picture.mode in ("RGBA", "RGBa", "PA") or (
        picture.mode in ("P", "RGB") and picture.info.get("transparency") is not None
    )
    target = "RGBA" if alpha else "RGB"
    direct = picture.mode in ("CMYK", "LAB")  # the profile takes these to RGB; others are made RGB first
    transform = _to_srgb(picture, picture.mode if direct else target, target)

    def read(strip: Image.Image) -> np.ndarray:
        if not (direct and transform):
            strip = strip.convert(target)
        return np.asarray(ImageCms.applyTransform(strip, transform) if transform else strip)

    return read


# -- colour profiles -------------------------------------------------------------------------------------

_PROFILE_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "CMYK": "CMYK", "LAB": "Lab ", "L": "GRAY"}


def _to_srgb(picture: Image.Image, mode: str, target: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from the embedded profile to sRGB; None where it is missing, invalid, or sRGB already."""
    embedded = picture.info.get("icc_profile")
    try:
        if mode == "LAB":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif not embedded:
            return None
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        if profile.profile.xcolor_space != _PROFILE_SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            mode,
            target,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # lcms's shortcut for one channel is 9 of 255 off in the darks.
            ImageCms.Flags.BLACKPOINTCOMPENSATION | (ImageCms.Flags.NOOPTIMIZE if mode == "L" else 0),
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None  # a picture with a broken profile is still a picture, as all viewers see it
    return None if mode in ("RGB", "RGBA") and _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether 6 x 6 x 6 colours stay within 1 of 255: sRGB by any name, told by what it does."""
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    through = ImageCms.applyTransform(Image.fromarray(cube).convert(mode), transform)
    return int(np.abs(np.asarray(through)[..., :3].astype(int) - cube).max()) <= 1


def _grey_curve(picture: Image.Image) -> np.ndarray | None:
    """sRGB value of each of 256 greys under the embedded grey profile, float64 (256,); None to leave them."""
    transform = _to_srgb(picture, "L", "RGB")
    if transform is None:
        return None
    ramp = np.arange(256, dtype=np.uint8)
    through = np.asarray(ImageCms.applyTransform(Image.fromarray(ramp[None]), transform))[0, :, 1]
    return None if np.abs(through.astype(int) - ramp).max() <= 1 else through.astype(np.float64)


def _curved(values: np.ndarray, curve: np.ndarray | None) -> np.ndarray:
    if curve is None:
        return values
    scale = np.iinfo(values.dtype).max / 255
    return np.rint(np.interp(values / scale, np.arange(256), curve) * scale).astype(values.dtype)
