"""Trains one step and pushes, against whatever Hub HF_ENDPOINT names; then reads the model back."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from datasets import Dataset, Image, List

from t2vid.models.families import load_processor
from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from t2vid.trainer import VideoCollator, VideoSFTConfig, VideoSFTTrainer
from training_rows import mixed_rows, texts

rows = mixed_rows()
model, processor = tiny_idefics3(texts(rows))
args = VideoSFTConfig(
    sys.argv[1],
    max_steps=1,
    report_to="none",
    use_cpu=True,
    bf16=False,
    activation_checkpointing=False,
    push_to_hub=True,
    hub_model_id="me/tiny-video",
)
data = Dataset.from_list(rows, features=row_features(List(Image())))
run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
run.train()
run.push_to_hub()

again = type(model).from_pretrained("me/tiny-video").eval()
batch = VideoCollator(load_processor("me/tiny-video"), "idefics3", segments=False)(rows)
with torch.no_grad():
    assert torch.equal(run.model.eval()(**batch).logits, again(**batch).logits)
print("same logits")
