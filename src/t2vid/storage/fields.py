"""Turns rows of a file into named results, counting each row that does not parse under its reason.

>>> from t2vid.schema import Counts
>>> counts, rows = Counts(), [(0, {"q": "Why?"}), (1, {"q": ""})]
>>> [name for row, name in parsed(rows, lambda r: needed(r, "q"), source="demo", counts=counts)]
['Why?']
>>> print(counts)
kept 0, dropped 1 (no q: 1)
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from t2vid.errors import RecordError, T2VidError, kind_of
from t2vid.schema import Counts
from t2vid.storage.records import BadRow

T = TypeVar("T")
Record = dict[str, Any]

# After so many rows without one that fits, the file is another file and not a file with bad rows.
PATIENCE = 20


class Unfit(RecordError):
    """A record without the keys of its format, as opposed to one with an unusable value."""


def parsed(
    rows: Iterable[tuple[int, Any]], parse: Callable[[Record], T], *, source: str, counts: Counts
) -> Iterator[tuple[int, T]]:
    """Give `(row number, parse(record))` for each row that parses.

    Args:
        rows: `(row number, value)` as `records.read` gives them.
        parse: the pure converter of one record; it raises `RecordError` with a short reason.
        source: name of the corpus, for the counts.
        counts: where rows that do not parse are counted, with the first few as examples.

    Raises:
        RecordError: when none of the first rows of a file fits, showing the first one; when `parse`
            fails in another way, which no count hides, naming the row.
    """
    strangers: list[tuple[int, Any, str]] = []
    fitted = False
    for row, value in rows:
        try:
            result = parse(_mapping(value))
        except RecordError as error:
            reason = str(error)
            counts.drop(reason, source=source, example=f"row {row}: {shown(value)}")
            if isinstance(error, Unfit) and not fitted:
                strangers.append((row, value, reason))
                if row < PATIENCE and len(strangers) >= PATIENCE:
                    break
            else:
                fitted = True
        except T2VidError:
            raise
        except Exception as error:
            raise RecordError(failed(f"row {row} of {source!r}", value, error)) from error
        else:
            fitted = True
            yield row, result
    if strangers and not fitted and strangers[0][0] == 0:
        _, value, reason = strangers[0]
        raise RecordError(
            f"no row is a record of {source!r}: {reason}; the first is {shown(value)}"
        )


def failed(where: str, record: Any, error: Exception) -> str:
    """Say that a reader of records failed without meaning to, for the one who writes it.

    >>> failed("row 3 of 'mine'", {"a": None}, TypeError("no list"))
    "row 3 of 'mine' made its reader fail (TypeError: no list): {'a': None}"
    """
    return f"{where} made its reader fail ({type(error).__name__}: {error}): {shown(record)}"


def have(record: Record, *keys: str) -> None:
    """Check that a record has all of `keys`.

    Raises:
        Unfit: naming the missing ones and those that are there.
    """
    missing = [key for key in keys if key not in record]
    if missing:
        raise Unfit(f"missing keys {missing} (it has {sorted(map(str, record))[:8]})")


def text(record: Record, key: str) -> str:
    """Give a text field without white space and BOM at both ends; "" where it is missing.

    Raises:
        RecordError: when the value is no text, or no valid Unicode.
    """
    value = record.get(key)
    if is_missing(value):
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise RecordError(f"{key} is {kind_of(value)}, not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RecordError(f"{key} is not valid Unicode (half a surrogate pair)") from None
    return value.strip("\ufeff" + string.whitespace).strip()


def count_in(value: object) -> int | None:
    """Give a number of things; None for what counts nothing: no number, NaN, infinity, below 0.

    >>> count_in(3), count_in(2.0), count_in(float("nan")), count_in(-1), count_in("3")
    (3, 2, None, None, None)
    """
    if isinstance(value, str | bytes) or is_missing(value) or not hasattr(value, "__int__"):
        return None
    return count if (count := int(value)) >= 0 else None


def is_missing(value: object) -> bool:
    """Tell whether a value stands for none: null, NaN and its relatives of numpy and pandas, infinity.

    >>> is_missing(float("nan")), is_missing(None), is_missing(0), is_missing("nan")
    (True, True, False, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if (
        isinstance(value, str | bytes)
        or not hasattr(value, "__float__")
        or hasattr(value, "__len__")
    ):
        return False
    try:
        return not math.isfinite(value)
    except (OverflowError, TypeError):  # an integer of a thousand digits; an array
        return False


def needed(record: Record, key: str, name: str = "") -> str:
    """Give a text field that must not be blank.

    Raises:
        RecordError: `no <name>`, where it is blank or absent.
    """
    value = text(record, key)
    if not value:
        raise RecordError(f"no {name or key}")
    return value


def lines(record: Record, key: str, name: str = "") -> str:
    r"""Give a field that is a list of texts as one text, a line each; one text is itself.

    >>> lines({"talk": ["A: Hello.", "", "B: Good day."]}, "talk")
    'A: Hello.\nB: Good day.'

    Raises:
        RecordError: for an entry that is no text, and `no <name>` where there is none.
    """
    value = record.get(key)
    if not isinstance(value, list | tuple):
        return needed(record, key, name)
    told = [one for place in value if (one := text({key: place}, key))]
    if not told:
        raise RecordError(f"no {name or key}")
    return "\n".join(told)


def shown(value: Any, *, limit: int = 200) -> str:
    """Give a short form of a value for a message."""
    if isinstance(value, BadRow):
        return value.reason
    line = (
        repr(value) if not isinstance(value, dict) else repr({k: _cut(v) for k, v in value.items()})
    )
    return line if len(line) <= limit else line[:limit] + "…"


def _cut(value: Any) -> Any:
    return value[:60] + "…" if isinstance(value, str) and len(value) > 60 else value


def _mapping(value: Any) -> Record:
    if isinstance(value, BadRow):
        raise Unfit("not JSON")
    if not isinstance(value, dict):
        raise Unfit(f"{kind_of(value)}, not an object")
    return value
