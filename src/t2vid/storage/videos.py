"""A folder of videos, looked through once: whatever names an annotation uses, here is the file.

>>> import tempfile; root = Path(tempfile.mkdtemp())
>>> (root / "deep").mkdir(); (root / "deep" / "v_0.mkv").touch()
>>> VideoFolder.scan(root).find("v_0.mp4").relative_to(root).as_posix()
'deep/v_0.mkv'
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from t2vid.errors import MissingFile, UnsafePath
from t2vid.schema import storable

logger = logging.getLogger(__name__)

SUFFIXES = frozenset(
    ".mp4 .mkv .webm .avi .mov .m4v .mpg .mpeg .wmv .flv .ts .m2ts .3gp .ogv .gif".split()
)
_IMAGES = frozenset(".jpg .jpeg .png .webp .bmp".split())
# Video-ChatGPT's own conversion names the files of its features instead of its videos.
_KNOWN = SUFFIXES | {".pkl"}
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class VideoFolder:
    """Every video below a folder, by stem.

    Args:
        root: the folder, absolute.
        by_stem: paths relative to `root` in sorted order, `/` between folders.
        state: hash of all names, sizes and times of change: another state may give other rows.
    """

    root: Path
    by_stem: dict[str, tuple[str, ...]]
    state: str

    @classmethod
    def scan(cls, folder: str | os.PathLike[str], *, image_folders: bool = False) -> VideoFolder:
        """Look through a folder and all below it; again only when a folder in it has changed.

        Args:
            folder: where to look.
            image_folders: whether a folder of images is a video too, as MVBench's TVQA clips are.

        Raises:
            MissingFile: when there is no such folder.
        """
        root = Path(folder).absolute()
        if not root.is_dir():
            raise MissingFile(f"data_dir={os.fspath(folder)!r} is not a folder of videos")
        return _scan(root, _folders_changed(root), image_folders)

    def find(self, name: str, *, within: Sequence[str] = (), unique: bool = False) -> Path | None:
        """Find a video by the path, name or stem that an annotation gives; None where it is not.

        Any nesting and extension will do. Of several files with one stem the one whose path agrees
        with most of `name` counts, then the first in order of paths. An ActivityNet name `v_ID` also
        finds a file that is called `ID`.

        Args:
            name: as the annotation has it.
            within: folders that the annotation leaves out, below the root: a file there is meant.
            unique: of several files with one stem take none, unless one lies exactly at `name` or
                at `name` within one of the folders.

        Raises:
            UnsafePath: for an absolute path or one with `..`.
        """
        plain = name.replace("\\", "/")
        parts = tuple(part for part in plain.split("/") if part not in ("", "."))
        leaves = plain.startswith("/") or ".." in parts or _DRIVE.match(name)
        if not parts or leaves or "\0" in name:
            raise UnsafePath(f"video {name!r} leaves the folder {self.root}; give a path inside it")
        stem = stem_of(parts[-1])
        found = self.by_stem.get(stem) or self.by_stem.get(stem.removeprefix("v_"), ())
        if not found:
            return None
        if len(found) == 1:
            return self.root / found[0]
        asked = [*((*PurePosixPath(folder).parts, *parts) for folder in within), parts]
        # max() keeps the first of equals
        best = max(found, key=lambda path: max(_agreement(path, place) for place in asked))
        if unique:
            exact = {"/".join((*place[:-1], stem_of(place[-1]))) for place in asked}
            if stem_of(best) not in exact:
                return None
        return self.root / best

    def __len__(self) -> int:
        return sum(map(len, self.by_stem.values()))


def stem_of(name: str) -> str:
    """Take a known suffix off a name; an id may hold dots itself.

    >>> stem_of("v_a.b.MP4"), stem_of("v_a.b")
    ('v_a.b', 'v_a.b')
    """
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in _KNOWN else name


def _agreement(path: str, parts: tuple[str, ...]) -> int:
    there = path.split("/")
    same_name = there[-1] == parts[-1]
    shared = 0
    for a, b in zip(there[-2::-1], parts[-2::-1], strict=False):
        if a != b:
            break
        shared += 1
    return 2 * shared + same_name


def _folders_changed(root: Path) -> str:
    # A folder's time changes with every file that comes or goes in it.
    digest = hashlib.sha256()
    for folder, inner, _ in os.walk(root):
        inner.sort()
        digest.update(f"{folder}\0{os.stat(folder).st_mtime_ns}\0".encode(errors="replace"))
    return digest.hexdigest()


@lru_cache(maxsize=4)
def _scan(root: Path, _changed: str, image_folders: bool = False) -> VideoFolder:
    found: list[tuple[str, str]] = []
    digest = hashlib.sha256()
    folders = [""]
    while folders:
        inside, images = folders.pop(), False
        with os.scandir(root / inside) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = f"{inside}{entry.name}"
                if not storable(path):
                    logger.warning("%a is left out: its name is not UTF-8; rename it", path)
                    continue
                suffix = os.path.splitext(entry.name)[1].lower()
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{path}/")
                elif suffix in _IMAGES:
                    images = image_folders
                elif suffix in SUFFIXES and entry.is_file():
                    stat = entry.stat()
                    line = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0"
                    digest.update(line.encode(errors="replace"))
                    found.append((entry.name[: -len(suffix)], path))
        if images and inside:
            digest.update(
                f"{inside}\0{os.stat(root / inside).st_mtime_ns}\0".encode(errors="replace")
            )
            found.append((PurePosixPath(inside).name, inside.rstrip("/")))
    by_stem: dict[str, list[str]] = {}
    for stem, path in sorted(found, key=lambda pair: pair[1]):
        by_stem.setdefault(stem, []).append(path)
    paths = {stem: tuple(group) for stem, group in by_stem.items()}
    return VideoFolder(root, paths, digest.hexdigest()[:16])
