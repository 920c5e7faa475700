"""t2vid: long texts as frame sequences, mixed with video, to teach image-LLMs to understand video.

Importing it registers `t2vid/synthetic`, `t2vid/mix` … with `datasets` and `t2vid/video_mcq`
with `evaluate`.

>>> import t2vid
>>> len(t2vid.render_text("One short line."))
1
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from t2vid import registry
from t2vid._version import __version__
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import RenderSpec, SampleSpec

if TYPE_CHECKING:
    from t2vid.evaluation.run import evaluate
    from t2vid.frames.render import compression_ratio, render_text
    from t2vid.frames.video import sample_video
    from t2vid.judging.extract import Choice, extract_choice
    from t2vid.mixing.recipe import Recipe
    from t2vid.publishing.hub import push

__all__ = [
    "Choice",
    "FrameList",
    "Frames",
    "Recipe",
    "RenderSpec",
    "SampleSpec",
    "__version__",
    "compression_ratio",
    "evaluate",
    "extract_choice",
    "push",
    "render_text",
    "sample_video",
]

# Public names that cost an import of their own, by the module that holds them.
_LAZY = {
    "Choice": "t2vid.judging.extract",
    "evaluate": "t2vid.evaluation.run",
    "extract_choice": "t2vid.judging.extract",
    "push": "t2vid.publishing.hub",
    "Recipe": "t2vid.mixing.recipe",
    "render_text": "t2vid.frames.render",
    "sample_video": "t2vid.frames.video",
    "compression_ratio": "t2vid.frames.render",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 't2vid' has no attribute {name!r}; it has {__all__}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__


registry.register()
