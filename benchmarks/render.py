"""Text to 448x448 frames: the paper's script, t2vid and other ways, in one run.

    python benchmarks/render.py            # about two minutes; --rounds 3 for a quick look

Every way draws the same bundled texts. Figures are CPU time per frame, medians of interleaved rounds;
what counts is the ratio. `paper + PNG` is the paper's method stated again from its facts: NLTK's word
tokens, 115 a frame, each line measured and drawn by Pillow, RGB, written as PNG.
"""

from __future__ import annotations

import argparse
import io
import itertools
import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from t2vid import samples
from t2vid.frames import paper
from t2vid.frames.fonts import font_path, load_font
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.text import paginate

TEXTS = [row["context"] for row in samples.texts() if row["context"].isascii()]
SIZE, MARGIN, FONT_PX = 448, 20, 20
ROUND_S = 0.1  # CPU time of a way in a round: a page takes a fraction of a millisecond
Span = tuple[int, int]


def paper_frames(text: str) -> list[Image.Image]:
    font = load_font("sans", FONT_PX)
    out = []
    for _, _, tokens in paper.pages(text, 115):
        lines, line, used = [], "", 0
        for word in tokens.split(" "):
            width = font.getbbox(word + " ")[2]
            if used + width <= SIZE - 2 * MARGIN:
                line, used = line + word + " ", used + width
            else:
                lines.append(line)
                line, used = word + " ", width
        lines.append(line)
        image = Image.new("RGB", (SIZE, SIZE), "white")
        draw = ImageDraw.Draw(image)
        steps = [font.getbbox(line)[3] for line in lines]
        y = (SIZE - sum(steps)) // 2
        for line, step in zip(lines, steps, strict=True):
            draw.text((MARGIN, y), line, font=font, fill="black")
            y += step
        out.append(image)
    return out


def png(images: list[Image.Image]) -> list[bytes]:
    out = []
    for image in images:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        out.append(buffer.getvalue())
    return out


def pillow_lines(text: str) -> int:
    font = load_font("sans", FONT_PX)
    pages = paper.pages(text, 115)
    for _, _, tokens in pages:
        image = Image.new("L", (SIZE, SIZE), 255)
        draw = ImageDraw.Draw(image)
        for n, line in enumerate(paper.wrap(tokens, RenderSpec.paper())):
            draw.text((MARGIN, MARGIN + 23 * n), line, font=font, fill=0)
    return len(pages)


def memset(n: int) -> int:
    for _ in range(n):
        np.full((SIZE, SIZE), 255, np.uint8)
    return n


def skia_frames() -> Callable[[str], int] | None:
    try:
        import skia
    except ImportError:
        return None
    font = skia.Font(skia.Typeface.MakeFromFile(str(font_path("sans"))), FONT_PX)
    black = skia.Paint(AntiAlias=True)

    def draw(text: str) -> int:
        pages = paper.pages(text, 115)
        for _, _, tokens in pages:
            gray = np.zeros((SIZE, SIZE), np.uint8)
            kind = skia.ColorType.kGray_8_ColorType
            surface = skia.Surface(gray, colorType=kind, alphaType=skia.kOpaque_AlphaType)
            surface.getCanvas().clear(skia.ColorWHITE)
            for n, line in enumerate(paper.wrap(tokens, RenderSpec.paper())):
                surface.getCanvas().drawString(line, MARGIN, 40 + 23 * n, font, black)
        return len(pages)

    return draw


def pdf_frames() -> Callable[[str], int] | None:
    try:
        import pypdfium2
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen.canvas import Canvas
    except ImportError:
        return None
    pdfmetrics.registerFont(TTFont("t2vid", str(font_path("sans"))))

    def draw(text: str) -> int:
        pages, buffer = paper.pages(text, 115), io.BytesIO()
        canvas = Canvas(buffer, pagesize=(SIZE, SIZE))
        for _, _, tokens in pages:
            canvas.setFont("t2vid", FONT_PX)
            for n, line in enumerate(paper.wrap(tokens, RenderSpec.paper())):
                canvas.drawString(MARGIN, SIZE - 40 - 23 * n, line)
            canvas.showPage()
        canvas.save()
        with pypdfium2.PdfDocument(buffer.getvalue()) as document:
            for page in document:
                page.render(scale=1, grayscale=True)
        return len(pages)

    return draw


