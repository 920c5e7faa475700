"""The bundled samples: texts, clips and multiple-choice questions written for this project.

>>> sorted(texts()[0])
['answer', 'context', 'id', 'question']
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
LICENCE = "apache-2.0"


def texts() -> list[dict[str, Any]]:
    """Give the long texts, `{id, context, question, answer}`."""
    return _read("texts.jsonl")


def clips() -> list[dict[str, Any]]:
    """Give the video instructions, `{id, video, conversations}`; `video` is a path under `ROOT`."""
    return _read("clips.jsonl")


def questions() -> list[dict[str, Any]]:
    """Give the multiple-choice questions, `{id, video | text, question, options, answer, …}`."""
    return _read("questions.jsonl")


def _read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
