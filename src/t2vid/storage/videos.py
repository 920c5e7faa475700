"""The one finder of videos: whatever names an annotation uses, here is the file.

>>> import tempfile; from pathlib import Path; root = Path(tempfile.mkdtemp())
>>> (root / "deep").mkdir(); (root / "deep" / "v_0.mkv").touch()
>>> VideoFolder.scan(root).find("v_0.mp4").relative_to(root).as_posix()
'deep/v_0.mkv'
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from t2vid.errors import BadVideo, MissingFile, UnsafePath
from t2vid.schema import storable
from t2vid.storage.files import AnyPath, PathLike, absolute, path_of
from t2vid.storage.folder import FoundFile, files_below
from t2vid.storage.media import members_of

logger = logging.getLogger(__name__)

# Containers that hold video and that FFmpeg reads; the only list of them.
SUFFIXES = frozenset(
    ".3g2 .3gp .asf .avi .f4v .flv .gif .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts"
    " .vob .webm .wmv".split()
)
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")  # that a folder of frames holds
IMAGE_SUFFIXES = frozenset(PICTURES) | frozenset(".gif .tif .tiff .avif .heic".split())
# Video-ChatGPT's own conversion names the files of its features instead of its videos.
_KNOWN = SUFFIXES | IMAGE_SUFFIXES | {".pkl"}
# Archives whose members cannot be read one by one.
_NOT_BY_PLACE = (
    ".tgz",
    ".tbz2",
    ".txz",
    ".7z",
    ".rar",
    ".tar.gz",
    ".tar.bz2",
    ".tar.xz",
    ".tar.zst",
)
_DRIVE = re.compile(r"[A-Za-z]:")
_YOUTUBE_ID_CHARS = 11


@dataclass(frozen=True)
class VideoFolder:
    """Every video below a folder.

    Args:
        root: the folder: absolute, or a URL.
        files: the videos in the order of their paths; a folder of images, where it counts as a
            video, under its path with the bytes and versions of its images.
        archives: zip and plain tar files beside them, where pictures are listed too.
    """

    root: AnyPath
    files: tuple[FoundFile, ...]
    archives: tuple[FoundFile, ...] = ()

    @classmethod
    def scan(
        cls, folder: PathLike, *, image_folders: bool = False, images: bool = False
    ) -> VideoFolder:
        """Look through a folder and all below it, symbolic links included.

        Args:
            folder: path or URL.
            image_folders: whether a folder of images is a video too, as MVBench's TVQA clips are.
            images: list pictures beside the videos.

        Raises:
            MissingFile: when there is no such folder.
        """
        root = path_of(folder)
        if not root.is_dir():
            raise MissingFile(f"data_dir={str(folder)!r} is not a folder of videos")
        found = [file for file in files_below(root) if _is_text(file.path)]
        videos = [
            file for file in found if is_video(file.path) or (images and _is_image(file.path))
        ]
        if image_folders:
            videos = sorted([*videos, *_image_folders(found)])
        for file in found:
            if file.path.lower().endswith(_NOT_BY_PLACE):
                inside = root / file.path
                logger.warning(
                    "%s is not looked into: zip and plain tar files are; unpack it", inside
                )
        packed = tuple(one for one in found if images and _suffix(one.path) in (".zip", ".tar"))
        return cls(path_of(absolute(root)), tuple(videos), packed)

    @cached_property
    def packed(self) -> VideoFolder:
        """What the archives hold, each under `archive::member`; a broken archive is told and left out."""
        members = []
        for archive in self.archives:
            try:
                inside = members_of(f"{self.root}/{archive.path}")
            except (BadVideo, MissingFile) as error:
                logger.warning("%s", error)
                continue
            members += [
                FoundFile(f"{archive.path}::{name}", size, archive.version)
                for name, size in inside.items()
                if _is_text(name) and (is_video(name) or _is_image(name))
            ]
        return VideoFolder(self.root, tuple(members))

    @cached_property
    def by_stem(self) -> dict[str, tuple[str, ...]]:
        """Relative paths by name without suffix, each in the order of paths."""
        stems: dict[str, list[str]] = {}
        for file in self.files:
            stems.setdefault(
                stem_of(_composed(file.path.replace("::", "/").rsplit("/", 1)[-1])), []
            ).append(file.path)
        return {stem: tuple(paths) for stem, paths in stems.items()}

    @property
    def state(self) -> str:
        """Hash of all names, sizes and versions: another state may give other rows."""
        digest = hashlib.sha256()
        for file in (*self.files, *self.archives):
            digest.update("\0".join(map(str, file)).encode() + b"\n")
        return digest.hexdigest()[:16]

    def find(
        self, name: str, *, within: Sequence[str] = (), unique: bool = False
    ) -> AnyPath | None:
        """Find a video as `inside` does, and give its path below the root."""
        found = self.inside(name, within=within, unique=unique)
        return self.root / found if found else None

    def inside(self, name: str, *, within: Sequence[str] = (), unique: bool = False) -> str | None:
        """Find a video by the path, name or stem that an annotation gives; None where it is not.

        Any nesting and suffix will do. Of several files with one stem the one whose path agrees
        with most of `name` counts, then the first in order of paths. An ActivityNet name `v_ID` also
        finds a file that is called `ID`.

        Args:
            name: as the annotation has it.
            within: folders that the annotation leaves out, below the root: a file there is meant.
            unique: of several files with one stem take none, unless one lies exactly at `name` or
                at `name` within one of the folders, the first folder of either left out or not.

        Raises:
            UnsafePath: for an absolute path or one with `..`.
        """
        parts = self._parts(name)
        stem = stem_of(parts[-1])
        # An id may itself end in what looks like a suffix.
        stems = (parts[-1], stem, stem.removeprefix("v_"))
        found: Sequence[str] = next((self.by_stem[s] for s in stems if s in self.by_stem), ())
        if not found:
            return None
        if len(found) == 1:
            return found[0]
        asked = [*((*PurePosixPath(folder).parts, *parts) for folder in within), parts]
        # max() keeps the first of equals
        best = max(found, key=lambda path: max(_agreement(path, place) for place in asked))
        if unique:
            asked += [place[1:] for place in asked if len(place) > 1]
            exact = {"/".join((*place[:-1], stem_of(place[-1]))) for place in asked}
            if stem_of(_composed(best)) not in exact:
                return None
        return best

    def agreeing(self, name: str, among: frozenset[str], *, any_suffix: bool) -> list[str]:
        """List the files whose path ends as a name does, or the other way round, the exact one first.

        Args:
            name: a relative path, perhaps with folders that are not there, or without some that are.
            among: suffixes of the files that are meant.
            any_suffix: the name may have another suffix, or none.

        Raises:
            UnsafePath: for an absolute path or one with `..`.

        >>> folder = VideoFolder(path_of("."), (FoundFile("a/x.mp4", 1, ""), FoundFile("b/x.mp4", 1, "")))
        >>> folder.agreeing("data/b/x.mkv", SUFFIXES, any_suffix=True)
        ['b/x.mp4']
        """
        parts = self._parts(name)
        wanted = (*parts[:-1], stem_of(parts[-1]))
        found, folders = [], []
        for path in self.by_stem.get(wanted[-1], ()):
            there = (*_composed(path).replace("::", "/").split("/")[:-1], wanted[-1])
            n = min(len(there), len(wanted))
            same = any_suffix or _composed(path).endswith(parts[-1])
            if there[-n:] != wanted[-n:] or not same:
                continue
            if _suffix(path) in among:
                found.append(path)
            elif any_suffix and _suffix(path) not in SUFFIXES | IMAGE_SUFFIXES:
                folders.append(path)  # of images, which no file of the name goes before
        exact = [path for path in found if _composed(path) == "/".join(parts)]
        return exact if len(exact) == 1 else found or folders

    def _parts(self, name: str) -> tuple[str, ...]:
        plain = _composed(name.replace("\\", "/"))
        parts = tuple(part for part in plain.split("/") if part not in ("", "."))
        leaves = plain.startswith("/") or ".." in parts or _DRIVE.match(name)
        if not parts or leaves or "\0" in name:
            raise UnsafePath(f"video {name!r} leaves the folder {self.root}; give a path inside it")
        return parts

    def versions(self) -> dict[str, str]:
        """Give size and version of each video, by its path."""
        files = (*self.files, *self.archives)
        return {file.path: f"{file.size} {file.version}" for file in files}

    def __len__(self) -> int:
        return len(self.files)


def is_video(name: str) -> bool:
    """Tell by its suffix whether a file is taken for a video.

    >>> is_video("clips/V.MP4"), is_video("frame.jpg")
    (True, False)
    """
    return _suffix(name) in SUFFIXES


def _is_image(name: str) -> bool:
    return _suffix(name) in IMAGE_SUFFIXES


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def stem_of(name: str) -> str:
    """Take a known suffix off a name; an id may hold dots itself.

    >>> stem_of("v_a.b.MP4"), stem_of("v_a.b")
    ('v_a.b', 'v_a.b')
    """
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in _KNOWN else name


def video_key(name: str) -> str:
    """Give what names of one video have in common: the stem, ActivityNet's `v_` removed.

    >>> video_key("a/v_dQw4w9WgXcQ.mkv"), video_key("dQw4w9WgXcQ")
    ('dQw4w9WgXcQ', 'dQw4w9WgXcQ')
    """
    stem = stem_of(name.replace("\\", "/").rsplit("/", 1)[-1])
    short = stem.removeprefix("v_")
    return short if len(short) == _YOUTUBE_ID_CHARS else stem


def _composed(name: str) -> str:
    """Give a name in one Unicode form: macOS writes `é` as two characters, others as one."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _is_text(path: str) -> bool:
    if storable(path):
        return True
    logger.warning("%a is left out: its name is not UTF-8; rename it", path)
    return False


def _image_folders(files: Iterable[FoundFile]) -> list[FoundFile]:
    folders: dict[str, list[FoundFile]] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        if folder and _suffix(name) in PICTURES:
            folders.setdefault(folder, []).append(file)
    return [
        FoundFile(
            folder,
            sum(image.size for image in images),
            hashlib.sha256(repr(images).encode()).hexdigest()[:16],
        )
        for folder, images in folders.items()
    ]


def _agreement(path: str, parts: tuple[str, ...]) -> int:
    there = _composed(path).split("/")
    same_name = there[-1] == parts[-1]
    shared = 0
    for a, b in zip(there[-2::-1], parts[-2::-1], strict=False):
        if a != b:
            break
        shared += 1
    return 2 * shared + same_name
