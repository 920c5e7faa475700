"""The part of `VideoSFTTrainer` that fills batches by tokens, and knows the lengths of rows.

>>> BudgetedBatches.__name__
'BudgetedBatches'
"""

from __future__ import annotations

from typing import Any

from t2vid.errors import require
from t2vid.schema import Counts

require("trl", extra="train")

import torch  # noqa: E402
from trl import SFTTrainer  # noqa: E402

from t2vid.trainer.batching import TokenBatchSampler, plan_batches, row_ids, row_lengths  # noqa: E402


class BudgetedBatches(SFTTrainer):
    """Loads batches by `max_tokens_per_batch`, or groups rows by length."""

    dropped: Counts

    def get_train_dataloader(self) -> Any:
        """Give the loader of training batches: TRL's, or one by token budget."""
        if not self.args.max_tokens_per_batch:
            streams = not hasattr(self.train_dataset, "__len__")
            if streams and self.args.train_sampling_strategy == "group_by_length":
                self._lengths()  # says that a stream has none; Trainer would go on without a word
            return super().get_train_dataloader()
        args, world = self.args, self.accelerator.num_processes
        rows, lengths = self._within_budget(self._lengths())
        plan = plan_batches(
            lengths,
            max_tokens=args.max_tokens_per_batch,
            seed=args.data_seed if args.data_seed is not None else args.seed,
            world=world,
            pack=args.pack,
            ids=row_ids(self.train_dataset),
        )
        if len(rows) < len(self.train_dataset):
            plan = [[rows[at] for at in batch] for batch in plan]
        rank = self.accelerator.process_index
        # Not through accelerate: the plan is already dealt out, and batches have no fixed size.
        return _PlannedLoader(
            self._remove_unused_columns(self.train_dataset, description="training"),
            batch_sampler=TokenBatchSampler(plan, rank=rank, world=world, seed=args.seed),
            collate_fn=self.data_collator,
            num_workers=args.dataloader_num_workers,
            pin_memory=args.dataloader_pin_memory,
            persistent_workers=args.dataloader_persistent_workers,
            prefetch_factor=args.dataloader_prefetch_factor,
        )

    def _within_budget(self, lengths: list[int]) -> tuple[list[int], list[int]]:
        """Give the numbers and lengths of the rows that fit a batch, the others counted or cut."""
        limit, on_long = self.args.max_tokens_per_batch, self.args.on_long
        if on_long == "fewer_frames":
            collator = self.data_collator
            collator.encode.max_length = min(collator.encode.max_length or limit, limit)
            lengths = [min(n, limit) for n in lengths]
        elif on_long == "skip":
            ids = row_ids(self.train_dataset)
            for at, n in enumerate(lengths):
                if n > limit:
                    self.dropped.drop("too long", example=str(ids[at] if ids else at))
            rows = [at for at, n in enumerate(lengths) if n <= limit]
            return rows, [lengths[at] for at in rows]
        return list(range(len(lengths))), lengths

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        from transformers.trainer_pt_utils import LengthGroupedSampler

        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        generator = torch.Generator().manual_seed(self.args.seed)
        return LengthGroupedSampler(size, lengths=self._lengths(), generator=generator)

    def _lengths(self) -> list[int]:
        return row_lengths(self.train_dataset, self.data_collator.encode)


class _PlannedLoader(torch.utils.data.DataLoader[Any]):
    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