def ways() -> dict[str, Callable[[], int]]:
    n_default = sum(render_text(text, max_frames=1).n_total for text in TEXTS)
    stored = [data for text in TEXTS for data in png(paper_frames(text))]

    def decode() -> int:
        for data in stored:
            Image.open(io.BytesIO(data)).load()
        return len(stored)

    def over(draw: Callable[[str], int]) -> Callable[[], int]:
        return lambda: sum(draw(text) for text in TEXTS)

    found = {
        "paper + PNG": over(lambda text: len(png(paper_frames(text)))),
        "paper, no PNG": over(lambda text: len(paper_frames(text))),
        "decode the paper's PNG": decode,
        "Pillow, a line at a time, gray": over(pillow_lines),
        "t2vid, paper's layout": over(lambda text: len(render_text(text, RenderSpec.paper()))),
        "t2vid, default": over(lambda text: len(render_text(text))),
        "t2vid, dense": over(lambda text: len(render_text(text, RenderSpec.dense()))),
        "memset bound": lambda: memset(n_default),
    }
    for name, make in (("skia-python", skia_frames), ("reportlab + pypdfium2", pdf_frames)):
        draw = make()
        if draw is None:
            print(f"{name}: not installed, left out")
        else:
            found[name] = over(draw)
    return found


def measure(rounds: int) -> dict[str, float]:
    """Give the CPU milliseconds a frame of each way: medians of interleaved rounds, caches "
    "warm."""
    found = ways()
    times: dict[str, list[float]] = {name: [] for name in found}
    for way in found.values():
        way()  # fills every cache
    for _ in range(rounds):
        for name, way in found.items():
            start = time.process_time()
            n = way()
            times[name].append(1000 * (time.process_time() - start) / n)
    return {name: statistics.median(each) for name, each in times.items()}


# a few words of each language; texts are made of them by a fixed seed
WORDS = {
    "Arabic": "كان الصباح هادئا في الميناء القديم عندما خرج الصيادون إلى البحر وحملوا الشباك "
    "والخبز والماء معهم ثم "
    "جلس الشيخ الكبير قرب الباب ينظر إلى السماء وقال إن الريح سوف تأتي اليوم لكن المطر بعيد عن "
    "المدينة",
    "Hebrew": "הבוקר היה שקט בנמל הישן כאשר יצאו הדייגים אל הים ונשאו איתם רשתות לחם ומים הזקן "
    "ישב ליד הדלת "
    "והביט בשמיים ואמר שהרוח תבוא היום אבל הגשם רחוק מן העיר והילדים משחקים בין הבתים",
    "Hindi": "सुबह पुराने बंदरगाह पर शांति थी जब मछुआरे समुद्र की ओर निकले और अपने साथ जाल "
    "रोटी और पानी ले गए बूढ़ा आदमी "
    "दरवाज़े के पास बैठा आकाश को देख रहा था उसने कहा कि आज हवा आएगी पर वर्षा शहर से दूर है",
    "Thai": "ตอนเช้าท่าเรือเก่าเงียบสงบ เมื่อชาวประมงออกทะเล พวกเขานำแหขนมปังและน้ำไปด้วย "
    "ชายชรานั่งใกล้ประตูมองดูท้องฟ้า "
    "เขาพูดว่าวันนี้ลมจะมา แต่ฝนยังอยู่ไกลจากเมือง",
    "Chinese": "清晨的港口很安静。 渔民把网放在船上， 等待潮水上涨。 "
    "孩子们沿着石阶跑下来， 老船长看了看天空， 说今天会有风。",
    "Japanese": "朝の港はとても静かだった。 "
    "漁師たちは網とパンと水を持って海へ出た。 老人は戸口に座って空を見ていた。",
    "Korean": "아침의 항구는 매우 조용했다 어부들은 그물과 빵과 물을 들고 "
    "바다로 나갔다 노인은 문가에 앉아 하늘을 보았다",
    "Russian": "утром старая гавань была тиха рыбаки вышли в море и взяли с собой сети хлеб и "
    "воду старик сидел у двери",
    "Greek": "το πρωί το παλιό λιμάνι ήταν ήσυχο οι ψαράδες βγήκαν στη θάλασσα και πήραν μαζί "
    "τους δίχτυα ψωμί και νερό",
}
JOINED = {"Thai", "Chinese", "Japanese"}  # written without blanks


