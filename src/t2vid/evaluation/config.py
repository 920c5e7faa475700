"""How a benchmark is asked: frames, prompt, decoding and judge, frozen, hashed, written to YAML.

>>> EvalConfig.named("ig-vlm").strategy, EvalConfig.named("t2vid").frames
('grid', 24)
>>> EvalConfig.named("mvbench+reversed").control  # the same question, its frames backwards
'reversed'
>>> EvalConfig().asking_hash == EvalConfig(scheme="paper").asking_hash  # judged another way, asked alike
True

A protocol has two hashes. `asking_hash` covers what can change an answer, and a file of answers is
bound to it; `hash` covers the judging too, and stands beside every score.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

from t2vid.catalog import BENCHMARKS, JUDGES, match, official_prompt, preset, unknown
from t2vid.configuration import FrozenConfig, former_names
from t2vid.errors import InputError, MissingFile
from t2vid.evaluation.benchmarks.questions import T2VID_SUFFIX
from t2vid.frames.sampling import Sampling
from t2vid.frames.spec import SampleSpec
from t2vid.schema import FRAMES_PER_SECOND

ASKING = 2  # raised when the same protocol would be asked otherwise than before

Strategy = Literal["frames", "grid", "slow_fast", "prompt_guided"]
Control = Literal["none", "blind", "blank", "one", "shuffled", "reversed", "other", "subtitles"]
# What each control takes away from the model, in the words of tables.
CONTROLS: dict[str, str] = {
    "blind": "no frames",
    "blank": "gray frames",
    "one": "one frame",
    "shuffled": "frames shuffled",
    "reversed": "frames reversed",
    "other": "another video",
    "subtitles": "subtitles only",
}
_FORMER_STRATEGIES = {"text": "blind", "blank": "blank"}

# The paper's words (T2Vid's question files), and each benchmark's own, so that figures compare.
PROMPTS = {
    "t2vid": "{subtitles}{question}\n{options}\n" + T2VID_SUFFIX,
    # T2Vid's script for Video-MME writes the same without the last line break.
    "t2vid-video-mme": "{subtitles}{question}\n{options}" + T2VID_SUFFIX,
    **{way.name: way.prompt for one in BENCHMARKS for way in one.ways},
}
GRID_HINT = (
    "The picture shows {frames} frames of one video, {columns} a row; time runs from left to "
    "right, then from top to bottom. "
)

SHEET_HINT = (
    "The last pictures show {frames} frames of the video in small, {columns} a row; time runs from "
    "left to right, then from top to bottom. "
)

_CHOICES = {
    "strategy": Strategy,
    "control": Control,
    "answering": Literal["generate", "letters"],
    "scheme": Literal["t2vid", "paper", "official"],
}

_KINDS = {bool: "true or false", int: "a whole number", str: "a text"}


@former_names(select="sampling")
@dataclass(frozen=True)
class EvalConfig(FrozenConfig):
    """Everything besides model and benchmark that decides a score.

    Args:
        strategy: `frames` shows them one after another; `grid` puts them into one picture (IG-VLM,
            arXiv 2403.18406); `slow_fast` shows `frames` at full size and `fast_frames` small
            (SlowFast-LLaVA, arXiv 2407.15841); `prompt_guided` shows the `frames` that are most like
            the question and `middle_frames` spread over the video, all cropped to the region most
            like it, then `fast_frames` small (Free Video-LLM, arXiv 2410.10441). Small frames need a
            family that keeps the sizes of frames.
        control: what is taken away, to see what it is worth: `blind` all frames and subtitles,
            `blank` what is on the frames (gray), `one` all frames but the middle one, `shuffled` and
            `reversed` their order, `other` the video (another one's frames are shown), `subtitles`
            the frames but not the subtitles that go with them.
        frames: at most so many frames of a video.
        fps: frames a second before the choice of `frames`; None takes every frame.
        sampling: rule of the choice, as in `SampleSpec`.
        size: size of a frame, as in `SampleSpec`; None leaves it to the model.
        bounds: show only the part of a video that a question bounds (MVBench).
        subtitles: write the subtitles at the sampled frames before the question (Video-MME).
        prompt: a name of `PROMPTS`, or a template of `{question}`, `{options}`, `{subtitles}`.
        system: text of a system turn; empty for none.
        prefill: how every answer begins, such as MVBench's `Best option:(`.
        answering: `generate` writes an answer, greedily; `letters` takes the letter of the option
            to which one forward pass gives most (the words yes and no where they are asked for; a
            caption is written in any case).
        max_new_tokens: limit of tokens of an answer.
        circular: ask every rotation of the options (MMBench, arXiv 2307.06281).
        grid_columns: frames in a row of the grid.
        fast_frames: frames of the fast path.
        fast_px: longer edge of a frame of the fast path, in pixels.
        middle_frames: for `prompt_guided`, frames spread over the video.
        region: for `prompt_guided`, share of a frame's area that is kept around what is most like
            the question; 1 keeps all.
        guide: for `prompt_guided`, the CLIP-style model that compares question and pictures: a
            folder or a name on the Hub.
        scheme: rules that read the letter, as in `extract_choice`; `official` reads and counts as
            the scorer of each benchmark's authors does, mistakes included.
        judge: `none`, or `backend:model` for what the rules leave open, e.g.
            `transformers:meta-llama/Llama-3.1-8B-Instruct` or `openai:model@http://host/v1`.
    """

    strategy: Strategy = "frames"
    control: Control = "none"
    frames: int = 24
    fps: float | None = FRAMES_PER_SECOND
    sampling: Sampling = "paper"
    size: tuple[int, int] | int | str | None = None
    bounds: bool = True
    subtitles: bool = False
    prompt: str = "t2vid"
    system: str = ""
    prefill: str = ""
    answering: Literal["generate", "letters"] = "generate"
    max_new_tokens: int = 32
    circular: bool = False
    grid_columns: int = 3
    fast_frames: int = 50
    fast_px: int = 112
    middle_frames: int = 5
    region: float = 0.8
    guide: str = "openai/clip-vit-large-patch14-336"
    scheme: Literal["t2vid", "paper", "official"] = "t2vid"
    judge: str = "none"

    def __post_init__(self) -> None:
        """Check every field against its limit."""
        if self.strategy in _FORMER_STRATEGIES:
            control = _FORMER_STRATEGIES[self.strategy]
            text = f"strategy={self.strategy!r} is now control={control!r}"
            warnings.warn(text, DeprecationWarning, stacklevel=4)
            object.__setattr__(self, "strategy", "frames")
            object.__setattr__(self, "control", control)
        if self.control == "subtitles":  # or there would be nothing to show
            object.__setattr__(self, "subtitles", True)
        for name, kind in _CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                raise InputError(
                    f"{name} ({getattr(self, name)!r}) must be one of {get_args(kind)}"
                )
        for field in dataclasses.fields(self):
            wanted, value = type(field.default), getattr(self, field.name)
            fits = isinstance(value, bool) == (wanted is bool) and isinstance(value, wanted)
            if wanted in (bool, int, str) and not fits:
                raise InputError(f"{field.name} ({value!r}) must be {_KINDS[wanted]}")
        if not isinstance(self.region, int | float) or not 0 < self.region <= 1:
            raise InputError(
                f"region ({self.region!r}) must be > 0 and at most 1, a share of the area"
            )
        for name in ("frames", "max_new_tokens", "grid_columns", "fast_px"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} ({getattr(self, name)}) must be > 0")
        for name in ("fast_frames", "middle_frames"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} ({getattr(self, name)}) must be >= 0")
        if not 0 < self.region <= 1:
            raise InputError(
                f"region ({self.region}) must be > 0 and at most 1, a share of the area"
            )
        if self.judge != "none" and ":" not in self.judge and not match(JUDGES, self.judge):
            raise InputError(f"judge ({self.judge!r}) must be 'none' or 'backend:model'")
        if self.prompt not in PROMPTS and "{question}" not in self.prompt:
            raise InputError(
                f"prompt ({self.prompt[:60]!r}) must be one of {sorted(PROMPTS)} or hold {{question}}"
            )
        try:
            self.template.format(question="", options="", subtitles="")
        except (KeyError, IndexError, ValueError) as error:
            raise InputError(
                f"prompt ({self.prompt[:60]!r}) must name only {{question}}, {{options}} and "
                f"{{subtitles}}; double other braces ({error!r})"
            ) from error
        self.sample  # noqa: B018  (checks fps, sampling and size)

    @property
    def template(self) -> str:
        """The text of the prompt."""
        return PROMPTS.get(self.prompt, self.prompt)

    @property
    def sample(self) -> SampleSpec:
        """How a video is sampled."""
        n = self.frames
        if self.strategy in ("slow_fast", "prompt_guided"):
            n = max(n, self.fast_frames)  # the other frames are chosen among these
        values: dict[str, Any] = {"fps": self.fps, "max_frames": n, "sampling": self.sampling}
        if self.size is not None:
            values["size"] = self.size
        return SampleSpec(**values)

    @property
    def asking_hash(self) -> str:
        """Sixteen hexadecimal digits that change with anything that can change an answer."""
        asking = {k: v for k, v in self.to_dict().items() if k not in ("scheme", "judge")}
        asking |= {"prompt": self.template, "version": ASKING, "sample": self.sample.to_dict()}
        official = official_prompt(self.prompt)
        if self.subtitles and official and official.cues == "between":
            asking |= {"cues": "between"}
        line = json.dumps(asking, sort_keys=True)
        return hashlib.sha256(line.encode()).hexdigest()[:16]

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with anything that can change a score."""
        line = f"{self.asking_hash} {self.scheme} {self.judge}"
        return hashlib.sha256(line.encode()).hexdigest()[:16]

    @classmethod
    def named(cls, name: str | Path | Self) -> Self:
        """Give a protocol by its name, or read it from a YAML file.

        Args:
            name: a name of `t2vid list presets`, a path, or a protocol, which is given back; with
                `+CONTROL` at its end the same under a control, such as `mvbench+shuffled`.

        Raises:
            InputError: for a name that is neither, listing the known.
            MissingFile: for a YAML file that is not there.
        """
        if isinstance(name, cls):
            return name
        path = Path(str(name))
        if path.is_file():
            return cls.from_yaml(path.read_text(encoding="utf-8"))
        if path.suffix in (".yaml", ".yml"):
            raise MissingFile(f"protocol {str(name)!r} is not there; give a YAML file, or a name")
        base, plus, control = str(name).partition("+")
        held = cls(**preset("eval", base).values)
        if plus and control not in CONTROLS:
            raise unknown("control", control, CONTROLS)
        return held.replace(control=control) if plus else held

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """Build from a mapping; runs that were stored before call two controls strategies."""
        if isinstance(value, dict) and value.get("strategy") in _FORMER_STRATEGIES:
            control = _FORMER_STRATEGIES[value["strategy"]]
            value = {**value, "strategy": "frames", "control": control}
        return super().from_dict(value)

    def summary(self) -> str:
        """Say in one line what differs from the default.

        >>> EvalConfig(frames=8).summary()
        'frames=8'
        """
        default = EvalConfig().to_dict()
        changed = [f"{k}={v}" for k, v in self.to_dict().items() if v != default[k]]
        return ", ".join(changed) or "the default protocol"

    def replace(self, **changes: Any) -> Self:
        """Give a copy with some fields changed."""
        return dataclasses.replace(self, **changes)
