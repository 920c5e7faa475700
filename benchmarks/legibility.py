"""Can it be read: OCR errors of drawn texts after each model family's resize.

    apt-get install tesseract-ocr tesseract-ocr-chi-sim
    python benchmarks/legibility.py
    python benchmarks/legibility.py --levels --seeds 12   # layouts drawn at random, by level
    pip install rapidocr onnxruntime                      # a second reader of these, models inside

Character error rate in percent (edit distance over length, blanks and line breaks left out) of
tesseract on frames at the size the family's vision encoder sees, enlarged twice for the OCR alone.
The paper's rows are compared with the original text, so they hold what its word tokens change: quotes,
and, where blanks are counted, each run of them as one, the blanks that it puts around punctuation.

`--levels` reads the first frame of `RenderSpec.random(seed, level=…)` for some seeds; columns, headers
and footers, which an OCR program may read in another order, are left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from t2vid import samples
from t2vid.catalog import PAPER_FAMILIES
from t2vid.frames.render import iter_frames
from t2vid.frames.render_spec import RenderSpec

FRAMES = 6
CHINESE = (
    "清晨的港口很安静。渔民把网放在船上，等待潮水上涨。孩子们沿着石阶跑下来，手里拿着面包和水壶。"
    "老船长看了看天空，说今天会有风，但是不会下雨。大家一起把木箱搬到仓库，然后坐在岸边喝茶。"
) * 12


def ocr(image: Image.Image, language: str) -> str:
    large = image.resize((image.width * 2, image.height * 2), Image.Resampling.LANCZOS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "frame.png")
        large.save(path)
        command = ["tesseract", str(path), "-", "-l", language, "--psm", "6"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def error_rate(text: str, spec: RenderSpec, edge_px: int, language: str, joint: str) -> float:
    wrong = total = 0
    for ((start, end), frame), _ in zip(iter_frames(text, spec), range(FRAMES), strict=False):
        seen = frame.convert("L")
        if seen.width != edge_px:
            seen = seen.resize((edge_px, edge_px), Image.Resampling.BICUBIC)
        truth = joint.join(text[start:end].split())
        wrong += distance(joint.join(ocr(seen, language).split()), truth)
        total += len(truth)
    return 100 * wrong / total


def rapid() -> Callable[[Image.Image], str] | None:
    try:
        import rapidocr
    except ImportError:
        print("rapidocr: not installed, left out")
        return None
    engine = rapidocr.RapidOCR(params={"Global.log_level": "error"})

    def read(image: Image.Image) -> str:
        large = image.resize((image.width * 2, image.height * 2), Image.Resampling.LANCZOS)
        found = engine(np.asarray(large.convert("RGB")))
        return " ".join(found.txts or ())

    return read


def random_error_rate(
    text: str, seed: int, level: int, edge_px: int, read: Callable[[Image.Image], str]
) -> float:
    """Give the character error rate of the first frame of a random layout, in percent."""
    spec = RenderSpec.random(seed, level=level)
    spec = dataclasses.replace(spec, columns=1, header="", footer="")
    (start, end), frame = next(iter_frames(text, spec))
    seen = frame.convert("L").resize((edge_px, edge_px), Image.Resampling.BICUBIC)
    truth = "".join(text[start:end].split())
    return 100 * distance("".join(read(seen).split()), truth) / len(truth)


def levels(n_seeds: int) -> None:
    english = next(r["context"] for r in samples.texts() if r["id"] == "night_train")
    readers = {"tesseract": lambda image: ocr(image, "eng"), "RapidOCR": rapid()}
    sizes = {"tesseract": (448, 364), "RapidOCR": (448,)}
    print(
        "| level | reader | size | median | 9 of 10 below | worst (seed) |\n|---|---|---|---|---|---|"
    )
    for level in range(4):
        for name, read in readers.items():
            for edge_px in sizes[name] if read else ():
                rates = {}
                for seed in range(n_seeds):
                    rates[seed] = random_error_rate(english[900:], seed, level, edge_px, read)
                worst = max(rates, key=lambda seed: rates[seed])
                tenth = statistics.quantiles(rates.values(), n=10)[-1]
                middle = statistics.median(rates.values())
                print(
                    f"| {level} | {name} | {edge_px} | {middle:.2f} % | {tenth:.2f} % | "
                    f"{rates[worst]:.2f} % ({worst}) |",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", action="store_true")
    parser.add_argument("--seeds", type=int, default=12)
    given = parser.parse_args()
    if shutil.which("tesseract") is None:
        sys.exit(
            "tesseract is not installed; run: apt-get install tesseract-ocr tesseract-ocr-chi-sim"
        )
    if given.levels:
        levels(given.seeds)
        return
    english = next(r["context"] for r in samples.texts() if r["id"] == "night_train")
    rows = {
        "paper's layout": (english, RenderSpec.paper(), "eng", ""),
        "paper's layout, blanks counted": (english, RenderSpec.paper(), "eng", " "),
        "default": (english, RenderSpec(), "eng", ""),
        "default, blanks counted": (english, RenderSpec(), "eng", " "),
        "dense (14 px)": (english, RenderSpec.dense(), "eng", ""),
        "default, Chinese": (CHINESE, RenderSpec(), "chi_sim", ""),
    }
    families = {f.name: f.frame_px for f in sorted(PAPER_FAMILIES, key=lambda f: -f.frame_px)}
    print("| layout | " + " | ".join(f"{name} ({px} px)" for name, px in families.items()) + " |")
    print("|---|" + "---|" * len(families))
    known: dict[tuple[str, int], float] = {}
    for name, (text, spec, language, joint) in rows.items():
        for px in families.values():
            if (name, px) not in known:
                known[name, px] = error_rate(text, spec, px, language, joint)
        print(
            f"| {name} | "
            + " | ".join(f"{known[name, px]:.2f} %" for px in families.values())
            + " |"
        )


if __name__ == "__main__":
    main()
