"""Finds an entry by whatever a user calls it, and says what is near where nothing has that name.

>>> near("hybird-30k", ["hybrid-30k", "video-30k", "sample"])
['hybrid-30k']
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol, TypeVar

from t2vid.errors import InputError

_LISTED = 40  # names in an error


class Named(Protocol):
    """An entry of the catalogue."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names of it."""


Entry = TypeVar("Entry", bound=Named)


def plain(name: str) -> str:
    """Write a name so that case, `t2vid/` and the marks between words do not matter.

    >>> plain("Video-ChatGPT") == plain("t2vid/video_chatgpt")
    True
    """
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("t2vid/"))


def match(entries: Iterable[Entry], name: str) -> Entry | None:
    """Find an entry by its name or an alias; None where there is none.

    Args:
        entries: of the catalogue.
        name: as a user wrote it.
    """
    wanted = plain(name)
    for entry in entries:
        if wanted and wanted in {plain(known) for known in (entry.name, *entry.aliases)}:
            return entry
    return None


def find(entries: Iterable[Entry], name: object, *, what: str) -> Entry:
    """Find an entry by its name or an alias.

    Args:
        entries: of the catalogue.
        name: as a user wrote it.
        what: what the entries are, for the error.

    Raises:
        InputError: naming the entries, those that are near first.
    """
    listed = list(entries)
    found = match(listed, name) if isinstance(name, str) else None
    if found is None:
        raise unknown(what, name, [entry.name for entry in listed])
    return found


def near(name: str, known: Iterable[str], *, n: int = 3) -> list[str]:
    """Give the names that a misspelt one may mean, the nearest first.

    Args:
        name: as a user wrote it.
        known: the names there are.
        n: at most so many.
    """
    import difflib

    by_plain = {plain(one): one for one in known}
    return [by_plain[one] for one in difflib.get_close_matches(plain(name), by_plain, n=n)]


def unknown(what: str, name: object, known: Iterable[str]) -> InputError:
    """Make the error of a name that nothing has.

    Args:
        what: of what it is no name.
        name: as a user wrote it.
        known: the names there are.
    """
    names = sorted(known)
    close = near(name, names) if isinstance(name, str) else []
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return InputError(f"{what} ({name!r}) must be one of {names[:_LISTED]}{more}{hint}")
