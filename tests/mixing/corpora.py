"""Tiny annotation files in the public formats, with a clip for every name; tasks that kill their process."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np

from t2vid.mixing.recipe import Recipe

WORDS = "tide clock harbour keeper rope ferry lamp chalk brass kite sail stone wheel".split()


def words(n: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    return " ".join(rng.choice(WORDS, n)) + f" {seed}"


def write_corpora(data: Path, n: int = 12) -> Path:
    """Write `n` rows of each of the four corpora, and the videos of all but the last clip."""
    import av

    (data / "films").mkdir(parents=True)
    clip = data / "films" / "made.bin"
    with av.open(str(clip), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for i in range(20):
            picture = np.full((32, 32, 3), i * 10, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    gemini, chat, alpaca, qlora = [], [], [], []
    for i in range(n):
        turns = [
            {"from": "human", "value": "<video>\nDescribe it."},
            {"from": "gpt", "value": words(20, i)},
        ]
        gemini.append({"video": f"{i // 5}/100{i}.mp4", "conversations": turns})
        chat.append({"q": f"{words(5, i)}?", "a": words(8, i + 50), "video_id": f"v_{i:011d}"})
        context = words(80 + 40 * i, i + 100)
        ask = (
            "Below is a paper. Memorize the paper and answer my question after the paper.\n The paper "
            f"begins. \n {context} \n Now the paper ends. \nQuestion: {words(5, i + 200)}?"
        )
        alpaca.append(
            {"instruction": ask, "output": f"Answer: {words(6, i)}", "file": None, "input": None}
        )
        document = f"{words(90 + 30 * i, i + 300)}\n\nQ: {words(4, i + 400)}?\nA:"
        qlora.append({"input": document if i % 4 else words(5, i), "output": words(7, i)})
        if i < n - 1:
            for name in (f"100{i}", f"v_{i:011d}"):
                (data / "films" / f"{name}.mp4").hardlink_to(clip)
    (data / "sharegemini_webvid_core100k.json").write_text(json.dumps(gemini))
    (data / "VideoInstruct100K.json").write_text(json.dumps(chat, indent=4))
    (data / "LongAlpaca-12k.json").write_text(json.dumps(alpaca, indent=4))
    lines = "".join(json.dumps(row) + "\n" for row in qlora)
    (data / "LongQLoRA-SFT-Data-39k.jsonl").write_text(lines)
    return data


def small_recipe(**changes: object) -> Recipe:
    """The shape of hybrid-30k with six rows a source."""
    value = {
        "name": "small",
        "sources": [
            {"dataset": "t2vid/sharegemini", "count": 6, "sample": {"max_frames": 3}},
            {"dataset": "t2vid/video_chatgpt", "count": 6},
            {"dataset": "t2vid/synthetic", "config": "longalpaca", "count": 6, "render": "paper"},
            {"dataset": "t2vid/synthetic", "config": "longqlora", "count": 6},
        ],
    }
    return Recipe.from_dict(value | changes)


def kill_once(folder: str, number: int) -> int:
    """A task that kills its process the first time that it runs."""
    mark = Path(folder, f"{number}")
    if number == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 10


def kill_always(number: int) -> int:
    """A task that kills its process whenever it runs."""
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number
