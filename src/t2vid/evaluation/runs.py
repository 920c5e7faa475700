"""A run on disk: what was asked and how, and every answer, appended as it comes.

    runs/idefics3-mvbench/
    ├── run.json         protocol, model, versions: everything that a score depends on
    ├── answers.jsonl    one line a question; several processes write answers-1.jsonl, …
    ├── clock.json       how long it took, and how long the model waited; clock-1.json, …
    ├── judged.jsonl     the same with letter, rule and correctness (written by `score`)
    └── scores.json

>>> import tempfile
>>> run = Run.open(tempfile.mkdtemp(), {"protocol_hash": "1", "model": "m"})
>>> with run.writer() as write: write([{"id": "q1", "rotation": 0, "prediction": "A"}])
>>> [line["id"] for line in run.answers()]
['q1']
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from t2vid.errors import InputError, MissingFile, RecordError
from t2vid.storage.files import AnyPath, PathLike, path_of, write_atomically
from t2vid.storage.staging import local_folder

BINDING = ("asking_hash", "model", "model_identity", "benchmark")

Write = Callable[[Iterable[Mapping[str, Any]]], None]


@dataclass(frozen=True)
class Run:
    """A folder of answers that were asked in one way of one model.

    Attributes:
        folder: where it is; a URL where it was read from one.
        header: the content of `run.json`.
    """

    folder: AnyPath
    header: Mapping[str, Any]

    @classmethod
    def open(cls, folder: str | Path, header: Mapping[str, Any]) -> Self:
        """Start a run, or go on with the same one.

        Args:
            folder: made where it is not there.
            header: what it depends on; `BINDING` names must be the same as before.

        Raises:
            InputError: when the folder holds the answers of another protocol, model or benchmark.
        """
        folder = local_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "run.json"
        if path.is_file():
            before = cls.read(folder).header
            for name in BINDING:
                if before.get(name) != header.get(name):
                    raise InputError(
                        f"{folder} holds answers with {name}={before.get(name)!r}, and this run has "
                        f"{name}={header.get(name)!r}; answers never mix: give another out="
                    )
        elif any(folder.glob("answers*.jsonl")):
            raise InputError(f"{folder} holds answers without their run.json; give another out=")
        write_atomically(path, json.dumps(header, indent=1, ensure_ascii=False))
        return cls(folder, dict(header))

    @classmethod
    def read(cls, folder: PathLike | Run) -> Self:
        """Read a run, from this machine or a URL.

        Raises:
            MissingFile: when the folder holds none.
        """
        if isinstance(folder, cls):
            return folder
        path = path_of(folder) / "run.json"  # type: ignore[arg-type]
        if not path.is_file():
            what = "holds no run.json" if path.parent.exists() else "is not there"
            raise MissingFile(f"{folder} {what}; give the out= folder of an evaluation")
        return cls(path.parent, json.loads(path.read_text(encoding="utf-8")))

    @property
    def key(self) -> str:
        """Twelve digits that every line of the run carries."""
        bound = json.dumps([self.header.get(name) for name in BINDING])
        return hashlib.sha256(bound.encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        """What tables call it."""
        return str(self.header.get("name") or self.folder.name)

    def answers(self) -> list[dict[str, Any]]:
        """Give the answers, the last one of each question and rotation, in order of the files.

        Raises:
            InputError: when a line belongs to another run.
            RecordError: when a line other than the last is broken.
        """
        found: dict[tuple[str, int], dict[str, Any]] = {}
        own = self.key
        for path in self._files("answers*.jsonl"):
            for line in _lines(path):
                if line.get("run") != own:
                    raise InputError(
                        f"{path} holds an answer of run {line.get('run')!r}, and this is "
                        f"{own!r}; it was copied together: take the foreign lines out"
                    )
                found[line["id"], line.get("rotation", 0)] = line
        return list(found.values())

    def _files(self, pattern: str) -> list[AnyPath]:
        return sorted(self.folder.glob(pattern), key=str)

    def judged(self) -> list[dict[str, Any]]:
        """Give the lines of `judged.jsonl`: the answers with letter, rule and correctness."""
        text = (self.folder / "judged.jsonl").read_text(encoding="utf-8")
        # not splitlines(), which also breaks at U+2028 inside an answer
        return [json.loads(line) for line in text.split("\n") if line]

    @contextlib.contextmanager
    def writer(self, part: int = 0) -> Iterator[Write]:
        """Append answers, each batch on disk before the next one starts.

        A torn last line, all that a kill can leave, is cut off first.

        Args:
            part: number of this process; each has a file of its own.

        Raises:
            InputError: when another process is writing the same file.
        """
        folder, key = local_folder(self.folder), self.key
        path = folder / (f"answers-{part}.jsonl" if part else "answers.jsonl")
        with open(path, "ab+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(f"{path} is being written by another process") from error
            _cut_torn_line(file)

            def write(lines: Iterable[Mapping[str, Any]]) -> None:
                own = ({"run": key, **line} for line in lines)
                file.write("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in own).encode())
                file.flush()
                os.fsync(file.fileno())

            yield write

    def add_time(self, part: int, **spent: float) -> None:
        """Add to what a process has spent on the run, over all its starts.

        Args:
            part: number of the process.
            spent: `questions`, `seconds` and `waited_s`.
        """
        name = f"clock-{part}.json" if part else "clock.json"
        path = self.folder / name
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self.write_json(name, {k: round(v + before.get(k, 0), 3) for k, v in spent.items()})

    def clock(self) -> dict[str, float]:
        """Give `questions`, `seconds` (of the slowest process) and `waited_s` of all its starts.

        A start that was killed is not in them, neither its time nor its questions.
        """
        parts = [json.loads(p.read_text("utf-8")) for p in self._files("clock*.json")]
        if not parts:
            return {}
        spent = {k: sum(part[k] for part in parts) for k in ("questions", "waited_s")}
        return {
            **spent,
            "seconds": max(part["seconds"] for part in parts),
            "all_seconds": sum(part["seconds"] for part in parts),
        }

    def write_json(self, name: str, value: Any) -> AnyPath:
        """Write a file of the run, whole or not at all."""
        path = self.folder / name
        write_atomically(path, json.dumps(value, indent=1, ensure_ascii=False))
        return path

    def write_jsonl(self, name: str, lines: Iterable[Mapping[str, Any]]) -> AnyPath:
        """Write a file of the run, one object a line, whole or not at all."""
        path = self.folder / name
        write_atomically(path, "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines))
        return path


def video_of(line: Mapping[str, Any]) -> str:
    """Name what a judged line shares with others of its video; without a video it stands alone.

    >>> video_of({"id": "mine/1", "source": "mine", "video": "a.mp4"})
    'mine/a.mp4'
    >>> video_of({"id": "mine/1", "source": "mine", "video": ""})
    'mine/1'
    """
    return f"{line['source']}/{line['video']}" if line.get("video") else str(line["id"])


def _lines(path: AnyPath) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    lines = data.split(b"\n")
    lines.pop()  # what follows the last line break: nothing, or a line torn by a kill
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            value["id"]
        except (ValueError, TypeError, KeyError) as error:
            raise RecordError(
                f"{path} line {number:,} is broken ({error}); repair or remove it"
            ) from error
        yield value


def _cut_torn_line(file: Any) -> None:
    file.seek(0, os.SEEK_END)
    end = size = file.tell()
    while end:
        start = max(0, end - 65536)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    if end < size:
        file.truncate(end)
