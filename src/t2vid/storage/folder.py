"""Every file below a folder, once, with its size and version; symbolic links are followed.

>>> import tempfile; root = Path(tempfile.mkdtemp())
>>> (root / "a").mkdir(); _ = (root / "a" / "1.txt").write_text("one")
>>> (root / "again").symlink_to(root, target_is_directory=True)
>>> [(file.path, file.size) for file in files_below(root)]
[('a/1.txt', 3)]
"""

from __future__ import annotations

import fnmatch
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from t2vid.errors import MissingFile
from t2vid.storage.files import AnyPath, PathLike, path_of, version_of

logger = logging.getLogger(__name__)


class FoundFile(NamedTuple):
    """A file below a folder.

    Attributes:
        path: relative to the folder, `/` between its parts.
        size: in bytes.
        version: changes with the content: time of change, or what a remote store calls its version.
    """

    path: str
    size: int
    version: str


def files_below(folder: PathLike, *, name: str = "data") -> list[FoundFile]:
    """List every file below a folder, in the order of their paths.

    A folder that links reach more than once counts once, where it really is if that is below
    `folder` too; so a loop ends. What cannot be read is left out with a warning.

    Args:
        folder: path or URL.
        name: what the user calls it.

    Raises:
        MissingFile: when there is no such folder.
    """
    root = path_of(folder)
    if not root.is_dir():
        raise MissingFile(f"{name}={str(folder)!r} is not a folder")
    found = _local(root) if isinstance(root, Path) else _remote(root)
    return sorted(found)


def matching(folder: PathLike, pattern: str) -> list[str]:
    """Find files by a pattern: those that lie where it says, or else those anywhere below.

    Args:
        folder: path or URL.
        pattern: relative; `*`, `?` and `[…]` inside a name, `**` for any folders.
    """
    if not re.search(r"[*?\[]", pattern) and _inside(pattern):
        if (path_of(folder) / pattern).is_file():
            return [pattern]  # no need to look through 100,000 files
    paths = [file.path for file in files_below(folder)]
    exact = re.compile(_regex(pattern))
    anywhere = re.compile(_regex(f"**/{pattern}"))
    here = [path for path in paths if exact.fullmatch(path)]
    return here or [path for path in paths if anywhere.fullmatch(path)]


def _inside(pattern: str) -> bool:
    return not pattern.startswith("/") and ".." not in pattern.split("/")


def _regex(pattern: str) -> str:
    parts = pattern.removeprefix("./").split("/")
    last = len(parts) - 1
    out = ""
    for i, part in enumerate(parts):
        if part == "**":
            out += "(?:[^/]+/)*" if i < last else "(?:[^/]+/)*[^/]+"
        else:
            inner = fnmatch.translate(part)  # (?s:…)\Z
            out += re.sub(r"\\Z$", "", inner).replace(".*", "[^/]*") + ("/" if i < last else "")
    return out


def _local(root: Path) -> Iterator[FoundFile]:
    seen = {_identity(root)}
    above = {_identity(folder) for folder in root.resolve().parents}
    folders, links = [""], list[str]()
    while folders or links:
        if folders:
            inside = folders.pop()
        else:  # what is reached by links comes last, so that a folder is listed where it lies
            inside = links.pop()
            identity = _identity(root / inside)
            if identity in above:
                logger.warning("%s is left out: it links to a folder around it", root / inside)
            if identity in seen | above:
                continue
            seen.add(identity)
        try:
            entries = sorted(os.scandir(root / inside), key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            logger.warning("%s is left out: %s", root / inside, error.strerror)
            continue
        for entry in entries:
            path = f"{inside}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                identity = _identity(entry)
                if identity not in seen:
                    seen.add(identity)
                    folders.append(f"{path}/")
            elif entry.is_symlink() and not os.path.exists(entry):  # a loop, too
                logger.warning("%s is left out: it links to nothing that is there", root / path)
            elif entry.is_symlink() and entry.is_dir():
                links.append(f"{path}/")
            elif entry.is_file():
                stat = entry.stat()
                yield FoundFile(path, stat.st_size, str(stat.st_mtime_ns))


def _identity(place: Path | os.DirEntry[str]) -> tuple[int, int]:
    stat = os.stat(place)
    return stat.st_dev, stat.st_ino


def _remote(root: AnyPath) -> Iterator[FoundFile]:
    assert not isinstance(root, Path)
    start = root.path.rstrip("/")
    for path, info in root.fs.find(root.path, detail=True).items():
        inside = "/" + str(path).strip("/")
        inside = inside.removeprefix("/" + start.strip("/")).lstrip("/")
        yield FoundFile(inside, int(info.get("size") or 0), version_of(info))
