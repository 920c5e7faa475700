"""What training the port promises: it learns, reloads, packs, adapts and answers as any family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, Image, List
from PIL import Image as Pictures
from safetensors.torch import load_file

import t2vid
from benchmark_rows import make_rows
from media import make_clip
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.generate import answer
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import sample_video
from t2vid.models.families import family_of
from t2vid.models.tiny import tiny_minicpm
from t2vid.pages.batch import inspect
from t2vid.schema import row_features
from t2vid.trainer import VideoCollator, VideoSFTTrainer, train
from t2vid.trainer.check import check
from training_rows import clip, cpu_settings, mixed_rows, row, texts

ROWS = mixed_rows()


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return Dataset.from_list(ROWS, features=row_features(List(Image())))


@pytest.fixture(scope="module")
def tiny() -> tuple[Any, Any]:
    return tiny_minicpm(texts(ROWS))


def trainer(rows: Any, folder: Any, *, model: Any = None, **kwargs: Any) -> VideoSFTTrainer:
    config = kwargs.pop("peft_config", None)
    tiny, processor = tiny_minicpm(texts(ROWS))
    settings = {
        "per_device_train_batch_size": 8,
        "learning_rate": 3e-3,
        "lr_scheduler_type": "constant",
    }
    args = cpu_settings(folder, **(settings | kwargs))
    if model is None:
        return VideoSFTTrainer(
            tiny, args, train_dataset=rows, processing_class=processor, peft_config=config
        )
    return VideoSFTTrainer(model, args, train_dataset=rows)


def logged(run: Any) -> list[float]:
    return [line["loss"] for line in run.state.log_history if "loss" in line]


@pytest.fixture(scope="module")
def learned(rows: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("learned")
    run = trainer(rows, folder, max_steps=100)
    run.train()
    run.save_model(str(folder / "saved"))
    return run, folder / "saved"


def test_it_learns_mixed_rows_by_heart_and_reloads_to_the_same_logits(rows, learned):
    run, saved = learned
    seen = logged(run)
    assert sum(seen[-2:]) < 0.2 * sum(seen[:2])
    want = [r["messages"][-1]["content"][0]["text"] for r in ROWS]
    got = answer(run.model, run.processing_class, rows, max_new_tokens=12, batch_size=3)
    assert got == want  # the clips differ only in what is seen in them

    again = type(run.model).from_pretrained(saved).eval()
    batch = VideoCollator(run.processing_class, "minicpmv", segments=False)(list(rows))
    with torch.no_grad():
        assert torch.equal(run.model.eval()(**batch).logits, again(**batch).logits)
    assert {name.split(".")[0] for name in load_file(saved / "model.safetensors")} == {
        "llm",
        "vpm",
        "resampler",
    }


def test_a_saved_folder_goes_on_training_by_its_name(rows, learned, tmp_path):
    run = trainer(rows, tmp_path, model=str(learned[1]), max_steps=1)
    assert run.family.name == "minicpm"
    run.train()
    assert logged(run)[0] < 0.2 * logged(learned[0])[0]


def test_a_saved_folder_is_asked_about_a_video(learned, tmp_path):
    clips = [make_clip(tmp_path / "0.mp4", seconds=2, fps=5)]
    asked = make_rows(clips * 4)[:2]
    run = t2vid.evaluate(
        str(learned[1]), asked, EvalConfig(frames=4, max_new_tokens=3), out=tmp_path / "run"
    )
    lines = run.answers()
    assert len(lines) == 2 and all(line["n_frames"] > 1 for line in lines)
    assert all(line["prediction"] and not line.get("error") for line in lines)


def test_packed_rows_have_the_losses_of_rows_alone(tiny):
    model, processor = tiny
    packed = VideoCollator(processor, "minicpmv", pack=True)(ROWS)
    segments, labels = packed.pop("segments"), packed.pop("labels")
    assert packed["input_ids"].shape[0] == 1 and "attention_mask" not in packed
    collate = VideoCollator(processor, "minicpmv", segments=False)
    with torch.no_grad():
        logits = model(**packed).logits
        for one, segment in zip(ROWS, segments, strict=True):
            want = model(**collate([one])).loss
            here = slice(segment.start, segment.end)
            got = torch.nn.functional.cross_entropy(
                logits[0, here][:-1], labels[0, here][1:], ignore_index=-100
            )
            assert torch.allclose(got, want, atol=1e-4)


def test_a_row_does_not_feel_its_neighbours(tiny):
    model, processor = tiny
    wide = row("w", "s", clip("red", 2, (300, 60)), [("user", "?"), ("assistant", "!")], 2)
    rows = [*ROWS, wide]  # of another shape than the rest
    collate = VideoCollator(processor, "minicpmv", segments=False)
    with torch.no_grad():
        whole = model(**collate(rows)).logits
        for i, r in enumerate(rows):
            alone = model(**collate([r])).logits[0]
            assert torch.allclose(whole[i, : len(alone)], alone, atol=1e-4)


def test_answers_see_frames_once_and_stop_at_the_end_of_a_turn(monkeypatch):
    model, processor = tiny_minicpm(texts(ROWS))
    model.config.use_cache = model.generation_config.use_cache = False  # as training leaves it
    published = processor.tokenizer.pad_token_id  # <|end_of_text|>, which ends no turn of the chat
    model.generation_config.eos_token_id = published
    generate, asked, seen = model.generate, {}, []
    monkeypatch.setattr(model, "generate", lambda **kw: asked.update(kw) or generate(**kw))
    model.model.vpm.register_forward_hook(lambda *_: seen.append(1))
    answer(model, processor, ROWS[:1], max_new_tokens=4)
    assert len(seen) == 1 and asked["use_cache"]
    assert set(asked["eos_token_id"]) == {published, processor.tokenizer.eos_token_id}


def test_answers_do_not_depend_on_the_batch(tiny):
    alone = answer(*tiny, ROWS, max_new_tokens=6, batch_size=1)
    assert alone == answer(*tiny, ROWS, max_new_tokens=6, batch_size=5)


def test_bytes_are_normalised_on_the_device_to_the_same_loss(rows, tiny, tmp_path):
    run = trainer(rows, tmp_path, max_steps=1)
    batch = next(iter(run.get_train_dataloader()))
    assert batch["frames"].dtype == torch.uint8 and "pixel_values" not in batch
    ready = run._prepare_inputs(batch)
    ready.pop("segments")
    with torch.no_grad():
        loss = run.model.eval()(**ready).loss
        order = [s.id for s in next(iter(run.get_train_dataloader()))["segments"]]
        same = sorted(ROWS, key=lambda r: order.index(r["id"]))
        plain = VideoCollator(run.processing_class, "minicpmv", segments=False, pixels="processor")
        assert torch.allclose(loss, run.model(**plain(same)).loss, atol=1e-5)


def test_a_dummy_frame_changes_no_loss(tiny):
    model, processor = tiny
    plain = VideoCollator(processor, "minicpmv", segments=False)([ROWS[-1]])
    dummy = VideoCollator(processor, "minicpmv", segments=False, dummy_frame=True)([ROWS[-1]])
    assert "pixel_values" not in plain and len(dummy["pixel_values"]) == 1
    with torch.no_grad():
        assert torch.allclose(model(**plain).loss, model(**dummy).loss, atol=1e-6)


@pytest.mark.parametrize("pack", [False, True])
def test_a_token_budget_trains_every_row_once(rows, tmp_path, pack):
    run = trainer(rows, tmp_path, max_tokens_per_batch=200, pack=pack, num_train_epochs=1)
    seen = [s.id for batch in run.get_train_dataloader() for s in batch["segments"]]
    assert sorted(seen) == sorted(r["id"] for r in ROWS)
    run.train()
    assert logged(run)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft reads it
def test_lora_trains_the_llm_alone_and_reloads(rows, tmp_path):
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=4, target_modules=family_of("minicpmv").lora_pattern)
    run = trainer(rows, tmp_path, max_steps=3, peft_config=config, learning_rate=1e-2)
    names = [name for name, p in run.model.named_parameters() if p.requires_grad]
    assert names and all("llm" in name and "lora_" in name for name in names)
    for kind in ("q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"):
        assert any(kind in name for name in names)
    run.train()
    run.save_model(str(tmp_path / "adapter"))
    fresh = peft.PeftModel.from_pretrained(tiny_minicpm(texts(ROWS))[0], tmp_path / "adapter")
    batch = VideoCollator(run.processing_class, "minicpmv", segments=False)(ROWS)
    with torch.no_grad():
        want = run.model.eval()(**batch).logits
        assert torch.equal(want, fresh.eval()(**batch).logits)
        untrained = tiny_minicpm(texts(ROWS))[0]
        assert not torch.allclose(want, untrained(**batch).logits, atol=1e-3)
        merged = fresh.merge_and_unload()
        assert torch.allclose(want, merged(**batch).logits, atol=1e-4)


def test_a_frozen_vision_tower_does_not_move(rows, tmp_path):
    run = trainer(rows, tmp_path, max_steps=2, freeze_vision=True)
    before = {k: v.clone() for k, v in run.model.state_dict().items()}
    run.train()
    moved = {k for k, v in run.model.state_dict().items() if not torch.equal(v, before[k])}
    assert not any(".vpm." in k for k in moved)
    assert any(".resampler." in k for k in moved) and any("llm" in k for k in moved)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Rows as a mix stores them: a text and a video, neither drawn nor decoded."""
    film = make_clip(tmp_path / "clip.mp4", size=(640, 360), seconds=2, fps=5)
    lazy = [
        dict(ROWS[4], images=text_value("word " * 300), n_frames=3),
        dict(ROWS[1], images=video_value(film), n_frames=2),
    ]
    Dataset.from_list(lazy, features=row_features(Frames())).save_to_disk(tmp_path / "rows")
    return tmp_path / "rows"


