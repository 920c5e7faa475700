"""Every row layout that users bring reads as the same conversation, and a wrong row is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from t2vid.corpora.layouts import LAYOUTS, read_row, rows_of
from t2vid.errors import LayoutError
from t2vid.frames.feature import text_value

ASK, SAY = "Which cup is full?", "The left one."


def said(record: Any, **options: Any) -> list[tuple[str, tuple[Any, ...]]]:
    return [(turn.role, turn.parts) for turn in read_row(record, **options).turns]


def shown(record: Any, **options: Any) -> list[tuple[str, Any]]:
    return [(medium.kind, medium.value) for medium in read_row(record, **options).media]


def human(text: str) -> dict[str, str]:
    return {"from": "human", "value": text}


def gpt(text: str) -> dict[str, str]:
    return {"from": "gpt", "value": text}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def bot(content: Any = SAY, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


ONE_IMAGE = {
    "llava": {"image": "a.png", "conversations": [human(f"<image>\n{ASK}"), gpt(SAY)]},
    "llava, marker last": {"image": "a.png", "conversations": [human(f"<image>{ASK}"), gpt(SAY)]},
    "llama-factory": {"images": ["a.png"], "messages": [user(f"<image>{ASK}"), bot()]},
    "trl images": {"images": ["a.png"], "messages": [user(ASK), bot()]},
    "trl image": {"image": "a.png", "prompt": [user(ASK)], "completion": [bot()]},
    "trl plain": {"image": "a.png", "prompt": ASK, "completion": SAY},
    "ms-swift": {"query": f"<image>{ASK}", "response": SAY, "image": "a.png"},
    "ms-swift conversation": {
        "images": ["a.png"],
        "conversation": [{"human": f"<image>{ASK}", "assistant": SAY}],
    },
    "alpaca": {"instruction": ASK, "input": "", "output": SAY, "images": ["a.png"]},
    "parts, inline": {
        "messages": [user([{"type": "image", "path": "a.png"}, {"type": "text", "text": ASK}]), bot()]
    },
    "parts, waiting": {
        "images": ["a.png"],
        "messages": [user([{"type": "image"}, {"type": "text", "text": ASK}]), bot()],
    },
    "parts of Arrow": {
        "images": ["a.png"],
        "messages": [
            user([
                {"type": "image", "text": None, "image": None},
                {"type": "text", "text": ASK, "image": None},
            ]),
            bot([{"type": "text", "text": SAY, "image": None}]),
        ],
    },
    "openai": {
        "messages": [
            user([{"type": "image_url", "image_url": {"url": "a.png"}}, {"type": "text", "text": ASK}]),
            bot(),
        ]
    },
    "parts without a type": {"messages": [user([{"image": "a.png"}, {"text": ASK}]), bot()]},
    "minicpm": {
        "image": {"<image_00>": "a.png"},
        "conversations": [user(f"<image_00>\n{ASK}"), bot()],
    },
    "messages as JSON": {"image": "a.png", "messages": json.dumps([user(ASK), bot()])},
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_IMAGE)
def test_one_picture_and_a_question_are_the_same_row_in_every_layout(name):
    assert said(ONE_IMAGE[name]) == [("user", (0, ASK)), ("assistant", (SAY,))]
    assert shown(ONE_IMAGE[name]) == [("image", "a.png")]


@pytest.mark.parametrize(
    "record",
    [
        {"video": "v.mp4", "conversations": [human(f"<video>\n{ASK}"), gpt(SAY)]},
        {"video": "v.mp4", "conversations": [human(f"<image>\n{ASK}"), gpt(SAY)]},
        {"videos": ["v.mp4"], "messages": [user(f"<video>{ASK}"), bot()]},
        {"video": "v.mp4", "QA": [{"i": "", "q": ASK, "a": SAY}]},
        {"problem": ASK, "solution": SAY, "data_type": "video", "path": "v.mp4"},
        {"messages": [user([{"type": "video", "video": "file://v.mp4"}, ASK]), bot()]},
    ],
)
def test_a_video_is_found_wherever_it_is_named(record):
    assert said(record) == [("user", (0, ASK)), ("assistant", (SAY,))]
    assert shown(record) == [("video", "v.mp4")]


def test_media_stand_where_their_tags_or_parts_stand():
    tagged = {
        "images": ["a.png"],
        "videos": ["v.mp4"],
        "messages": [user("Here <video> moves, <image> does not."), bot()],
    }
    assert said(tagged)[0][1] == ("Here ", 0, " moves, ", 1, " does not.")
    assert shown(tagged) == [("video", "v.mp4"), ("image", "a.png")]
    late = {
        "images": ["a.png", "b.png"],
        "messages": [user("<image>Who?"), bot(), user("And?<image>"), bot()],
    }
    assert [turn for turn in said(late) if turn[0] == "user"] == [
        ("user", (0, "Who?")),
        ("user", ("And?", 1)),
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"messages": [user(f"<image>\n{ASK}"), bot()]}, "places without media"),
        ({"messages": [user([{"type": "image"}, ASK]), bot()]}, "places without media"),
        ({"images": ["a.png"], "messages": [user("<image><image>?"), bot()]}, "places without media"),
        ({"images": ["a", "b"], "messages": [user("<image>?"), bot()]}, "media without places"),
        ({"images": ["a"], "messages": [user([{"type": "text", "text": ASK}]), bot()]}, "media without places"),
        ({"images": ["a"], "messages": [{"role": "system", "content": "."}, bot()]}, "no user turn"),
        ({"messages": [user(ASK)]}, "no answer"),
        ({"messages": [user(ASK), bot(None)]}, "empty answer"),
        ({"messages": [user(ASK), bot(float("nan"))]}, "empty answer"),
        ({"messages": [user(ASK), bot(weight=0)]}, "no answer"),
        ({"messages": [user(ASK), bot(weight=0.5)]}, "unknown weight"),
        ({"messages": [{"role": "narrator", "content": ASK}, bot()]}, "unknown role"),
        ({"messages": [user([{"type": "audio", "audio": "a.wav"}]), bot()]}, "unknown part"),
        ({"text": "a story"}, "no known layout"),
        ({"prompt": ASK, "chosen": SAY, "rejected": "No."}, "preference row"),
        ({"image": [["a.png", "b.png"]], "messages": [user(ASK), bot()]}, "unknown medium"),
        ({"messages": [user(ASK), bot()], "label": False}, "unwanted answer"),
        ({"prompt": ASK, "completion": SAY, "label": False}, "unwanted answer"),
        ({"conversations": [human(ASK), gpt(SAY), human("And?")], "chosen": gpt("So."),
          "rejected": gpt("No.")}, "preference row"),
        ({"instruction": ASK, "output": [SAY, "No."]}, "preference row"),
        ({"chosen_messages": [user(ASK), bot()], "rejected_messages": [user(ASK), bot()]}, "preference row"),
        ({"messages": [user(f"<audio>{ASK}"), bot()], "audios": ["a.mp3"]}, "audio row"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_refused_under_a_reason(record, reason):
    with pytest.raises(LayoutError) as caught:
        read_row(record)
    assert caught.value.reason == reason


def test_a_tag_inside_a_sentence_of_a_row_without_media_is_a_word():
    assert said({"messages": [user("What does <image> stand for?"), bot()]})[0][1] == (
        "What does <image> stand for?",
    )
    stored = {"images": text_value("A page."), "messages": [user("Why is <image> said?"), bot()]}
    assert said(stored)[0][1] == (0, "Why is <image> said?")
    trl = {"images": ["a.png"], "messages": [user("<image> and <image>?"), bot()]}
    assert said(trl, layout="trl")[0][1] == (0, "<image> and <image>?")


def test_turns_keep_their_weights_and_prompts_have_none():
    turns = [user("a"), bot("b", loss=False), user("c"), bot("d", weight=1)]
    assert [t.weight for t in read_row({"messages": turns}).turns] == [None, False, None, True]
    prompt = {"prompt": [user("a"), bot("b"), user("c")], "completion": [bot("d")]}
    assert [t.trained for t in read_row(prompt).turns] == [False, False, False, True]


def test_tool_turns_are_read_whole():
    called = bot(None, tool_calls=[{"function": {"name": "look"}}])
    row = read_row({"messages": [user(ASK), called, {"role": "tool", "content": "full"}, bot()]})
    assert [turn.role for turn in row.turns] == ["user", "assistant", "tool", "assistant"]
    assert row.turns[1].tool_calls == called["tool_calls"]
    shared = [human(ASK), {"from": "function_call", "value": '{"name": "look"}'},
              {"from": "observation", "value": "full"}, gpt(SAY)]  # fmt: skip
    row = read_row({"conversations": shared, "system": "Be brief."})
    assert [turn.role for turn in row.turns] == ["system", "user", "assistant", "tool", "assistant"]
    assert row.turns[2].tool_calls == [{"type": "function", "function": {"name": "look"}}]


def test_bounds_of_clips_reach_their_videos():
    clip = {"video": "v.mp4", "start": "0:02", "end": 5.5, "QA": [{"q": ASK, "a": SAY}]}
    assert read_row(clip).media[0].options == {"start_s": 2.0, "end_s": 5.5}
    two = {"videos": ["v", "w"], "start": [1, 2], "end": [3, None], "messages": [user(ASK), bot()]}
    assert [m.options for m in read_row(two).media] == [
        {"start_s": 1.0, "end_s": 3.0},
        {"start_s": 2.0},
    ]
    part = {"type": "video", "video": "v.mp4", "fps": 2.0, "video_start": 1.0, "video_end": 4.0}
    options = read_row({"messages": [user([part, ASK]), bot()]}).media[0].options
    assert options == {"fps": 2.0, "start_s": 1.0, "end_s": 4.0}
    image = {"image": "a.png", "start": 3, "messages": [user(ASK), bot()]}
    assert read_row(image).media[0].options == {}


def test_base64_urls_bytes_and_images_are_media():
    data = base64.b64encode(b"\x89PNG" + bytes(400)).decode()
    assert shown({"image": data, "messages": [user(ASK), bot()]}) == [
        ("image", b"\x89PNG" + bytes(400))
    ]
    part = {"type": "image", "base64": base64.b64encode(b"x").decode()}
    assert shown({"messages": [user([part]), bot()]}) == [("image", b"x")]
    url = "https://example.com/" + "a" * 300
    assert shown({"image": url, "messages": [user(ASK), bot()]}) == [("image", url)]
    picture = Image.new("L", (4, 4))
    assert shown({"image": picture, "messages": [user(ASK), bot()]}) == [("image", picture)]
    frames = {"videos": [["1.png", "2.png"]], "messages": [user(f"<video>{ASK}"), bot()]}
    assert shown(frames) == [("video", ["1.png", "2.png"])]


def test_a_packed_list_gives_each_of_its_rows():
    packed = [ONE_IMAGE["llava"], dict(ONE_IMAGE["llava"], id="own")]
    assert [row.id for row in rows_of(packed, number=7)] == ["7.0", "own"]
    with pytest.raises(LayoutError, match="rows_of"):
        read_row(packed)


def test_a_named_layout_is_near_or_refused():
    with pytest.raises(LayoutError, match="did you mean 'messages'"):
        read_row({"messages": []}, layout="message")
    with pytest.raises(LayoutError, match=r"keys \['story'\].*messages, conversations"):
        read_row({"story": "x"})
    assert set(LAYOUTS) >= {"messages", "conversations", "prompt-completion"}


def test_rows_read_the_same_after_arrow_filled_them_with_nones():
    records = [
        ONE_IMAGE["parts, inline"],
        {"messages": [user([{"type": "text", "text": "x"}]), bot()]},
    ]
    records = [
        {"messages": [{"role": t["role"], "content": t["content"] if isinstance(t["content"], list)
                       else [{"type": "text", "text": t["content"]}]} for t in r["messages"]]}
        for r in records
    ]  # fmt: skip
    for stored, record in zip(Dataset.from_list(records), records, strict=True):
        assert said(stored) == said(record) and shown(stored) == shown(record)


@given(st.lists(st.sampled_from(["<image>", "word", " ", "\n"]), min_size=1, max_size=9))
def test_no_picture_is_lost_and_no_word(parts):
    n = parts.count("<image>")
    names = [f"{at}.png" for at in range(n)]
    row = read_row({"images": names, "messages": [user("".join(parts)), bot()]})
    places = [part for part in row.turns[0].parts if not isinstance(part, str)]
    assert places == list(range(n)) and [m.value for m in row.media] == names
    assert row.turns[0].text.count("word") == parts.count("word")


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, "Why?"),
        ({"context": "It rains."}, "It rains.\nWhy?"),
        ({"context": float("nan"), "options": None}, "Why?"),
        ({"options": ["wet", "dry"]}, "Why?\nA. wet\nB. dry"),
        ({"options": ["A. wet", "B. dry"]}, "Why?\nA. wet\nB. dry"),
        ({"options": ["(A) wet", "(B) dry"]}, "Why?\n(A) wet\n(B) dry"),
        ({"options": {"A": "wet", "B": "dry"}}, "Why?\nA. wet\nB. dry"),
        ({"options": "A. wet B. dry", "context": ""}, "Why?\nA. wet B. dry"),
    ],
)
def test_what_a_question_is_about_and_its_options_are_shown_with_it(more, asked):
    row = read_row({"question": "Why?", "answer": "A", **more})
    assert [turn.text for turn in row.turns] == [asked, "A"]


@pytest.mark.parametrize("nothing", [None, float("nan"), "", "  ", [], [None], [float("nan")]])
def test_a_cell_without_a_value_is_no_medium(nothing):
    record = {
        "image": nothing,
        "videos": nothing,
        "start": float("nan"),
        "query": ASK,
        "response": SAY,
    }
    assert shown(record) == [] and said(record)[0][1] == (ASK,)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"query": ASK, "response": " \n"}, "empty answer"),
        ({"messages": [user(ASK), bot([{"type": "text", "text": float("nan")}])]}, "empty answer"),
        ({"question": ASK, "answer": [None]}, "empty answer"),
        ({"question": ASK, "answer": {"a": 1}}, "unknown content"),
        ({"messages": "not JSON"}, "broken turns"),
        ({"conversations": [3]}, "broken turns"),
        ({"video": "v.mp4", "start": "nan", "query": ASK, "response": SAY}, "unknown bound"),
    ],
)
def test_what_stands_for_nothing_is_never_an_answer(record, reason):
    with pytest.raises(LayoutError) as caught:
        read_row(record)
    assert caught.value.reason == reason


def test_numbers_and_several_wordings_are_answers_and_a_bom_is_no_letter():
    assert said({"question": "\ufeffHow many?", "answer": 3}) == [
        ("user", ("How many?",)),
        ("assistant", ("3",)),
    ]
    assert said({"question": ASK, "answer": [SAY, "left"]})[1][1] == (SAY,)


def test_lists_that_a_table_holds_as_json_are_lists():
    record = {
        "images": '["a.png", "b.png"]',
        "query": ASK,
        "response": SAY,
        "history": '[["a", "b"]]',
    }
    assert shown(record) == [("image", "a.png"), ("image", "b.png")]
    assert said(record)[:2] == [("user", (0, 1, "a")), ("assistant", ("b",))]
    assert said({"QA": json.dumps([{"q": ASK, "a": SAY}]), "video": "v"})[0][1] == (0, ASK)
    assert shown({"image": "[1].png", "query": ASK, "response": SAY}) == [("image", "[1].png")]


@pytest.mark.parametrize(
    ("answer", "options", "wanted"),
    [
        (1, ["wet", "dry"], "B"),
        (0, ["(A) wet", "(B) dry"], "A"),
        (3, ["5", "3"], "3"),
        (7, [], "7"),
        ("B", ["wet", "dry"], "B"),
    ],
)
def test_an_answer_by_place_is_trained_as_its_letter(answer: Any, options: Any, wanted: str):
    row = read_row({"question": "How?", "options": options, "answer": answer})
    assert row.turns[-1].text == wanted


@pytest.mark.parametrize("answer", [2, -1])
def test_a_place_beyond_the_options_is_a_wrong_row(answer: int):
    with pytest.raises(LayoutError, match="among 2 options"):
        read_row({"question": "How?", "options": ["wet", "dry"], "answer": answer})


@pytest.mark.parametrize(
    ("record", "kind", "value"),
    [
        ({"query": "Picture 1: <img>a/b c.png</img>\nWho?", "response": SAY}, "image", "a/b c.png"),
        ({"query": "<video>https://x/a.mp4</video>Who?", "response": SAY}, "video", "https://x/a.mp4"),
        ({"question": ASK, "answer": SAY, "video_path": "v.mp4"}, "video", "v.mp4"),
        ({"question": ASK, "answer": SAY, "image_urls": ["https://x/a.png"]}, "image", "https://x/a.png"),
        ({"video": ["1.png", "2.JPG"], "query": f"<video>{ASK}", "response": SAY}, "video", ["1.png", "2.JPG"]),
        ({"videos": [{"video": "v.mp4", "fps": 2.0}], "messages": [user(f"<video>{ASK}"), bot()]}, "video", "v.mp4"),
        ({"image": "a.png", "prefix": "caption en", "suffix": SAY}, "image", "a.png"),
        ({"messages": [user([{"type": "image", "value": "a.png"}, {"type": "text", "value": ASK}]), bot()]},
         "image", "a.png"),
    ],
)  # fmt: skip
def test_a_medium_is_seen_wherever_tools_write_it(record: Any, kind: str, value: Any):
    assert shown(record) == [(kind, value)]
    row = read_row(record)
    assert row.turns[0].parts.count(0) == 1 and row.turns[0].text.strip()


def test_of_two_columns_for_one_medium_the_usual_one_counts():
    both = {
        "question": ASK,
        "answer": SAY,
        "video": "a.mp4",
        "video_path": "b.mp4",
        "image_path": "",
    }
    assert shown(both) == [("video", "a.mp4")]
    assert said({"query": "What does <img> mean in <b>HTML</b>?", "response": SAY})[0][1] == (
        "What does <img> mean in <b>HTML</b>?",
    )
    kept = read_row({"messages": [user(ASK), bot()], "label": True, "system_prompt": "Be brief."})
    assert [turn.role for turn in kept.turns] == ["system", "user", "assistant"]
    weighted = {"messages": [{**user(ASK), "loss_weight": 0.0}, {**bot(), "loss_weight": 1.0}]}
    assert [turn.weight for turn in read_row(weighted).turns] == [False, True]


IMAGE, VIDEO = {"type": "image", "image": "a.png"}, {"type": "video", "video": "a.mp4"}


@pytest.mark.parametrize(
    "tag",
    ["<image>", "<Image>", "<IMG_CONTEXT>", "<img><IMG_CONTEXT></img>", "<ImageHere>", "<|image|>",
     "<|image_1|>", "<image 1>", "<image_00>", "<image_placeholder>", "<start_of_image>",
     "<image_soft_token>", "(<image>./</image>)", "<vila/image>",
     "<|vision_start|><|image_pad|><|vision_end|>"],
)  # fmt: skip
def test_what_tools_write_where_a_picture_stands_is_never_read_as_words(tag: str) -> None:
    column = {"image": "a.png", "conversations": [human(f"{tag}\n{ASK}"), gpt(SAY)]}
    part = {"messages": [user([IMAGE, {"type": "text", "text": f"{tag}\n{ASK}"}]), assistant(SAY)]}
    for row in (column, part):
        assert said(row)[0] == ("user", (0, ASK))
        assert shown(row) == [("image", "a.png")]


@pytest.mark.parametrize(
    "tag", ["<video>", "<VIDEO>", "<VIDEO_CONTEXT>", "<|video_pad|>", "<video_1>"]
)
def test_the_same_of_videos(tag: str) -> None:
    text = {"type": "text", "text": f"{ASK}\n{tag}"}
    assert said({"messages": [user([VIDEO, text]), assistant(SAY)]})[0] == ("user", (ASK, 0))
    assert said({"video": "a.mp4", "conversations": [human(f"{ASK}\n{tag}"), gpt(SAY)]})[0][1] == (
        ASK,
        0,
    )


def test_parts_and_tags_of_one_turn_are_one_place_each_and_trl_reads_words() -> None:
    both = [IMAGE, VIDEO, {"type": "text", "text": f"<video>\n{ASK}\n<image>"}]
    row = {"messages": [user(both), assistant(SAY)]}
    assert said(row)[0][1] == (0, ASK, 1)
    assert shown(row) == [("video", "a.mp4"), ("image", "a.png")]
    assert said(row, layout="trl")[0][1] == (0, 1, f"<video>\n{ASK}\n<image>")
    word = {"messages": [user([IMAGE, f"What does <image> mean in {ASK}"]), assistant(SAY)]}
    assert said(word)[0][1] == (0, f"What does <image> mean in {ASK}")


def test_numbered_tags_name_their_picture_and_may_name_it_again() -> None:
    talk = [
        human("First <image_02>, then <image_01>."),
        gpt(SAY),
        human("<image_01> again?"),
        gpt(SAY),
    ]
    named = {"<image_01>": "1.png", "<image_02>": "2.png"}
    for pictures in (named, ["1.png", "2.png"]):
        row = {"image": pictures, "conversations": talk}
        assert said(row)[0][1] == ("First ", 0, ", then ", 1, ".")
        assert [value for _, value in shown(row)] == ["2.png", "1.png", "1.png"]
    with pytest.raises(LayoutError, match="1 images or videos but 3 places"):
        read_row({"image": {"<image_01>": "1.png"}, "conversations": talk})


def test_a_list_of_turns_is_one_row() -> None:
    [row] = rows_of([user(ASK), assistant(SAY)])
    assert row.turns == read_row({"messages": [user(ASK), assistant(SAY)]}).turns
    with_text = {"conversations": [human(ASK), {"from": "gpt", "text": SAY}]}
    assert said(with_text) == [("user", (ASK,)), ("assistant", (SAY,))]
