"""Draw and encode the eight sample clips, and re-check everything in `src/t2vid/samples`.

>>> clip = CLIPS["ball"]
>>> clip.n_frames, clip.frame(0).size
(120, (320, 240))

    python benchmarks/make_samples.py --out src/t2vid/samples/clips  # encode the clips again
    python benchmarks/make_samples.py --check                         # compare with the drawing
    python benchmarks/make_samples.py --sheet sheet.png               # look at them
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SAMPLES = Path(__file__).resolve().parents[1] / "src" / "t2vid" / "samples"
OVERSAMPLE = 2  # draw twice as large and shrink: Pillow's shapes have no smooth edges of their own
MAX_CLIP_BYTES, MAX_TOTAL_BYTES = 100_000, 500_000
MIN_PSNR_DB = 30.0  # below it a viewer sees that a frame is not the drawing

Colour = tuple[int, int, int]
INK: Colour = (43, 45, 66)
PAPER: Colour = (250, 247, 240)


class Canvas:
    """A drawing surface in the units of the final frame, smooth at the edges."""

    def __init__(self, width: int, height: int, background: Colour) -> None:
        """Make a surface of `width` x `height` pixels, filled with `background`."""
        self.image = Image.new("RGB", (width * OVERSAMPLE, height * OVERSAMPLE), background)
        self.width, self.height = width, height
        self._draw = ImageDraw.Draw(self.image)

    def disc(self, x: float, y: float, radius: float, fill: Colour) -> None:
        box = [(v * OVERSAMPLE) for v in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.ellipse(box, fill=fill)

    def arc(self, x: float, y: float, radius: float, colour: Colour, width: float) -> None:
        box = [(v * OVERSAMPLE) for v in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.arc(box, 180, 360, fill=colour, width=round(width * OVERSAMPLE))

    def box(
        self, x: float, y: float, width: float, height: float, fill: Colour, r: int = 0
    ) -> None:
        corners = [v * OVERSAMPLE for v in (x, y, x + max(width, 1), y + max(height, 1))]
        self._draw.rounded_rectangle(corners, r * OVERSAMPLE, fill=fill)

    def shape(self, points: list[tuple[float, float]], fill: Colour) -> None:
        self._draw.polygon([(x * OVERSAMPLE, y * OVERSAMPLE) for x, y in points], fill=fill)

    def line(self, points: list[tuple[float, float]], colour: Colour, width: float) -> None:
        scaled = [(x * OVERSAMPLE, y * OVERSAMPLE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=round(width * OVERSAMPLE), joint="curve")

    def text(self, x: float, y: float, text: str, size: int, colour: Colour = INK) -> None:
        place = (x * OVERSAMPLE, y * OVERSAMPLE)
        self._draw.text(place, text, fill=colour, font=_font(size * OVERSAMPLE), anchor="mm")

    def finish(self) -> Image.Image:
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Clip:
    """One drawn clip.

    Attributes:
        name: file name without its suffix.
        width, height: frame size in pixels.
        fps: frames a second.
        duration_s: length in seconds.
        draw: paints the moment `t` (seconds) on a canvas and returns it.
        crf: constant rate factor of x264; a larger one gives a smaller file.
    """

    name: str
    width: int
    height: int
    fps: int
    duration_s: int
    draw: Callable[[Clip, float], Canvas]
    crf: int = 23

    @property
    def n_frames(self) -> int:
        """Frames in the whole clip."""
        return self.fps * self.duration_s

    def frame(self, index: int) -> Image.Image:
        """Draw the frame at `index`."""
        return self.draw(self, index / self.fps).finish()

    def canvas(self, background: Colour) -> Canvas:
        """Give an empty surface of this clip's size."""
        return Canvas(self.width, self.height, background)