def test_the_papers_recipe_runs_with_a_tiny_model_in_place_of_the_checkpoint(stored, tmp_path):
    over = {
        "model_name_or_path": "tiny-minicpm",
        "dataset_name": stored,
        "dataset_config": "null",
        "family": "null",
        "output_dir": tmp_path / "run",
        "max_steps": 2,
        "use_cpu": "true",
        "bf16": "false",
    }
    run: Any = train("minicpm-hybrid-30k", [f"{key}={value}" for key, value in over.items()])
    assert run.state.global_step == 2 and run.args.loss_on == "answer"
    assert run.args.max_length == 8666 and run.args.adam_beta2 == 0.95
    assert {"model.safetensors", "processor_config.json"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }


def test_videos_are_decoded_at_the_models_size_and_shown_as_they_reach_it(stored, tmp_path):
    model, processor = tiny_minicpm(texts(ROWS), image_px=448, layers=1)
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    found = inspect(stored, model=str(tmp_path / "model"), rows=2, overrides=["loss_on=answer"])
    assert [row.pictures[0].size for row in found.rows] == [(448, 448), (602, 336)]
    assert [row.tokens_per_frame for row in found.rows] == [4, 4]
    page = next(iter(Frames().decode_example(text_value("word " * 300))))
    shown = np.asarray(found.rows[0].pictures[0].convert("L"), dtype=int)
    assert abs(shown - np.asarray(page.convert("L"), dtype=int)).max() <= 1
    film = sample_video(stored.parent / "clip.mp4", SampleSpec(size="minicpm"))[0]
    seen = np.asarray(found.rows[1].pictures[0], dtype=int)
    assert abs(seen - np.asarray(film, dtype=int)).max() <= 1
    answers = [r["messages"][-1]["content"][0]["text"] for r in (ROWS[4], ROWS[1])]
    for row_, answer_ in zip(found.rows, answers, strict=True):
        assert [run.text for run in row_.runs if run.kind == "loss"] == [f"{answer_}<|eot_id|>"]


def test_a_run_is_estimated_before_it_starts(stored, tmp_path):
    model, processor = tiny_minicpm(texts(ROWS), image_px=448, layers=1)
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    over = [f"model_name_or_path={tmp_path / 'model'}", f"dataset_name={stored}"]
    found = check("minicpm-hybrid-30k", [*over, "dataset_config=null", "family=null"])
    assert found.shape.parameters == sum(p.numel() for p in model.parameters())
    assert found.shape.patches == 1024 and found.load.frames == 5


def test_pages_and_frames_of_many_shapes_share_a_batch(tiny):
    model, processor = tiny
    shapes = [(448, 448), (640, 360), (360, 640)]
    rows = [
        row(str(i), "s", [Pictures.new("L", size, 99)] * 2, [("user", "?"), ("assistant", "!")], 2)
        for i, size in enumerate(shapes)
    ]
    batch = VideoCollator(processor, "minicpmv", segments=False)(rows)
    assert batch["target_sizes"].tolist() == [[4, 4]] * 2 + [[3, 5]] * 2 + [[5, 3]] * 2
    with torch.no_grad():
        assert model(**batch).loss.isfinite()
