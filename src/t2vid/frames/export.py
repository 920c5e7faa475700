"""Frames as files and as one picture to look at.

>>> from PIL import Image
>>> contact_sheet([Image.new("L", (40, 40))] * 3, columns=3, tile_px=40).size
(152, 56)
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image, ImageDraw

from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.errors import InputError, MissingFile, pluralize
from t2vid.frames.fonts import load_font
from t2vid.frames.layout import MAX_CHARACTERS
from t2vid.frames.render import count_frames, iter_frames
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.text import check_text
from t2vid.progress import progress
from t2vid.storage.files import PathLike
from t2vid.storage.staging import final_path, staged_folder

Format = Literal["webp", "png", "gif", "mp4", "contact-sheet"]
SECONDS_PER_FRAME = 1.0  # of a gif or mp4: what the paper's video frames stand apart
SHEET_FRAMES = 32  # a larger sheet is no picture any more; the rest is said in the caption
GIF_FRAMES = 1000  # Pillow holds them all in memory
_RECORD = "frames.json"
_FRAME = re.compile(rf"frame_\d{{5,}}\.(webp|png)|{re.escape(_RECORD)}")

GAP_PX = 8
CAPTION_PX = 14


def contact_sheet(
    frames: Sequence[Image.Image],
    *,
    columns: int = 4,
    captions: Sequence[str] | None = None,
    tile_px: int = 448,
    caption_px: int = CAPTION_PX,
) -> Image.Image:
    """Put frames side by side on one picture.

    Args:
        frames: at least one image, of any sizes and modes.
        columns: frames in a row.
        captions: one short line under each frame.
        tile_px: longest side of a frame on the sheet; frames are only ever made smaller.
        caption_px: size of the captions.

    Raises:
        InputError: without frames, or with another number of captions than frames.
    """
    if not frames:
        raise InputError("a contact sheet needs at least one frame")
    if captions is not None and len(captions) != len(frames):
        raise InputError(f"{len(captions)} captions do not fit {len(frames)} frames")
    if columns < 1:
        raise InputError(f"columns ({columns}) must be > 0")
    columns = min(columns, len(frames))
    tiles = [_tile(frame, tile_px) for frame in frames]
    width = max(tile.width for tile in tiles)
    below = caption_px + GAP_PX if captions else 0
    rows = [tiles[i : i + columns] for i in range(0, len(tiles), columns)]
    heights = [max(tile.height for tile in row) + below + GAP_PX for row in rows]
    size = (columns * (width + GAP_PX) + GAP_PX, sum(heights) + GAP_PX)
    color = any(tile.mode != "L" for tile in tiles)
    sheet = Image.new("RGB" if color else "L", size, (214, 218, 224) if color else 217)
    draw = ImageDraw.Draw(sheet)
    font = load_font("sans", caption_px)
    for i, tile in enumerate(tiles):
        x = GAP_PX + i % columns * (width + GAP_PX)
        y = GAP_PX + sum(heights[: i // columns])
        sheet.paste(tile, (x, y))
        if captions:
            text = captions[i]
            while text and font.getlength(text) > width:
                text = text[:-1]
            draw.text((x, y + tile.height + 3), text, font=font, fill=0)
    return sheet


@dataclass(frozen=True)
class Rendered:
    """What became of one file.

    Attributes:
        name: the file, `-` for standard input.
        n_frames: frames of the text.
        n_words: blank-separated words.
        path: where the frames are; None after a dry run or an error.
        error: why there are none, or "".
        n_left_out: further frames of the text, beyond `max_frames`.
    """

    name: str
    n_frames: int = 0
    n_words: int = 0
    path: Path | None = None
    error: str = ""
    n_left_out: int = 0

    def line(self) -> str:
        """Give one line for a table: frames, words, words a frame and tokens per family."""
        if self.error:
            return f"{self.name}: {self.error}"
        tokens = ", ".join(f"{f} {n * self.n_frames:,}" for f, n in TOKENS_PER_FRAME.items())
        share = self.n_words / max(1, self.n_frames)
        left = f" ({self.n_left_out:,} more left out)" if self.n_left_out else ""
        where = f" → {self.path}" if self.path else ""
        return (
            f"{self.name}: {pluralize(self.n_frames, 'frame')}{left}, {pluralize(self.n_words, 'word')}, "
            f"{share:.0f} words a frame; visual tokens: {tokens}{where}"
        )


def render_files(
    files: Sequence[str | Path],
    out: PathLike = "frames",
    *,
    format: Format = "webp",
    preset: str = "default",
    max_frames: int | None = None,
    dry_run: bool = False,
    **changes: Any,
) -> list[Rendered]:
    """Draw text files and write their frames; what an earlier run finished is not drawn again.

    Args:
        files: UTF-8 text files; `-` is standard input.
        out: folder, path or URL; each file gets `out/STEM/` (webp, png) or one file `out/STEM.SUFFIX`.
        format: lossless `webp` or `png` images, a `gif`, an `mp4`, or one `contact-sheet`.
        preset: `default`, `dense` or `paper`.
        max_frames: frames of one text at most; what is left out is counted.
        dry_run: only count frames, words and tokens.
        **changes: fields of `RenderSpec` to set otherwise than the preset, e.g. `font="serif"`.

    Returns:
        One entry a file, in order; a file that cannot be drawn has its `error` there.

    Raises:
        InputError: for an unknown format or preset, or two files that would share their output.
    """
    if format not in get_args(Format):
        raise InputError(f"format {format!r} is unknown; use one of {get_args(Format)}")
    if max_frames is not None and max_frames < 1:
        raise InputError(f"max_frames ({max_frames}) must be > 0, or None")
    spec = RenderSpec.from_dict({**RenderSpec.preset(preset).to_dict(), **changes})
    stems = ["stdin" if str(name) == "-" else Path(name).stem for name in files]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise InputError(f"several files are called {twice}; render them into folders of their own")
    done = []
    with contextlib.nullcontext(Path()) if dry_run else staged_folder(out) as folder:
        for name, stem in progress(list(zip(files, stems, strict=True)), desc="files", unit="file"):
            try:
                text = _read(name)
                target = None if dry_run else _target(folder, stem, format)
                drawn = _render_one(str(name), text, spec, target, format, max_frames)
                if drawn.path is not None and drawn.path.is_relative_to(folder):
                    drawn = dataclasses.replace(drawn, path=final_path(drawn.path, folder, out))
                done.append(drawn)
            except (InputError, MissingFile) as error:
                done.append(Rendered(str(name), error=str(error)))
            except Exception as error:  # one file's fault must not cost the others
                shown = f"cannot be drawn ({type(error).__name__}: {error})"
                done.append(Rendered(str(name), error=shown))
    return done


def _render_one(
    name: str,
    text: str,
    spec: RenderSpec,
    target: Path | None,
    format: Format,
    max_frames: int | None = None,
) -> Rendered:
    check_text(text)
    words = len(text.split())
    total = count_frames(text, spec) if target is None or max_frames is not None else None
    cut = max(0, total - max_frames) if total is not None and max_frames is not None else 0
    if target is None:
        return Rendered(name, (total or 0) - cut, words, n_left_out=cut)
    key = hashlib.sha256(
        f"{spec.hash} {format} {max_frames or ''} {text}".encode("utf-8", "replace")
    ).hexdigest()
    record = target / _RECORD if format in ("webp", "png") else Path(f"{target}.json")
    known = _recorded(record)
    if known.get("key") == key and target.exists():
        return Rendered(name, known["n_frames"], words, target, n_left_out=cut)
    if target.exists() and not _ours(target, known):
        raise InputError(
            f"{target} holds what this command did not write; move it away or give another --out"
        )
    part = target.with_name(f".{target.stem}.part{target.suffix}")
    shutil.rmtree(part, ignore_errors=True)  # of an interrupted run, with more frames perhaps
    drawn = islice(iter_frames(text, spec), max_frames)
    frames = (image for _, image in progress(drawn, desc=name, unit="frame"))
    n = _write(frames, part, format)
    line = json.dumps({"key": key, "n_frames": n, "spec": spec.to_dict()})
    if part.is_dir():
        (part / _RECORD).write_text(line)
        shutil.rmtree(target, ignore_errors=True)
    else:  # killed before the last line, the next run knows the file for ours and draws it again
        record.write_text(json.dumps({"key": "", "n_frames": 0}))
    part.replace(target)
    record.write_text(line)
    return Rendered(name, n, words, target, n_left_out=cut)


def _ours(target: Path, known: dict[str, Any]) -> bool:
    """Say whether what stands at the target may be replaced: nothing of somebody else is there."""
    if not target.is_dir():
        return bool(known)
    names = os.listdir(target)
    return not names or (bool(known) and all(_FRAME.fullmatch(name) for name in names))


def _recorded(record: Path) -> dict[str, Any]:
    """Give what an earlier run wrote about its frames; nothing where it wrote none."""
    try:
        known = json.loads(record.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and {"key", "n_frames"} <= known.keys() else {}


def _write(frames: Iterator[Image.Image], path: Path, format: Format) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    if format in ("webp", "png"):
        path.mkdir()
        n = 0
        for n, image in enumerate(frames, start=1):
            image.save(path / f"frame_{n:05d}.{format}", lossless=True)  # png is so anyway
        return n
    if format == "mp4":
        return _write_mp4(frames, path)
    held = list(islice(frames, SHEET_FRAMES if format == "contact-sheet" else GIF_FRAMES))
    rest = sum(1 for _ in frames)
    if format == "gif":
        if rest:
            n = len(held) + rest
            raise InputError(f"{n:,} frames are more than the {GIF_FRAMES:,} of a gif; take mp4")
        milliseconds = round(1000 * SECONDS_PER_FRAME)
        held[0].save(path, save_all=True, append_images=held[1:], duration=milliseconds, loop=0)
    else:
        captions = [f"{i + 1} of {len(held) + rest}" for i in range(len(held))]
        contact_sheet(held, captions=captions).save(path, lossless=True)
    return len(held) + rest


def _write_mp4(frames: Iterable[Image.Image], path: Path) -> int:
    import av

    n = 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(1 / SECONDS_PER_FRAME))
        stream.pix_fmt = "yuv420p"
        for n, image in enumerate(frames, start=1):
            if n == 1:
                stream.width, stream.height = (edge + edge % 2 for edge in image.size)
            even = Image.new("RGB", (stream.width, stream.height), "white")
            even.paste(image)
            frame = av.VideoFrame.from_ndarray(np.asarray(even), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return n


def _target(out: Path, stem: str, format: Format) -> Path:
    if format in ("webp", "png"):
        return out / stem
    return out / f"{stem}.{'webp' if format == 'contact-sheet' else format}"


def _read(name: str | Path) -> str:
    if str(name) == "-":
        if sys.stdin is None:
            raise InputError("standard input is closed; pipe a text into it, or name a file")
        return sys.stdin.read()
    path = Path(name)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the text files in it, as {path}/*.txt")
    if not path.is_file() and not path.is_fifo():
        raise MissingFile(f"{path} does not exist; give text files, or - for standard input")
    if path.stat().st_size > 4 * MAX_CHARACTERS:  # UTF-8 takes at most four bytes a character
        raise InputError(
            f"{path} has {path.stat().st_size:,} bytes, more than {MAX_CHARACTERS:,} characters take; "
            "cut it"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error.reason}); convert it first") from error


def _tile(frame: Image.Image, tile_px: int) -> Image.Image:
    tile = frame if frame.mode == "L" else frame.convert("RGB")
    scale = tile_px / max(tile.size)
    if scale < 1:
        size = (max(1, round(tile.width * scale)), max(1, round(tile.height * scale)))
        tile = tile.resize(size, Image.Resampling.LANCZOS)
    return tile
