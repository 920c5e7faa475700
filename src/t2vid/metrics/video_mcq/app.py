"""The metric's page: paste answers and references, see the accuracy and which rule read each answer.

python app.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

EXAMPLE_ANSWERS = "B\nThe answer is C.\nA man is walking.\nNot A, rather D."
EXAMPLE_REFERENCES = "B\nC\nA\nD"


def score(
    answers: str, references: str, options: str = ""
) -> tuple[dict[str, Any], list[list[str]]]:
    """Score answers given one a line.

    Args:
        answers: one answer a line.
        references: one letter a line.
        options: one line for each row with its options between `|`, or empty.
    """
    import evaluate

    module = str(Path(__file__).with_name("video_mcq.py"))
    predictions, letters = answers.splitlines(), references.split()
    if len(predictions) != len(letters):
        return {"error": f"{len(predictions)} answers for {len(letters)} references"}, []
    rows = [line.split("|") for line in options.splitlines() if line.strip()]
    if rows and len(rows) != len(predictions):
        return {"error": f"{len(predictions)} answers for {len(rows)} lines of options"}, []
    metric = evaluate.load(module, "full" if rows else "default")
    columns = {"options": rows} if rows else {}
    scores = metric.compute(
        predictions=predictions, references=letters, return_rows=True, **columns
    )
    read = [
        [
            prediction,
            row["letter"] or "Z",
            row["rule"],
            row["reference"] or "?",
            "yes" if row["correct"] else "no",
        ]
        for prediction, row in zip(predictions, scores.pop("rows"), strict=True)
    ]
    return scores, read


def build() -> Any:
    """Build the page."""
    import gradio

    card = Path(__file__).with_name("README.md").read_text(encoding="utf-8").split("---", 2)[-1]
    card = card.strip().removeprefix("# Video MCQ")  # the page has that heading already
    with gradio.Blocks(title="Video MCQ") as page:
        gradio.Markdown("# Video MCQ\nOne answer a line, one reference letter a line.")
        with gradio.Row():
            answers = gradio.Textbox(EXAMPLE_ANSWERS, label="Answers", lines=8)
            references = gradio.Textbox(EXAMPLE_REFERENCES, label="References", lines=8)
            options = gradio.Textbox("", label="Options (optional), split by |", lines=8)
        button = gradio.Button("Score")
        table = gradio.Dataframe(headers=["answer", "letter", "rule", "reference", "correct"])
        result = gradio.JSON(label="Scores")
        for event in (button.click, page.load):
            event(score, [answers, references, options], [result, table])
        gradio.Markdown(card)
    return page


if __name__ == "__main__":
    build().launch()
