"""Group scores are those of Video-MME-v2's own table, its repairs included."""

from __future__ import annotations

import pytest

from t2vid.errors import InputError
from t2vid.metrics.groups import group_score, group_scores


@pytest.mark.parametrize(
    ("right", "structure", "points"),
    [
        ("0000", "relevance", 0),
        ("0101", "relevance", 25),
        ("1110", "", 56.25),
        ("1111", "relevance", 100),
        ("1101", "[1, 2, 3, 4]", 25),
        ("0111", "[1,2,3,4]", 0),
        ("1011", "[1, [2, 3], 4]", 400 / 12),
        ("1001", "[1, [2, 3], 4]", 100 / 12),
        ("0111", "[[1, 2], 3, 4]", 10),
        ("1011", "[[1, 2], 3, 4]", 10),
        ("1111", "[[1, 2], 3, 4]", 100),
    ],
)
def test_points_of_a_group(right: str, structure: str, points: float):
    assert group_score([c == "1" for c in right], structure) == pytest.approx(points)


def test_groups_are_averaged_by_kind():
    rows = [("a", "", True)] * 4 + [("b", "[1,2,3,4]", ok) for ok in (True, False, True, True)]
    assert group_scores(rows) == {"all": 53.125, "logic": 6.25, "relevance": 100.0}


def test_an_unknown_structure_names_the_known():
    with pytest.raises(InputError, match="relevance"):
        group_score([True], "[4,3,2,1]")
