"""Paths and URLs alike: where something is, what is there, and writing it whole or not at all.

>>> note = path_of("memory://doctest/files/note.txt")
>>> write_atomically(note, "done"); note.read_text(), str(note)
('done', 'memory://doctest/files/note.txt')

A path is a `pathlib.Path`; a URL of any scheme that fsspec knows (`s3://`, `gs://`, `hf://`,
`memory://`, …) is a `upath.UPath`, which has the same methods.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union

from t2vid.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from upath import UPath

# no strings as a whole: the command line reads the types of signatures
AnyPath: TypeAlias = Union[Path, "UPath"]
PathLike: TypeAlias = Union[str, os.PathLike[str], "UPath"]

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_FLATTENED = re.compile(r"([a-z][a-z0-9+.-]+):/(?!/)", re.IGNORECASE)
# Whatever a file system calls the time or the version of a file; any other value is another file.
_VERSIONS = (
    "ETag", "etag", "md5Hash", "content_md5", "blob_id", "LastModified", "last_modified",
    "updated", "mtime", "modified", "created",
)  # fmt: skip


def is_url(where: object) -> bool:
    """Tell whether something names a place that fsspec has to open.

    >>> is_url("s3://bucket/mix"), is_url("C:/mix"), is_url("mix")
    (True, False, False)
    """
    return scheme_of(where) not in ("", "file", "local")


def scheme_of(where: object) -> str:
    """Give the scheme of a URL in lower case; "" for a path."""
    if isinstance(where, PurePath) or not isinstance(where, str | os.PathLike):
        return str(getattr(where, "protocol", ""))
    found = _URL.match(os.fspath(where))
    return found[1].lower() if found else ""


def path_of(where: PathLike) -> AnyPath:
    """Give the place that a path or a URL names, whether or not something is there.

    Args:
        where: a path, a URL, or what this function gave before.

    Raises:
        MissingExtra: when the package behind the scheme is not installed, naming it.
        InputError: for a scheme that nothing opens.
    """
    if not isinstance(where, str | PurePath):
        return where if hasattr(where, "protocol") else Path(where)  # type: ignore[return-value]
    name = str(where)
    if isinstance(where, PurePath):
        flat = _FLATTENED.match(name)
        if flat is None or not _is_known(flat[1]):
            return Path(where)
        name = name.replace(":/", "://", 1)  # Path("s3://bucket") forgets a slash
    elif not _URL.match(name):
        return Path(name)
    elif not is_url(name):
        return Path(name.split("://", 1)[1])
    require_scheme(name)
    from upath import UPath

    with warnings.catch_warnings():  # that it has no class of its own for gzip:// and others
        warnings.simplefilter("ignore", UserWarning)
        return UPath(name)


def require_scheme(url: str) -> None:
    """Check that fsspec can open URLs of this scheme.

    Raises:
        MissingExtra: when the package behind the scheme is not installed, naming it.
        InputError: for a scheme that nothing opens.
    """
    from fsspec import get_filesystem_class
    from fsspec.registry import known_implementations

    scheme = scheme_of(url)
    try:
        get_filesystem_class(scheme)
    except ImportError as error:
        package = str(known_implementations[scheme]["class"]).split(".")[0]
        move = str(error) if package == "fsspec" else f"run: pip install {package}"
        raise MissingExtra(f"{scheme}:// needs a package that is not installed; {move}") from error
    except ValueError as error:
        near = "s3, gs, hf, https, memory"
        raise InputError(f"{url}: unknown scheme {scheme!r}; known are {near} and more") from error


def absolute(path: AnyPath) -> str:
    """Give the path as it can be stored: absolute, or a URL."""
    return os.path.abspath(path) if isinstance(path, Path) else str(path)


def joined(root: str, inside: str) -> str:
    """Put a relative path after a stored root, which may be a URL.

    >>> joined("s3://bucket/data/", "a/b.mp4")
    's3://bucket/data/a/b.mp4'
    """
    return f"{root.rstrip('/')}/{inside}" if is_url(root) else os.path.join(root, inside)


def output_folder(where: PathLike, *, name: str = "out") -> AnyPath:
    """Give the folder that results go to; nothing is made yet.

    Args:
        where: path or URL.
        name: what the user calls it.

    Raises:
        InputError: when it, or a folder above it, is a file.
    """
    path = path_of(where)
    for place in (path, *path.parents):
        if place.is_file():
            raise InputError(f"{name} ({where}) must be a folder, but {place} is a file")
        if place.exists():
            break
    return path


def output_file(where: PathLike, *, name: str = "out") -> AnyPath:
    """Give the file that a result goes to; the folders above it are made.

    Args:
        where: path or URL.
        name: what the user calls it.

    Raises:
        InputError: when it is a folder, or a folder above it is a file.
    """
    path = path_of(where)
    if path.is_dir():
        raise InputError(f"{name} ({where}) must be a file, but it is a folder")
    make_folder(output_folder(path.parent, name=name))
    return path


def make_folder(path: AnyPath) -> None:
    """Make a folder and those above it; an object store has none and needs none."""
    if isinstance(path, Path):
        path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def whole_file(path: AnyPath) -> Iterator[IO[bytes]]:
    """Write a file that appears when the block ends well; until then the one before stays.

    Folders above it are made. A URL is written to a file of this machine first and sent in one
    piece, for an object store shows what it was given when a broken writer closes.
    """
    if not isinstance(path, Path):
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "whole")
            with local.open("w+b") as file:
                yield file
            path.fs.put_file(str(local), path.path)
        return
    path = Path(os.path.realpath(path))  # a link stays one
    if path.exists() and not (path.is_file() or path.is_dir()):
        with path.open("wb") as file:  # a device such as /dev/null, or a pipe: nothing to replace
            yield file
        return
    make_folder(path.parent)
    # Of its own for every writer: two builds, two threads, two machines on one disk.
    writer = f"{os.uname().nodename}.{os.getpid()}.{threading.get_ident()}"
    partial = path.with_name(f".{path.name[:60]}.{writer}")  # a long name has room for no more
    try:
        with partial.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        # A write knows no name (on a full disk, say), and nobody knows the partial one.
        if error.filename in (None, str(partial)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_atomically(path: AnyPath, content: str | bytes) -> None:
    """Write a file so that a reader sees all of it or the one before."""
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def sha256_of(path: PathLike) -> str:
    """Hash a file."""
    with path_of(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def version_at(path: AnyPath) -> str:
    """Say which version of a file is there: its size, and its time of change or remote version."""
    if isinstance(path, Path):
        stat = path.stat()
        return f"{stat.st_size} {stat.st_mtime_ns}"
    info = path.fs.info(path.path)
    return f"{info.get('size')} {version_of(info)}"


def inside_of(path: AnyPath, root: AnyPath) -> str:
    """Give a path relative to a folder around it, `/` between its parts."""
    return path.relative_to(root).as_posix()  # type: ignore[arg-type]


def version_of(info: Mapping[str, Any]) -> str:
    """Say which version of a remote file is there, from what its file system tells about it."""
    return " ".join(str(info[key]) for key in _VERSIONS if info.get(key) is not None)


def _is_known(scheme: str) -> bool:
    from fsspec.registry import known_implementations

    return len(scheme) > 1 and scheme.lower() in known_implementations
