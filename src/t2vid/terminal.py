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
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

_TABLE = re.compile(r"^\|.*\|\n\|[-:| ]+\|\n(?:\|.*\|(?:\n|\Z))+", re.MULTILINE)


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


def is_colourful() -> bool:
    """Tell whether colours may be written to standard output (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout is not None and sys.stdout.isatty() and not plain


def columns() -> int:
    """Give the width at which text is wrapped: the terminal's, and none where a program reads it."""
    watched = sys.stdout is not None and sys.stdout.isatty()
    return max(shutil.get_terminal_size().columns, 40) if watched else sys.maxsize


def laid_out(text: str, width: int) -> str:
    """Set the tables of a Markdown text in columns, or, where they are too wide, a line a cell.

    >>> print(laid_out("| run | n |\\n|---|---:|\\n| mine | 12 |", 80))
    run    n
    mine  12
    >>> print(laid_out("| run | n |\\n|---|---:|\\n| mine | 12 |", 7))
    run  mine
    n    12
    """
    return _TABLE.sub(lambda found: _columns(found[0], width), text)


def _columns(table: str, width: int) -> str:
    """Set one table in columns; one that is not whole stays as it is."""
    cells = [re.split(r"(?<!\\)\|", line[1:-1]) for line in table.strip().split("\n")]
    head, rule, *rows = [[cell.strip().replace("\\|", "|") for cell in line] for line in cells]
    if any(len(line) != len(head) for line in (rule, *rows)):
        return table
    end = "\n" * table.endswith("\n")
    wide = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    if sum(wide) + 2 * len(wide) - 2 <= width:
        places = [">" if mark.endswith(":") else "<" for mark in rule]
        shape = "  ".join(f"{{:{at}{n or 1}}}" for at, n in zip(places, wide, strict=True))
        return "\n".join(shape.format(*line).rstrip() for line in (head, *rows)) + end
    named = max(map(len, head))
    parts = (
        "\n".join(f"{name:<{named}}  {cell}" for name, cell in zip(head, row, strict=True) if cell)
        for row in rows
    )
    return "\n\n".join(parts) + end


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


def host_of(error: BaseException) -> str:
    """Give the server that an error of a client for HTTP is about; "" where it does not tell."""
    try:
        request: Any = getattr(error, "request", None)
        return str(request.url.host)
    except (AttributeError, RuntimeError):  # httpx raises the latter where there was no request
        return ""


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
