"""What can go wrong, as one tree; each error is also the builtin that a caller would expect.

    T2VidError
    ├── InputError (ValueError)        a value, a record or a text that cannot be used
    │   ├── MissingGlyphs              no available font covers some characters
    │   ├── RecordError                a corpus file that fits no known format
    │   │   └── LayoutError            a row that fits no known layout, or whose media do not match its text
    │   ├── UnsafePath                 a path that climbs out of its data folder
    │   └── BudgetError                a row that does not fit its token or frame budget
    ├── BadVideo (ValueError)          a video that cannot be decoded as asked
    ├── NonFiniteLoss (FloatingPointError)  a training step whose loss is no number; names its rows
    ├── MissingFile (FileNotFoundError)
    │   └── UnknownTarget              a name that means nothing here; an InputError as well
    ├── PublishError (OSError)          a push that did not finish; says what is visible and what to do next
    ├── BackendError (OSError)         a served model or judge that does not answer
    └── MissingExtra (ImportError)     an optional dependency is not installed

>>> issubclass(BadVideo, ValueError)
True
"""

from __future__ import annotations

import importlib
from types import ModuleType


class T2VidError(Exception):
    """Base of every error that t2vid raises on purpose."""


class InputError(T2VidError, ValueError):
    """A value, a record or a text that cannot be used; the message names value and limit."""


class MissingGlyphs(InputError):
    """No available font covers some characters of a text."""


class RecordError(InputError):
    """A corpus file or a record that fits no known format."""


class LayoutError(RecordError):
    """A row that fits no known layout, or whose media do not match the places for them.

    Args:
        message: what is shown.
        reason: a few words, the same for all rows with the same fault, for tables.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class UnsafePath(InputError):
    """A path from the data that would leave the data folder."""


class BudgetError(InputError):
    """A row that does not fit its token or frame budget."""


class BadVideo(T2VidError, ValueError):
    """A video that cannot be decoded as asked; the message names the file and what was found.

    Args:
        message: what is shown.
        reason: one or two words, the same for all files with the same fault, for tables.
    """

    def __init__(self, message: str, *, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class NonFiniteLoss(T2VidError, FloatingPointError):
    """A training step whose loss is NaN or infinite; the message names the rows of its batch."""


class MissingFile(T2VidError, FileNotFoundError):
    """A file or folder that was asked for and is not there."""

    def __str__(self) -> str:
        # FileNotFoundError would format a single argument as an errno tuple in some Pythons.
        return str(self.args[0]) if self.args else ""


class UnknownTarget(InputError, MissingFile):
    """What a user named is no file, no recipe and no dataset; the message names what is near."""


class PublishError(T2VidError, OSError):
    """A push that did not finish; the message says what is visible and what to do next."""


class BackendError(T2VidError, OSError):
    """A served model or judge that cannot be reached or keeps failing; what it answered is kept."""


class MissingExtra(T2VidError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


def error_page(error: T2VidError) -> str:
    """Say which section of the documentation explains an error.

    >>> error_page(BadVideo("a.mp4 holds no video"))
    'reference/errors.html#badvideo'
    """
    named = next(kind for kind in type(error).__mro__ if kind.__module__ == __name__)
    return f"reference/errors.html#{named.__name__.lower()}"


def kind_of(value: object) -> str:
    """Name the type of a value with its article, for messages.

    >>> kind_of(3), kind_of("x")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def pluralize(n: int, noun: str) -> str:
    """Give a number with its noun, for messages.

    >>> pluralize(1, "packet"), pluralize(1200, "frame")
    ('1 packet', '1,200 frames')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional dependency.

    Args:
        module: dotted module name, e.g. `"trl"`.
        extra: the extra of t2vid that installs it, e.g. `"train"`.

    Raises:
        MissingExtra: naming the extra, when the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise  # the module is there; one of its own imports is not
        raise MissingExtra(
            f'{module} is not installed; run: pip install "t2vid[{extra}]"'
        ) from error
