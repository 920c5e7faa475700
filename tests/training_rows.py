"""What the trainer's tests share: small rows (clips, drawn texts, text alone), quiet settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from t2vid.schema import messages

if TYPE_CHECKING:
    from t2vid.trainer import VideoSFTConfig

COLOURS = ["red", "green", "blue", "yellow"]
PAGES = ["The lighthouse keeper counts ships. " * 30, "A recipe asks for two eggs. " * 30]


def cpu_settings(folder: Any, **changes: Any) -> VideoSFTConfig:
    """Give the settings of a short, quiet run on the CPU, with those that a test changes."""
    from t2vid.trainer import VideoSFTConfig  # a process of several sets DeepSpeed up before this

    defaults = {
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
        "bf16": False,
        "activation_checkpointing": False,
        "disable_tqdm": True,
    }
    return VideoSFTConfig(str(folder), **(defaults | changes))


def clip(colour: str, n: int, size: tuple[int, int] = (96, 64)) -> list[Image.Image]:
    """Frames of a square that moves, as a video would give them."""
    frames = []
    for i in range(n):
        frame = Image.new("RGB", size, "white")
        ImageDraw.Draw(frame).rectangle([4 * i, 10, 4 * i + 30, 40], fill=colour)
        frames.append(frame)
    return frames


def page(text: str, k: int) -> Image.Image:
    """A gray page of a text; drawn here so that these tests do not lean on the renderer."""
    sheet = Image.new("L", (448, 448), 255)
    ImageDraw.Draw(sheet).multiline_text((20, 20 + 9 * k), text[:60] + "\n" + text[60:120], fill=0)
    return sheet


def row(name: str, source: str, images: list[Any], turns: list[Any], n: int) -> dict[str, Any]:
    """One row of `schema.row_features`."""
    return {
        "id": name,
        "source": source,
        "images": images,
        "messages": messages(turns, n_frames=n),
        "n_frames": n,
        "n_words": 0,
    }


def mixed_rows() -> list[dict[str, Any]]:
    """Eight rows: four clips of different lengths, three texts drawn as pages, one text alone."""
    rows = []
    for i, colour in enumerate(COLOURS):
        turns = [("user", "What colour moves?"), ("assistant", f"{colour} square")]
        if i == 0:
            turns += [("user", "Where to?"), ("assistant", "To the right.")]
        n = 2 if i == 0 else 11  # so that a colour cannot be told by the number of frames
        rows.append(row(f"clip/{i}", "clips", clip(colour, n), turns, n))
    for i in range(3):
        pages = [page(PAGES[i % 2], k) for k in range(2)]
        turns = [("user", f"Question {i}?"), ("assistant", ["Ships.", "Eggs.", "Light."][i])]
        rows.append(row(f"text/{i}", "pages", pages, turns, len(pages)))
    turns = [("user", "Two and two?"), ("assistant", "Four.")]
    rows.append(row("alone/0", "words", [], turns, 0))
    return rows


def texts(rows: list[dict[str, Any]]) -> list[str]:
    """Every text of the rows, for a tokenizer to learn from."""
    turns = [turn for one in rows for turn in one["messages"]]
    return [part["text"] for turn in turns for part in turn["content"] if part["text"]]


def question(at: int, video: Path, style: str = "choice") -> dict[str, Any]:
    """A question of a benchmark about a video, with colours to choose from."""
    from t2vid.frames.feature import video_value

    return {
        "id": f"q/{at}",
        "source": "toy",
        "images": video_value(video),
        "question": f"Which colour comes {['first', 'last'][at % 2]}?",
        "answer": "ABCD"[at % 4],
        "category": "colour",
        "duration": None,
        "video": video.name,
        "style": style,
        "options": COLOURS,
        "labels": [],
        "instruction": "Tell all." if style == "caption" else None,
        "subtitles": [],
        "official": None,
    }
