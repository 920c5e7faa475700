"""`VideoSFTConfig`: TRL's `SFTConfig` and what training on frames adds to it.

>>> VideoSFTConfig(output_dir="runs/x", use_cpu=True, bf16=False, max_frames=24).max_length is None
True
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from t2vid.errors import InputError, MissingExtra, require
from t2vid.models.parts import checked_parts
from t2vid.schema import FRAME_CACHE_GB

require("trl", extra="train")

from trl import SFTConfig  # noqa: E402


@dataclass
class VideoSFTConfig(SFTConfig):
    """Settings of `VideoSFTTrainer`: every field of `trl.SFTConfig`, with these added or changed.

    `max_length` is None by default, and a row that exceeds it is an error with its numbers: a cut
    row would lose its answer, or some of a frame's tokens, in silence.
    """

    _VALID_DICT_FIELDS = [
        *SFTConfig._VALID_DICT_FIELDS,
        "max_frames_by_source",
        "eval_mcq",
        "learning_rates",
    ]

    max_length: int | None = field(
        default=None,
        metadata={"help": "Limit of tokens in a row, frames included; a longer row is an error."},
    )
    loss_on: str = field(
        default="answer",
        metadata={
            "help": "'answer': the assistant's words and end token (the paper's MiniCPM code). "
            "'conversation': every token but frames and padding (its Idefics3 code)."
        },
    )
    max_frames: int | None = field(
        default=None,
        metadata={
            "help": "Frames shown of a row; a `Frames` column draws or decodes no more than that."
        },
    )
    max_frames_by_source: dict[str, int] | str | None = field(
        default=None,
        metadata={"help": "Frames shown by the row's `source`; `max_frames` holds for the others."},
    )
    max_tokens_per_batch: int | None = field(
        default=None,
        metadata={
            "help": "Fill each batch up to so many tokens with rows of like length, in place of "
            "per_device_train_batch_size. Needs a map-style dataset with `n_frames`."
        },
    )
    pack: bool = field(
        default=False,
        metadata={
            "help": "Lay the rows of a batch end to end in one sequence, each seeing only itself; "
            "no padding at all. Needs max_tokens_per_batch and a family that packs."
        },
    )
    freeze_vision: bool = field(
        default=False, metadata={"help": "Leave the vision tower as it is (the paper's InternVL)."}
    )
    freeze: list[str] | None = field(
        default=None,
        metadata={"help": "Parts left as they are, of vision, connector and language."},
    )
    learning_rates: dict[str, float] | str | None = field(
        default=None,
        metadata={
            "help": "Learning rates by part, such as {vision: 1e-6, connector: 1e-4}; learning_rate "
            "holds for the others. The schedule is the same for all."
        },
    )
    compat: str | None = field(
        default=None,
        metadata={
            "help": "'t2vid-paper': the batches, the loss (a mean over each micro-batch) and the frames "
            "of the paper's training code for Idefics3 and MiniCPM; see docs/training.md."
        },
    )
    on_long: str = field(
        default="error",
        metadata={
            "help": "A row over max_length (or max_tokens_per_batch): 'error' stops the run with its "
            "numbers, 'skip' leaves it out, 'fewer_frames' shows as many of its frames as fit. Rows "
            "left out are counted by source and reason."
        },
    )
    on_bad: str = field(
        default="error",
        metadata={
            "help": "A row that cannot be read (a broken video, a missing image, an unknown layout): "
            "'error' stops the run and names it, 'skip' leaves it out and counts it."
        },
    )
    layout: str | None = field(
        default=None,
        metadata={"help": "Layout of the rows, by name; found by each row's keys when left out."},
    )
    media_dir: str | None = field(
        default=None, metadata={"help": "Folder where relative paths of images and videos start."}
    )
    frame_cache: str | None = field(
        default=None,
        metadata={
            "help": "Folder in which decoded frames of videos are kept for the next epoch, the same "
            "pixels at a tenth of the cost."
        },
    )
    frame_cache_gb: float = field(
        default=FRAME_CACHE_GB, metadata={"help": "Size of that folder at most, in 10^9 bytes."}
    )
    gpu_tflops: float | None = field(
        default=None,
        metadata={
            "help": "Dense bfloat16 TFLOP/s of the GPU, for the MFU in the log; those of common GPUs "
            "are known."
        },
    )
    on_nan: str = field(
        default="raise",
        metadata={
            "help": "'raise': a loss that is NaN or infinite stops the run and names its rows. "
            "'ignore': go on, as TRL does."
        },
    )
    pixels: str = field(
        default="direct",
        metadata={
            "help": "'direct': videos are decoded at the model's own size, what has another size is "
            "resized once, uint8 is normalised on the device. 'processor': the family's image "
            "processor, step by step on the CPU."
        },
    )

    eval_mcq: dict[str, Any] | str | None = field(
        default=None,
        metadata={
            "help": "Multiple-choice questions answered at each evaluation (eval_strategy, eval_steps): "
            "{'t2vid/mvbench': {data_dir: MVBench}, limit: 200, show: 8, protocol: t2vid}. Logged as "
            "eval_mvbench_accuracy with its interval; metric_for_best_model may name it."
        },
    )

    def __post_init__(self) -> None:
        """Check the fields of this class, then let TRL check its own."""
        if getattr(self, "activation_checkpointing", False) is None:
            # transformers 5.23 renamed the field and warns about TRL's own default
            # under the old name.
            self.activation_checkpointing = vars(self)["gradient_checkpointing"]
            self.gradient_checkpointing = None
        if vars(self)[
            "assistant_only_loss"
        ]:  # TRL refuses it beside images; here it is the default
            self.loss_on, self.assistant_only_loss = "answer", False
        if self.completion_only_loss is False:
            self.loss_on = "conversation"
        if self.use_liger_kernel and not find_spec("liger_kernel"):
            raise MissingExtra(
                "use_liger_kernel needs a package: pip install liger-kernel (a GPU too)"
            )
        super().__post_init__()
        _one_of("on_long", self.on_long, ("error", "skip", "fewer_frames"))
        _one_of("on_bad", self.on_bad, ("error", "skip"))
        _one_of("loss_on", self.loss_on, ("answer", "conversation"))
        _one_of("on_nan", self.on_nan, ("raise", "ignore"))
        _one_of("pixels", self.pixels, ("direct", "processor"))
        if self.eval_mcq and str(getattr(self.eval_strategy, "value", self.eval_strategy)) == "no":
            raise InputError(
                "eval_mcq needs to know when: set eval_strategy=steps and eval_steps=100"
            )
        for name, limit in self.frame_budget.items():
            if limit is not None and (not isinstance(limit, int) or limit < 1):
                field = "max_frames" if name == "*" else f"max_frames_by_source[{name!r}]"
                raise InputError(f"{field} ({limit!r}) must be > 0, or None for no limit")
        rates: Any = self.learning_rates or {}
        checked_parts(rates, name="learning_rates")
        for part, rate in rates.items():
            if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
                raise InputError(
                    f"learning_rates[{part!r}] ({rate!r}) must be > 0; see also freeze"
                )
        if frozen_twice := [part for part in self.frozen if part in rates]:
            raise InputError(f"{frozen_twice[0]!r} is frozen and has a learning rate; give one")
        if self.pack and not self.max_tokens_per_batch:
            raise InputError("pack=True needs max_tokens_per_batch, the length of the sequence")
        if self.packing or self.padding_free:
            raise InputError("packing and padding_free are TRL's, for text alone; use pack=True")

    @property
    def frozen(self) -> tuple[str, ...]:
        """Parts that are left as they are."""
        asked = [self.freeze] if isinstance(self.freeze, str) else list(self.freeze or ())
        return checked_parts([*asked, *["vision"] * self.freeze_vision], name="freeze")

    @property
    def frame_budget(self) -> dict[str, Any]:
        """Frames shown by source, `*` standing for every other source."""
        by_source = self.max_frames_by_source or {}
        if isinstance(by_source, str):
            raise InputError(
                f"max_frames_by_source ({by_source!r}) must be a mapping of source: frames"
            )
        return {**by_source, "*": self.max_frames}


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{name} ({value!r}) must be one of {allowed}")
