"""Files that people name: refused before any work, written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tessera_protocol.errors import error


def beside(source: Path, ending: str) -> Path:
    """The path of what is made of a file: in its folder, with its name and another ending."""
    return source.parent / f"{source.stem or 'art'}{ending}"


def check_output(output: Path, kinds: Sequence[str], example: str) -> None:
    """Refuse, before any work, an output that can't be written.

    Raises:
        InvalidInput: "unusable-input".
    """
    check_suffix(output, kinds, example)
    if output.is_dir():
        raise error(
            "unusable-input",
            f"{output} is a folder.",
            field="output",
            given=str(output),
            remedy=f"Name a file in it, like {output / example}.",
        )
    if not output.parent.is_dir():
        raise error(
            "unusable-input",
            f"There is no folder {output.parent} to write {output.name} into.",
            field="output",
            given=str(output.parent),
            remedy="Make the folder first, or name another.",
        )


def check_suffix(output: Path, kinds: Sequence[str], example: str) -> None:
    """Refuse an output of a kind that there is not.

    Raises:
        InvalidInput: "unusable-input".
    """
    if output.suffix.lower() not in kinds:
        possible = f"{', '.join(kinds[:-1])} and {kinds[-1]} are" if len(kinds) > 1 else f"only {kinds[0]} is"
        raise error(
            "unusable-input",
            f"The output {output.name!r} ends in {output.suffix or 'nothing'}, but {possible} possible.",
            field="output",
            given=output.suffix,
            allowed=", ".join(kinds),
            remedy=f"Name it like {example}.",
        )


def write(output: Path, data: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        InvalidInput: "unusable-input".
    """
    draft = output.with_name(output.name + ".part")
    try:
        draft.write_bytes(data)
        draft.replace(output)
    except OSError as exc:
        draft.unlink(missing_ok=True)
        raise error(
            "unusable-input",
            f"{output} can't be written: {exc.strerror}.",
            field="output",
            remedy="Name another place.",
        ) from exc


def read(field: str, path: Path) -> bytes:
    """The bytes of an input file.

    Raises:
        InvalidInput: "unreadable-input".
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise error("unreadable-input", f"{path} can't be read: {exc.strerror}.", field=field) from exc