def draw_ball(clip: Clip, t: float) -> Canvas:
    """A red ball with a white stripe rolls from left to right over a meadow with three trees."""
    c = clip.canvas((158, 209, 240))
    c.disc(262, 48, 22, (255, 221, 87))
    c.disc(70, 300, 150, (121, 184, 94))
    c.disc(250, 310, 150, (134, 196, 104))
    c.box(0, 178, 320, 62, (96, 168, 76))
    for x, size in ((60, 24), (150, 19), (235, 27)):
        c.box(x - 4, 176 - size * 1.6, 8, size * 1.6, (122, 84, 56))
        c.disc(x, 176 - size * 2.0, size, (58, 125, 68))
    for x in range(14, 320, 34):
        c.disc(x, 226 - (x * 7) % 9, 2.5, PAPER)
    radius, x = 20.0, 24 + 274 * t / clip.duration_s
    angle, y = x / radius, 192.0
    c.disc(x + 3, y + radius + 1, 6, (74, 140, 60))
    c.disc(x, y, radius, (214, 40, 57))
    dx, dy = math.cos(angle) * (radius - 2), math.sin(angle) * (radius - 2)
    c.line([(x - dx, y - dy), (x + dx, y + dy)], (255, 245, 240), 5)
    c.disc(x, y, 5, (255, 245, 240))
    return c


def draw_clock(clip: Clip, t: float) -> Canvas:
    """The hands of a wall clock run from two o'clock to five o'clock."""
    c = clip.canvas((233, 216, 196))
    x, y, hours = 160.0, 120.0, 2 + 3 * t / clip.duration_s
    c.disc(x + 3, y + 4, 106, (205, 184, 160))
    c.disc(x, y, 105, (93, 64, 55))
    c.disc(x, y, 96, PAPER)
    for tick in range(60):
        a, long = math.radians(tick * 6), tick % 5 == 0
        inner = 88 if long else 92
        ends = [(x + r * math.sin(a), y - r * math.cos(a)) for r in (inner, 95)]
        c.line(ends, INK, 2.5 if long else 1)
    for hour in range(1, 13):
        a = math.radians(hour * 30)
        c.text(x + 74 * math.sin(a), y - 74 * math.cos(a), str(hour), 18)
    for turn, length, width, colour in (
        (hours / 12, 46, 6, INK),
        (hours % 1, 68, 3.5, (188, 57, 45)),
    ):
        a = math.tau * turn
        tip = (x + length * math.sin(a), y - length * math.cos(a))
        c.line([(x - 10 * math.sin(a), y + 10 * math.cos(a)), tip], colour, width)
    c.disc(x, y, 6, INK)
    return c


def draw_chart(clip: Clip, t: float) -> Canvas:
    """Four bars of a chart grow one after the other; a bar that is done shows its value."""
    c = clip.canvas(PAPER)
    c.text(160, 20, "Crates of fruit sold on Monday", 17)
    for level in range(0, 9, 2):
        y = 206 - level * 20
        c.line([(40, y), (306, y)], (222, 217, 207), 1)
        c.text(28, y, str(level), 13)
    bars = (
        ("apples", 4, (214, 69, 65)),
        ("pears", 7, (112, 173, 71)),
        ("plums", 5, (126, 87, 194)),
        ("figs", 2, (237, 137, 54)),
    )
    for place, (name, value, colour) in enumerate(bars):
        grown = _ease(t - 0.5 - 2 * place, 1.6)
        x = 56 + 64 * place
        c.text(x + 22, 221, name, 15)
        if grown > 0:
            c.box(x, 206 - value * 20 * grown, 44, value * 20 * grown, colour)
        if grown == 1:
            c.text(x + 22, 196 - value * 20, str(value), 17)
    c.line([(40, 206), (306, 206)], INK, 2)
    return c


