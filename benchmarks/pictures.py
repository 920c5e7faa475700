"""Draw the pictures of the README from the bundled samples; running it again gives the same bytes.

make pictures
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

import t2vid
from t2vid import samples
from t2vid.frames.export import contact_sheet

OUT = Path(__file__).parents[1] / "docs"


def sheet() -> None:
    """One long text and one clip, side by side as what they are to a model: frame sequences."""
    text = max(samples.texts(), key=lambda row: len(row["context"]))
    pages = t2vid.render_text(text["context"], max_frames=4)
    clip = samples.ROOT / samples.clips()[0]["video"]
    frames = t2vid.sample_video(clip, t2vid.SampleSpec(max_frames=4))
    rows = [
        contact_sheet(
            pages, columns=4, captions=[f"text, characters {a:,}–{b:,}" for a, b in pages.spans]
        ),
        contact_sheet(
            [frame.resize((448, 336), Image.Resampling.LANCZOS) for frame in frames],
            columns=4,
            captions=[f"video, {time:.2f} s" for time in frames.timestamps_s],
        ),
    ]
    picture = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for row, top in zip(rows, (0, rows[0].height), strict=True):
        picture.paste(row.convert("RGB"), (0, top))
    OUT.mkdir(exist_ok=True)
    path = OUT / "frames.webp"
    picture.save(path, lossless=True)
    print(f"{path.relative_to(OUT.parent)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    sheet()
