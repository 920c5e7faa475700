"""What a tiny InternVL on Phi-3 promises: it learns mixed rows by heart and reloads the same."""

from __future__ import annotations

from typing import Any

import torch
from datasets import Dataset, Image, List

from t2vid.evaluation.generate import answer
from t2vid.frames.feature import Frames, text_value
from t2vid.models.families import load_processor
from t2vid.models.tiny_internvl import tiny_internvl
from t2vid.schema import row_features
from t2vid.trainer import VideoCollator, VideoSFTTrainer, train
from training_rows import cpu_settings, mixed_rows, texts

ROWS = mixed_rows()


def test_tiny_internvl_learns_mixed_rows_by_heart_and_reloads_to_the_same_logits(tmp_path):
    rows = Dataset.from_list(ROWS, features=row_features(List(Image())))
    model, processor = tiny_internvl(texts(ROWS))
    args = cpu_settings(
        tmp_path,
        max_steps=90,
        per_device_train_batch_size=8,
        learning_rate=3e-3,
        lr_scheduler_type="constant",
    )
    run = VideoSFTTrainer(model, args, train_dataset=rows, processing_class=processor)
    run.train()
    seen = [line["loss"] for line in run.state.log_history if "loss" in line]
    assert sum(seen[-2:]) < 0.2 * sum(seen[:2])

    want = [r["messages"][-1]["content"][0]["text"] for r in ROWS]
    got = answer(model, processor, rows, max_new_tokens=12, batch_size=3)
    assert got == want  # the clips differ only in what is seen in them

    run.save_model(str(tmp_path / "saved"))
    again = type(model).from_pretrained(tmp_path / "saved").eval()
    batch = VideoCollator(processor, "internvl", segments=False)(list(rows))
    same = VideoCollator(load_processor(str(tmp_path / "saved")), "internvl", segments=False)(
        list(rows)
    )
    assert all(torch.equal(batch[name], same[name]) for name in batch)
    with torch.no_grad():
        assert torch.equal(model.eval()(**batch).logits, again(**same).logits)


def test_the_papers_recipe_runs_with_a_tiny_model_in_place_of_the_checkpoint(tmp_path):
    lazy = [dict(ROWS[4], images=text_value("word " * 300), n_frames=3), dict(ROWS[7], images=None)]
    Dataset.from_list(lazy, features=row_features(Frames())).save_to_disk(tmp_path / "rows")
    over = {
        "model_name_or_path": "tiny-internvl",
        "dataset_name": tmp_path / "rows",
        "dataset_config": "null",
        "family": "null",
        "output_dir": tmp_path / "run",
        "max_steps": 2,
        "use_cpu": "true",
        "bf16": "false",
    }
    run: Any = train("internvl-hybrid-30k", [f"{key}={value}" for key, value in over.items()])
    assert run.state.global_step == 2 and run.args.loss_on == "answer" and run.args.freeze_vision
    assert not any(p.requires_grad for p in run.model.model.vision_tower.parameters())
    saved = load_processor(str(tmp_path / "run"))
    assert saved.image_seq_length == 4 and saved.tokenizer.start_image_token == "<img>"
