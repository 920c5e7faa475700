"""t2vid: long texts as frame sequences, mixed with video, to teach image-LLMs to understand video.

>>> import t2vid
>>> len(t2vid.render_text("One short line."))
1

Importing it takes a moment and imports nothing large. `load_dataset("t2vid/mix")` and
`evaluate.load("t2vid/video_mcq")` know its names, whichever package was imported first.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from t2vid import registry
from t2vid._version import __version__
from t2vid.errors import T2VidError

if TYPE_CHECKING:
    from t2vid.evaluation.run import evaluate
    from t2vid.frames.feature import Frames
    from t2vid.frames.framelist import FrameList
    from t2vid.frames.render import compression_ratio, render_text
    from t2vid.frames.spec import RenderSpec, SampleSpec
    from t2vid.frames.video import sample_video
    from t2vid.mixing.recipe import Recipe
    from t2vid.mixing.streaming import stream
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
    "T2VidError",
    "__version__",
    "compression_ratio",
    "evaluate",
    "extract_choice",
    "push",
    "render_text",
    "sample_video",
    "stream",
]

# Public names by the module that holds them; none is imported before it is asked for.
_LAZY = {
    "FrameList": "t2vid.frames.framelist",
    "Frames": "t2vid.frames.feature",
    "ParsedAnswer": "t2vid.scoring.answer",
    "Recipe": "t2vid.mixing.recipe",
    "RenderSpec": "t2vid.frames.spec",
    "SampleSpec": "t2vid.frames.spec",
    "compression_ratio": "t2vid.frames.render",
    "evaluate": "t2vid.evaluation.run",
    "extract_choice": "t2vid.scoring.extract",
    "push": "t2vid.publishing.hub",
    "render_text": "t2vid.frames.render",
    "sample_video": "t2vid.frames.video",
    "stream": "t2vid.mixing.streaming",
}
# Former public names by the names of now; each warns for one release.
_DEPRECATED = {"Choice": "ParsedAnswer", "text_tokens_per_visual_token": "compression_ratio"}


def __getattr__(name: str) -> Any:
    if name in _DEPRECATED:
        import warnings

        now = _DEPRECATED[name]
        warnings.warn(
            f"t2vid.{name} is called t2vid.{now} and goes away in the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        return __getattr__(now)
    if name not in _LAZY:
        raise AttributeError(f"module 't2vid' has no attribute {name!r}; it has {__all__}")
    value = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__


registry.register()
