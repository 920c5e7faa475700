"""Two data sets beside one another: is the second one more varied, longer, less lopsided?

>>> one = ["Describe clip 1.", "Describe clip 2.", "Describe clip 3.", "Describe clip 4."]
>>> other = ["Why do they run?", "Count the boats.", "Who comes first?", "What is on the sign?"]
>>> found = compare(one, other, names=("captions", "questions"), embedder="tfidf")
>>> found.difference("template_share")
-1.0

    t2vid compare mixed/ other/ --out both.html      # the same on a page, with one map
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from t2vid.errors import InputError, pluralize
from t2vid.insight.diversity import SAMPLE, Diversity, Estimate, SourceDiversity, diversity
from t2vid.insight.flags import KINDS, flags

# What is compared, in the words of a table, and which way is more varied.
MEASURES = {
    "n_clusters": "groups of like instructions",
    "cluster_entropy": "entropy of the groups",
    "template_share": "rows made from a template",
    "cluster_share": "rows of the ten largest groups",
    "vendi": "effective number of instructions",
    "distinct_2": "different pairs of words",
    "nearest": "distance to the nearest other",
}


@dataclass(frozen=True)
class SideBySide:
    """Two data sets, measured on as many instructions of each and laid out on one map.

    Attributes:
        names: of the two.
        map: both, with their numbers in `map.sources`.
        biases: the measures of `t2vid.insight.flags` of each, by name.
    """

    names: tuple[str, str]
    map: Diversity
    biases: Mapping[str, Mapping[str, float]]

    def difference(self, measure: str) -> float:
        """Give the second value minus the first, of a measure of the table or of a bias.

        Raises:
            InputError: for an unknown measure.
        """
        values = dict(self._rows()).get(measure)
        if values is None:
            known = ", ".join(name for name, _ in self._rows())
            raise InputError(f"measure {measure!r} is unknown; known: {known}")
        return round(_value(values[1]) - _value(values[0]), 12)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Give a line for each measure: what it is, both values, the difference.

        Intervals that do not overlap are marked with an asterisk.
        """
        out = []
        for name, (first, second) in self._rows():
            kind = KINDS.get(name)
            title = MEASURES.get(name) or (kind.title.lower() if kind else name)
            apart = "*" if _apart(first, second) else ""
            change = f"{_value(second) - _value(first):+.2f}{apart}"
            out.append((title, _text(first), _text(second), change))
        return out

    def table(self) -> str:
        """Give the lines as text."""
        lines = [("", *self.names, "difference"), *self.rows()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        shown = [
            "  ".join(
                cell.ljust(width) if not at else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        n = self.map.sources[self.names[0]].n
        return "\n".join(
            [*shown, "", f"{n:,} instructions of each; * 95 % intervals that do not overlap"]
        )

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        numbers = {name: asdict(self.map.sources[name]) for name in self.names}
        biases = {name: dict(values) for name, values in self.biases.items()}
        return {"embedder": self.map.embedder, "sources": numbers, "biases": biases}

    def _rows(self) -> list[tuple[str, tuple[Any, Any]]]:
        first, second = (self.map.sources[name] for name in self.names)
        rows = [(name, (_of(first, name), _of(second, name))) for name in MEASURES]
        one, two = (self.biases[name] for name in self.names)
        both = [name for name in one if name in two and name not in MEASURES]
        return rows + [(name, (one[name], two[name])) for name in both]


def compare(
    a: Any,
    b: Any,
    *,
    names: tuple[str, str] = ("a", "b"),
    sample: int = SAMPLE,
    embedder: str | None = None,
    seed: int = 0,
) -> SideBySide:
    """Measure two data sets on equally many instructions, and lay both out on one map.

    Args:
        a: rows with `messages`, or a list of instructions.
        b: the other.
        names: what tables call them.
        sample: at most so many instructions of each; the smaller one decides, since most measures
            grow with the number of rows.
        embedder: as in `t2vid.insight.diversity`.
        seed: of the sample, the map and the bootstrap.

    Raises:
        InputError: for two equal names, or a data set with fewer than two instructions.
    """
    if names[0] == names[1]:
        raise InputError(f"names ({names[0]!r} twice) must differ, to tell the data sets apart")
    sizes = {name: len(part) for name, part in zip(names, (a, b), strict=True)}
    least = min(sizes, key=lambda name: sizes[name])
    if sizes[least] < 2:
        raise InputError(
            f"{least} has {pluralize(sizes[least], 'instruction')}; a comparison needs at least 2"
        )
    n = min(sample, *sizes.values())
    found = diversity({names[0]: a, names[1]: b}, sample=n, seed=seed, embedder=embedder)
    biases = {name: _biases(part) for name, part in zip(names, (a, b), strict=True)}
    return SideBySide(names, found, biases)


def _biases(dataset: Any) -> dict[str, float]:
    if not hasattr(dataset, "column_names") and isinstance(dataset[0], str):
        return {}  # instructions alone: what answers look like is not known
    return {flag.name: flag.value for flag in flags(dataset) if flag.measured}


def _of(source: SourceDiversity, name: str) -> Any:
    return getattr(source, name)


def _value(measured: Any) -> float:
    return float(measured.value if isinstance(measured, Estimate) else measured)


def _text(measured: Any) -> str:
    if isinstance(measured, Estimate):
        return str(measured)
    return f"{measured:,}" if isinstance(measured, int) else f"{measured:.2f}"


def _apart(first: Any, second: Any) -> bool:
    if not (isinstance(first, Estimate) and isinstance(second, Estimate)):
        return False
    return first.high < second.low or second.high < first.low