def script_texts() -> dict[str, list[str]]:
    """Make four texts of eight paragraphs in each language, and a mix of them with English."""
    rng = random.Random(0)
    found = {"English": TEXTS[:4]}
    for name, words in WORDS.items():
        n, blank = (16, "") if name in JOINED else (70, " ")
        found[name] = [
            "\n".join(blank.join(rng.choices(words.split(), k=n)) + "." for _ in range(8))
            for _ in range(4)
        ]
    found["mix of the ten"] = [
        "\n".join(each[k].split("\n")[0][:600] for each in found.values()) for k in range(4)
    ]
    return found


def skia_paragraphs() -> Callable[[str, list[Span]], None]:
    """Give what draws the pages of a text with skia's Paragraph, cut where t2vid cuts them."""
    import skia

    fonts = skia.textlayout.FontCollection()
    fonts.setDefaultFontManager(skia.FontMgr())
    look, page = skia.textlayout.TextStyle(), skia.textlayout.ParagraphStyle()
    look.setFontSize(FONT_PX)
    look.setColor(skia.ColorBLACK)
    page.setTextStyle(look)
    unicode = skia.Unicodes.ICU.Make()
    number = itertools.count()

    def draw(text: str, spans: list[Span]) -> None:
        held = []
        for start, end in spans:
            builder = skia.textlayout.ParagraphBuilder.make(page, fonts, unicode)
            # skia keeps the layout of whole paragraphs: each page is a new one, its words are not
            builder.addText(f"{text[start:end].rstrip()} {next(number)}")
            paragraph = builder.Build()
            paragraph.layout(SIZE - 2 * MARGIN)
            gray = np.full((SIZE, SIZE), 255, np.uint8)
            kind = skia.ColorType.kGray_8_ColorType
            surface = skia.Surface(gray, colorType=kind, alphaType=skia.kOpaque_AlphaType)
            paragraph.paint(surface.getCanvas(), MARGIN, MARGIN)
            held.append(Image.fromarray(gray))

    return draw


def by_script(rounds: int, *, with_skia: bool = False) -> None:
    """Print what a page costs drawn, warm, and what its stored gray PNG costs decoded."""
    paragraphs = skia_paragraphs() if with_skia else None
    more = (" skia Paragraph, ms | skia / t2vid |", "---|---|") if paragraphs else ("", "")
    print(
        f"\n| language | pages | drawn, ms | gray PNG decoded, ms | ratio |{more[0]}"
        f"\n|---|---|---|---|---|{more[1]}"
    )
    for name, texts in script_texts().items():
        rows = [render_text(text) for text in texts]
        stored = [png([frame.convert("L") for frame in row]) for row in rows]
        n = sum(map(len, rows))
        del rows
        spans = [paginate(text, RenderSpec()) for text in texts]

        ways = [[partial(render_text, text) for text in texts]]
        ways.append([partial(decoded, files) for files in stored])
        if paragraphs:
            ways.append([partial(paragraphs, *each) for each in zip(texts, spans, strict=True)])
        ours, theirs, *peer = least_ms(ways, rounds, n)
        line = f"| {name} | {n} | {ours:.3f} | {theirs:.3f} | {ours / theirs:.2f} |"
        if peer:
            line += f" {peer[0]:.3f} | {peer[0] / ours:.1f} |"
        print(line, flush=True)


def decoded(files: list[bytes]) -> list[Image.Image]:
    """Decode the pages of a row; as those that are drawn, they are kept until the row is done."""
    images = [Image.open(io.BytesIO(data)) for data in files]
    for image in images:
        image.load()
    return images


