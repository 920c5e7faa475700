"""Anyone's rows keep their text and get an id that names their place in the file."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from t2vid.corpora.triplets import Triplet, convert
from t2vid.schema import Counts
from t2vid.storage import records

words = st.text(min_size=1).filter(lambda text: bool(text.strip()))


@given(st.lists(st.tuples(words, words, words)))
def test_rows_keep_their_text_but_for_blanks_at_the_ends(rows: list[tuple[str, str, str]]) -> None:
    counts = Counts()
    records = [{"context": c, "question": q, "answer": a, "more": 1} for c, q, a in rows]
    found = list(convert(enumerate(records), counts))
    expected = [
        Triplet(f"triplets/{row:05d}", c.strip(), q.strip(), a.strip())
        for row, (c, q, a) in enumerate(rows)
    ]
    assert found == expected and not counts.dropped


def test_the_public_sample_parses(shared_data: Path) -> None:
    path = shared_data / "formats/long_context_triplets.json"
    found = list(convert(records.read(str(path)), Counts()))
    assert [triplet.id for triplet in found] == ["triplets/00000", "triplets/00001"]
    assert found[1].answer == "copper and tin\nDocument ID: 2"
