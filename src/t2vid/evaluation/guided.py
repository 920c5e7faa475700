"""Frames and regions most like a question, as a CLIP-style model sees it (Free Video-LLM).

    clip = load_clip("openai/clip-vit-large-patch14-336")
    clip.look(frames).pictures("Who opens the door?", EvalConfig.named("prompt-guided"))

Source of the method: K. Han and others, arXiv 2410.10441, and contrastive/FreeVideoLLM. There the
language model's own features are chosen and cropped; here the pictures are, before any model sees
them, so that it works with every family and every served model.

>>> box((100, 60), rows=[0, 0], columns=[3, 3], grid=4, share=0.25)
(50, 0, 100, 30)
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from t2vid.errors import InputError, require
from t2vid.evaluation.config import EvalConfig

# OpenAI's CLIP; a checkpoint whose preprocessor_config.json says otherwise is followed.
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_AT_ONCE = 32  # frames in one pass

Box = tuple[int, int, int, int]


class ClipGuide:
    """A CLIP-style model: a tower for pictures and one for texts, their outputs comparable.

    Args:
        model: with `vision_model` and `text_model`, such as `CLIPModel` or `SiglipModel`.
        tokenizer: its tokenizer.
        mean: of each colour over its training pictures.
        std: standard deviation, likewise.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        mean: Sequence[float] = _MEAN,
        std: Sequence[float] = _STD,
    ) -> None:
        if not hasattr(model, "vision_model") or not hasattr(model, "text_model"):
            raise InputError(
                f"guide ({type(model).__name__}) must be a CLIP-style model with a tower for "
                "pictures and one for texts, such as openai/clip-vit-large-patch14-336"
            )
        self.model, self.tokenizer = model.eval(), tokenizer
        self.edge = int(model.config.vision_config.image_size)
        self._mean, self._std = (np.asarray(x, dtype=np.float32) for x in (mean, std))
        self._lock = threading.Lock()  # videos are prepared in several threads

    def look(self, frames: Sequence[Image.Image]) -> Looked:
        """See the frames of one video, once for all its questions."""
        torch = require("torch", extra="eval")
        pooled, patches = [], []
        for start in range(0, len(frames), _AT_ONCE):
            pixels = torch.from_numpy(self._pixels(frames[start : start + _AT_ONCE]))
            with self._lock, torch.inference_mode():
                out = self.model.vision_model(pixel_values=pixels.to(self.model.device))
                project = getattr(self.model, "visual_projection", None) or torch.nn.Identity()
                norm = getattr(self.model.vision_model, "post_layernorm", torch.nn.Identity())
                pooled.append(_unit(project(out.pooler_output)))
                patches.append(_unit(project(norm(out.last_hidden_state))))
        return Looked(self, list(frames), np.concatenate(pooled), np.concatenate(patches))

    def read(self, text: str) -> NDArray[np.float32]:
        """Give the direction of a text; one longer than the model takes is cut."""
        torch = require("torch", extra="eval")
        tokens = self.tokenizer(
            [text],
            return_tensors="pt",
            truncation=True,
            max_length=self.model.config.text_config.max_position_embeddings,
        )
        inputs = {k: tokens[k].to(self.model.device) for k in ("input_ids", "attention_mask")}
        with self._lock, torch.inference_mode():
            out = self.model.text_model(**inputs).pooler_output
            project = getattr(self.model, "text_projection", None) or torch.nn.Identity()
            return np.asarray(_unit(project(out))[0])

    def _pixels(self, frames: Sequence[Image.Image]) -> NDArray[np.float32]:
        # stretched, not cropped: the regions must cover the whole frame
        size = (self.edge, self.edge)
        shrunk = [f.convert("RGB").resize(size, Image.Resampling.BICUBIC) for f in frames]
        stack = np.stack([np.asarray(frame, dtype=np.float32) for frame in shrunk]) / 255
        return np.ascontiguousarray(((stack - self._mean) / self._std).transpose(0, 3, 1, 2))


