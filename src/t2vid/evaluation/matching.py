"""Which question of a benchmark a record of another tool answers: by id, by content, or by its prompt.

>>> row = {"id": "q/1", "source": "q", "video": "a.mp4", "question": "Which?", "options": ["red", "blue"],
...        "category": "", "official": "{}", "answer": "B"}
>>> index = QuestionIndex([row])
>>> index.find({"id": 1}), index.find({"doc_id": 0, "input": "Which?\\nA. Red\\nB. blue"}), index.find({"id": 2})
('q/1', 'q/1', None)
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.catalog import BENCHMARKS
from t2vid.evaluation.benchmarks.questions import LETTERS, split_options
from t2vid.storage.videos import stem_of

Row = Mapping[str, Any]

_HEADING = re.compile(r"\boptions?:\s*(?=\n)", re.IGNORECASE)
_ID_KEYS = ("custom_id", "question_id", "id", "question_idx", "q_uid", "qid", "uid")
_VIDEO_KEYS = ("videoID", "video", "video_id", "video_idx", "video_name", "video_path")


class QuestionIndex:
    """Finds the question that a foreign record answers; built in one walk over the rows.

    Args:
        rows: of the benchmark.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._by_name: dict[str, str] = {}
        self._by_content: dict[tuple[str, str], str] = {}
        # by the question as its own file writes it; one that is asked twice of a video is answered in that order
        self._by_asked: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._by_video: dict[str, list[str]] = defaultdict(list)
        self._by_end: dict[tuple[str, str], list[_Prompted]] = defaultdict(list)
        self._prompted: list[_Prompted] = []
        apart = {one.name for one in BENCHMARKS if one.file_per_category}
        self._categories = {row["category"] for row in rows if row["source"] in apart} - {"", None}
        others: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            row_id, asked = row["id"], str(row["question"])
            self._by_name[row_id.partition("/")[2]] = row_id
            official = json.loads(row["official"] or "{}")
            for key in _ID_KEYS:
                if official.get(key) is not None:
                    others[str(official[key])].add(row_id)
            told = _plain([asked, *row["options"]])
            as_written = _plain([str(official.get("question") or asked)])
            videos = {official.get(key) for key in ("videoID", "video_id", "video")}
            for video in {_video(str(video)) for video in {*videos, row["video"]} - {None}}:
                if row_id not in (ids := self._by_asked[video, as_written]):
                    ids.append(row_id)
                self._by_content[video, told] = row_id
                self._by_video[video].append(row_id)
            said = _Prompted(row_id, told, row["answer"], row["category"])
            self._prompted.append(said)
            self._by_end[_end(told)].append(said)
        # ids of the official records, where one belongs to one question; of another video it is another's
        self._by_alias = {name: min(ids) for name, ids in others.items() if len(ids) == 1}
        self.begin("")

    def begin(self, file: str) -> None:
        """Start a file of records; its name may be that of a category, whose rows alone it then counts."""
        names = (name for name in self._categories if name in file)
        self._category = max(names, key=len, default=None)
        self._in_order = [one for one in self._prompted if self._counts(one)]
        self._taken: dict[Any, int] = defaultdict(int)

    def _counts(self, one: _Prompted) -> bool:
        return self._category is None or one.category == self._category

    def find(self, record: Mapping[str, Any]) -> str | None:
        """Return the id, None where nothing or more than one question fits."""
        flat: dict[str, Any] = {}
        for part in (*(v for v in record.values() if isinstance(v, dict)), record):
            flat |= part  # lmms-eval puts the id of Video-MME into its metric
        flat |= {key: value for key, value in (flat.get("doc") or {}).items() if key not in flat}
        video = _video(str(next((flat[key] for key in _VIDEO_KEYS if flat.get(key)), "")))
        for name in (str(flat[key]) for key in _ID_KEYS if flat.get(key) is not None):
            name = (
                name.removesuffix(".0") if name[:-2].isdecimal() else name
            )  # of a table of floats
            if name in self._by_name:
                return self._by_name[name]
            row_id = self._by_alias.get(name)
            if row_id is not None and (not video or row_id in self._by_video.get(video, ())):
                return row_id
        if isinstance(record.get("input"), str):
            return self._by_prompt(record["input"], record)
        question, options = _question(flat)
        found = self._by_content.get((video, _plain([question, *options])))
        if found is None and not options:  # TempCompass's yes_no and caption_matching files
            asked = video, _plain([str(flat.get("question") or "")])
            found = self._next(asked, self._by_asked.get(asked, []))
        if (
            found is None and not question
        ):  # of a video that one question asks about, as EgoSchema's
            ids = self._by_video.get(video, [])
            found = ids[0] if len(ids) == 1 else None
        if (
            found is None and "doc_id" in record and options
        ):  # a sample with its question and no prompt
            lettered = map("{}. {}".format, LETTERS, options)
            found = self._by_prompt("\n".join([question, *lettered]), record)
        return found

    def _next(self, key: Any, ids: Sequence[str]) -> str | None:
        """Return the first of several that were not taken yet, the last one where all were."""
        if not ids:
            return None
        self._taken[key] += 1
        return ids[min(self._taken[key], len(ids)) - 1]

    def _by_prompt(self, prompt: str, record: Mapping[str, Any]) -> str | None:
        """Find by the row number, where the prompt agrees, else by the prompt and what is right."""
        place = record.get("doc_id")
        question, options = split_options(_HEADING.sub("", prompt))
        if not options:
            question, options = prompt, {}
        told = _plain([question, *options.values()])
        if isinstance(place, int) and 0 <= place < len(self._in_order):
            said = self._in_order[place]
            if _ends(told, said.told) or _holds(_plain([prompt]), said.told):
                return said.id
        alike = self._by_end.get(_end(told), [])
        fitting = [one for one in alike if self._counts(one) and _ends(told, one.told)]
        # where several videos are asked the same, what is right tells them apart, or makes no difference
        right = [one for one in fitting if one.answer == str(record.get("target")).strip()]
        fitting = right or fitting
        if len({one.answer for one in fitting}) != 1:
            return None
        return self._next(told, [one.id for one in fitting])


