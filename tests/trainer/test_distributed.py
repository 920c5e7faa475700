"""What two processes promise: they train as one does, and a killed run goes on with the next row."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from transformers import AutoModelForImageTextToText

from media import make_clip
from mixing.corpora import write_corpora
from t2vid.catalog import recipes
from t2vid.mixing.recipe import Recipe
from t2vid.trainer.run import CONFIGS
from training_rows import question

SCRIPT = Path(__file__).parent / "distributed_run.py"
LOSSES = ("loss", "loss/clips", "loss/words")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def start(processes: int, *command: str, log: Path, **more: str) -> subprocess.Popen[bytes]:
    """Start torchrun on a script or `-m` module, with more variables in its environment."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu", **more}
    run = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    with open(log, "wb") as file:
        return subprocess.Popen(
            [sys.executable, *run, *command], env=env, stdout=file, stderr=subprocess.STDOUT
        )


def finish(process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        code = process.wait(600)
    except subprocess.TimeoutExpired:
        kill(process)
        raise
    assert code == 0, log.read_text()[-3000:]


def kill(process: subprocess.Popen[bytes]) -> None:
    """Send SIGKILL to torchrun and to every process it started."""
    group = psutil.Process(process.pid)
    for one in [group, *group.children(recursive=True)]:
        os.kill(one.pid, signal.SIGKILL)
    process.wait()


def begin(
    folder: Path, processes: int, strategy: str | None = None, **job: Any
) -> subprocess.Popen[bytes]:
    """Start the script on so many processes, with a strategy of `configs` by its file's name."""
    asked = {"out": str(folder)} | job
    environment = {}
    if strategy and strategy.startswith("zero"):
        asked["deepspeed"] = str(CONFIGS / f"{strategy}.json")
    elif strategy:  # what `accelerate launch --config_file` makes of the file
        settings = yaml.safe_load((CONFIGS / f"{strategy}.yaml").read_text())["fsdp_config"]
        environment = {name.upper(): str(value).lower() for name, value in settings.items()}
        for name in ("FSDP_AUTO_WRAP_POLICY", "FSDP_STATE_DICT_TYPE"):
            environment[name] = environment[name].upper()
        environment["ACCELERATE_USE_FSDP"] = "true"
    log = folder.with_suffix(".log")
    return start(processes, str(SCRIPT), json.dumps(asked), log=log, **environment)


def train(folder: Path, processes: int, strategy: str | None = None, **job: Any) -> list[dict]:
    """Run the script on so many processes and give its log lines."""
    finish(begin(folder, processes, strategy, **job), folder.with_suffix(".log"))
    return json.loads((folder / "log.json").read_text())


def seen(folder: Path, rank: int) -> list[list[Any]]:
    """Give `[step, ids]` of each batch of a process."""
    return [json.loads(line) for line in (folder / f"seen-{rank}.jsonl").read_text().splitlines()]


IN_ORDER = {"train_sampling_strategy": "sequential", "max_steps": 4}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    return train(tmp_path_factory.mktemp("alone") / "run", 1, settings=IN_ORDER)


@pytest.mark.parametrize("strategy", [None, "zero2", "zero3", "fsdp2"])
def test_two_processes_have_the_losses_of_one(tmp_path, alone, strategy):
    two = train(tmp_path / "run", 2, strategy, settings=IN_ORDER)
    for name in LOSSES:
        ours, want = [x[name] for x in two], [x[name] for x in alone]
        assert ours == pytest.approx(want, rel=1e-3), name
    # at every step the first process has frames and the second has none
    sources = [[ids[0].split(":")[1][:5] for _, ids in seen(tmp_path / "run", r)] for r in (0, 1)]
    assert sources == [["clip/"] * 4, ["alone"] * 4]


@pytest.mark.parametrize("strategy", [None, "zero3", "fsdp2"])
def test_two_processes_answer_questions_as_one_does(tmp_path, strategy):
    film = make_clip(tmp_path / "a.mp4", size=(64, 64), seconds=1, fps=2)
    # Three for the first process, two for the second, of which one has no frames at all.
    videos = [film, film, film, tmp_path / "missing.mp4", film]
    questions = [question(at, Path(video)) for at, video in enumerate(videos)]
    settings = {"max_steps": 2, "eval_strategy": "steps", "eval_steps": 1, "learning_rate": 0.0}
    one, two = (
        train(
            tmp_path / str(n),
            n,
            strategy if n == 2 else None,
            settings=settings,
            questions=questions,
        )
        for n in (1, 2)
    )
    ours, want = ([x for x in run if "eval_toy_accuracy" in x] for run in (two, one))
    assert len(ours) == len(want) == 2
    for key in ("accuracy", "accuracy_low", "open", "errors", "questions"):
        assert [x[f"eval_toy_{key}"] for x in ours] == [x[f"eval_toy_{key}"] for x in want]
    assert ours[0]["eval_toy_errors"] == 1 and ours[0]["eval_toy_questions"] == 5


@pytest.mark.parametrize(
    ("strategy", "batches"),
    [
        (None, {"max_tokens_per_batch": 400}),
        ("zero2", {}),
        ("zero3", {"max_tokens_per_batch": 400}),
        ("fsdp2", {}),
    ],
)
def test_a_killed_run_goes_on_with_the_next_row_and_the_same_losses(tmp_path, strategy, batches):
    settings = {"max_steps": 6, "num_train_epochs": 9, **batches}
    settings |= {"save_strategy": "steps", "save_steps": 2}
    whole = train(tmp_path / "whole", 2, strategy, settings=settings)

    broken = tmp_path / "broken"
    process = begin(broken, 2, strategy, stop_at=4, settings=settings)
    while not all((broken / f"stopped-{rank}").exists() for rank in (0, 1)):
        assert process.poll() is None, (tmp_path / "broken.log").read_text()[-3000:]
        time.sleep(0.1)
    kill(process)
    # the third step was done, and lost: the last checkpoint is of the second
    assert [step for step, _ in seen(broken, 0)] == [1, 2, 3]
    assert not (broken / "checkpoint-4").exists()

    rest = train(broken, 2, strategy, resume=True, settings=settings)
    for rank in (0, 1):
        straight = seen(tmp_path / "whole", rank)
        assert seen(broken, rank) == [*straight[:3], *straight[2:]]
    assert [x["step"] for x in rest] == [x["step"] for x in whole]
    assert [x["loss"] for x in rest] == pytest.approx([x["loss"] for x in whole], rel=1e-4)


@pytest.mark.parametrize("name", ["idefics3-hybrid-30k"])
def test_the_papers_recipe_runs_through_torchrun_with_zero3(tmp_path, name):
    """All of the YAML as it is, but for the checkpoint, the size of the mix and the device."""
    recipe = Recipe.from_yaml("hybrid-30k")
    sources = tuple(dataclasses.replace(source, count=6) for source in recipe.sources)
    small = tmp_path / "small.yaml"
    small.write_text(dataclasses.replace(recipe, sources=sources).to_yaml())
    data, out, log = write_corpora(tmp_path / "data"), tmp_path / "run", tmp_path / "log"
    pairs = ["model_name_or_path=tiny", f"recipe={small}", f"data_dir={data}", "deepspeed=zero3"]
    pairs += ["use_cpu=true", f"output_dir={out}", "disable_tqdm=true"]
    command = ["-m", "t2vid", "train", "--config", name, *pairs]
    finish(start(2, *command, log=log, HF_HOME=str(tmp_path / "cache")), log)

    asked = yaml.safe_load(
        next(one for one in recipes("training") if one.name == name).path.read_text()
    )
    done = {path.name for path in out.iterdir()}
    assert {"model.safetensors", "processor_config.json", "checkpoint-2"} <= done
    model = AutoModelForImageTextToText.from_pretrained(out)  # whole again, not a process's share
    assert all(p.numel() and p.isfinite().all() for p in model.parameters())
    state = json.loads((out / "checkpoint-2" / "trainer_state.json").read_text())
    # 24 rows on 2 processes, 2 at a time, 4 times a step, make 2 steps
    rows = 2 * asked["per_device_train_batch_size"] * asked["gradient_accumulation_steps"]
    assert state["max_steps"] == -(-24 // rows) == 2
    lines = [line for line in state["log_history"] if "loss" in line]
    print(json.dumps(lines))
    for line in lines:
        assert all(0 < line[f"loss/{s.name}"] < 10 for s in sources if f"loss/{s.name}" in line)
        assert 0 < line["loss"] < 10
    assert {s.name for s in sources} <= {k[5:] for line in lines for k in line if k[:5] == "loss/"}
