"""Questions put to a model as it trains: the figures of `t2vid eval`, on trackers, choosing the checkpoint."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, Image, List
from PIL import Image as Pillow

from media import make_clip
from t2vid import evaluate
from t2vid.errors import InputError
from t2vid.evaluation.config import EvalConfig
from t2vid.models import mini
from t2vid.schema import messages, row_features
from t2vid.trainer import VideoSFTTrainer
from t2vid.trainer.mcq import McqEvaluation, McqPlan
from t2vid.trainer.shown import log_answers
from training_rows import COLOURS, cpu_settings, question

PROTOCOL = EvalConfig(frames=2, prompt="{question}\n{options}", max_new_tokens=4)


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("toy")
    films = [make_clip(folder / f"{i}.mp4", size=(64, 64), seconds=1, fps=2) for i in range(2)]
    rows = [question(i, Path(films[i % 2])) for i in range(7)]
    return [*rows, question(7, folder / "missing.mp4"), question(8, Path(films[0]), "caption")]


@pytest.fixture
def small() -> Iterator[Any]:
    model, processor = mini()
    yield model.train(), processor


def run_of(
    small: Any, folder: Path, rows: Any, plan: dict[str, Any], **changes: Any
) -> VideoSFTTrainer:
    args = cpu_settings(
        folder,
        eval_strategy="steps",
        eval_steps=changes.pop("eval_steps", 1),
        per_device_train_batch_size=4,
        **changes,
    )
    return VideoSFTTrainer(
        small[0], args, train_dataset=rows, processing_class=small[1], eval_mcq=plan
    )


def taught(asked: list[dict[str, Any]]) -> Dataset:
    """Rows that teach the answers by heart: the letter after the question."""
    rows = []
    for one in asked[:7]:
        words = "\n".join(f"{a}. {b}" for a, b in zip("ABCD", one["options"], strict=True))
        turns = [("user", f"{one['question']}\n{words}"), ("assistant", one["answer"])]
        shown = [Pillow.new("RGB", (56, 56), COLOURS["ABCD".index(one["answer"])])]
        rows.append(
            {
                "id": one["id"],
                "source": "toy",
                "images": shown,
                "messages": messages(turns, n_frames=1),
                "n_frames": 1,
                "n_words": 0,
            }
        )
    return Dataset.from_list(rows, features=row_features(List(Image())))


def test_figures_are_those_of_an_evaluation_afterwards(asked, small, tmp_path, caplog):
    plan = McqPlan.read({"toy": asked, "protocol": PROTOCOL.to_dict()})
    found = McqEvaluation(plan, small[1], batch_size=3).ask(small[0])
    assert "1 questions of toy ask for captions" in caplog.text
    judged = evaluate(small[0], asked[:8], PROTOCOL, processor=small[1], out=tmp_path).judged()
    want = {line["id"]: line["letter"] for line in judged}
    assert found.figures["toy_questions"] == 8 and found.figures["toy_errors"] == 1
    assert found.figures["toy_accuracy"] == sum(line["correct"] for line in judged) / 8
    assert found.figures["toy_open"] == sum(letter is None for letter in want.values()) / 8
    low, high = (found.figures[f"toy_accuracy_{end}"] for end in ("low", "high"))
    assert low <= found.figures["toy_accuracy"] <= high < 1


def test_processes_share_the_questions_and_generate_equally_often(asked, small, monkeypatch):
    from t2vid.trainer import mcq

    plan = McqPlan.read({"toy": asked[:7], "protocol": PROTOCOL.to_dict()})
    evaluation = McqEvaluation(plan, small[1], batch_size=2)
    calls: list[list[int]] = []
    real = mcq.generate

    def counted(model: Any, processor: Any, encode: Any, batch: Any, **kwargs: Any) -> list[str]:
        calls[-1].append(sum(row.n_frames > 0 for row in batch))
        return real(model, processor, encode, batch, **{**kwargs, "in_step": False})

    monkeypatch.setattr(mcq, "generate", counted)
    monkeypatch.setattr(mcq, "_gathered", lambda lines, world: lines)
    shares = []
    for rank in range(5):  # seven questions: two processes have two of them, three have one
        calls.append([])
        shares.append(evaluation.ask(small[0], rank=rank, world=5, in_step=True).figures)
    assert [len(one) for one in calls] == [1] * 5
    assert all(n > 0 for one in calls for n in one)  # no process leaves the vision tower out
    assert sum(one["toy_questions"] for one in shares) == 7
    broken = McqPlan.read({"toy": [asked[7]] * 1, "protocol": PROTOCOL.to_dict()})
    calls.append([])
    found = McqEvaluation(broken, small[1], batch_size=2).ask(small[0], in_step=True)
    assert calls[-1] == [1] and found.figures["toy_errors"] == 1  # a stand-in was generated for


def test_accuracy_is_logged_shown_and_chooses_the_checkpoint(asked, small, tmp_path):
    plan = {"toy": asked[:7], "show": 2, "protocol": PROTOCOL.to_dict(), "batch_size": 7}
    run = run_of(
        small,
        tmp_path,
        taught(asked),
        plan,
        eval_steps=12,
        max_steps=36,
        learning_rate=2e-3,
        lr_scheduler_type="constant",
        save_strategy="best",
        metric_for_best_model="toy_accuracy",
        load_best_model_at_end=True,
        eval_on_start=True,
    )
    run.train()
    seen = [
        line["eval_toy_accuracy"] for line in run.state.log_history if "eval_toy_accuracy" in line
    ]
    assert len(seen) == 4 and seen[0] < max(seen)
    assert run.state.best_metric == max(seen)
    first_best = 12 * seen.index(max(seen))
    assert run.state.best_model_checkpoint.endswith(f"checkpoint-{first_best}")
    pages = sorted(path.name for path in (tmp_path / "mcq").iterdir())
    assert pages[:2] == ["toy-000000.html", "toy-000000.jsonl"] and len(pages) == 8
    lines = (tmp_path / "mcq" / "toy-000036.jsonl").read_text().splitlines()
    assert [set(json.loads(line)) for line in lines] == [
        {"question", "answer", "generation", "letter"}
    ] * 2
    assert "data:image/jpeg;base64," in (tmp_path / "mcq" / "toy-000036.html").read_text()


def test_losses_and_answers_are_logged_together(asked, small, tmp_path):
    rows = taught(asked)
    plan = {"toy": asked[:2], "protocol": PROTOCOL.to_dict()}
    args = cpu_settings(tmp_path, eval_strategy="steps", eval_steps=1, max_steps=1)
    run = VideoSFTTrainer(
        small[0],
        args,
        train_dataset=rows,
        eval_dataset={"a": rows.select([0]), "b": rows.select([1])},
        processing_class=small[1],
        eval_mcq=plan,
    )
    figures = run.evaluate()
    assert {"eval_a_loss", "eval_b_loss", "eval_toy_accuracy", "eval_mcq_accuracy"} <= set(figures)
    assert sum("eval_toy_accuracy" in line for line in run.state.log_history) == 1


def test_trackers_get_a_table(asked, small, tmp_path):
    plan = McqPlan.read({"toy": asked[:2], "show": 2, "protocol": PROTOCOL.to_dict()})
    shown = McqEvaluation(plan, small[1], batch_size=2).ask(small[0]).shown
    logged: list[Any] = []
    wandb = types.SimpleNamespace(
        run=object(),
        Image=lambda sheet: ("image", sheet.size),
        Table=lambda columns, data: (columns, data),
        log=logged.append,
    )
    writer = types.SimpleNamespace(
        add_image=lambda name, sheet, step, dataformats: logged.append((name, sheet.shape, step)),
        add_text=lambda name, text, step: logged.append((name, text.count("\n"), step)),
    )
    callbacks = [types.SimpleNamespace(_wandb=wandb), types.SimpleNamespace(tb_writer=writer)]
    log_answers(shown, step=4, folder=tmp_path, callbacks=callbacks)
    table, *images, text = logged
    assert table["train/global_step"] == 4 and len(table["mcq/toy"][1]) == 2
    assert [name for name, _, _ in images] == ["mcq/toy/0", "mcq/toy/1"] and text == (
        "mcq/toy",
        3,
        4,
    )


def test_tensorboard_itself_takes_the_table(asked, small, tmp_path):
    tensorboard = pytest.importorskip("tensorboardX")
    plan = McqPlan.read({"toy": asked[:2], "show": 1, "protocol": PROTOCOL.to_dict()})
    shown = McqEvaluation(plan, small[1], batch_size=2).ask(small[0]).shown
    with tensorboard.SummaryWriter(str(tmp_path / "tb")) as writer:
        callbacks = [types.SimpleNamespace(tb_writer=writer)]
        log_answers(shown, step=1, folder=tmp_path, callbacks=callbacks)
    assert sum(path.stat().st_size for path in (tmp_path / "tb").iterdir()) > 500


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"limit": 5}, "names no benchmark"),
        ({"t2vid/mvbench": None, "limit": 0}, "limit .0. must be a number >= 1"),
        ({"t2vid/mvbench": None, "protocol": {"circular": True}}, "belongs to t2vid eval"),
        ({"t2vid/mvbench": None, "protocol": "t2vit"}, "t2vit"),
    ],
)
def test_a_plan_out_of_range_is_refused(plan, message):
    with pytest.raises(InputError, match=message):
        McqPlan.read(plan)


def test_a_limit_is_spread_over_the_benchmark(asked, small):
    plan = McqPlan.read({"toy": asked[:7], "limit": 3})
    rows = McqEvaluation(plan, small[1], batch_size=2).rows["toy"]
    assert rows["id"][:] == ["q/1", "q/3", "q/5"]


def test_when_to_ask_and_what_to_choose_by_are_checked_at_the_start(asked, small, tmp_path):
    with pytest.raises(InputError, match="eval_strategy=steps"):
        cpu_settings(tmp_path, eval_mcq={"t2vid/mvbench": None})
    with pytest.raises(InputError, match="'mvbnch_accuracy'.*'toy_accuracy', 'mcq_accuracy'"):
        run_of(
            small, tmp_path, taught(asked), {"toy": asked}, metric_for_best_model="mvbnch_accuracy"
        )


def test_trls_own_accuracy_may_choose_the_checkpoint_too(asked, small, tmp_path):
    name = "mean_token_accuracy"
    run = run_of(small, tmp_path, taught(asked), {"toy": asked[:1]}, metric_for_best_model=name)
    assert run.args.greater_is_better is True