def draw_boat(clip: Clip, t: float) -> Canvas:
    """A sailing boat crosses a lake from right to left while the sun sets and stars come out."""
    share = t / clip.duration_s
    c = clip.canvas((0, 0, 0))
    for band in range(12):  # flat bands: a smooth gradient costs many more bytes
        warm = _blend((74, 78, 130), (250, 177, 120), band / 11)
        c.box(0, band * 12, 426, 13, _blend(warm, (36, 38, 84), 0.75 * share))
    for place, (x, y) in enumerate(((60, 28), (210, 18), (352, 40))):
        if t >= 6 + 2 * place:
            c.disc(x, y, 2.2, (255, 250, 220))
    c.disc(130, 96 + 80 * share, 24, _blend((255, 214, 102), (240, 100, 70), share))
    c.shape(
        [(0, 140), (60, 112), (120, 130), (190, 104), (290, 134), (360, 116), (426, 140)],
        _blend((92, 84, 120), (40, 40, 74), share),
    )
    c.box(0, 138, 426, 102, _blend((96, 110, 158), (30, 36, 78), share))
    for row in range(5):
        for column in range(6):
            x = (column * 80 + row * 34 + 6 * t) % 460 - 30
            wave = _blend((140, 150, 190), (60, 68, 120), share)
            c.line([(x, 152 + row * 18), (x + 18, 152 + row * 18)], wave, 1.5)
    x, y = 400 - 350 * share, 180 + 2 * math.sin(1.6 * t)
    c.line([(x, y), (x, y - 62)], (70, 50, 42), 3)
    c.shape([(x - 3, y - 60), (x - 3, y - 8), (x - 34, y - 8)], (245, 240, 228))
    c.shape([(x + 3, y - 56), (x + 3, y - 8), (x + 24, y - 8)], (225, 216, 200))
    c.shape([(x - 40, y), (x + 36, y), (x + 26, y + 16), (x - 28, y + 16)], (120, 60, 50))
    if t >= 6:
        c.disc(x + 30, y - 6, 4, (255, 224, 130))
    return c


def draw_traffic_light(clip: Clip, t: float) -> Canvas:
    """The light goes red, green, yellow, red; a blue car drives off and an orange one stops."""
    c = clip.canvas((196, 222, 236))
    for x, top in ((10, 60), (70, 84), (128, 50), (262, 72)):
        c.box(x, top, 50, 130, (168, 180, 196))
        for row in range(3):
            c.box(x + 9, top + 12 + 26 * row, 10, 14, (222, 230, 236))
            c.box(x + 31, top + 12 + 26 * row, 10, 14, (222, 230, 236))
    c.box(0, 170, 320, 70, (88, 92, 100))
    for x in range(0, 320, 44):
        c.box(x, 203, 24, 4, (236, 232, 220))
    c.box(196, 172, 6, 66, (246, 244, 238))
    c.box(222, 108, 6, 66, (70, 72, 80))
    c.box(206, 22, 38, 94, (52, 54, 62), 8)
    lit = "red" if t < 5 or t >= 13 else "green" if t < 11 else "yellow"
    lamps = {"red": (232, 58, 52), "yellow": (250, 204, 66), "green": (72, 200, 104)}
    for row, (name, colour) in enumerate(lamps.items()):
        c.disc(225, 40 + 29 * row, 12, colour if lit == name else _blend(colour, INK, 0.82))
    leaving = max(0.0, t - 5.4)
    _car(c, 108 + 32 * leaving * leaving, 208, (52, 104, 192))
    arriving = _ease(t - 9.5, 4.0)
    if arriving > 0:
        _car(c, -90 + 198 * arriving, 208, (238, 134, 48))
    return c


def draw_squares(clip: Clip, t: float) -> Canvas:
    """A snake of squares turns four times, eats four berries and grows by one square for each."""
    c = clip.canvas((28, 32, 48))
    for x in range(0, 320, 20):
        for y in range(0, 240, 20):
            c.box(x + 9, y + 9, 2, 2, (48, 54, 76))
    path = [(x, 2) for x in range(-1, 13)] + [(13, y) for y in range(2, 8)]
    path += [(x, 8) for x in range(13, 3, -1)] + [(3, y) for y in range(8, 5, -1)]
    path += [(x, 5) for x in range(3, 10)]
    head = min(2 + int(4 * t), len(path) - 1)
    eaten = 0
    for berry in ((6, 2), (13, 5), (9, 8), (3, 6)):
        if berry in path[: head + 1]:
            eaten += 1
        else:
            c.disc(berry[0] * 20 + 10, berry[1] * 20 + 10, 7, (250, 204, 66))
    body = path[max(0, head - 2 - eaten) : head + 1]
    for place, (x, y) in enumerate(reversed(body)):
        green = _blend((94, 220, 150), (38, 138, 128), place / 6)
        c.box(x * 20 + 1, y * 20 + 1, 17, 17, green, 3)
    x, y = body[-1]
    c.disc(x * 20 + 7, y * 20 + 7, 2.2, INK)
    c.disc(x * 20 + 13, y * 20 + 7, 2.2, INK)
    return c


