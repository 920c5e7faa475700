"""The commands: which public function each one calls, with examples.

>>> COMMANDS["build"].calls
{'': 't2vid.mixing.build:build'}

To add a command, write a public function with type hints and a docstring, and one entry here.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from os.path import isfile, join, splitext
from typing import Any, NamedTuple

from t2vid import terminal

Given = dict[str, Any]


class Command(NamedTuple):
    """One command.

    Attributes:
        help: the first line of its function's docstring; a test compares them.
        calls: `module:function` by the option, or the kind of input, that chooses it; the first
            is the usual one.
        examples: command lines; each parses.
        positional: parameters that stand without a name; by default those of the function.
        lead: an option for which a first word stands, where other words are `key=value`.
        shown: parameters of the type `Any` that are given as text.
        fields: `module:configuration` whose fields the function takes as `**changes`.
        json: whether `--json` prints the result.
        text: what is printed of the result and the arguments; by default its table or lines.
        facts: what `--json` prints of it, where that is not the result itself.
        status: exit code of the result.
        choose: finds the key of `calls`; by default an option among the arguments.
    """

    help: str
    calls: Mapping[str, str]
    examples: tuple[str, ...]
    positional: tuple[str, ...] | None = None
    lead: str = ""
    shown: tuple[str, ...] = ()
    fields: str = ""
    json: bool = False
    text: Callable[[Any, Given], str] = lambda result, given: terminal.as_text(result)
    facts: Callable[[Any, Given], Any] = lambda result, given: result
    status: Callable[[Any], int] = lambda result: 0
    choose: Callable[[Sequence[str]], str] | None = None


def _or_file(result: Any, given: Given) -> str:
    if hasattr(result, "table"):
        return "\n\n".join(filter(None, [result.table(), str(given.get("out") or "")]))
    return str(given.get("out") or result)


def _scores(run: Any, given: Given) -> str:
    from t2vid.evaluation.processes import Processes
    from t2vid.pages.scores import report

    if Processes.found().rank:
        return ""  # the first of several processes tells it
    if hasattr(run, "runs"):
        return report(run.runs) + (f"\n{run.page}" if run.page else "")
    return report([_run_folder(given) if "run" in given else run])


def _run_folder(given: Given) -> str:
    """Say where the run of `t2vid score` is; of a file of predictions it is beside it."""
    run = str(given["run"])
    return str(given.get("out") or (f"{splitext(run)[0]}.run" if isfile(run) else run))


def _scored(scores: Any, given: Given) -> str:
    from t2vid.evaluation.explain import explained
    from t2vid.evaluation.runs import Run
    from t2vid.pages.scores import report

    run = Run.read(scores["folder"])
    told = ""
    if given.get("explain"):
        scheme = scores["protocol"]["scheme"]
        told = explained(run.judged(), colour=terminal.is_colourful(), scheme=scheme) + "\n\n"
    return told + report([run])


def _score_facts(result: Any, given: Given) -> Any:
    from t2vid.evaluation.report import scores_of
    from t2vid.evaluation.runs import Run

    if hasattr(result, "runs"):
        return result.scores
    return scores_of(Run.read(given.get("run") or given["out"]))


def _inspected(found: Any, given: Given) -> str:
    shown = str(found.text(colour=terminal.is_colourful()))
    return f"{shown}\n\n{given['out']}" if given.get("out") else shown


def _published(done: Any, given: Given) -> str:
    told = f"{done.n_rows:,} rows, licence {done.licence}: {done.url}"
    if done.commit:
        return told
    files = [f"  {size:>13,} bytes  {path}" for path, size in done.files.items()]
    sent = f"nothing was sent; without --dry-run these files go to {done.repo_id}:"
    return "\n".join([told, sent, *files])


def _examined(found: Any, given: Given) -> str:
    if hasattr(found, "rows"):
        return str(found.table(terminal.columns()))
    return f"{found}\n{found.table()}\n{given.get('out', 'doctor.jsonl')} names each video"


def _serve(server: Any, given: Given) -> str:
    with suppress(KeyboardInterrupt), server:  # Ctrl-C is how it ends
        print(f"{given['target']} is at {server.url} until Ctrl-C", flush=True)
        if not given.get("host"):
            tunnel = f"ssh -L {server.port}:127.0.0.1:{server.port}"
            print(f"from another machine: {tunnel} {socket.gethostname()}", flush=True)
        server.wait()
    return ""


def _reported(done: Any, given: Given) -> str:
    if isinstance(done, str):
        return str(given.get("out") or done)
    for condition in done.failed:
        terminal.complain(f"t2vid report: {condition}")
    found = [done.findings.map.table()] if done.findings.map is not None else []
    return "\n".join([*found, f"{done.page}, figures in {done.folder}"])


def _reported_facts(done: Any, given: Given) -> Any:
    if isinstance(done, str):
        from t2vid.pages.scores import report

        return json.loads(report(**{**given, "format": "json", "out": None}))
    return {
        "page": done.page,
        "folder": done.folder,
        "values": done.findings.values(),
        "failed": done.failed,
    }


def _compared_facts(done: Any, given: Given) -> Any:
    if hasattr(done, "to_dict"):
        return done.to_dict()
    from t2vid.pages.scores import compare

    return json.loads(compare(**{**given, "format": "json", "out": None}))


def _runs_or_dataset(tokens: Sequence[str]) -> str:
    runs = "--as" in tokens or any(map(_holds_run, tokens))
    return "evaluations" if runs else "a dataset"


def _holds_run(token: str) -> bool:
    if "://" not in token:
        return isfile(join(token, "run.json"))
    from t2vid.storage.files import path_of

    return (path_of(token) / "run.json").is_file()


def _one_or_several(tokens: Sequence[str]) -> str:
    several = any(token.partition("=")[0] == "--benchmarks" for token in tokens)
    return "several benchmarks" if several else "one benchmark"


def _runs_or_datasets(tokens: Sequence[str]) -> str:
    return "runs" if _runs_or_dataset(tokens) == "evaluations" else "data sets"


def _videos_or_mix(tokens: Sequence[str]) -> str:
    """Tell a recipe, a mix or rows from videos; a folder of anything else is searched for them."""
    from t2vid import targets
    from t2vid.errors import T2VidError

    if "--env" in tokens:
        return "--env"
    flags = {"", "--full", "--json", "--quiet"}
    words = [t for t, before in zip(tokens, ("", *tokens), strict=False)
             if t[:1] != "-" and (before[:1] != "-" or before in flags)]  # fmt: skip
    named = words[0] if words else ""
    if isfile(named) and named.endswith(targets.YAML_SUFFIXES):
        return "a mix"  # where it is said what is wrong with one that is no recipe
    with suppress(T2VidError):
        kind = targets.find(named).kind
        if kind in ("mix", "recipe", "hub", "dataset") or (kind == "rows" and isfile(named)):
            return "a mix"
    return "a mix" if isfile(join(named, ".work", "plan.json")) else "a folder"


def _trained(done: Any, given: Given) -> str:
    if hasattr(done, "fits"):
        return str(done.table())
    if not done.is_world_process_zero():
        return ""  # the first of several processes tells it
    folder, steps = done.args.output_dir, done.state.global_step
    what = "the adapter" if hasattr(done.model, "peft_config") else "the model"
    return (
        f"{what} is in {folder}, after step {steps:,}; ask it: t2vid eval {folder} QUESTIONS.jsonl"
    )


def _trained_facts(done: Any, given: Given) -> Any:
    if hasattr(done, "fits"):
        return done
    logged = done.state.log_history
    return {
        "output_dir": done.args.output_dir,
        "steps": done.state.global_step,
        "log": logged[-1] if logged else {},
    }


COMMANDS = {
    "list": Command(
        "List what t2vid knows by name",
        {"": "t2vid.catalog:listing"},
        ("t2vid list corpora", "t2vid list families --json"),
        positional=("kind",),
        json=True,
        facts=lambda found, given: found.to_dict(),
    ),
    "demo": Command(
        "Train and test the arms and write `report.html`, `figures.json` and `answers.jsonl`",
        {"": "t2vid.demo:demo"},
        ("t2vid demo --out demo", "t2vid demo --quick --out try"),
        text=lambda done, given: "",  # it tells of each step as it goes
    ),
    "render": Command(
        "Draw text files and write their frames; what an earlier run finished is not drawn again",
        {"": "t2vid.frames.export:render_files"},
        (
            "t2vid render notes.txt --out frames --format contact-sheet",
            "t2vid render - --dry-run --json",
            't2vid render notes.txt --font serif --colors "#1a2b3c" ivory',
        ),
        positional=("files",),
        fields="t2vid.frames.spec:RenderSpec",
        json=True,
        status=lambda done: 2 if any(one.error for one in done) else 0,
    ),
    "fonts": Command(
        "Say which font draws each character of a text, a text file or a folder of them",
        {"": "t2vid.frames.font_advice:font_coverage"},
        ('t2vid fonts "Ωmega 漢字"', "t2vid fonts notes/ --font serif --json"),
        positional=("text",),
        json=True,
        text=lambda found, given: "\n".join(found.lines()),
        status=lambda found: 2 if found.missing else 0,
    ),
    "doctor": Command(
        "Decode a few frames of every video and list those that fail, with the reason",
        {
            "a folder": "t2vid.frames.doctor:doctor",
            "a mix": "t2vid.checkup:checkup",
            "--env": "t2vid.environment:environment",
        },
        (
            "t2vid doctor --env",
            "t2vid doctor videos --out doctor.jsonl",
            "t2vid doctor hybrid-30k --data corpora",
        ),
        json=True,
        text=_examined,
        status=lambda found: (
            2 if (found.dropped if hasattr(found, "dropped") else not found.good) else 0
        ),
        choose=_videos_or_mix,
    ),
    "probe": Command(
        "Say what videos are, and which of their frames a run would show",
        {"": "t2vid.frames.probing:probe_files"},
        ("t2vid probe clip.mp4 other.mkv", "t2vid probe clip.mp4 --family qwen2_5_vl --json"),
        positional=("files",),
        json=True,
        status=lambda found: 2 if any(one.error for one in found) else 0,
    ),
    "build": Command(
        "Build a mix, or say what it would be",
        {"": "t2vid.mixing.build:build"},
        (
            "t2vid build sample --out mix",
            "t2vid build hybrid-30k --data corpora --out mix --num-proc 8",
            "t2vid build hybrid-30k --data corpora --dry-run --benchmark mine=mine.json",
        ),
        json=True,
    ),
    "trace": Command(
        "Say where a row of a mix comes from and in which batch it is read",
        {"": "t2vid.mixing.tracing:trace"},
        ("t2vid trace texts/00003 mix", "t2vid trace texts/00003 mix --batch-size 64 --epoch 1"),
        positional=("row_id", "mix"),
        json=True,
        facts=lambda found, given: found.to_dict(),
    ),
    "push": Command(
        "Publish a dataset so that anyone can load it, with or without t2vid",
        {"": "t2vid.publishing.hub:push"},
        ("t2vid push mix me/my-mix --dry-run", "t2vid push mix me/my-mix"),
        json=True,
        text=_published,
    ),
    "browse": Command(
        "Serve a page to look through the rows of a dataset, or the answers of a run",
        {"": "t2vid.browse.app:browse"},
        ("t2vid browse t2vid/mix --config sample", "t2vid browse runs/mvbench --data-dir MVBench"),
        text=_serve,
    ),
    "train": Command(
        "Train as a YAML file says, and save the model and its processor into `output_dir`",
        {"": "t2vid.trainer.run:train", "--check": "t2vid.trainer.check:check"},
        (
            "t2vid train idefics3-hybrid-30k data_dir=corpora learning_rate=1e-5",
            "t2vid train idefics3-hybrid-30k data_dir=corpora --check --gpus 8 --json",
        ),
        positional=("overrides",),
        lead="config",
        json=True,
        facts=_trained_facts,
        text=_trained,
        status=lambda found: 2 if not getattr(found, "fits", True) else 0,
    ),
    "merge": Command(
        "Merge the adapter of a run into its base, and check that the model on disk says the same",
        {"": "t2vid.trainer.merging:merge"},
        ("t2vid merge runs/idefics3-hybrid-30k-lora --out merged",),
        json=True,
    ),
    "inspect": Command(
        "Collate one batch as a training run would, and read it back",
        {"": "t2vid.pages.batch:inspect"},
        (
            "t2vid inspect t2vid/mix dataset_config=sample --model mini --out inspect.html",
            "t2vid inspect idefics3-hybrid-30k data_dir=corpora --id texts/00003 --json",
        ),
        positional=("what", "overrides"),
        json=True,
        text=_inspected,
    ),
    "convert": Command(
        "Convert Mini-InternVL-Chat-4B-V1-5 (or what is built like it) for transformers",
        {"": "t2vid.models.convert:convert"},
        ("t2vid convert OpenGVLab/Mini-InternVL-Chat-4B-V1-5 --out mini-internvl",),
    ),
    "eval": Command(
        "Put a benchmark to a model and score the answers; run again, it does only what is missing",
        {
            "one benchmark": "t2vid.evaluation.run:evaluate",
            "several benchmarks": "t2vid.pages.suite:evaluate_suite",
        },
        (
            "t2vid eval mini t2vid/needles --limit 8 --out runs/needles",
            "t2vid eval me/my-model t2vid/mvbench --data-dir MVBench --out runs/mvbench",
            "t2vid eval me/my-model --benchmarks mvbench,mlvu --controls --out runs/mine",
            "t2vid eval openai:my-model@http://host:8000/v1 questions.jsonl --out runs/q",
        ),
        positional=("model", "benchmark"),
        shown=("judge", "benchmarks", "protocol"),
        json=True,
        text=_scores,
        facts=_score_facts,
        choose=_one_or_several,
    ),
    "sweep": Command(
        "Evaluate at several numbers of frames, sizes and prompts, and draw the curves",
        {"": "t2vid.pages.sweep:sweep"},
        (
            "t2vid sweep mini t2vid/needles --limit 4 --frame 2 --frame 4 --out sweep",
            't2vid sweep me/my-model t2vid/mvbench --mark "trained on=24" --out sweep',
        ),
        positional=("model", "benchmark"),
        json=True,
        text=lambda found, given: f"{given['out']}/sweep.html",
        facts=lambda found, given: [vars(point) for point in found],
    ),
    "score": Command(
        "Read the letters of a run and write `judged.jsonl` and `scores.json` beside the answers",
        {"": "t2vid.evaluation.score:score"},
        (
            "t2vid score runs/needles --explain",
            "t2vid score runs/mvbench --judge transformers:me/judge --probe",
            "t2vid score answers.csv --explain",
            "t2vid score answers.json --benchmark mvbench --data-dir MVBench --missing drop",
        ),
        shown=("judge", "benchmark"),
        json=True,
        text=_scored,
    ),
    "report": Command(
        "Write the page of a dataset, and beside it the same figures as PNG, SVG and JSON",
        {"a dataset": "t2vid.pages.dataset:report", "evaluations": "t2vid.pages.scores:report"},
        (
            "t2vid report t2vid/mix sample --out report.html",
            "t2vid report runs/mvbench runs/tempcompass --as paper",
        ),
        json=True,
        text=_reported,
        facts=_reported_facts,
        status=lambda done: 1 if getattr(done, "failed", None) else 0,
        choose=_runs_or_dataset,
    ),
    "compare": Command(
        "Compare runs on the questions that they share: exact McNemar, paired bootstrap, Holm",
        {
            "runs": "t2vid.pages.scores:compare",
            "data sets": "t2vid.pages.side_by_side:compare_datasets",
        },
        (
            "t2vid compare mix t2vid/mix --out both.html",
            "t2vid compare runs/baseline runs/mine runs/other --margin 1",
        ),
        positional=("runs", "first", "other"),
        json=True,
        text=_or_file,
        facts=_compared_facts,
        choose=_runs_or_datasets,
    ),
}
