"""The main job on the bundled sample: text and video → mix → training → answers → scores → page.

    t2vid demo --out demo

Everything is real but the model, a tiny Idefics3 with random weights; its scores stay near chance.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid import samples
from t2vid.errors import InputError, require
from t2vid.frames.export import contact_sheet
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.spec import SampleSpec
from t2vid.pages import Tile, line_chart, render
from t2vid.progress import visible
from t2vid.schema import messages

# T2Vid, evaluation scripts: the sentence that follows the options
ANSWER_WITH_A_LETTER = "Answer with the option's letter from the given choices directly."
MAX_FRAMES = 8  # keeps the demo under three minutes on two cores; real runs use 24 or more

_NEXT = """\
t2vid train --config idefics3-hybrid-30k data_dir=corpora      # the paper's mix, for real
python -c "import t2vid; from datasets import load_dataset; \\
           print(load_dataset('t2vid/synthetic', 'longalpaca', split='train'))"   # real texts"""


@dataclass(frozen=True)
class DemoResult:
    """Where the page is and the figures on it."""

    page: Path
    losses: list[float]
    before: dict[str, Any]
    after: dict[str, Any]


def demo(out: str | Path = "demo", *, steps: int = 120, seed: int = 0) -> DemoResult:
    """Run the whole job on the bundled sample and write `report.html` and its figures.

    Args:
        out: folder for the page, the figures and the answers; made if it is not there.
        steps: training steps, at least 2.
        seed: of the mix, the model and the training.

    Raises:
        InputError: for fewer than 2 steps.
        MissingExtra: when the extras `train` and `eval` are not installed.
    """
    if steps < 2:
        raise InputError(f"steps ({steps}) must be at least 2, or there is no loss curve to draw")
    for module, extra in (("trl", "train"), ("evaluate", "eval")):
        require(module, extra=extra)
    from datasets import load_dataset

    from t2vid.models.tiny import tiny_idefics3

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    mix = load_dataset("t2vid/mix", "sample", split="train", seed=seed)
    mix = mix.cast_column("images", Frames(max_frames=MAX_FRAMES))
    print(f"mix: {len(mix)} rows, {sum(mix['n_frames'])} frames, {_count_by(mix['source'])}")
    model, processor = tiny_idefics3(_all_text(), seed=seed)
    questions = samples.questions()
    before = _examine(model, processor, questions, desc="answers before")
    losses, per_source = _train(model, processor, mix, folder, steps=steps, seed=seed)
    after = _examine(model, processor, questions, desc="answers after")
    result = DemoResult(folder / "report.html", losses, before["score"], after["score"])
    _write_figures(folder, result, questions, before, after)
    html = _page(mix, questions, result, per_source, before, after)
    result.page.write_text(html, encoding="utf-8")
    print(f"loss: {losses[0]:.2f} → {losses[-1]:.2f} in {steps} steps")
    for name, score in (("before", result.before), ("after", result.after)):
        print(f"accuracy {name}: {100 * score['accuracy']:.1f} % of {len(questions)} questions")
    print(f"\nOpen {result.page}\nThen, with a real checkpoint:\n{_NEXT}")
    return result


def _train(
    model: Any, processor: Any, mix: Any, folder: Path, *, steps: int, seed: int
) -> tuple[list[float], dict[str, list[tuple[float, float]]]]:
    from transformers import ProgressCallback

    from t2vid.trainer import VideoSFTConfig, VideoSFTTrainer

    config = VideoSFTConfig(
        output_dir=str(folder / "checkpoint"),
        max_steps=steps,
        per_device_train_batch_size=6,
        learning_rate=3e-3,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        seed=seed,
        use_cpu=True,
        dataloader_pin_memory=False,
        max_frames=MAX_FRAMES,
    )
    trainer = VideoSFTTrainer(model, args=config, train_dataset=mix, processing_class=processor)
    trainer.remove_callback(ProgressCallback)  # it would print every logged step
    trainer.add_callback(_bar(steps))
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    names = sorted({name for entry in logs for name in entry if name.startswith("loss/")})
    series = {
        name.removeprefix("loss/"): [(log["step"], log[name]) for log in logs if name in log]
        for name in names
    }
    return [float(entry["loss"]) for entry in logs], series


