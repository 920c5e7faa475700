"""What came of an arm and seed, as one small file; and all of them in one.

>>> one = ArmResult("video", 1, 9, 1, 1.0, 1.0, ["test00000-last"], [True], ["red box"], {})
>>> one.kind(0), one.clip(0)
('last', 'test00000')
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from t2vid.errors import InputError
from t2vid.miniature.arms import ALL_ARMS
from t2vid.miniature.world import MAX_SCENES
from t2vid.storage.files import write_atomically


@dataclass(frozen=True)
class ArmResult:
    """What came of a job.

    Attributes:
        arm: name of the arm.
        seed: its seed.
        rows: rows trained on.
        steps: steps of training.
        train_s: CPU seconds of the training, making of frames included.
        test_s: CPU seconds of the test.
        questions: ids, in order.
        correct: whether each was answered rightly.
        answers: what was answered.
        curves: `{source: [(step, loss), …]}`, `all` among them.
        frames: frames of a clip at most, in the test.
        base: label of the base; empty for the package's.
    """

    arm: str
    seed: int
    rows: int
    steps: int
    train_s: float
    test_s: float
    questions: list[str]
    correct: list[bool]
    answers: list[str]
    curves: dict[str, list[tuple[int, float]]]
    frames: int = MAX_SCENES
    base: str = ""

    def kind(self, number: int) -> str:
        """Give the kind of a question."""
        return self.questions[number].rpartition("-")[2]

    def clip(self, number: int) -> str:
        """Give the clip of a question."""
        return self.questions[number].rpartition("-")[0]

    @classmethod
    def read(cls, path: Path) -> ArmResult:
        """Read a result."""
        value = json.loads(path.read_text(encoding="utf-8"))
        value["correct"] = [c == "1" for c in value["correct"]]
        value["curves"] = {k: [(s, x) for s, x in v] for k, v in value["curves"].items()}
        return cls(**value)

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        value = dataclasses.asdict(self)
        value["correct"] = "".join("1" if c else "0" for c in self.correct)
        write_atomically(path, json.dumps(value))


def save_results(path: Path, results: Sequence[ArmResult]) -> None:
    """Write results into one small file: the questions of each seed once, no answers, no curves.

    Args:
        path: of the file.
        results: those of one seed asked the same questions.

    Raises:
        InputError: when they were not.
    """
    questions: dict[int, list[str]] = {}
    runs = []
    for one in sorted(results, key=lambda r: (list(ALL_ARMS).index(r.arm), r.seed)):
        if one.questions != questions.setdefault(one.seed, one.questions):
            raise InputError(f"{one.arm!r}, seed {one.seed}, was asked other questions")
        bits = "".join("1" if c else "0" for c in one.correct)
        small = {name: getattr(one, name) for name in _SMALL}
        runs.append({**small, "correct": bits})
    lines = ",\n".join(json.dumps(run) for run in runs)
    asked = json.dumps({seed: " ".join(questions[seed]) for seed in sorted(questions)}, indent=0)
    write_atomically(path, f'{{"questions": {asked},\n"runs": [\n{lines}\n]}}\n')


def read_results(path: Path) -> list[ArmResult]:
    """Read what `save_results` wrote; answers and curves are empty."""
    value = json.loads(path.read_text(encoding="utf-8"))
    questions = {int(seed): names.split() for seed, names in value["questions"].items()}
    return [
        ArmResult(
            **{**run, "correct": [c == "1" for c in run["correct"]]},
            questions=questions[run["seed"]],
            answers=[],
            curves={},
        )
        for run in value["runs"]
    ]


_SMALL = ("arm", "seed", "rows", "steps", "train_s", "test_s", "frames", "base")
