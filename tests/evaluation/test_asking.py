"""Where frames and subtitles stand in what a model is asked."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from PIL import Image

from media import make_clip, read_numbers
from t2vid.evaluation import asking
from t2vid.evaluation.backends import OpenAIBackend, TransformersBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.showing import controlled
from t2vid.frames.framelist import FrameList
from t2vid.frames.video import sample_video

TIMES = [0.0, 10.0, 20.0, 30.0]
CUES = [
    {"start_s": 0.2, "end_s": 0.4, "text": "short"},  # given a second around 0.3
    {"start_s": 4.0, "end_s": 6.0, "text": "between frames"},
    {"start_s": 9.0, "end_s": 12.0, "text": "ten"},
    {"start_s": 15.0, "end_s": 35.0, "text": "long"},
    {"start_s": 29.5, "end_s": 31.0, "text": "thirty"},
]
ROW: dict[str, Any] = {
    "id": "q",
    "source": "longvideobench",
    "question": "What?",
    "options": ["pan", "jug"],
    "answer": "A",
    "style": "choice",
    "subtitles": CUES,
}
WORDS = "Question: What?\nA. pan\nB. jug\n"


def asked(control: str = "none", protocol: str = "longvideobench-subtitles", **changes: Any) -> Any:
    how = EvalConfig.named(protocol).replace(control=control, **changes)
    frames = FrameList([Image.new("RGB", (8, 8), (at * 50, 0, 0)) for at in range(4)])
    frames.timestamps_s = list(TIMES)
    shown = controlled(frames, how, key="k")
    return asking.ask(ROW, 0, shown, how, cue_times_s=TIMES)


def order(ask: Any) -> list[Any]:
    """Frames by their number, texts as they are, the question left out."""
    told = [
        x.rstrip("\n") if isinstance(x, str) else x.getpixel((0, 0))[0] // 50 for x in ask.content
    ]
    assert told[-1].startswith("Question: What?") or "\nQuestion: What?" in told[-1]
    return [*told[:-1], told[-1].partition("Question")[0].rstrip("\n")]


def test_longvideobench_s_subtitles_stand_between_the_frames_at_their_times():
    ask = asked()
    assert order(ask) == [0, "short", 1, "ten", 2, "long", 3, "thirty"]
    texts = [one for one in ask.content if isinstance(one, str)]
    assert "".join(texts) == ask.prompt
    assert ask.prompt.startswith(f"short\nten\nlong\nthirty\n{WORDS}")
    assert ask.line["n_cues"] == 4 and ask.line["frames_at"] == list(ask.places)


def test_a_control_moves_frames_and_leaves_the_words_where_they_were():
    assert order(asked("reversed")) == [3, "short", 2, "ten", 1, "long", 0, "thirty"]
    assert order(asked("one")) == ["short\nten", 2, "long\nthirty"]
    assert asked("subtitles").prompt.startswith("short\nten\nlong\nthirty\nQuestion")
    assert asked("other").prompt.startswith("Question")


def test_subtitles_stand_before_the_question_where_frames_share_a_picture_or_the_prompt_says_so():
    for ask in (asked(strategy="grid"), asked(protocol="video-mme-subtitles")):
        assert ask.places == () and "frames_at" not in ask.line
        assert isinstance(ask.content[-1], str) and "ten\n" in ask.content[-1]


def test_no_subtitle_at_a_frame_leaves_the_question_as_it_is_without_subtitles():
    how = EvalConfig.named("longvideobench-subtitles")
    frames = FrameList([Image.new("RGB", (8, 8))])
    frames.timestamps_s = [14.0]
    ask = asking.ask(ROW, 0, frames, how)
    assert ask.places == () and ask.prompt.startswith("Question")


def test_a_server_and_a_model_in_this_process_see_frames_and_subtitles_in_that_order():
    from t2vid.models.tiny import tiny_idefics3

    ask = asked()
    sent = json.loads(OpenAIBackend("m", "http://127.0.0.1:9/v1").prepare(ask))["messages"][0]
    kinds = [one.get("text", "frame").partition("\n")[0] for one in sent["content"]]
    assert kinds == ["frame", "short", "frame", "ten", "frame", "long", "frame", "thirty"]
    model, processor = tiny_idefics3([ask.prompt])
    row = TransformersBackend(model, processor).prepare(ask).row
    said = processor.tokenizer.decode(row.ids)
    places = [said.index(word) for word in ("short", "ten", "long", "thirty", "Question")]
    image = processor.image_token
    between = [image in said[a:b] for a, b in zip(places, places[1:], strict=False)]
    assert image in said[: places[0]] and between == [True, True, True, False]


@pytest.mark.parametrize("name", ["longvideobench-subtitles", "longvideobench"])
def test_an_asking_that_changed_has_another_hash_and_the_others_kept_theirs(name: str):
    how = EvalConfig.named(name)
    plain = how.replace(prompt=how.template)  # the same words, subtitles before the question
    assert (how.asking_hash == plain.asking_hash) == (name == "longvideobench")


@pytest.mark.parametrize(("seconds", "fps"), [(0.6, 10), (7.3, 10), (12, Fraction(24000, 1001))])
@pytest.mark.parametrize("most", [4, 64])
def test_longvideobench_s_frames_are_those_of_its_loader(seconds, fps, most, tmp_path):
    clip = make_clip(tmp_path / "a.mp4", seconds=seconds, fps=fps)
    n_file = round(seconds * fps)
    # load_video of longvideobench_dataset.py; under a second it divides by zero
    n = max(1, min(most, int(n_file / fps)))
    wanted = [int(n_file / n) * i for i in range(n)]
    spec = EvalConfig.named("longvideobench").replace(frames=most).sample
    found = sample_video(clip, spec)
    assert read_numbers(found) == wanted
    assert found.timestamps_s == pytest.approx([i / float(fps) for i in wanted], 1e-3)