class _Prompted:
    """What the prompt of a question must hold, and what tells it from others of the same words."""

    __slots__ = ("answer", "category", "id", "told")

    def __init__(self, row_id: str, told: str, answer: str, category: str) -> None:
        self.id, self.told, self.answer, self.category = row_id, told, answer, category


def _question(record: Mapping[str, Any]) -> tuple[str, list[str]]:
    question = str(record.get("question") or "")
    names = ("candidates", "options", "choices")
    options = next((record[name] for name in names if record.get(name) is not None), None)
    if isinstance(options, str):  # VLMEvalKit writes the list as text
        try:
            options = ast.literal_eval(options)
        except (ValueError, SyntaxError):
            options = options.split("\n")
    if options is None and all(record.get(letter) for letter in "AB"):
        options = [record[letter] for letter in LETTERS if record.get(letter) not in (None, "")]
    if options is None:
        question, lettered = split_options(question)
        return question, list(lettered.values())
    _, lettered = split_options("\n".join(map(str, options)))
    return question, list(lettered.values()) if len(lettered) == len(options) else list(options)


def _video(name: str) -> str:
    """Write the name of a video so that its folder, its suffix, and zeros that Excel takes off do not matter."""
    stem = stem_of(Path(name).name)
    return stem.lstrip("0") if stem.isdecimal() else stem


def _plain(texts: Iterable[str]) -> str:
    """Write question and options so that blanks, case and a last full stop do not matter."""
    return "\n".join(" ".join(str(text).split()).rstrip(".").casefold() for text in texts)


def _end(told: str) -> tuple[str, str]:
    """Give the last word of the question and its options, which prompts of one question share."""
    question, _, options = told.partition("\n")
    return question.rpartition(" ")[2], options


def _ends(told: str, said: str) -> bool:
    """Say whether a prompt ends with a question and its options; words may stand before."""
    return told == said or told.endswith(" " + said)


def _holds(told: str, said: str) -> bool:
    """Say whether a prompt holds a question and its options in this order, however they are marked."""
    at = 0
    for part in said.split("\n"):
        at = told.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return bool(said.partition("\n")[0])