class Looked:
    """The frames of a video as a `ClipGuide` sees them.

    Args:
        clip: which saw them.
        frames: PIL images.
        pooled: `(frames, width)`, of unit length.
        patches: `(frames, patches, width)`, of unit length; perhaps with a token of the whole first.
    """

    def __init__(
        self,
        clip: ClipGuide,
        frames: Sequence[Image.Image],
        pooled: NDArray[np.float32],
        patches: NDArray[np.float32],
    ) -> None:
        self.clip, self.frames, self._pooled = clip, frames, pooled
        self._grid = math.isqrt(patches.shape[1])
        self._patches = patches[:, patches.shape[1] - self._grid**2 :]

    def pictures(self, question: str, protocol: EvalConfig) -> list[Image.Image]:
        """Give the frames most like a question, then some spread over the video, all cropped.

        Args:
            question: without its options.
            protocol: whose `frames`, `middle_frames` and `region` apply.
        """
        text, n = self.clip.read(question), len(self.frames)
        likeness = self._pooled @ text
        slow = sorted(np.argsort(-likeness, kind="stable")[: protocol.frames].tolist())
        middle = [i * n // protocol.middle_frames for i in range(protocol.middle_frames)]
        return [self._cropped(i, text, protocol.region) for i in [*slow, *dict.fromkeys(middle)]]

    def _cropped(self, place: int, text: NDArray[np.float32], share: float) -> Image.Image:
        frame = self.frames[place]
        if share == 1:
            return frame
        likeness = self._patches[place] @ text
        best = np.argsort(-likeness, kind="stable")[: max(1, int(len(likeness) * share))]
        where = box(
            frame.size,
            rows=best // self._grid,
            columns=best % self._grid,
            grid=self._grid,
            share=share,
        )
        return frame.crop(where)


def box(
    size: tuple[int, int],
    *,
    rows: Sequence[int] | NDArray[np.int64],
    columns: Sequence[int] | NDArray[np.int64],
    grid: int,
    share: float,
) -> Box:
    """Give the part of a frame around the middle of some of its patches, inside the frame.

    Args:
        size: `(width, height)` of the frame in pixels.
        rows: of the patches, from 0.
        columns: of the patches, from 0.
        grid: patches in a row and in a column.
        share: of the frame's area that the part has, in the frame's own shape.
    """
    ends = []
    for length, places in zip(size, (columns, rows), strict=True):
        part = max(1, round(length * math.sqrt(share)))
        middle = (float(np.mean(places)) + 0.5) / grid * length
        start = min(max(0, round(middle - part / 2)), length - part)
        ends.append((start, start + part))
    (left, right), (top, bottom) = ends
    return left, top, right, bottom


def _unit(vectors: Any) -> NDArray[np.float32]:
    held = vectors.float().cpu().numpy()
    return np.asarray(held / np.linalg.norm(held, axis=-1, keepdims=True), dtype=np.float32)


@functools.cache
def load_clip(name: str) -> ClipGuide:
    """Load a CLIP-style checkpoint, once in a process.

    Args:
        name: a folder or a name on the Hub.

    Raises:
        InputError: where it is none.
    """
    transformers = require("transformers", extra="eval")
    torch = require("torch", extra="eval")
    try:
        model = transformers.AutoModel.from_pretrained(name)
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        # the dictionary, not the processor: newer ones need torchvision
        mixin = transformers.image_processing_base.ImageProcessingMixin
        images, _ = mixin.get_image_processor_dict(name)
    except (OSError, ValueError) as error:
        raise InputError(
            f"guide ({name!r}) must be a CLIP-style model, a folder or a name on the Hub: {error}"
        ) from error
    if torch.cuda.is_available():
        model = model.to("cuda")
    return ClipGuide(
        model,
        tokenizer,
        mean=images.get("image_mean", _MEAN),
        std=images.get("image_std", _STD),
    )
