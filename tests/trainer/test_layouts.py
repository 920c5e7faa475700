"""Rows of every layout train with their pictures; what cannot be trained on is refused or counted."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, Features, Image, List, Value
from PIL import Image as Pillow

from media import make_clip
from t2vid.errors import InputError, LayoutError
from t2vid.models.prompts import tokenise, training_template
from t2vid.models.rows import RowEncoder
from t2vid.models.tiny import tiny_idefics3
from t2vid.trainer import VideoCollator, VideoSFTTrainer
from t2vid.trainer.collator import Dropped
from training_rows import cpu_settings

ASK, SAY = "Which cup is full?", "The left one."
WORDS = [ASK, SAY, "Look: and yes no at the other", "<end_of_utterance> <image>"]


@pytest.fixture(scope="module")
def tiny() -> tuple[Any, Any]:
    return tiny_idefics3(WORDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Any:
    path = tmp_path_factory.mktemp("media")
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Pillow.new("RGB", (56, 56), colour).save(path / name)
    make_clip(path / "v.mp4", size=(96, 64))
    return path


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def bot(content: Any = SAY, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def text_of(processor: Any, batch: dict[str, Any]) -> str:
    return processor.tokenizer.decode(batch["input_ids"][0])


LAYOUTS = {
    "trl image": {"image": "a.png", "messages": [user(ASK), bot()]},
    "trl images": {"images": ["a.png"], "messages": [user(ASK), bot()]},
    "inline part": {
        "messages": [
            user([{"type": "image", "image": "a.png"}, {"type": "text", "text": ASK}]),
            bot([{"type": "text", "text": SAY}]),
        ]
    },
    "tag": {"images": ["a.png"], "messages": [user(f"<image>{ASK}"), bot()]},
    "llava": {
        "image": "a.png",
        "conversations": [{"from": "human", "value": f"<image>\n{ASK}"}, {"from": "gpt", "value": SAY}],
    },
    "prompt": {"image": "a.png", "prompt": ASK, "completion": SAY},
    "swift": {"query": f"<image>{ASK}", "response": SAY, "images": ["a.png"]},
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_batch_of_every_other(tiny, folder, name):
    collate = VideoCollator(tiny[1], "idefics3", folder=str(folder))
    batch, want = collate([LAYOUTS[name]]), collate([LAYOUTS["trl images"]])
    for key in ("input_ids", "labels", "pixel_values"):
        assert torch.equal(batch[key], want[key]), key
    assert batch["pixel_values"].shape[1] == 1


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_trains_with_its_pictures(tiny, folder, tmp_path, name, caplog):
    record = {**LAYOUTS[name], "id": "r"}
    data = Dataset.from_list([record] * 2)
    run = VideoSFTTrainer(
        tiny[0],
        cpu_settings(tmp_path, max_steps=1, media_dir=str(folder)),
        train_dataset=data,
        processing_class=tiny[1],
    )
    (batch,) = list(run.get_train_dataloader())[:1]
    assert batch["frames"].shape[0] == len(batch["segments"]) > 0
    with caplog.at_level(logging.WARNING):
        run.train()
    assert (
        "training on 2 rows; the first 2 show 1, 1 pictures; pictures of 'r' at tokens"
        in caplog.text
    )


def test_a_column_of_videos_is_shown_frame_by_frame(tiny, folder):
    collate = VideoCollator(tiny[1], "idefics3", folder=str(folder), max_frames=3)
    row = {"videos": ["v.mp4"], "messages": [user(f"Look: <video>{ASK}"), bot()]}
    batch = collate([row])
    assert batch["pixel_values"].shape[1] == 3
    text = text_of(tiny[1], batch)
    assert text.index("Look:") < text.index("<image>") < text.rindex("<image>") < text.index(ASK)


@pytest.mark.parametrize(
    ("options", "n"),
    [
        ({"nframes": 3}, 4),
        ({"fps": 1.0, "max_frames": 2}, 2),
        ({"video_start": 0, "video_end": 1}, 1),
    ],
)
def test_a_video_part_says_how_it_is_sampled(tiny, folder, options, n):
    part = {"type": "video", "video": str(folder / "v.mp4"), "max_pixels": 100352, **options}
    row = {"messages": [user([part, {"type": "text", "text": ASK}]), bot()]}
    encoded = RowEncoder(tiny[1], family="idefics3")(row)
    assert encoded.n_frames == n


@pytest.mark.parametrize("column", ["image", "images", "videos"])
def test_tensors_are_the_pictures_they_hold(tiny, folder, column):
    model, processor = tiny
    frames = np.stack([np.asarray(Pillow.open(folder / name)) for name in ("a.png", "b.png")])
    tensors = torch.from_numpy(frames).permute(0, 3, 1, 2)
    shown = [Pillow.fromarray(one) for one in frames]
    given: Any = {"image": (tensors[0], shown[0]), "images": (tensors, shown)}
    given["videos"] = [tensors], [shown]
    collate = VideoCollator(processor, family="idefics3")
    turns = [user(ASK), bot()]
    ours, theirs = (collate([{"messages": turns, column: one}]) for one in given[column])
    assert torch.equal(ours["pixel_values"], theirs["pixel_values"])


def test_a_picture_between_two_texts_stays_there(tiny, folder):
    parts = [{"type": "text", "text": "Look:"}, {"type": "image"}, {"type": "text", "text": ASK}]
    row = {"images": ["a.png"], "messages": [user(parts), bot()]}
    text = text_of(tiny[1], VideoCollator(tiny[1], "idefics3", folder=str(folder))([row]))
    assert text.index("Look:") < text.index("<image>") < text.index(ASK)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [user(f"<image>{ASK}"), bot()]},
        {"images": [], "messages": [user([{"type": "image"}, {"type": "text", "text": ASK}]), bot()]},
        {"images": ["a.png", "b.png"], "messages": [user(f"<image>{ASK}"), bot()]},
    ],
)  # fmt: skip
def test_places_without_pictures_and_pictures_without_places_are_errors(tiny, folder, row):
    with pytest.raises(LayoutError, match="places for them"):
        VideoCollator(tiny[1], "idefics3", folder=str(folder))([row])


def test_budgets_cut_pictures_with_their_places(tiny, folder):
    names = ["a.png", "b.png"] * 3
    row = {"images": names, "messages": [user("<image>" * 5 + "and<image>?"), bot()]}
    batch = VideoCollator(tiny[1], "idefics3", folder=str(folder), max_frames=2)([row])
    text = text_of(tiny[1], batch)
    assert batch["pixel_values"].shape[1] == 2
    assert text.index("<image>") < text.index("and") < text.rindex("<image>")


def test_special_words_in_a_text_stay_words(tiny):
    processor = tiny[1]
    word = "<end_of_utterance>"
    row = {"messages": [user(f"Look: {word} and <image> yes"), bot(f"no {word}")]}
    encoded = RowEncoder(processor, family="idefics3")(row)
    end = processor.tokenizer.convert_tokens_to_ids(word)
    assert int((encoded.ids == end).sum()) == 2  # the ends of the two turns
    assert not (encoded.ids == processor.image_token_id).any()
    text = processor.tokenizer.decode(encoded.ids)
    assert f"Look: {word} and <image> yes" in text and f"no {word}" in text


def test_weights_of_turns_decide_what_is_learned(tiny):
    processor = tiny[1]
    turns = [user("Look:"), bot("yes", weight=0), user("and"), bot("no", weight=1)]
    encode = RowEncoder(processor, family="idefics3")

    def learned(row: dict[str, Any], encoder: RowEncoder = encode) -> str:
        encoded = encoder(row)
        return processor.tokenizer.decode(encoded.ids[encoded.in_loss])

    assert learned({"messages": turns}) == " no<end_of_utterance>"
    prompt = {"prompt": turns[:3], "completion": [bot("no")]}
    assert learned(prompt) == " no<end_of_utterance>"
    whole = RowEncoder(processor, family="idefics3", loss_on="conversation")
    assert "yes" not in learned({"messages": turns}, whole) and "and" in learned(
        {"messages": turns}, whole
    )
    assert learned(prompt, whole).startswith(" no<end_of_utterance>")
    everything = RowEncoder(
        processor, family="idefics3", loss_on="conversation", prompt_in_loss=True
    )
    assert "yes" in learned(prompt, everything)


def test_the_answers_of_trl_options_mean_the_same_here(tmp_path):
    assert (
        cpu_settings(tmp_path, assistant_only_loss=True, loss_on="conversation").loss_on == "answer"
    )
    assert cpu_settings(tmp_path, completion_only_loss=False).loss_on == "conversation"


def test_tool_turns_are_refused_where_the_template_writes_none(tiny):
    call = bot(None, tool_calls=[{"type": "function", "function": {"name": "look"}}])
    row = {"messages": [user(ASK), call, {"role": "tool", "content": "full"}, bot()]}
    with pytest.raises(LayoutError, match="tool_calls") as caught:
        RowEncoder(tiny[1], family="idefics3")(row)
    assert caught.value.reason == "tool turns"


def test_a_template_that_knows_tools_gets_them(tiny):
    own = training_template(tiny[1]).replace(
        "{% generation %}",
        "{% generation %}{{ message['tool_calls'] }}{{ message['role'] == 'tool' }}",
    )
    turns = [
        {"role": "user", "content": [{"type": "text", "text": ASK}]},
        {"role": "assistant", "content": [], "tool_calls": [{"name": "look"}]},
    ]
    assert "look" in tiny[1].tokenizer.decode(tokenise(tiny[1], own, turns).ids)


def long_row(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "source": "clips",
        "images": [Pillow.new("RGB", (56, 56), "red")] * 24,
        "messages": [user([{"type": "image"}] * 24 + [{"type": "text", "text": ASK}]), bot()],
    }


def test_long_rows_are_shown_with_fewer_frames_or_left_out_and_counted(tiny, folder):
    short = {"id": "s", "source": "clips", "images": [], "messages": [user(ASK), bot()]}
    few = VideoCollator(tiny[1], "idefics3", max_length=128, on_long="fewer_frames")
    batch = few([long_row("l"), short])
    assert batch["input_ids"].shape[1] <= 128 and 0 < batch["segments"][0].n_frames < 24
    assert "dropped" not in batch
    skip = VideoCollator(tiny[1], "idefics3", max_length=128, on_long="skip")(
        [long_row("l"), short]
    )
    assert [s.id for s in skip["segments"]] == ["s"] and skip["dropped"] == [
        Dropped("l", "clips", "too long")
    ]


def test_a_batch_of_bad_rows_alone_trains_nothing_and_goes_on(tiny, folder):
    bad = {"id": "b", "source": "clips", "images": ["no.png"], "messages": [user(ASK), bot()]}
    batch = VideoCollator(tiny[1], "idefics3", folder=str(folder), on_bad="skip")([bad])
    assert (batch["labels"] == -100).all() and batch["segments"] == []
    assert batch["dropped"] == [Dropped("b", "clips", "unreadable")]


def test_a_run_counts_what_it_left_out(tiny, folder, tmp_path, caplog):
    rows = [
        {"id": f"r{at}", "source": "s", "images": [name], "messages": [user(ASK), bot()]}
        for at, name in enumerate(["a.png", "no.png", "b.png", "no.png"])
    ]
    run = VideoSFTTrainer(
        tiny[0],
        cpu_settings(
            tmp_path,
            max_steps=4,
            per_device_train_batch_size=1,
            on_bad="skip",
            media_dir=str(folder),
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tiny[1],
    )
    with caplog.at_level(logging.WARNING):
        run.train()
    assert run.dropped.dropped == {"unreadable": 2}
    assert sorted(run.dropped.examples["unreadable"]) == ["r1", "r3"]
    assert "rows left out" in caplog.text
    assert all(np.isfinite(line["loss"]) for line in run.state.log_history if "loss" in line)


@pytest.mark.parametrize(("on_long", "n_rows"), [("skip", 2), ("fewer_frames", 3)])
def test_a_token_budget_leaves_out_or_shortens_rows_over_it(tiny, tmp_path, on_long, n_rows):
    rows = [long_row("l")] + [
        {"id": f"s{at}", "source": "s", "images": [], "messages": [user(ASK), bot()]}
        for at in (0, 1)
    ]
    part = {"type": Value("string"), "text": Value("string")}
    turns = List({"role": Value("string"), "content": List(part)})
    for row in rows:
        for turn in row["messages"]:
            parts = (
                [{"type": "text", "text": turn["content"]}]
                if isinstance(turn["content"], str)
                else turn["content"]
            )
            turn["content"] = [{"type": p["type"], "text": p.get("text")} for p in parts]
    features = Features(
        id=Value("string"), source=Value("string"), images=List(Image()), messages=turns
    )
    run = VideoSFTTrainer(
        tiny[0],
        cpu_settings(tmp_path, max_tokens_per_batch=100, on_long=on_long, num_train_epochs=1),
        train_dataset=Dataset.from_list(rows, features=features),
        processing_class=tiny[1],
    )
    seen = [s.id for batch in run.get_train_dataloader() for s in batch["segments"]]
    assert len(seen) == n_rows and run.dropped.dropped.get("too long", 0) == 3 - n_rows


def test_each_evaluation_set_logs_under_its_own_name(tiny, tmp_path):
    row = {"source": "s", "images": [], "messages": [user(ASK), bot()]}
    data = Dataset.from_list([row] * 2)
    run = VideoSFTTrainer(
        tiny[0],
        cpu_settings(tmp_path, max_steps=1, eval_strategy="steps", eval_steps=1),
        train_dataset=data,
        eval_dataset={"first": data, "second": data},
        processing_class=tiny[1],
    )
    run.train()
    logged = {key for line in run.state.log_history for key in line}
    assert {"eval_first_loss/s", "eval_second_loss/s"} <= logged


@pytest.mark.filterwarnings("ignore:.*return_outputs.*:FutureWarning")
def test_metrics_see_words_not_logits(tiny, tmp_path):
    row = {"source": "s", "images": [], "messages": [user(ASK), bot()]}
    data = Dataset.from_list([row] * 3)
    shapes = []

    def metrics(found: Any) -> dict[str, float]:
        shapes.append((found.predictions.shape, found.label_ids.shape))
        return {"n": len(found.predictions)}

    run = VideoSFTTrainer(
        tiny[0],
        cpu_settings(tmp_path, max_steps=1),
        train_dataset=data,
        eval_dataset=data,
        processing_class=tiny[1],
        compute_metrics=metrics,
    )
    assert run.evaluate()["eval_n"] == 3
    assert shapes[0][0] == shapes[0][1]
    assert run.predict(data).predictions.shape == shapes[0][1]


def test_a_row_of_no_layout_says_what_was_expected(tiny, tmp_path):
    run = VideoSFTTrainer(
        tiny[0],
        cpu_settings(tmp_path, max_steps=1),
        train_dataset=Dataset.from_list([{"story": "x"}] * 2),
        processing_class=tiny[1],
    )
    with pytest.raises(
        InputError, match=r"keys \['images', 'story'\] fits no known layout; expected"
    ):
        run.train()
