"""What `VideoSFTTrainer` promises: it learns, keeps sources apart, and says which rows failed."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from datasets import Dataset, DatasetDict, Image, List

from t2vid.errors import BadVideo, BudgetError, InputError, MissingExtra, NonFiniteLoss
from t2vid.evaluation.generate import answer
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.models.tiny import IDEFICS3_TEMPLATE, tiny_idefics3
from t2vid.schema import row_features
from t2vid.trainer import VideoCollator, VideoSFTConfig, VideoSFTTrainer
from training_rows import clip, cpu_settings, mixed_rows, row, texts

ROWS = mixed_rows()


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return Dataset.from_list(ROWS, features=row_features(List(Image())))


def settings(folder: Any, **kwargs: Any) -> VideoSFTConfig:
    defaults = {
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "lr_scheduler_type": "constant",
    }
    return cpu_settings(folder, **(defaults | kwargs))


def trainer(rows: Any, folder: Any, *, model: Any = None, **kwargs: Any) -> VideoSFTTrainer:
    extra = {k: kwargs.pop(k) for k in ("peft_config", "eval_dataset", "args") if k in kwargs}
    tiny, processor = tiny_idefics3(texts(ROWS))
    args = extra.pop("args", None) or settings(folder, **kwargs)
    return VideoSFTTrainer(
        model or tiny, args, train_dataset=rows, processing_class=processor, **extra
    )


def logged(run: Any, name: str = "loss") -> list[float]:
    return [line[name] for line in run.state.log_history if name in line]


def test_tiny_idefics3_learns_mixed_rows_by_heart_and_reloads_to_the_same_logits(rows, tmp_path):
    run = trainer(rows, tmp_path, max_steps=80, per_device_train_batch_size=8, learning_rate=3e-3)
    run.train()
    seen = logged(run)
    assert sum(seen[-2:]) < 0.2 * sum(seen[:2])

    model, processor = run.model, run.processing_class
    want = [r["messages"][-1]["content"][0]["text"] for r in ROWS]
    got = answer(model, processor, rows, max_new_tokens=12, batch_size=3)
    assert got == want  # the clips differ only in what is seen in them

    run.save_model(str(tmp_path / "saved"))
    again = type(model).from_pretrained(tmp_path / "saved").eval()
    batch = VideoCollator(processor, "idefics3", segments=False)(list(rows))
    with torch.no_grad():
        assert torch.equal(model.eval()(**batch).logits, again(**batch).logits)


def test_losses_by_source_add_up_to_the_loss(rows, tmp_path):
    run = trainer(rows, tmp_path, max_steps=2, per_device_train_batch_size=8)
    run.train()
    for line in run.state.log_history[:2]:
        by_source = {k: v for k, v in line.items() if k.startswith("loss/")}
        assert set(by_source) == {"loss/clips", "loss/pages", "loss/words"}
        batch = VideoCollator(run.processing_class, "idefics3")(ROWS)
        counts = dict.fromkeys(by_source, 0)
        for s in batch["segments"]:
            counts[f"loss/{s.source}"] += s.n_targets
        mean = sum(by_source[k] * counts[k] for k in counts) / sum(counts.values())
        assert line["loss"] == pytest.approx(mean, rel=1e-4)
        assert line["frames_per_s"] > 0 and 0 < line["padding_share"] < 1
        assert 0 <= line["data_wait_share"] <= 1


@pytest.mark.parametrize("streaming", [False, True])
def test_a_lazy_column_trains_within_its_budget(tmp_path, streaming):
    lazy = [dict(ROWS[4], images=text_value("word " * 115 * 6)), dict(ROWS[7], images=None)]
    data = Dataset.from_list(lazy, features=row_features(Frames()))
    data = data.to_iterable_dataset() if streaming else data
    run = trainer(data, tmp_path, max_steps=2, max_frames=2, per_device_train_batch_size=2)
    batch = next(iter(run.get_train_dataloader()))
    assert sorted(s.n_frames for s in batch["segments"]) == [0, 2]
    run.train()
    assert all(math.isfinite(loss) for loss in logged(run))


def test_rows_of_0_and_64_frames_train_in_one_batch(tmp_path):
    many = row("clip/64", "clips", clip("red", 64), [("user", "?"), ("assistant", "Red.")], 64)
    data = Dataset.from_list([many, ROWS[7]], features=row_features(List(Image())))
    run = trainer(data, tmp_path, max_steps=1, per_device_train_batch_size=2)
    batch = next(iter(run.get_train_dataloader()))
    assert sorted(s.n_frames for s in batch["segments"]) == [0, 64]
    assert batch["frames"].shape == (64, 56, 56, 3)
    run.train()
    assert all(math.isfinite(loss) for loss in logged(run))


def test_each_source_has_its_own_frame_budget(rows, tmp_path):
    budget = {"max_frames": 5, "max_frames_by_source": {"pages": 1}}
    run = trainer(rows, tmp_path, per_device_train_batch_size=8, **budget)
    (batch,) = run.get_train_dataloader()
    shown = {(s.source, s.n_frames) for s in batch["segments"]}
    assert shown == {("clips", 2), ("clips", 5), ("pages", 1), ("words", 0)}


def test_a_budget_for_a_source_without_rows_is_told(rows, tmp_path, caplog):
    trainer(rows, tmp_path, max_frames_by_source={"clip": 1, "pages": 1})
    assert "names 'clip', of which there is no row; the sources are 'clips'" in caplog.text


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_too_coarse_for_a_step_are_told(rows, tmp_path, caplog, dtype):
    model, _ = tiny_idefics3(texts(ROWS))
    trainer(rows, tmp_path, model=model.to(dtype))
    assert ("bfloat16 without a float32 copy" in caplog.text) is (dtype == torch.bfloat16)


def test_a_frozen_vision_tower_does_not_move(rows, tmp_path):
    run = trainer(rows, tmp_path, max_steps=2, freeze_vision=True)
    before = {k: v.clone() for k, v in run.model.state_dict().items()}
    run.train()
    moved = {k for k, v in run.model.state_dict().items() if not torch.equal(v, before[k])}
    assert moved and not any("vision_model" in k for k in moved)
    assert any("connector" in k for k in moved)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft reads it
def test_lora_trains_the_language_model_alone(rows, tmp_path):
    peft = pytest.importorskip("peft")
    from t2vid.models.families import family_of

    config = peft.LoraConfig(r=4, target_modules=family_of("idefics3").lora_pattern)
    run = trainer(rows, tmp_path, max_steps=2, peft_config=config)
    names = [name for name, p in run.model.named_parameters() if p.requires_grad]
    assert names and all("text_model" in name and "lora_" in name for name in names)
    run.train()
    assert logged(run, "loss/clips")


def test_evaluation_logs_losses_by_source(rows, tmp_path):
    run = trainer(rows, tmp_path, eval_dataset=rows, max_steps=1)
    metrics = run.evaluate()
    run.log(metrics)
    assert metrics["eval_loss"] > 0
    assert any("eval_loss/clips" in line for line in run.state.log_history)


def test_out_of_memory_names_the_rows_their_size_and_what_to_lower(rows, tmp_path, monkeypatch):
    run = trainer(rows, tmp_path, max_steps=1, per_device_train_batch_size=8)

    def out_of_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(run.model.model.text_model, "forward", out_of_memory)
    with pytest.raises(torch.OutOfMemoryError) as caught:
        run.train()
    rows_note, move = caught.value.__notes__
    assert "'clip/3' of 'clips' (11 frames)" in rows_note and "(8 x " in rows_note
    assert "max_tokens_per_batch" in move


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_names_the_row_it_comes_from(rows, tmp_path, value):
    run = trainer(rows, tmp_path, max_steps=1, per_device_train_batch_size=8)
    token = run.processing_class.tokenizer("green", add_special_tokens=False)["input_ids"][0]
    alone = [r["id"] for r in ROWS if token in _ids(run, r)]
    assert alone == ["clip/1"]

    def spoil(module: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
        return output.masked_fill((args[0] == token).unsqueeze(-1), value)

    run.model.get_input_embeddings().register_forward_hook(spoil)
    with pytest.raises(
        NonFiniteLoss, match=r"at step 1, from these rows.*: 'clip/1' of 'clips'"
    ) as e:
        run.train()
    assert "'clip/2'" not in str(e.value)


def test_broken_weights_are_told_from_a_broken_row(rows, tmp_path):
    run = trainer(rows, tmp_path, max_steps=1, per_device_train_batch_size=8)
    run.model.lm_head.weight.data.fill_(float("nan"))
    with pytest.raises(NonFiniteLoss, match="all of its rows, so the weights may be broken"):
        run.train()
    again = trainer(rows, tmp_path, max_steps=1, on_nan="ignore")
    again.model.lm_head.weight.data.fill_(float("nan"))
    again.train()


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.filterwarnings("ignore:.*pin_memory:UserWarning")
def test_a_bad_video_names_its_row_and_its_file(tmp_path, workers):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"\0" * 64)
    one = dict(ROWS[1], images=video_value(bad))
    data = Dataset.from_list([one, dict(one, id="clip/x")], features=row_features(Frames()))
    run = trainer(data, tmp_path, max_steps=1, dataloader_num_workers=workers)
    with pytest.raises(BadVideo, match=r"sample 'clip/\w' of 'clips': .*bad\.mp4"):
        run.train()


def _ids(run: VideoSFTTrainer, row: Any) -> list[int]:
    return list(run.data_collator.encode(row).ids)


def test_a_row_that_is_too_long_stops_the_run_with_its_numbers(rows, tmp_path):
    run = trainer(rows, tmp_path, max_steps=1, max_length=64, per_device_train_batch_size=8)
    with pytest.raises(BudgetError, match=r"sample 'clip/\d' needs"):
        run.train()


def test_a_chat_template_of_ones_own_is_used_and_marks_the_answers(rows, tmp_path):
    path = tmp_path / "own.jinja"
    path.write_text(IDEFICS3_TEMPLATE.replace("Assistant:", "Bot:"))
    run = trainer(rows, tmp_path, chat_template_path=str(path))
    ids = run.data_collator.encode(ROWS[7])
    text = run.processing_class.tokenizer.decode(ids.ids)
    assert "\nBot: Four." in text and "Assistant" not in text
    assert run.processing_class.tokenizer.decode(ids.ids[ids.in_loss]) == " Four.<end_of_utterance>"


def test_a_plain_sft_config_is_taken_over(rows, tmp_path):
    from trl import SFTConfig

    plain = SFTConfig(
        str(tmp_path),
        use_cpu=True,
        bf16=False,
        report_to="none",
        max_steps=7,
        activation_checkpointing=False,
    )
    run = trainer(rows, tmp_path, args=plain)
    assert isinstance(run.args, VideoSFTConfig)
    assert run.args.max_steps == 7 and run.args.max_length is None


@pytest.mark.parametrize("bad", [{"loss_on": "all"}, {"max_frames": 0}, {"packing": True}])
def test_settings_out_of_range_are_refused(tmp_path, bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        settings(tmp_path, **bad)


@pytest.mark.parametrize("pack", [False, True])
def test_a_token_budget_trains_every_row_once_and_resumes_with_the_next(rows, tmp_path, pack):
    budget = {"max_tokens_per_batch": 200, "pack": pack, "num_train_epochs": 2, "save_steps": 3}
    run = trainer(rows, tmp_path, save_strategy="steps", **budget)
    seen = [s.id for batch in run.get_train_dataloader() for s in batch["segments"]]
    assert sorted(seen) == sorted(r["id"] for r in ROWS)
    run.train()
    whole = [(line["step"], line["loss"]) for line in run.state.log_history if "loss" in line]
    if pack:
        assert logged(run, "padding_share")[0] == 0
    again = trainer(rows, tmp_path, save_strategy="no", **budget)
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-3"))
    rest = [(line["step"], line["loss"]) for line in again.state.log_history if "loss" in line]
    assert [step for step, _ in rest] == [step for step, _ in whole]
    assert [loss for _, loss in rest] == pytest.approx([loss for _, loss in whole])


def test_one_line_in_a_job_script_begins_and_goes_on_from_the_last_whole_checkpoint(
    rows, tmp_path, caplog
):
    kept = {"save_strategy": "steps", "save_steps": 2, "max_steps": 4}
    run = trainer(rows, tmp_path / "run", **kept)
    run.train(resume_from_checkpoint=True)
    assert "goes on from the beginning" in caplog.text and run.state.global_step == 4
    losses = [line["loss"] for line in run.state.log_history if "loss" in line]
    (tmp_path / "run" / "checkpoint-4" / "trainer_state.json").unlink()  # killed while writing it
    again = trainer(rows, tmp_path / "run", **kept)
    again.train(resume_from_checkpoint=True)
    assert f"goes on from {tmp_path / 'run' / 'checkpoint-2'}" in caplog.text
    assert [x["loss"] for x in again.state.log_history if "loss" in x] == pytest.approx(losses)


def test_group_by_length_knows_the_lengths(rows, tmp_path):
    run = trainer(rows, tmp_path, train_sampling_strategy="group_by_length")
    want = [len(run.data_collator.encode(r).ids) for r in ROWS]
    assert list(run._get_train_sampler().lengths) == want
    run.train()


def test_lengths_of_a_stream_are_refused_not_forgotten(rows, tmp_path):
    stream = rows.to_iterable_dataset()
    run = trainer(stream, tmp_path, train_sampling_strategy="group_by_length", max_steps=1)
    with pytest.raises(InputError, match="map-style"):
        run.train()


def test_a_row_over_the_token_budget_is_named(rows, tmp_path):
    with pytest.raises(BudgetError, match=r"row '(clip|text)/\d' needs \d+ tokens"):
        trainer(rows, tmp_path, max_tokens_per_batch=60).train()


def test_the_share_of_the_peak_is_logged_where_the_peak_is_known(rows, tmp_path):
    run = trainer(rows, tmp_path, max_steps=1, gpu_tflops=0.001)
    run.train()
    line = run.state.log_history[0]
    batch = next(iter(run.get_train_dataloader()))
    lengths = [s.end - s.start for s in batch["segments"]]
    frames = sum(s.n_frames for s in batch["segments"])
    a_second = run._meter._work.of(lengths, frames=frames) * line["tokens_per_s"] / sum(lengths)
    assert line["mfu"] == pytest.approx(a_second / 1e9, rel=1e-3)
    quiet = trainer(rows, tmp_path, max_steps=1)
    quiet.train()
    assert "mfu" not in quiet.state.log_history[0]  # of a processor no peak is known


def test_a_checkpoint_may_hold_the_model_alone(rows, tmp_path):
    run = trainer(
        rows, tmp_path, max_steps=1, save_strategy="steps", save_steps=1, save_only_model=True
    )
    run.train()
    names = {path.name for path in (tmp_path / "checkpoint-1").iterdir()}
    assert "model.safetensors" in names and "trainer_state.json" in names
    assert not names & {"optimizer.pt", "scheduler.pt", "rng_state.pth"}


def test_liger_kernels_that_are_not_there_are_refused_with_their_package(tmp_path, monkeypatch):
    from t2vid.trainer import config

    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="pip install liger-kernel"):
        settings(tmp_path, use_liger_kernel=True, pack=True, max_tokens_per_batch=400)


def test_activations_are_offloaded_from_a_gpu_alone(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    with pytest.raises(InputError, match="activation_offloading needs a GPU"):
        trainer(rows, tmp_path, activation_offloading=True)


PLAIN = [{"prompt": "Which cup?", "completion": "The left."}] * 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"train_dataset": DatasetDict(train=Dataset.from_list(PLAIN))}, "splits 'train'"),
        ({"train_dataset": Dataset.from_list(PLAIN).select([])}, "has no rows"),
        ({"train_dataset": range(3)}, "a range"),
        ({"eval_dataset": {"easy": []}}, r"eval_dataset\['easy'\] has no rows"),
        ({"formatting_func": str}, "formatting_func"),
        ({"processing_class": tiny_idefics3(["So."])[1].tokenizer}, "takes no frames"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_before_any_work(tmp_path, given, said):
    model, processor = tiny_idefics3(["Which cup? The left."])
    named = {"train_dataset": PLAIN, "processing_class": processor} | given
    with pytest.raises(InputError, match=said):
        VideoSFTTrainer(model, cpu_settings(tmp_path), **named)


def test_a_list_of_rows_is_a_dataset(tmp_path):
    run = trainer(PLAIN, tmp_path)
    assert len(run.train_dataset) == len(PLAIN)


def test_a_row_without_an_id_is_named_by_how_it_begins():
    _, processor = tiny_idefics3(["So."])
    with pytest.raises(InputError, match="'colour': 'green'"):
        VideoCollator(processor, "idefics3")([{"colour": "green"}])
