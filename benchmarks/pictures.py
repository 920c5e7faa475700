"""Draw the pictures of README and site from the bundled samples; running it again gives the same bytes.

make pictures
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw

import t2vid
from t2vid import samples
from t2vid.frames.export import contact_sheet
from t2vid.insight.figures import figures
from t2vid.insight.findings import findings
from t2vid.insight.subject import subject_of

OUT = Path(__file__).parents[1] / "docs" / "pictures"
SHOWN = ("map", "frames", "words-a-frame")  # of the figures of a report
BADGES = {
    "python": ("python", "3.11 or newer"),
    "licence": ("licence", "Apache-2.0"),
    "types": ("types", "mypy strict"),
}
_CAPTION_PX = 28  # of a sheet that is shown at half its size
_LETTER_PX = 6.6  # of DejaVu Sans at 11 px, about


def sheet() -> Image.Image:
    """One long text and one clip, side by side as what they are to a model: frame sequences."""
    text = max(samples.texts(), key=lambda row: len(row["context"]))
    pages = t2vid.render_text(text["context"], max_frames=4)
    clip = samples.ROOT / samples.clips()[0]["video"]
    frames = t2vid.sample_video(clip, t2vid.SampleSpec(max_frames=4))
    rows = [
        contact_sheet(
            pages,
            columns=4,
            captions=[f"text, characters {a:,}–{b:,}" for a, b in pages.spans],
            caption_px=_CAPTION_PX,
        ),
        contact_sheet(
            [frame.resize((448, 336), Image.Resampling.LANCZOS) for frame in frames],
            columns=4,
            captions=[f"video, {time:.2f} s" for time in frames.timestamps_s],
            caption_px=_CAPTION_PX,
        ),
    ]
    picture = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for row, top in zip(rows, (0, rows[0].height), strict=True):
        picture.paste(row.convert("RGB"), (0, top))
    return picture


def icon() -> Image.Image:
    """A page with a play mark: a text that is a video."""
    image = Image.new("RGBA", (64, 64))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((6, 4, 58, 60), 8, fill="#3b6fd4")
    for top in (14, 24, 44):
        pen.line((15, top, 49, top), fill="white", width=4)
    pen.polygon([(24, 29), (24, 41), (38, 35)], fill="white")
    return image


def badge(label: str, value: str) -> str:
    """Two words in a box, as SVG."""
    left, right = (round(len(text) * _LETTER_PX) + 14 for text in (label, value))
    boxes = f'<rect width="{left}" height="20" fill="#444b55"/>'
    boxes += f'<rect x="{left}" width="{right}" height="20" fill="#1f5f9e"/>'
    words = f'<text x="{left / 2:g}" y="14">{label}</text>'
    words += f'<text x="{left + right / 2:g}" y="14">{value}</text>'
    font = 'fill="#fff" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{label}: {value}">{boxes}<g {font} text-anchor="middle">{words}</g></svg>\n'
    )


def all_pictures() -> dict[str, bytes]:
    """Give every picture by its file name."""
    out = {}
    for name, image, how in (
        ("frames.webp", sheet(), {"lossless": True}),
        ("icon.png", icon(), {}),
    ):
        file = io.BytesIO()
        image.save(file, name.rpartition(".")[2], **how)
        out[name] = file.getvalue()
    for name, words in BADGES.items():
        out[f"badge-{name}.svg"] = badge(*words).encode()
    found = findings(subject_of("t2vid/mix", "sample"))
    drawn = figures(found.rows, found.map)
    return out | {f"mix-{n}": c for n, c in drawn.items() if n.rpartition(".")[0] in SHOWN}


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for name, content in all_pictures().items():
        same = (OUT / name).is_file() and (OUT / name).read_bytes() == content
        (OUT / name).write_bytes(content)
        print(f"docs/pictures/{name}: {len(content):,} bytes{', as before' if same else ''}")
