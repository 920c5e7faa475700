"""Small rows that the trainer's tests share: clips, drawn texts, text alone."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from t2vid.schema import messages

COLOURS = ["red", "green", "blue", "yellow"]
PAGES = ["The lighthouse keeper counts ships. " * 30, "A recipe asks for two eggs. " * 30]


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
