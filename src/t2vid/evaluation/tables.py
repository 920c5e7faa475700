"""Tables and how they are written: Markdown and JSON; `t2vid.pages` makes pages of them.

>>> print(to_markdown([Table("Scores", ["run", "accuracy"], [["a", 51.23]])]))
### Scores
<BLANKLINE>
| run | accuracy |
|---|---:|
| a | 51.2 |
<BLANKLINE>
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A table with its title, notes under it, and on a page a picture (Pillow's) of it."""

    title: str
    head: list[str]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)
    picture: Any = None


@dataclass(frozen=True)
class Accuracy:
    """An accuracy in percent, its 95 % interval, and the questions behind it."""

    value: float
    low: float
    high: float
    n: int

    def text(self, against: float | None = None) -> str:
        """Write it: `53.1 [51.2, 55.0] −3.2`."""
        shown = f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"
        if against is None:
            return shown
        return f"{shown} {signed(self.value - against)}"


def to_markdown(tables: Sequence[Table]) -> str:
    """Write tables as Markdown."""
    parts = []
    for table in tables:
        numeric = [
            bool(table.rows) and all(isinstance(row[at], int | float | None) for row in table.rows)
            for at in range(len(table.head))
        ]
        lines = [f"### {table.title}", "", _line(table.head)]
        lines.append("|" + "|".join("---:" if right else "---" for right in numeric) + "|")
        lines += [_line([cell_text(cell) for cell in row]) for row in table.rows]
        lines += ["", *(f"- {note}" for note in table.notes)]
        parts.append("\n".join(lines).rstrip() + "\n")
    return "\n".join(parts)


def to_json(tables: Sequence[Table]) -> str:
    """Write tables as JSON."""
    facts = [{k: v for k, v in vars(table).items() if k != "picture"} for table in tables]
    return json.dumps(facts, indent=1, ensure_ascii=False)


def cell_text(cell: object) -> str:
    """Write a cell as it is read: thousands apart, one decimal, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return "–" if math.isnan(cell) else f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _line(cells: Sequence[str]) -> str:
    # a line break would end the row
    return (
        "| " + " | ".join(" ".join(cell.splitlines()).replace("|", "\\|") for cell in cells) + " |"
    )


def signed(points: float) -> str:
    """Write a difference in points.

    >>> signed(-3.21)
    '−3.2'
    """
    return f"{points:+.1f}".replace("-", "−")


def range_of(bounds: Sequence[float]) -> str:
    """Write an interval of shares in percent.

    >>> range_of([-0.012, 0.5])
    '[−1.2, 50.0]'
    """
    return f"[{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]".replace("-", "−")
