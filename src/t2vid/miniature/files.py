"""The world on disk, in the formats in which the paper's data are published.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> write_world(folder, WorldSize(clips=2, stories=3, test_clips=1)).name == folder.name
True
>>> sorted(path.name for path in folder.glob("[A-Zs]*.json"))
['LongAlpaca-12k.json', 'VideoInstruct100K.json', 'sharegemini_webvid_core100k.json']

    corpus: sharegemini_webvid_core100k.json, VideoInstruct100K.json, LongAlpaca-12k.json, triplets.jsonl,
            clips/*.mp4
    test:   test/videomme/test-00000-of-00001.parquet, test/data/*.mp4
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from t2vid.errors import InputError
from t2vid.frames.writing import write_clip
from t2vid.miniature.pictures import clip
from t2vid.miniature.prompts import DESCRIBE
from t2vid.miniature.questions import KINDS, SEEN_KINDS, Asked, ask, episode_for, worded
from t2vid.miniature.world import Episode, phrases

SHAREGEMINI = "sharegemini_webvid_core100k.json"
VIDEO_CHATGPT = "VideoInstruct100K.json"
LONG_ALPACA = "LongAlpaca-12k.json"
TRIPLETS = "triplets.jsonl"
CONTROLS = "controls"  # folder of the controls' files
QUESTIONS = "videomme/test-00000-of-00001.parquet"
DONE = "world.json"
# LongAlpaca's own words around a text that is no paper and no book.
_OPENING = (
    "Below is some material. Memorize the material and answer my question after the material. "
)
_ENDING = " Now the material ends. "


@dataclass(frozen=True)
class WorldSize:
    """How much of the world is written.

    Attributes:
        clips: clips to learn from; each has a caption and a question.
        stories: texts of each of the two corpora of texts.
        test_clips: unseen clips; each has one question of every kind that it can answer.
        seed: of all of it; the test clips have their own.
    """

    clips: int = 20_000
    stories: int = 4_000
    test_clips: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse an empty world."""
        for name in ("clips", "stories", "test_clips"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} ({getattr(self, name)}) must be > 0")


def write_world(folder: Path, size: WorldSize = WorldSize()) -> Path:  # noqa: B008  frozen
    """Write corpora, controls and test; a folder that holds the same world is left as it is.

    Args:
        folder: made if it is not there.
        size: how much of it.

    Returns:
        The folder.

    Raises:
        InputError: when the folder holds another world.
    """
    done = folder / DONE
    if done.is_file():
        if json.loads(done.read_text("utf-8")) != asdict(size):
            raise InputError(f"{folder} holds another world than {size}; give another folder")
        return folder
    for part in ("clips", CONTROLS, "test/data", "test/videomme"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    _write_clips(folder, size)
    _write_stories(folder, size)
    _write_test(folder / "test", size)
    done.write_text(json.dumps(asdict(size)), encoding="utf-8")
    return folder


def _write_clips(folder: Path, size: WorldSize) -> None:
    """Write the clips with a caption each, a question of few kinds, and one of all kinds."""
    captions, few, every = [], [], []
    for i in range(size.clips):
        rng = np.random.default_rng((size.seed, 1, i))
        episode, asked = episode_for(SEEN_KINDS[i % len(SEEN_KINDS)], rng)
        name = f"clips/{i:06d}.mp4"
        write_clip(folder / name, clip(episode, rng))
        question = f"<video>\n{DESCRIBE[int(rng.integers(len(DESCRIBE)))]}"
        turns = [{"from": "human", "value": question}, {"from": "gpt", "value": episode.story}]
        captions.append({"id": f"{i}", "video": name, "conversations": turns})
        few.append({"q": worded(asked, rng), "a": asked.answer, "video_id": name})
        other = _any_kind(episode, rng)
        every.append({"q": worded(other, rng), "a": other.answer, "video_id": name})
    _write_json(folder / SHAREGEMINI, captions)
    _write_json(folder / VIDEO_CHATGPT, few)
    _write_json(folder / CONTROLS / VIDEO_CHATGPT, every)


def _write_stories(folder: Path, size: WorldSize) -> None:
    """Write the texts with questions of all kinds, and the controls.

    These have few kinds of question, other texts' answers, or their scenes in any order.
    """
    kinds_of = {"all": KINDS, "few": SEEN_KINDS, "disordered": KINDS}
    long: dict[str, list[dict[str, str]]] = {name: [] for name in kinds_of}
    short: dict[str, list[dict[str, str]]] = {name: [] for name in kinds_of}
    for i in range(2 * size.stories):
        for name, kinds in kinds_of.items():
            rng = np.random.default_rng((size.seed, 2, i))
            episode, asked = episode_for(kinds[(i // 2) % len(kinds)], rng)
            question, told = worded(asked, rng), phrases(episode)
            if name == "disordered":
                told = [told[j] for j in rng.permutation(len(told))]
            story = " ".join(told)
            if i % 2:
                row = {"context": story, "question": question, "answer": asked.answer}
                short[name].append(row)
                continue
            prompt = f"{_OPENING}{story}{_ENDING}{question}"
            long[name].append({"instruction": prompt, "output": asked.answer})
    _write_json(folder / LONG_ALPACA, long["all"])
    _write_lines(folder / TRIPLETS, short["all"])
    controls = folder / CONTROLS
    for name in ("few", "disordered"):
        _write_json(controls / f"{name}-{LONG_ALPACA}", long[name])
        _write_lines(controls / f"{name}-{TRIPLETS}", short[name])
    _write_json(controls / f"shuffled-{LONG_ALPACA}", _shuffled(long["all"], "output", size.seed))
    _write_lines(controls / f"shuffled-{TRIPLETS}", _shuffled(short["all"], "answer", size.seed))


def _write_test(folder: Path, size: WorldSize) -> None:
    """Write unseen clips and their questions as Video-MME's official file lays them out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = []
    for i in range(size.test_clips):
        rng = np.random.default_rng((size.seed, 3, i))
        episode = Episode.drawn(rng)
        name = f"test{i:05d}"
        write_clip(folder / "data" / f"{name}.mp4", clip(episode, rng))
        for asked in _all_kinds(episode, rng):
            options = [f"{a}. {option}" for a, option in zip("ABCD", asked.options, strict=True)]
            rows.append(
                {
                    "video_id": f"{i:03d}",
                    "duration": "short",
                    "domain": "Miniature",
                    "sub_category": "Shapes",
                    "videoID": name,
                    "question_id": f"{i:03d}-{asked.kind}",
                    "task_type": asked.kind,
                    "question": asked.question,
                    "options": options,
                    "answer": asked.letter,
                }
            )
    pq.write_table(pa.Table.from_pylist(rows), folder / QUESTIONS)


def _all_kinds(episode: Episode, rng: np.random.Generator) -> Iterator[Asked]:
    for kind in KINDS:
        asked = ask(episode, kind, rng)
        if asked is not None:
            yield asked


def _any_kind(episode: Episode, rng: np.random.Generator) -> Asked:
    while True:
        asked = ask(episode, KINDS[int(rng.integers(len(KINDS)))], rng)
        if asked is not None:
            return asked


def _shuffled(rows: Sequence[dict[str, str]], key: str, seed: int) -> list[dict[str, str]]:
    """Give every row the answer of another."""
    order = np.random.default_rng((seed, 4)).permutation(len(rows))
    answers = {int(a): rows[int(b)][key] for a, b in zip(order, np.roll(order, 1), strict=True)}
    return [{**row, key: answers[i]} for i, row in enumerate(rows)]


def _write_json(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows), encoding="utf-8")


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
