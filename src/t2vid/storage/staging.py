"""Results that are written piece by piece: on this machine first, then at the URL they are meant for.

>>> with staged_folder("memory://doctest/staged") as folder:
...     _ = (folder / "note.txt").write_text("done")
>>> path_of("memory://doctest/staged/note.txt").read_text()
'done'
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from t2vid.errors import InputError
from t2vid.storage.files import PathLike, inside_of, output_file, output_folder, path_of
from t2vid.storage.folder import files_below


@contextlib.contextmanager
def staged_folder(where: PathLike, *, name: str = "out") -> Iterator[Path]:
    """Give a local folder whose files are at `where` when the block ends, however it ends.

    For a path that is the folder itself. For a URL it holds what is there already, and what is new
    or changed in it is sent at the end.

    Args:
        where: path or URL.
        name: what the user calls it.

    Raises:
        InputError: when it, or a folder above it, is a file.
    """
    place = output_folder(where, name=name)
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "staged")
        folder.mkdir()
        if place.exists():
            for file in files_below(place):
                target = folder / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((place / file.path).read_bytes())
        before = set(files_below(folder))
        try:
            yield folder
        finally:
            for file in files_below(folder):
                if file not in before:
                    path = place / file.path
                    path.fs.put_file(str(folder / file.path), path.path)


@contextlib.contextmanager
def staged_file(where: PathLike, *, name: str = "out") -> Iterator[Path]:
    """Give a local file that is at `where` when the block ends; it begins as what is there.

    Args:
        where: path or URL.
        name: what the user calls it.

    Raises:
        InputError: when it is a folder, or a folder above it is a file.
    """
    place = output_file(where, name=name)
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory() as scratch:
        local = Path(scratch, place.name)
        if place.is_file():
            local.write_bytes(place.read_bytes())
        try:
            yield local
        finally:
            if local.is_file():
                place.fs.put_file(str(local), place.path)


def final_path(local: Path, folder: Path, where: PathLike) -> Path:
    """Give where a file of a staged folder is at the end."""
    return path_of(where) / inside_of(local, folder)  # type: ignore[return-value]


def local_folder(where: PathLike, *, name: str = "out") -> Path:
    """Give a folder of this machine; what is appended to line by line cannot live behind a URL.

    Args:
        where: a path.
        name: what the user calls it.

    Raises:
        InputError: for a URL, or where a file is in the way.
    """
    place = output_folder(where, name=name)
    if not isinstance(place, Path):
        raise InputError(
            f"{name} ({where}) must be a folder of this machine, since it grows line by line; "
            "copy it there when it is done"
        )
    return place
