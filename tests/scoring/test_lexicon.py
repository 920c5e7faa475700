"""Every phrase of the lexicon decides its one example and keeps off the other; the patterns stay short."""

from __future__ import annotations

import pytest

from t2vid.scoring import extract_choice
from t2vid.scoring.lexicon import CATEGORIES, WORDS, entries, files, load, mark

ENTRIES = entries()
MARKS = dict(files())["marks"]["marks"]
NAMES = [f"{entry['file']}: {entry['category']}: {entry['say'][:60]}" for entry in ENTRIES]
PRESENTS = ("cue", "firm")


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_a_phrase_decides_its_example_and_not_the_other(entry):
    yes, no = (extract_choice(entry[key], None).letter for key in ("hit", "miss"))
    if entry["category"] in PRESENTS:
        assert (yes, no != "B") == ("B", True), (entry["hit"], yes, entry["miss"], no)
    else:
        assert (yes != "B", no) == (True, "B"), (entry["hit"], yes, entry["miss"], no)


def test_no_pattern_is_longer_than_a_reader_takes_in():
    lexicon = load()
    for phrase in lexicon.phrases:
        lexicon.match(phrase, lexicon.frame(""))
    lengths = {p.text: len(lexicon.patterns[p].pattern) for p in lexicon.phrases}
    assert {text: n for text, n in lengths.items() if n > 300 or len(text) > 300} == {}


@pytest.mark.parametrize("name", MARKS)
def test_a_mark_is_found_in_its_example_and_not_in_the_other(name):
    assert mark(name).search(MARKS[name]["hit"])
    assert not mark(name).search(MARKS[name]["miss"])
    assert len(mark(name).pattern) <= 300


def test_gates_are_derived_and_never_block_a_phrase():
    lexicon = load()
    for entry in ENTRIES:
        example = entry["hit"]
        for at in (i for i, char in enumerate(example) if char == "B"):
            frame = lexicon.frame(example[:at] + "\0" + example[at + 1 :])
            for phrase in lexicon.phrases:
                if lexicon.match(phrase, frame):
                    assert phrase in lexicon.near(frame), (phrase, example)


def test_every_file_has_only_known_sections():
    known = {*CATEGORIES, *WORDS, "words", "spaced", "marks"}
    assert {name: sorted(set(data) - known) for name, data in files() if set(data) - known} == {}
