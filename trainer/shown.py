"""Answers of a model that trains, as a table: on the run's trackers, and on the run's own disk.

    log_answers(result.shown, step=100, folder="runs/x/mcq", callbacks=trainer.callback_handler.callbacks)

leaves `runs/x/mcq/mvbench-000100.html` and `.jsonl`, and a table in wandb and tensorboard where the
run reports to them.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.storage.files import write_atomically
from t2vid.trainer.mcq import ShownAnswer

COLUMNS = ("frames", "question", "answer", "letter", "generation")
# Of its own, not of `pages`: that room stands on this one.
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{font:15px system-ui;margin:2em}dl{border-top:1px solid #888;padding-top:1em}
dd{margin:0 0 .5em;white-space:pre-wrap;overflow-wrap:anywhere}dt{opacity:.8}img{max-width:100%}</style>
<h1>{{ title }}</h1>{% for row in rows %}<dl>
{% if row.sheet %}<dd><img alt="frames" src="{{ row.sheet }}"></dd>{% endif %}
{% for name in columns if name != "frames" %}<dt>{{ name }}</dt><dd>{{ row[name] or "none" }}</dd>
{% endfor %}</dl>{% endfor %}
"""


def log_answers(
    shown: Mapping[str, Sequence[ShownAnswer]],
    *,
    step: int,
    folder: str | Path,
    callbacks: Iterable[Any] = (),
) -> None:
    """Write answers to disk and to the trackers that a run reports to.

    Args:
        shown: answers by benchmark.
        step: of the run.
        folder: made where it is not there.
        callbacks: of the trainer; those of wandb and tensorboard are found among them.
    """
    callbacks = list(callbacks)
    for title, answers in shown.items():
        if not answers:
            continue
        _to_disk(title, answers, step, Path(folder))
        for callback in callbacks:
            if (writer := getattr(callback, "tb_writer", None)) is not None:
                _to_tensorboard(writer, title, answers, step)
            elif getattr(getattr(callback, "_wandb", None), "run", None) is not None:
                _to_wandb(callback._wandb, title, answers, step)


def _to_disk(title: str, answers: Sequence[ShownAnswer], step: int, folder: Path) -> None:
    from jinja2 import Environment

    folder.mkdir(parents=True, exist_ok=True)
    rows = [answer._asdict() | {"sheet": _data_url(answer.sheet)} for answer in answers]
    page = Environment(autoescape=True).from_string(_PAGE)
    head = f"{title} at step {step:,}"
    write_atomically(
        folder / f"{title}-{step:06}.html", page.render(title=head, columns=COLUMNS, rows=rows)
    )
    words = [{k: v for k, v in row.items() if k != "sheet"} for row in rows]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in words)
    write_atomically(folder / f"{title}-{step:06}.jsonl", lines)


def _to_tensorboard(writer: Any, title: str, answers: Sequence[ShownAnswer], step: int) -> None:
    import numpy as np

    for at, one in enumerate(answers):
        if one.sheet is not None:
            sheet = np.asarray(one.sheet)
            writer.add_image(f"mcq/{title}/{at}", sheet, step, dataformats="HWC")
    head = [f"| {' | '.join(COLUMNS[1:])} |", "|" + "---|" * len(COLUMNS[1:])]
    cells = [(one.question, one.answer, one.letter, one.generation) for one in answers]
    body = [f"| {' | '.join(map(_in_cell, row))} |" for row in cells]
    writer.add_text(f"mcq/{title}", "\n".join([*head, *body]), step)


def _to_wandb(wandb: Any, title: str, answers: Sequence[ShownAnswer], step: int) -> None:
    rows = [
        [one.sheet and wandb.Image(one.sheet), one.question, one.answer, one.letter, one.generation]
        for one in answers
    ]
    table = wandb.Table(columns=list(COLUMNS), data=rows)
    wandb.log({f"mcq/{title}": table, "train/global_step": step})


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def _data_url(sheet: Any) -> str:
    if sheet is None:
        return ""
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
