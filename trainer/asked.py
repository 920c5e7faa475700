"""The part of `VideoSFTTrainer` that puts multiple-choice questions to the model as it trains.

>>> AskedWhileTraining.__name__
'AskedWhileTraining'
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2vid.errors import InputError, require

require("trl", extra="train")

from trl import SFTTrainer  # noqa: E402

from t2vid.trainer.mcq import McqEvaluation, McqPlan  # noqa: E402
from t2vid.trainer.shown import log_answers  # noqa: E402


class AskedWhileTraining(SFTTrainer):
    """Answers `eval_mcq` at each evaluation, with losses or without."""

    control: Any
    _mcq: McqEvaluation | None
    _mcq_figures: dict[str, float]

    def set_questions(
        self,
        asked: Mapping[str, Any] | None,
        args: Any,
        processor: Any,
        compute_metrics: Any,
    ) -> None:
        """Open the benchmarks of `eval_mcq`, before anything large is loaded.

        Args:
            asked: as `McqPlan.read` takes it; None asks nothing.
            args: settings of the run.
            processor: the model's.
            compute_metrics: of the trainer; where there is one, it may bring the metric that
                chooses the best checkpoint.

        Raises:
            InputError: where `metric_for_best_model` names an accuracy that no benchmark gives.
        """
        self._mcq, self._mcq_figures = None, {}
        if not asked:
            return
        plan = McqPlan.read(asked)
        best = (args.metric_for_best_model or "").removeprefix("eval_")
        of_losses = best.endswith("mean_token_accuracy")  # which TRL logs beside each loss
        of_questions = best.endswith("_accuracy") and not of_losses and compute_metrics is None
        if of_questions and best not in plan.metrics:
            raise InputError(f"metric_for_best_model ({best!r}) must be one of {plan.metrics}")
        self._mcq = McqEvaluation(plan, processor, batch_size=args.per_device_eval_batch_size)

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Evaluate; questions of `eval_mcq` are put to the model once, beside all losses."""
        if not self._mcq or metric_key_prefix != "eval":  # one set of several, or a test
            return self._evaluate_losses(eval_dataset, ignore_keys, metric_key_prefix)
        figures = self._mcq_figures = self._ask_mcq()
        if eval_dataset is None and not self.eval_dataset:
            self.log(figures)
            self.control = self.callback_handler.on_evaluate(
                self.args, self.state, self.control, figures
            )
            return figures
        return figures | self._evaluate_losses(eval_dataset, ignore_keys, metric_key_prefix)

    def _evaluate_losses(self, *args: Any) -> dict[str, float]:
        losses: dict[str, float] = super().evaluate(*args)
        return losses

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Put what was answered beside the first loss, so that callbacks see one set of figures."""
        out = super().evaluation_loop(*args, **kwargs)
        out.metrics.update(self._mcq_figures)
        self._mcq_figures = {}
        return out

    def _ask_mcq(self) -> dict[str, float]:
        shared_out = self.is_deepspeed_enabled or self.is_fsdp_enabled
        if shared_out and not self.is_in_train:
            raise InputError(
                "eval_mcq outside of train() needs whole weights; load the checkpoint without "
                "DeepSpeed and FSDP, or use t2vid eval"
            )
        assert self._mcq is not None
        with _gathered_roots(self.model):
            found = self._mcq.ask(
                self.model,
                rank=self.accelerator.process_index,
                world=self.accelerator.num_processes,
                in_step=shared_out,
            )
        if self.is_world_process_zero():
            log_answers(
                found.shown,
                step=self.state.global_step,
                folder=Path(self.args.output_dir, "mcq"),
                callbacks=self.callback_handler.callbacks,
            )
        return {f"eval_{name}": value for name, value in found.figures.items()}


def _gathered_roots(model: Any) -> Any:
    # FSDP's first version gathers a wrapped model's own weights in its forward alone, and generating
    # goes around that; the second, DeepSpeed and DDP need nothing.
    from torch.distributed.fsdp import FullyShardedDataParallel

    if isinstance(model, FullyShardedDataParallel):
        return FullyShardedDataParallel.summon_full_params(model, recurse=False, writeback=False)
    return contextlib.nullcontext()
