"""What reaches a terminal: streams that no character breaks, errors of one line, results as JSON.

>>> from pathlib import Path
>>> print(as_json({"out": Path("mix"), "share": float("nan")}))
{
  "out": "mix",
  "share": null
}
"""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
import math
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any


def replace_unprintable() -> None:
    """Let a character that the terminal's encoding lacks become `?`, instead of ending the work."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def complain(line: str) -> None:
    """Write a line to standard error, where there is one."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def is_watched() -> bool:
    """Tell whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def say(text: str) -> None:
    """Write text to standard output; nobody may be reading it any more, as in `t2vid … | head`."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _drop_stdout()


def stdout_is_whole() -> bool:
    """Write out what waits for standard output; where nobody reads it any more, drop it.

    Without this, Python would complain about the closed pipe or the full disk once more, and
    change the exit code, while it ends.
    """
    if sys.stdout is None:
        return True
    try:
        sys.stdout.flush()
    except OSError:
        _drop_stdout()
        return False
    return True


def _drop_stdout() -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_of_network(error: BaseException) -> bool:
    """Tell whether a client for HTTP gave up; its errors are not all errors of the system."""
    clients = ("httpx", "httpx2", "httpcore", "requests", "urllib3", "aiohttp")
    return any(kind.__module__.partition(".")[0] in clients for kind in type(error).__mro__)


def is_said_once(record: logging.LogRecord) -> bool:
    """Leave to a library what it prints itself, so that no line comes twice."""
    return not logging.getLogger(record.name.partition(".")[0]).handlers


def one_line(error: OSError) -> str:
    """Say what the system refused, with the path.

    >>> one_line(FileExistsError(17, "File exists", "hello.txt"))
    'hello.txt: File exists'
    """
    if error.strerror is None:  # not of the system: of a library that reports the network, say
        return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no reason given'}"
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name]
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    said = error.strerror + "; make room and run it again" * full
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and any(map(_is_cache, names)):
        said += "; set HF_HOME to a folder that you may write, where caches are then kept"
    return ": ".join([" and ".join(map(str, names)), said] if names else [said])


def _is_cache(path: str) -> bool:
    home = os.path.expanduser("~")
    cache = os.environ.get("HF_HOME") or os.path.join(home, ".cache")
    return os.path.abspath(path).startswith((os.path.abspath(cache), os.path.join(home, ".cache")))


def as_text(result: Any) -> str:
    """Give a result as text: its own table, or one line for each of its items or fields.

    >>> as_text([1, "two"])
    '1\\ntwo'
    """
    if result is None:
        return ""
    for name in ("table", "text", "line"):
        if hasattr(result, name):
            return str(getattr(result, name)())
    if dataclasses.is_dataclass(result):
        return "\n".join(f"{f.name}: {getattr(result, f.name)}" for f in dataclasses.fields(result))
    if isinstance(result, Iterable) and not isinstance(result, str | os.PathLike | Mapping):
        return "\n".join(map(as_text, result))
    return str(result)


def as_json(result: Any) -> str:
    """Give a result as JSON; numbers that are none become null."""
    return json.dumps(_plain(result), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "to_dict"):
        return _plain(value.to_dict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return _plain(value.tolist())
    if isinstance(value, Iterable) and not isinstance(value, os.PathLike):
        return [_plain(item) for item in value]
    return str(value)