def draw_weather(clip: Clip, t: float) -> Canvas:
    """Rain falls on a house; the clouds leave, the sun comes out and then a rainbow."""
    clear = _ease(t - 6.0, 3.0)
    c = clip.canvas(_blend((126, 138, 150), (138, 200, 242), clear))
    if clear > 0.4:
        c.disc(92, 56, 26 * clear, (255, 214, 72))
        for ray in range(12):
            a = math.radians(ray * 30 + 6 * t)
            ends = [(92 + r * math.cos(a), 56 + r * math.sin(a)) for r in (33, 33 + 11 * clear)]
            c.line(ends, (255, 214, 72), 3)
    if t >= 10:
        for place, colour in enumerate(RAINBOW):
            c.arc(250, 196, 150 - 6 * place, colour, 6)
    c.box(0, 186, 426, 54, _blend((84, 122, 82), (108, 180, 88), clear))
    c.box(250, 130, 96, 66, (240, 226, 200))
    c.shape([(238, 132), (298, 88), (358, 132)], (186, 62, 52))
    c.box(288, 158, 22, 38, (112, 78, 58))
    c.box(260, 146, 18, 18, (126, 170, 200))
    c.box(320, 146, 18, 18, (126, 170, 200))
    for x, y, size in ((60, 40, 26), (150, 30, 32), (250, 44, 28), (350, 32, 32)):
        x += 420 * clear
        shade = _blend((92, 98, 110), (236, 240, 244), clear)
        for dx, dy, part in ((-0.9, 0.2, 0.75), (0, -0.1, 1.0), (0.95, 0.2, 0.7)):
            c.disc(x + dx * size, y + dy * size, part * size, shade)
    if t < 7:
        for x, start in _rain():
            y = 62 + (start + 150 * t) % 170
            c.line([(x, y), (x - 2, y + 10)], (178, 206, 232), 1.5)
    return c