def _bar(steps: int) -> Any:
    from tqdm import tqdm
    from transformers import TrainerCallback

    class Bar(TrainerCallback):
        """One progress bar that shows the latest loss."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.bar = tqdm(total=steps, desc="training", unit="step", disable=not visible())

        def on_log(self, args: Any, state: Any, control: Any, logs: Any, **kwargs: Any) -> None:
            if "loss" in logs:
                self.bar.set_postfix(loss=f"{float(logs['loss']):.2f}")
                self.bar.update()

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.bar.close()

    return Bar()


def _examine(
    model: Any, processor: Any, questions: list[dict[str, Any]], *, desc: str
) -> dict[str, Any]:
    import evaluate

    from t2vid.evaluation.generate import answer

    rows = [_question_row(question) for question in questions]
    answers = answer(model, processor, rows, max_new_tokens=8, desc=desc)
    score = evaluate.load("t2vid/video_mcq", "full").compute(
        predictions=answers,
        references=[question["answer"] for question in questions],
        options=[question["options"] for question in questions],
        question=[question["question"] for question in questions],
        category=[question["category"] for question in questions],
        id=[question["id"] for question in questions],
    )
    return {"answers": answers, "score": score}


def _question_row(question: dict[str, Any]) -> dict[str, Any]:
    if question["video"] is not None:
        path = str(samples.ROOT / question["video"])
        value = video_value(path, SampleSpec(max_frames=MAX_FRAMES))
    else:
        value = text_value(_contexts()[question["text"]])
    images = Frames(max_frames=MAX_FRAMES).decode_example(value)
    options = "\n".join(
        f"{letter}. {option}" for letter, option in zip("ABCDE", question["options"], strict=False)
    )
    prompt = f"{question['question']}\n{options}\n{ANSWER_WITH_A_LETTER}"
    return {"images": images, "messages": messages([("user", prompt)], n_frames=len(images))}


def _contexts() -> dict[str, str]:
    return {text["id"]: text["context"] for text in samples.texts()}


def _all_text() -> list[str]:
    said = [turn["value"] for clip in samples.clips() for turn in clip["conversations"]]
    asked = [text[name] for text in samples.texts() for name in ("question", "answer", "context")]
    return [*said, *asked, ANSWER_WITH_A_LETTER]


def _count_by(values: list[str]) -> str:
    return ", ".join(f"{values.count(value)} {value}" for value in sorted(set(values)))


def _write_figures(
    folder: Path,
    result: DemoResult,
    questions: list[dict[str, Any]],
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    figures = {"losses": result.losses, "before": result.before, "after": result.after}
    (folder / "figures.json").write_text(json.dumps(figures, indent=1, default=str))
    with open(folder / "answers.jsonl", "w", encoding="utf-8") as file:
        for question, first, last in zip(
            questions, before["answers"], after["answers"], strict=True
        ):
            row = {"id": question["id"], "answer": question["answer"]}
            file.write(json.dumps({**row, "before": first, "after": last}) + "\n")


def _page(
    mix: Any,
    questions: list[dict[str, Any]],
    result: DemoResult,
    per_source: dict[str, list[tuple[float, float]]],
    before: dict[str, Any],
    after: dict[str, Any],
) -> str:
    steps = list(enumerate(result.losses, start=1))
    chance = sum(1 / len(question["options"]) for question in questions) / len(questions)
    tiles = [
        Tile(str(len(mix)), "rows in the mix"),
        Tile(f"{sum(mix['n_frames']):,}", "frames at full length"),
        Tile(str(len(steps)), "training steps"),
        Tile(f"{result.losses[0]:.2f} → {result.losses[-1]:.2f}", "loss, first → last"),
        Tile(
            f"{100 * result.before['accuracy']:.0f} % → {100 * result.after['accuracy']:.0f} %",
            "questions, before → after",
            f"guessing gives {100 * chance:.1f} %",
        ),
    ]
    curves = line_chart(
        {"all": steps, **per_source},
        x="step",
        y="loss",
        caption="Cross-entropy on the answers alone; questions, frames and padding carry no loss.",
    )
    return render(
        "demo.html",
        title="t2vid demo: texts and clips in one mix",
        intro="Long texts and short clips, both as frame sequences, in one training mix; a tiny "
        "Idefics3 with random weights trained on it for a moment, asked multiple-choice questions "
        "before and after, and judged.",
        tiles=tiles,
        sheets=_sheets(mix),
        curves=curves,
        chance=chance,
        scores=_scores(questions, result),
        answers=_answers(questions, before, after),
        next=_NEXT,
    )


def _sheets(mix: Any) -> list[tuple[Any, str, str]]:
    """Give a sheet of each source, what it shows, and its caption."""
    out = []
    for source in sorted(set(mix["source"])):
        row = max((row for row in mix if row["source"] == source), key=lambda r: len(r["images"]))
        frames = row["images"]
        if frames.spans is not None:
            captions = [f"characters {start:,}–{end:,}" for start, end in frames.spans]
        else:
            captions = [f"{time:.2f} s" for time in frames.timestamps_s]
        sheet = contact_sheet(frames, columns=4, captions=captions)
        question = row["messages"][0]["content"][-1]["text"]
        note = f"{row['id']}: {len(frames)} of {frames.n_total} frames. Question: {question}"
        out.append((sheet, f"{len(frames)} frames of {row['id']}", note))
    return out


def _scores(questions: list[dict[str, Any]], result: DemoResult) -> list[list[object]]:
    rows: list[list[object]] = [_score_row("all", result.before, result.after)]
    for name in sorted({question["category"] for question in questions}):
        parts = (score["by_category"][name] for score in (result.before, result.after))
        rows.append(_score_row(name, *parts))
    return rows


def _score_row(name: str, before: dict[str, Any], after: dict[str, Any]) -> list[object]:
    low, high = (f"{100 * bound:.0f}" for bound in after["wilson"])
    accuracies = (100 * score["accuracy"] for score in (before, after))
    return [name, after["n"], *accuracies, f"{low}–{high}"]


def _answers(
    questions: list[dict[str, Any]], before: dict[str, Any], after: dict[str, Any]
) -> list[list[object]]:
    return [
        [question["question"], question["answer"], first[:80], last[:80]]
        for question, first, last in zip(
            questions, before["answers"], after["answers"], strict=True
        )
    ]
