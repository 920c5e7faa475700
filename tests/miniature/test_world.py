"""The world answers its own questions: a second reader of the story comes to the same answers."""

from __future__ import annotations

import re

import numpy as np
import pytest

from t2vid.frames.render import count_frames, render_text
from t2vid.miniature.pictures import CENTRES, FRAME_PX, clip
from t2vid.miniature.pretrain import PAGE
from t2vid.miniature.questions import KINDS, SEEN_KINDS, UNSEEN_KINDS, ask, episode_for
from t2vid.miniature.world import COLOURS, NUMBERS, WORDS_PER_SCENE, Episode, all_phrases

COMES = re.compile(r"\ba (\w+ \w+) at")


def read(story: str, kind: str) -> str:
    """Answer a kind of question from the words alone, by other means than the code that wrote it."""
    names = COMES.findall(story)
    if kind in ("first", "second", "last"):
        return names[{"first": 0, "second": 1, "last": -1}[kind]]
    if kind == "colour":
        return names[0].split()[0]
    if kind == "shape":
        return names[-1].split()[1]
    if kind == "last_colour":
        return names[-1].split()[0]
    if kind == "second_shape":
        return names[1].split()[1]
    if kind == "count":
        return NUMBERS[len(names)]
    act = "turns" if kind == "becomes" else kind
    subject, what = re.search(rf"the (\w+ \w+) {act} (\w+)", story).groups()
    return subject if kind == act else what


@pytest.mark.parametrize("kind", KINDS)
def test_the_story_alone_gives_the_answer(kind):
    rng = np.random.default_rng(7)
    for _ in range(40):
        episode, asked = episode_for(kind, rng)
        assert read(episode.story, kind) == asked.answer
        assert asked.options.count(asked.answer) == 1 and len(set(asked.options)) == 4
        assert asked.letter == "ABCD"[asked.options.index(asked.answer)]


def test_right_answers_are_spread_over_the_letters():
    rng = np.random.default_rng(0)
    letters = [episode_for(kind, rng)[1].letter for kind in KINDS * 40]
    assert min(letters.count(letter) for letter in "ABCD") > len(letters) / 6


def test_seen_and_unseen_kinds_are_all_kinds_and_share_none():
    assert {*SEEN_KINDS, *UNSEEN_KINDS} == {*KINDS} and not {*SEEN_KINDS} & {*UNSEEN_KINDS}


def test_a_page_holds_one_scene_of_any_story():
    assert {count_frames(words, PAGE) for words in all_phrases()} == {1}
    rng = np.random.default_rng(2)
    for _ in range(20):
        episode = Episode.drawn(rng)
        pages = render_text(episode.story, PAGE)
        told = [episode.story[start:end].split() for start, end in pages.spans]
        assert len(pages) == len(episode.scenes)
        assert all(len(words) == WORDS_PER_SCENE for words in told)


def test_no_colour_or_shape_comes_twice_and_none_turns_into_one_that_was_there():
    rng = np.random.default_rng(4)
    for _ in range(200):
        scenes = Episode.drawn(rng).scenes
        assert scenes[0].act == "comes"
        new = [scene.thing for scene in scenes if scene.act == "comes"]
        assert len({t.shape for t in new}) == len({t.colour for t in new}) == len(new)
        turned = [scene.thing.colour for scene in scenes if scene.act == "turns"]
        assert not {*turned} & {t.colour for t in new}
        acts = [scene.act for scene in scenes if scene.act != "comes"]
        assert len({*acts}) == len(acts)


def test_a_picture_shows_the_colour_at_the_place():
    rng = np.random.default_rng(5)
    for _ in range(30):
        episode = Episode.drawn(rng)
        for scene, frame in zip(episode.scenes, clip(episode, rng), strict=True):
            pixels = np.asarray(frame)
            rows, columns = np.nonzero((pixels == COLOURS[scene.thing.colour]).all(axis=2))
            at = (columns.mean(), rows.mean())
            nearest = min(
                CENTRES, key=lambda p: (CENTRES[p][0] - at[0]) ** 2 + (CENTRES[p][1] - at[1]) ** 2
            )
            assert frame.size == (FRAME_PX, FRAME_PX) and nearest == scene.place


def test_a_question_without_an_answer_is_none():
    rng = np.random.default_rng(1)
    episodes = [Episode.drawn(rng) for _ in range(50)]
    for episode in episodes:
        assert (ask(episode, "goes", rng) is None) == (episode.act("goes") is None)
