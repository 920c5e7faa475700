"""`VideoSFTTrainer`: TRL's `SFTTrainer` for rows of 0 to 64 frames, made in the data loader.

    from t2vid.trainer import VideoSFTConfig, VideoSFTTrainer
    args = VideoSFTConfig("runs/first", max_frames=24, loss_on="answer")
    VideoSFTTrainer("HuggingFaceM4/Idefics3-8B-Llama3", args, train_dataset=rows).train()

>>> from trl import SFTTrainer
>>> issubclass(VideoSFTTrainer, SFTTrainer)
True
"""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from t2vid.errors import InputError, NonFiniteLoss, require
from t2vid.models.families import (
    frame_px,
    load_model,
    match_tokens,
)
from t2vid.models.parts import freeze
from t2vid.models.prompts import training_template
from t2vid.schema import Counts

require("trl", extra="train")

import torch  # noqa: E402
from accelerate.utils import gather_object  # noqa: E402

from t2vid.trainer.adapters import making_adapters  # noqa: E402
from t2vid.trainer.asked import AskedWhileTraining  # noqa: E402
from t2vid.trainer.budgeted import BudgetedBatches  # noqa: E402
from t2vid.trainer.callbacks import Meter, SourceLosses, merge_losses  # noqa: E402
from t2vid.trainer.collator import Segment, VideoCollator, to_pixel_values  # noqa: E402
from t2vid.trainer.config import VideoSFTConfig  # noqa: E402
from t2vid.trainer.mfu import peak_flops, trained_parts, work_of  # noqa: E402
from t2vid.trainer.preparing import (  # noqa: E402
    build_collator,
    config_of,
    gather_head,
    keep_used_names,
    last_whole_checkpoint,
    named_family,
    processor_of,
    rates_by_part,
    refuse_other_optimizer,
    split_by_part,
    warn_of_rounding,
)
from t2vid.trainer.rows import (  # noqa: E402
    column_names,
    described,
    evaluation_rows,
    rows_and_reader,
    warn_of_sources,
)

logger = logging.getLogger(__name__)

_LESS_MEMORY = (
    "less memory: max_tokens_per_batch, max_frames or per_device_train_batch_size lower, "
    "activation_checkpointing=true, deepspeed=zero3, use_peft=true; t2vid train --check estimates it"
)


