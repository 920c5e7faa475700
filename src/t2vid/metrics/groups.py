"""Group scores: questions that count together, as in Video-MME-v2 (arXiv 2604.05015).

A group of four is worth more than its parts: one right answer of four gives 6.25 points of 100, three give 56.25.

>>> group_score([True, True, True, False], "relevance")
56.25
>>> round(group_score([True, False, True, True], "[1, [2, 3], 4]"), 2)
33.33
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from t2vid.errors import InputError

# Video-MME-v2's tables by the group_structure; the score of a run of 0, 1, 2, 3, 4 right answers.
_PLAIN = (0.0, 6.25, 25.0, 56.25, 100.0)
_TABLES = {
    "[1,2,3,4]": _PLAIN,
    "[1,[2,3],4]": (0.0, 100 / 12, 400 / 12, 700 / 12, 100.0),
    "[[1,2],3,4]": (0.0, 10.0, 20.0, 50.0, 100.0),
}


def group_score(right: Sequence[int], structure: str = "relevance") -> float:
    """Return the points of one group.

    Args:
        right: whether each question is right, in the order of the group. The authors' script has -1 for an answer
            that it cannot read, which is true in a chain and takes one from a count; give False instead.
        structure: `relevance` counts right answers; a chain such as `[1, 2, 3, 4]` counts them up to the first
            that is wrong, where a bracketed pair may be answered in either order.

    Returns:
        0 to 100; of a group that has not four questions, 100 (c / n)².

    Raises:
        InputError: for a structure that Video-MME-v2 does not have.
    """
    n = len(right)
    if structure in ("relevance", ""):
        return 100.0 * (max(0, sum(right)) / n) ** 2 if n else 0.0
    chain = "".join(str(structure).split())
    if chain not in _TABLES:
        raise InputError(f"structure {structure!r} must be 'relevance' or one of {sorted(_TABLES)}")
    run = next((i for i, ok in enumerate(right) if not ok), n)
    # either of a pair may come first; that never lengthens a run beyond it (0111 of [[1,2],3,4] gives 10)
    if chain == "[1,[2,3],4]" and run == 1 and n > 2 and right[2]:
        run = 2
    if chain == "[[1,2],3,4]" and run == 0 and n > 1 and right[1]:
        run = 1
    return _TABLES[chain][run] if n == 4 else 100.0 * (run / n) ** 2 if n else 0.0


def group_scores(
    rows: Iterable[tuple[str, str, bool]], *, kinds: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Return the mean points of all groups, and of each kind of group.

    Args:
        rows: `(group, structure, right)` of each question, in the order of the benchmark; a group's first structure
            counts.
        kinds: a name for each group; by default `relevance` or `logic`, by its structure.

    >>> group_scores([("1", "", True), ("1", "", False), ("2", "[1,2,3,4]", True)])
    {'all': 62.5, 'logic': 100.0, 'relevance': 25.0}
    """
    groups: dict[str, tuple[str, list[bool]]] = {}
    for group, structure, ok in rows:
        groups.setdefault(group, (structure, []))[1].append(ok)
    points: dict[str, list[float]] = {}
    for group, (structure, right) in groups.items():
        kind = "relevance" if structure in ("", "relevance") else "logic"
        for name in ("all", (kinds or {}).get(group, kind)):
            points.setdefault(name, []).append(group_score(right, structure))
    return {name: sum(found) / len(found) for name, found in sorted(points.items())}