def draw_counter(clip: Clip, t: float) -> Canvas:
    """A number counts from 1 to 36; the background changes colour at 13 and at 25."""
    number = int(t + 1e-6) + 1
    c = clip.canvas(((48, 94, 160), (52, 128, 84), (206, 108, 44))[(number - 1) // 12])
    c.box(70, 40, 180, 140, PAPER, 18)
    c.text(160, 108, str(number), 92)
    c.box(40, 206, 240, 10, _blend(INK, PAPER, 0.25), 5)
    c.box(40, 206, 240 * number / 36, 10, PAPER, 5)
    return c


RAINBOW: tuple[Colour, ...] = (
    (224, 72, 66),
    (240, 146, 60),
    (250, 214, 84),
    (96, 186, 104),
    (74, 128, 206),
    (136, 92, 184),
)

CLIPS = {
    clip.name: clip
    for clip in (
        Clip("ball", 320, 240, 20, 6, draw_ball),
        Clip("clock", 320, 240, 12, 12, draw_clock),
        Clip("chart", 320, 240, 15, 10, draw_chart),
        Clip("boat", 426, 240, 12, 12, draw_boat, crf=25),
        Clip("traffic_light", 320, 240, 12, 16, draw_traffic_light),
        Clip("squares", 320, 240, 25, 10, draw_squares),
        Clip("weather", 426, 240, 12, 14, draw_weather, crf=29),
        Clip("counter", 320, 240, 12, 36, draw_counter),
    )
}


def encode(clip: Clip, path: Path) -> None:
    """Write `clip` to `path` as h264 in mp4, the same bytes on every run of one PyAV release."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.flags |= 0x0400  # AVFMT_FLAG_BITEXACT: no library version in the file
        stream = container.add_stream("libx264", rate=clip.fps)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        stream.codec_context.thread_count = 1  # frame threads would change the rate decisions
        stream.options = {
            "crf": str(clip.crf),
            "preset": "slow",
            "g": str(clip.fps * 6),
            "x264-params": "asm=0",  # the assembly of mbtree gives other bytes on every run
        }
        for index in range(clip.n_frames):
            container.mux(stream.encode(av.VideoFrame.from_image(clip.frame(index))))
        container.mux(stream.encode(None))


def decode(path: Path) -> list[Image.Image]:
    """Read every frame of `path`."""
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def check(folder: Path = SAMPLES) -> list[str]:
    """Compare the clips with their drawing and the rows with the files; give what is wrong."""
    wrong = []
    for clip in CLIPS.values():
        path = folder / "clips" / f"{clip.name}.mp4"
        frames = decode(path)
        if len(frames) != clip.n_frames:
            wrong.append(f"{path.name}: {len(frames)} frames, drawn {clip.n_frames}")
            continue
        worst = min(psnr(frames[i], clip.frame(i)) for i in range(0, clip.n_frames, clip.fps))
        size = path.stat().st_size
        print(f"{path.name:20} {size:7,} bytes  {len(frames):4} frames  worst PSNR {worst:.1f} dB")
        if worst < MIN_PSNR_DB:
            wrong.append(f"{path.name}: PSNR {worst:.1f} dB, at least {MIN_PSNR_DB} dB wanted")
        if size > MAX_CLIP_BYTES:
            wrong.append(f"{path.name}: {size:,} bytes, at most {MAX_CLIP_BYTES:,} wanted")
    total = sum(path.stat().st_size for path in (folder / "clips").iterdir())
    if total > MAX_TOTAL_BYTES:
        wrong.append(f"clips: {total:,} bytes, at most {MAX_TOTAL_BYTES:,} wanted")
    texts = {row["id"]: row for row in _rows(folder / "texts.jsonl")}
    for row in _rows(folder / "clips.jsonl") + _rows(folder / "questions.jsonl"):
        if row.get("video") and not (folder / row["video"]).is_file():
            wrong.append(f"{row['id']}: no file {row['video']}")
        if row.get("text") and row["text"] not in texts:
            wrong.append(f"{row['id']}: no text {row['text']}")
    n_words = {name: len(row["context"].split()) for name, row in texts.items()}
    for name, count in sorted(n_words.items(), key=lambda item: item[1]):
        print(f"{name:28} {count:6,} words")
    print(f"{len(texts)} texts, {sum(n_words.values()):,} words; clips {total:,} bytes")
    return wrong


def psnr(a: Image.Image, b: Image.Image) -> float:
    """Peak signal-to-noise ratio of two frames in dB."""
    error = np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def sheet(path: Path, *, columns: int = 6) -> None:
    """Write one picture with `columns` evenly spaced decoded frames of every clip."""
    picture = Image.new("RGB", (columns * 216, len(CLIPS) * 166), PAPER)
    for row, clip in enumerate(CLIPS.values()):
        frames = decode(SAMPLES / "clips" / f"{clip.name}.mp4")
        for column in range(columns):
            frame = frames[round(column * (len(frames) - 1) / (columns - 1))]
            frame.thumbnail((212, 162))
            picture.paste(frame, (column * 216, row * 166))
    picture.save(path)


def _ease(t: float, duration_s: float) -> float:
    share = min(max(t / duration_s, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _blend(a: Colour, b: Colour, share: float) -> Colour:
    share = min(max(share, 0.0), 1.0)
    mixed = [round(x + (y - x) * share) for x, y in zip(a, b, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _car(c: Canvas, x: float, y: float, colour: Colour) -> None:
    c.box(x + 14, y - 34, 44, 22, _blend(colour, INK, 0.15), 8)
    c.box(x + 20, y - 30, 14, 12, (214, 232, 242), 2)
    c.box(x + 38, y - 30, 14, 12, (214, 232, 242), 2)
    c.box(x, y - 18, 80, 20, colour, 7)
    for wheel in (18, 62):
        c.disc(x + wheel, y + 2, 9, (34, 36, 44))
        c.disc(x + wheel, y + 2, 4, (190, 194, 200))


@cache
def _rain() -> list[tuple[float, float]]:
    drops = np.random.default_rng(7).uniform((0, 0), (426, 170), (40, 2))
    return [(float(x), float(start)) for x, start in drops]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder that gets the clips")
    parser.add_argument("--check", action="store_true", help="re-check the bundled samples")
    parser.add_argument("--sheet", type=Path, help="picture that gets frames of every clip")
    args = parser.parse_args()
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        for clip in CLIPS.values():
            encode(clip, args.out / f"{clip.name}.mp4")
    if args.sheet:
        sheet(args.sheet)
    wrong = check() if args.check else []
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
