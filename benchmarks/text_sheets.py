"""Draw the contact sheets of docs/text-frames.md: twelve scripts, and six styles.

    python benchmarks/text_sheets.py     # writes docs/pictures/scripts.webp and styles.webp

Chinese, Japanese and Korean need fonts-noto-cjk, Tamil and Georgian fonts-noto-core; without them it
says so and writes nothing.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from render import TEXTS, WORDS

from t2vid.errors import MissingGlyphs
from t2vid.frames.export import contact_sheet
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec

OUT = Path(__file__).parents[1] / "docs" / "pictures"
MORE = {
    "Tamil": "காலையில் பழைய துறைமுகம் அமைதியாக இருந்தது. மீனவர்கள் வலைகளுடன் கடலுக்குச் சென்றனர்.",
    "Georgian": "დილით ძველი ნავსადგური მშვიდი იყო. მეთევზეები ბადეებით ზღვაში გავიდნენ.",
}
MARKDOWN = """# Harbour report

The **north mole** is closed *until Friday*. See [the plan](plan.pdf) and `harbour.toml`.

> Nobody ties up at berth 4.

1. Check the ropes.
   - red before green
2. Report by radio.

| berth | boat | since |
|:------|:----:|------:|
| 1 | *Tern* | 6:10 |
| 2 | **Petrel** | 7:45 |
"""
CODE = '''def tide(hours, low=0.4, high=3.9):
    """Height of the water in metres."""
    phase = (hours % 12.4) / 12.4
    swing = (high - low) / 2  # from the middle
    return low + swing * (1 - cos(2 * pi * phase))


for hour in range(24):
    level = tide(hour)
    if level < 1.0:
        print(f"{hour:2}:00 too low, wait")
    else:
        print(f"{hour:2}:00 {level:.1f} m")
'''


def scripts() -> Image.Image:
    """One frame of each of twelve scripts."""
    texts = {"Latin": TEXTS[0], **WORDS, **MORE}
    texts = {name: " ".join([text.strip()] * 12) for name, text in texts.items()}
    spec = RenderSpec(width=336, height=224, font_px=20, margin_px=14, words_per_frame=None)
    frames = [render_text(text, spec, max_frames=1)[0] for text in texts.values()]
    return contact_sheet(frames, columns=4, captions=list(texts), caption_px=22)


def styles() -> Image.Image:
    """One frame of each of six styles."""
    prose = TEXTS[0]
    ink = ("#22303c", "#fffdf6")
    dark = ("#e6e6e6", "#16181d")
    whole = {"words_per_frame": None}
    shown = {
        'markup="markdown"': (
            MARKDOWN,
            RenderSpec(markup="markdown", font_px=17, colors=ink, **whole),
        ),
        'markup="code"': (
            CODE,
            RenderSpec(markup="code", code_language="python", font_px=15, colors=dark, **whole),
        ),
        "columns=2, header, footer": (
            prose,
            RenderSpec(
                columns=2,
                font="serif",
                font_px=15,
                header="The Harbour",
                footer="{page}/{pages}",
                **whole,
            ),
        ),
        "newline marks, flowing": (
            prose,
            RenderSpec(whitespace="flow", newline_marks=True, font_px=16, **whole),
        ),
        "random, level 2: a scan": (prose, RenderSpec.random(9, level=2)),
        "random, level 3: a photograph": (prose, RenderSpec.random(20, level=3)),
    }
    frames = [render_text(text, spec, max_frames=1)[0] for text, spec in shown.values()]
    return contact_sheet(frames, columns=3, captions=list(shown), caption_px=22)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, make in (("scripts", scripts), ("styles", styles)):
        path = OUT / f"{name}.webp"
        make().save(path, quality=80, method=6)
        print(f"{path.relative_to(OUT.parents[1])}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    try:
        main()
    except MissingGlyphs as error:
        raise SystemExit(f"text_sheets.py: {error}") from None
