"""t2vid: long texts as frame sequences, mixed with video, to teach image-LLMs to understand video.

Importing it registers `t2vid/synthetic`, `t2vid/mix` … with `datasets` and `t2vid/video_mcq`
with `evaluate`.

>>> import t2vid
>>> len(t2vid.render_text("One short line."))
1
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from t2vid import registry
from t2vid._version import __version__
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import RenderSpec, SampleSpec

if TYPE_CHECKING:
    from t2vid.evaluation.run import evaluate
    from t2vid.frames.render import render_text, text_tokens_per_visual_token
    from t2vid.frames.video import sample_video
    from t2vid.mixing.recipe import Recipe
    from t2vid.publishing.hub import push
    from t2vid.scoring.answer import ParsedAnswer
    from t2vid.scoring.extract import extract_choice

__all__ = [
    "FrameList",
    "Frames",
    "ParsedAnswer",
    "Recipe",
    "RenderSpec",
    "SampleSpec",
    "__version__",
    "evaluate",
    "extract_choice",
    "push",
    "render_text",
    "sample_video",
    "text_tokens_per_visual_token",
]

# Public names that cost an import of their own, by the module that holds them.
_LAZY = {
    "evaluate": "t2vid.evaluation.run",
    "extract_choice": "t2vid.scoring.extract",
    "push": "t2vid.publishing.hub",
    "ParsedAnswer": "t2vid.scoring.answer",
    "Recipe": "t2vid.mixing.recipe",
    "render_text": "t2vid.frames.render",
    "sample_video": "t2vid.frames.video",
    "text_tokens_per_visual_token": "t2vid.frames.render",
}

# Old names, by module and new name; they go with the next release.
_RENAMED = {"Choice": ("t2vid.scoring.answer", "ParsedAnswer")}


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        module, new = _RENAMED[name]
        warnings.warn(f"t2vid.{name} is now t2vid.{new}", DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(module), new)
    if name not in _LAZY:
        raise AttributeError(f"module 't2vid' has no attribute {name!r}; it has {__all__}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__


registry.register()
