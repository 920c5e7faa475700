"""What `t2vid.trainer` borrows from TRL and transformers; a release that moves it fails."""

from __future__ import annotations

import dataclasses
import inspect

import pytest
import torch
from datasets import Dataset
from transformers import Trainer
from transformers.utils.chat_template_utils import render_jinja_template
from trl import SFTConfig, SFTTrainer
from trl.chat_template_utils import get_training_chat_template
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling
from trl.trainer.utils import FusedCausalLMOutput

from t2vid.trainer import VideoCollator, VideoSFTConfig, VideoSFTTrainer


def names(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_constructor_takes_what_sft_trainer_takes() -> None:
    theirs = names(SFTTrainer.__init__)
    ours = names(VideoSFTTrainer.__init__)
    own = ["eval_mcq", "kwargs"]  # by name only, after what is passed on in TRL's order
    assert ours == [*theirs[: len(ours) - len(own)], *own]
    assert {"peft_config", "callbacks", "optimizers", "compute_metrics"} <= set(theirs)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("compute_loss", ["self", "model", "inputs", "return_outputs", "num_items_in_batch"]),
        ("log", ["self", "logs", "start_time"]),
        ("_prepare_inputs", ["self", "inputs"]),
        ("_set_signature_columns_if_needed", ["self"]),
        ("get_batch_samples", ["self", "epoch_iterator", "num_batches", "device"]),
        ("get_train_dataloader", ["self"]),
        ("_get_train_sampler", ["self", "train_dataset"]),
    ],
)
def test_overridden_methods_keep_their_signature(method: str, parameters: list[str]) -> None:
    assert names(getattr(SFTTrainer, method)) == parameters


def test_a_vision_dataset_keeps_only_its_signature_columns() -> None:
    bare = object.__new__(SFTTrainer)
    bare._signature_columns, bare._is_vision_dataset = None, True
    bare._set_signature_columns_if_needed()
    assert bare._signature_columns == ["messages", "prompt", "completion", "image", "images"]
    ours = object.__new__(VideoSFTTrainer)
    ours._signature_columns, ours._is_vision_dataset = None, True
    ours.train_dataset = Dataset.from_list([{"id": "a", "conversations": []}])
    ours.eval_dataset = {"one": Dataset.from_list([{"videos": []}])}
    ours._set_signature_columns_if_needed()
    assert {"id", "conversations", "videos", "messages", "images"} <= set(ours._signature_columns)


def test_the_collator_is_called_as_trls_is() -> None:
    assert names(DataCollatorForVisionLanguageModeling.torch_call) == ["self", "examples"]
    assert names(VideoCollator.torch_call) == ["self", "examples"]


def test_the_fused_head_reports_losses_by_token() -> None:
    fields = {field.name for field in dataclasses.fields(FusedCausalLMOutput)}
    assert {"log_probs", "label_mask"} <= fields


def test_trl_still_cuts_at_1024_tokens_by_default_and_t2vid_never_cuts() -> None:
    theirs = {field.name: field.default for field in dataclasses.fields(SFTConfig)}
    ours = {field.name: field.default for field in dataclasses.fields(VideoSFTConfig)}
    assert theirs["max_length"] == 1024 and ours["max_length"] is None
    assert theirs["packing"] is False and theirs["padding_free"] is False


def test_the_template_renderer_gives_answer_spans() -> None:
    template = (
        "{% for m in messages %}{% generation %}{{ m['content'] }}{% endgeneration %}{% endfor %}"
    )
    text, spans = render_jinja_template(
        [[{"role": "assistant", "content": "So."}]],
        chat_template=template,
        return_assistant_tokens_mask=True,
    )
    assert (text, [list(span) for span in spans[0]]) == (["So."], [[0, 3]])


def test_trl_gives_training_templates() -> None:
    assert names(get_training_chat_template)[0] == "processing_class"


def test_the_trainer_moves_batches_before_the_loss() -> None:
    source = inspect.getsource(Trainer.training_step)
    assert source.index("_prepare_inputs") < source.index("compute_loss")
    assert torch.OutOfMemoryError.__mro__[1] is RuntimeError