class VideoSFTTrainer(BudgetedBatches, AskedWhileTraining):
    """Supervised fine-tuning on frame sequences; a drop-in for `trl.SFTTrainer`.

    Rows may have any layout that `t2vid.corpora.layouts` reads: t2vid's `{id, source, images,
    messages}` with a `Frames` column, TRL's, LLaVA's, ms-swift's, LLaMA-Factory's … Beside what
    TRL logs there are `loss/<source>`, `frames_per_s`, `tokens_per_s`, `padding_share`,
    `data_wait_share`, `mfu` on a GPU whose peak is known, and `dropped_rows` where rows were left out.

    Args:
        model: a vision-language model, or the name of one.
        args: settings; a plain `SFTConfig` or `TrainingArguments` is taken over field by field.
        data_collator: replaces the `VideoCollator` built from `args`.
        train_dataset: a map-style or streaming dataset.
        eval_dataset: likewise, or a dict of them.
        processing_class: the model's processor; loaded from the model's name when left out. It is
            set to one patch a frame.
        eval_mcq: as in `args`; here benchmarks may be datasets too.
        **kwargs: the other arguments of `SFTTrainer`: `callbacks`, `peft_config`, `optimizers` …
    """

    _tag_names = ["trl", "sft", "t2vid"]

    def __init__(
        self,
        model: Any,
        args: Any = None,
        data_collator: Any = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        *,
        eval_mcq: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        args = config_of(args, model)
        if args.activation_offloading and not torch.accelerator.is_available():
            raise InputError("activation_offloading needs a GPU to take activations from")
        if kwargs.get("formatting_func") is not None:
            raise InputError(
                "formatting_func: a row's text is made by its layout and the chat template; "
                "write `messages` with dataset.map instead"
            )
        processing_class = processor_of(processing_class, model, args)
        self.family = named_family(model, trust_remote_code=args.trust_remote_code)
        if isinstance(model, str) and self.family.ported:
            # TRL looks for the class of a checkpoint among those of transformers.
            model = load_model(model, **{"dtype": "float32", **(args.model_init_kwargs or {})})
            args.model_init_kwargs = None
        train_dataset, reader = rows_and_reader(train_dataset)
        eval_dataset = evaluation_rows(eval_dataset)
        warn_of_sources(train_dataset, args)
        if data_collator is None:
            data_collator = build_collator(processing_class, args, self.family, reader=reader)
        self._source_losses: dict[str, SourceLosses] = defaultdict(SourceLosses)
        self._segments: list[Segment] = []
        self._meter = Meter()
        self.dropped = Counts()
        asked = eval_mcq or args.eval_mcq
        self.set_questions(asked, args, processing_class, kwargs.get("compute_metrics"))
        if asked and eval_dataset is None:
            eval_dataset = {}  # None is refused where evaluation is asked for
        self._last_losses: tuple[list[Segment], torch.Tensor] = [], torch.zeros(0)
        # Whole logits take 2 GB a row at 4K tokens and 128K words, and all of them would be gathered.
        kwargs["preprocess_logits_for_metrics"] = (
            kwargs.get("preprocess_logits_for_metrics") or likeliest_tokens
        )
        with making_adapters():
            super().__init__(
                model,
                args,
                data_collator,
                train_dataset,
                eval_dataset,
                processing_class,
                **kwargs,
            )
        self._fit_to_model(args)

    def _fit_to_model(self, args: VideoSFTConfig) -> None:
        """Settle what is known once TRL has made the model and the accelerator."""
        data_collator, processor = self.data_collator, self.processing_class
        if isinstance(data_collator, VideoCollator):
            if args.chat_template_path:
                data_collator.encode.template = training_template(processor)
            # Asked here: `accelerate launch` brings either without a word in `args`.
            data_collator.dummy_frame |= self.is_deepspeed_enabled or self.is_fsdp_enabled
        # Some models (Qwen-VL) ask not to be told the number of targets of a step; TRL's loss is not
        # theirs, and without it a step would be a mean of means over its batches and processes.
        split = getattr(self.accelerator, "parallelism_config", None)
        shared = getattr(split, "sp_enabled", False)
        # The paper's programs know no such number: each of their micro-batches is a mean.
        self.model_accepts_loss_kwargs = not (shared or args.compat)
        base = self.accelerator.unwrap_model(self.model)
        keep_used_names(base)
        match_tokens(base, processor)
        plugin = self.accelerator.state.deepspeed_plugin if self.is_deepspeed_enabled else None
        refuse_other_optimizer(args, plugin and plugin.deepspeed_config)
        if args.compat and self.family.ported:
            base.config.attend_padding = True
        if args.frozen:
            freeze(base, args.frozen)
        whole, adapted = trained_parts(base)
        edge = frame_px(processor)[0]
        self._meter = Meter(
            work=work_of(base, whole=whole, adapted=adapted, frame_px=edge),
            peak=peak_flops(args.gpu_tflops),
        )
        if self.is_fsdp_enabled:
            gather_head(base)
        elif not self.is_deepspeed_enabled:
            warn_of_rounding(base, args)
        base.register_forward_hook(self._see_losses)

    def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        """Make the optimizer; parts with a learning rate of their own are groups of their own."""
        optimizer = super().create_optimizer(*args, **kwargs)
        if self.args.learning_rates:
            split_by_part(optimizer, self.model, self.family, self.args.learning_rates)
        return optimizer

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Compute TRL's loss, and beside it each row's own for the losses by source."""
        self._segments = inputs.pop("segments", None) or []
        inputs.pop("dropped", None)
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Run one step; whatever fails in it, or gives no number for a loss, names its rows."""
        segments = inputs.get("segments") or []
        size = tuple(inputs["input_ids"].shape) if "input_ids" in inputs else ()
        try:
            loss = super().training_step(model, inputs, *args, **kwargs)
        except Exception as error:
            error.add_note(f"rows of this batch{_tokens(size)}: {_named(segments)}")
            if isinstance(error, torch.OutOfMemoryError):
                error.add_note(_LESS_MEMORY)
            raise
        # Trainer's own filter (logging_nan_inf_filter) asks the same of every step, and hides it.
        if self.args.on_nan == "raise" and not bool(torch.isfinite(loss.detach())):
            raise NonFiniteLoss(self._non_finite(loss, segments))
        return loss

    def _non_finite(self, loss: Any, segments: list[Segment]) -> str:
        ours, sums = self._last_losses
        bad = [s for s, x in zip(ours, sums.tolist(), strict=True) if not math.isfinite(x)]
        why = "all of its rows, so the weights may be broken already; lower learning_rate"
        if 0 < len(bad) < len(segments):
            why = "these rows; look at them with t2vid inspect --id ID, or drop them"
        return (
            f"the loss is {float(loss.detach())} at step {self.state.global_step + 1}, from {why} "
            f'(on_nan="ignore" goes on): {_named(bad or segments)}'
        )

    def train(
        self, resume_from_checkpoint: str | bool | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Train; the first line logged says what is trained on, the last what was left out.

        With `resume_from_checkpoint=True` and no whole checkpoint there it begins, so that a job
        that is killed and started again may always say so.
        """
        if resume_from_checkpoint is True:
            where = self.args.output_dir
            resume_from_checkpoint = last_whole_checkpoint(where)
            if self.is_world_process_zero():
                found = resume_from_checkpoint or f"the beginning: no checkpoint in {where}"
                logger.warning("training goes on from %s", found)
        if isinstance(self.data_collator, VideoCollator) and self.is_world_process_zero():
            logger.warning("%s", described(self.train_dataset, self.data_collator))
        out = super().train(resume_from_checkpoint or False, *args, **kwargs)
        if self.dropped.dropped:
            logger.warning("rows left out:\n%s", self.dropped.table())
        return out

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """Fetch the batches of a step; count what they hold and how long they were waited for."""
        start = time.perf_counter()
        batches, n_items = super().get_batch_samples(*args, **kwargs)
        self._meter.wait(time.perf_counter() - start)
        for batch in batches:
            self._meter.saw_batch(batch)
            for row in batch.get("dropped") or ():
                self.dropped.drop(row.reason, source=row.source, example=row.id)
        return batches, n_items

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add losses by source and throughput to a log line."""
        mode = "train" if self.model.training else "eval"
        losses = self._source_losses[mode].flush()
        if self.accelerator.num_processes > 1:
            losses = merge_losses(gather_object([losses]))
        # Of several evaluation sets each logs its own losses, under its own prefix.
        prefix = next((key[: -len("loss")] for key in logs if key.endswith("_loss")), "")
        for source, (loss, n) in losses.items():
            name = f"loss/{source or 'unknown'}"
            if n and mode == "eval" and prefix:
                logs[prefix + name] = loss / n
            elif n:
                self._metrics[mode][name].append(loss / n)
        if mode == "train":
            if self.args.learning_rates and "learning_rate" in logs:
                logs |= rates_by_part(self.optimizer, self.args, logs["learning_rate"])
            if n_dropped := sum(self.dropped.dropped.values()):
                self._metrics[mode]["dropped_rows"].append(n_dropped)
            for name, value in self._meter.flush().items():
                self._metrics[mode][name].append(value)
        super().log(logs, start_time)

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        inputs = super()._prepare_inputs(inputs)
        return to_pixel_values(inputs, self.processing_class, self.family)

    def _set_signature_columns_if_needed(self) -> None:
        # Which columns a row's layout needs is known only row by row, so all reach the collator.
        super()._set_signature_columns_if_needed()
        kept: list[str] = vars(self)["_signature_columns"]
        given = (getattr(self, name, None) for name in ("train_dataset", "eval_dataset"))
        sets = [
            one for part in given for one in (part.values() if isinstance(part, dict) else [part])
        ]
        there = [name for one in sets for name in column_names(one)]
        self._signature_columns = list(dict.fromkeys([*kept, *there]))

    def _see_losses(self, module: Any, args: Any, output: Any) -> None:
        log_probs = getattr(output, "log_probs", None)
        segments, self._segments = self._segments, []
        if log_probs is None or not segments:
            return
        # Position t holds the loss of token t + 1, so a row's targets lie one to the left
        # of its tokens.
        sums = [-log_probs[s.row, max(s.start - 1, 0) : s.end - 1].detach().sum() for s in segments]
        mode = "train" if self.model.training else "eval"
        of_rows = torch.stack(sums).float()
        self._last_losses = segments, of_rows
        self._source_losses[mode].add(
            [s.source for s in segments], of_rows, [s.n_targets for s in segments]
        )


def likeliest_tokens(logits: Any, labels: Any) -> Any:
    """Reduce logits `(rows, tokens, words)` to the likeliest word of each, for `compute_metrics`."""
    return (logits[0] if isinstance(logits, tuple) else logits).argmax(-1)


def _named(segments: list[Segment]) -> str:
    return ", ".join(f"{s.id!r} of {s.source!r} ({s.n_frames} frames)" for s in segments)


def _tokens(size: tuple[int, ...]) -> str:
    return f" ({' x '.join(f'{n:,}' for n in size)} tokens)" if size else ""