def least_ms(ways: list[list[Callable[[], object]]], rounds: int, n: int) -> list[float]:
    """Give the CPU milliseconds a page of each way, warm: for each row the least of many runs.

    A row takes a few milliseconds, less than the system's slices of time, so that some of its runs
    are not interrupted on a busy machine either.
    """
    least = [[math.inf] * len(rows) for rows in ways]
    for _, (k, rows) in itertools.product(range(rounds), enumerate(ways)):
        for row, way in enumerate(rows):
            begin = end = time.process_time()
            while end - begin < ROUND_S / len(rows):
                start, _ = end, way()
                end = time.process_time()
                least[k][row] = min(least[k][row], end - start)
    return [1000 * sum(each) / n for each in least]


COLD = """
import time
from t2vid import samples
from itertools import islice
from t2vid.frames.render import iter_frames
text = "\\n".join(r["context"] for r in samples.texts() if r["context"].isascii())
start = time.process_time()
n = len(list(islice(iter_frames(text), 100)))
print(1000 * (time.process_time() - start) / n)
"""
NEW_WORDS = """
import random, time
from t2vid.frames.render import render_text
render_text("warm")
rng = random.Random(1)
words = {"".join(rng.choices("etaoinshrdlucmfwyp", k=rng.randint(2, 9))) for _ in range(9000)}
text = " ".join(sorted(words))
start = time.process_time()
n = len(render_text(text))
print(1000 * (time.process_time() - start) / n)
"""
MEMORY = """
import resource
from t2vid.frames.render import iter_frames
for _ in iter_frames("word " * 1000): pass
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in iter_frames("A sentence of seven words is here. " * 143_000): pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def _stacked(rows: list[dict[str, object]]) -> object:
    import torch

    return torch.from_numpy(np.stack([np.asarray(page) for row in rows for page in row["images"]]))


def by_workers(rounds: int, n_rows: int = 600) -> None:
    """Print how many pages a second one and two workers of a DataLoader draw; two cores are needed."""
    from datasets import Dataset, Features, Value
    from torch.utils.data import DataLoader

    from t2vid.frames.feature import Frames

    texts = list(itertools.islice(itertools.cycle(TEXTS), n_rows))
    features = Features({"images": Frames(max_frames=8), "id": Value("int64")})
    rows = [{"images": {"text": text}, "id": n} for n, text in enumerate(texts)]
    data = Dataset.from_list(rows, features=features)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _, workers in itertools.product(range(rounds), rates):
        batches = iter(DataLoader(data, 4, num_workers=workers, collate_fn=_stacked))
        for _ in range(n_rows // 12):  # the workers have started, their fonts and words are known
            next(batches)
        start = time.perf_counter()
        n = sum(len(batch) for batch in batches)
        rates[workers].append(n / (time.perf_counter() - start))
    one, two = (statistics.median(rates[workers]) for workers in (1, 2))
    print(f"pages a second: one worker {one:,.0f}, two {two:,.0f}: {two / one:.2f} times")


def fresh(code: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scripts", action="store_true", help="only the table of languages")
    parser.add_argument("--skia", action="store_true", help="skia-python's Paragraph in that table")
    parser.add_argument(
        "--workers", action="store_true", help="only DataLoader workers, 2 beside 1"
    )
    given = parser.parse_args()
    rounds = given.rounds
    if given.workers:
        by_workers(rounds)
        return
    if given.scripts:
        by_script(rounds, with_skia=given.skia)
        return
    found = measure(rounds)
    whole = found["paper + PNG"]
    print("| way | CPU ms a frame | times the paper's script |\n|---|---|---|")
    for name, each in sorted(found.items(), key=lambda item: -item[1]):
        print(f"| {name} | {each:.3f} | {whole / each:.1f} |")
    ratio = found["decode the paper's PNG"] / found["t2vid, default"]
    print(f"\ndrawing a default frame is {ratio:.1f} times cheaper than decoding the paper's PNG")
    cold = statistics.median(fresh(COLD)[0] for _ in range(rounds))
    print(f"a cold worker's first 100 frames: {cold:.2f} ms a frame ({whole / cold:.1f} times)")
    new = statistics.median(fresh(NEW_WORDS)[0] for _ in range(rounds))
    print(f"every word new: {new:.2f} ms a frame")
    print(f"a text of 5 MB, frame by frame: {fresh(MEMORY)[0]:.1f} MB above what a short one takes")
    by_script(rounds, with_skia=given.skia)


if __name__ == "__main__":
    main()
