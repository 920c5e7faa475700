"""The command line: one command is one public function with the same name and arguments.

t2vid --help
t2vid demo --out demo
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from t2vid._version import __version__
from t2vid.errors import InputError, MissingFile, T2VidError, pluralize

_SAVED = ("state.json", "dataset_dict.json")  # what save_to_disk writes


class Command(NamedTuple):
    """One command: its line in the overview, examples, its arguments and what it calls."""

    help: str
    example: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Any]
    more_examples: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it did its work, 1 where a condition of --fail-if holds, 2 for an input it refused
        (one line says why), 130 for Ctrl-C.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="t2vid: %(message)s")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = COMMANDS[options.command].run(options)
    except T2VidError as error:
        print(f"t2vid {options.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a folder that cannot be made, a Hub that cannot be reached
        print(f"t2vid {options.command}: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nt2vid {options.command}: interrupted; run it again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `t2vid … | head`
        sys.stderr.close()
        return 0
    return status if isinstance(status, int) else 0


def _show_warning(message: Warning | str, *place: Any, **options: Any) -> None:
    print(f"t2vid: {message}", file=sys.stderr)  # where in the code it arose is no help here


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="t2vid",
        description="Long texts as frame sequences, mixed with video, to teach image-LLMs video.",
        epilog="Start with: t2vid demo",
    )
    parser.add_argument("--version", action="version", version=f"t2vid {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.help,
            description=command.help,
            epilog="\n  ".join(["example:", command.example, *command.more_examples]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
    return parser


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="demo", help="folder for the page (default: demo)")
    parser.add_argument("--steps", type=int, default=120, help="training steps (default: 120)")
    parser.add_argument("--seed", type=int, default=0, help="of the mix and the model (default: 0)")


def _demo(options: argparse.Namespace) -> None:
    from t2vid.demo import demo

    demo(options.out, steps=options.steps, seed=options.seed)


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, help="YAML file, or the name of a recipe")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="replace keys of it")
    parser.add_argument(
        "--check", action="store_true", help="estimate memory and steps, and do not start"
    )
    parser.add_argument("--gpus", type=int, default=1, help="of the run, for --check (default: 1)")
    parser.add_argument("--gpu-gb", type=float, default=80, help="memory of each (default: 80)")


def _train(options: argparse.Namespace) -> int:
    if options.check:
        from t2vid.trainer.check import check

        found = check(options.config, options.overrides, gpus=options.gpus, gpu_gb=options.gpu_gb)
        print(found.table())
        return 0 if found.fits else 2
    from t2vid.trainer.run import train

    train(options.config, options.overrides)
    return 0


def _inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", help="training recipe, mix, folder, or a dataset's name")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="right after it")
    parser.add_argument("--model", default="tiny", help="checkpoint or folder (default: tiny)")
    parser.add_argument("--rows", type=int, help="rows in the batch (default: the recipe's)")
    parser.add_argument("--start", type=int, default=0, help="number of the first row (default: 0)")
    parser.add_argument("--id", action="append", default=[], help="show this row; may be repeated")
    parser.add_argument("--out", help="HTML file to write as well")


def _inspect(options: argparse.Namespace) -> None:
    from t2vid.insight.inspect import inspect

    found = inspect(
        options.what,
        model=options.model,
        rows=options.rows,
        start=options.start,
        ids=options.id,
        out=options.out,
        overrides=options.overrides,
    )
    print(found.text(colour=sys.stdout.isatty()))
    if options.out:
        print(f"\n{options.out}")


def _render_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", help="UTF-8 text files; - is standard input")
    parser.add_argument("--out", default="frames", help="folder for the frames (default: frames)")
    formats = ["webp", "png", "gif", "mp4", "contact-sheet"]
    parser.add_argument("--format", choices=formats, default="webp", help="(default: webp)")
    presets = ["default", "dense", "paper"]
    parser.add_argument("--preset", choices=presets, default="default", help="(default: default)")
    parser.add_argument("--font", help="sans, serif, mono or a font file, instead of the preset's")
    parser.add_argument(
        "--dry-run", action="store_true", help="count frames, words and tokens only"
    )


def _render(options: argparse.Namespace) -> int:
    from t2vid.frames.export import render_files

    done = render_files(
        options.files,
        options.out,
        format=options.format,
        preset=options.preset,
        font=options.font,
        dry_run=options.dry_run,
    )
    for rendered in done:
        print(rendered.line() + (f" → {rendered.path}" if rendered.path else ""))
    return 2 if any(rendered.error for rendered in done) else 0


def _build_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help="a shipped recipe's name, or a YAML file")
    parser.add_argument("--data", help="folder of annotations and videos (recipe sample: bundled)")
    parser.add_argument("--out", help="folder of the mix; not needed for --dry-run")
    parser.add_argument("--num-proc", type=int, help="processes (default: one)")
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--address", help="of a Ray cluster; starts one here by default")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what it would be, write nothing"
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on with what an interrupted build left, or start over",
    )
    parser.add_argument("--fail-on-overlap", action="store_true", help="stop where rows repeat")
    parser.add_argument(
        "--benchmark",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="questions to look for",
    )


def _build(options: argparse.Namespace) -> None:
    from t2vid.mixing.build import build

    built = build(
        options.recipe,
        data=options.data,
        out=options.out,
        num_proc=options.num_proc,
        dry_run=options.dry_run,
        resume=options.resume,
        engine=options.engine,
        fail_on_overlap=options.fail_on_overlap,
        benchmarks=_pairs(options.benchmark),
        address=options.address,
    )
    print(built.table())


def _push_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("mix", help="folder that t2vid build or save_to_disk wrote")
    parser.add_argument("repo_id", help="owner/name of the dataset repository")
    parser.add_argument("--config", default="default", help="(default: default)")
    parser.add_argument("--materialize", choices=["webp", "png"], help="publish pictures")
    parser.add_argument("--include-media", action="store_true", help="upload frames of videos too")
    parser.add_argument(
        "--licence",
        action="append",
        default=[],
        metavar="[SOURCE=]NAME",
        help="of a source, or of all; wins over what is known",
    )
    parser.add_argument("--private", action="store_true", default=None)
    parser.add_argument("--num-proc", type=int, default=1)


def _push(options: argparse.Namespace) -> None:
    from pathlib import Path

    from datasets import load_from_disk

    from t2vid.mixing.build import load
    from t2vid.mixing.recipe import Recipe
    from t2vid.publishing.hub import push
    from t2vid.schema import Counts

    folder = Path(options.mix)
    if not folder.is_dir():
        raise MissingFile(f"{folder} is no folder; give what t2vid build or save_to_disk wrote")
    built = (folder / "manifest.json").is_file()
    if not built and not any((folder / name).is_file() for name in _SAVED):
        raise MissingFile(
            f"{folder} holds no finished mix and no saved dataset; give what t2vid build or "
            "save_to_disk wrote (an interrupted build goes on when it is run again)"
        )
    dataset = load(folder) if built else load_from_disk(str(folder))
    recipe = Recipe.from_yaml(folder / "recipe.yaml") if built else None
    counts = (
        Counts.from_dict(json.loads((folder / "counts.json").read_text(encoding="utf-8")))
        if built
        else None
    )
    published = push(
        dataset,
        options.repo_id,
        config=options.config,
        materialize=options.materialize,
        include_media=options.include_media,
        private=options.private,
        licences=_licences(options.licence),
        num_proc=options.num_proc,
        recipe=recipe,
        counts=counts,
    )
    print(f"{pluralize(published.n_rows, 'row')}, licence {published.licence}: {published.url}")


def _licences(items: Sequence[str]) -> dict[str, str] | str | None:
    whole = [item for item in items if "=" not in item]
    if whole and len(items) > 1:
        raise InputError(f"--licence {whole[0]} is of all sources; give it alone, or SOURCE=NAME")
    return whole[0] if whole else _pairs(items) or None


def _eval_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="folder or Hub name, or openai:MODEL@URL")
    parser.add_argument("benchmark", help="t2vid/video_mme, t2vid/mvbench or t2vid/tempcompass")
    parser.add_argument("--protocol", default="t2vid", help="name or YAML file (default: t2vid)")
    parser.add_argument("--out", required=True, help="folder of the run; run again to go on")
    parser.add_argument("--data-dir", help="folder of the benchmark's files")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1, help="threads that decode ahead")
    parser.add_argument("--limit", type=int, help="ask so many questions at most")
    parser.add_argument("--name", default="", help="what tables call the run")


def _eval(options: argparse.Namespace) -> None:
    from t2vid.evaluation.report import report
    from t2vid.evaluation.run import evaluate

    run = evaluate(
        options.model,
        options.benchmark,
        options.protocol,
        out=options.out,
        batch_size=options.batch_size,
        workers=options.workers,
        limit=options.limit,
        name=options.name,
        load={"data_dir": options.data_dir} if options.data_dir else None,
    )
    print(report([run]))


def _score_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="folder of an evaluation")
    parser.add_argument("--judge", help="none, transformers:MODEL or openai:MODEL@URL")


def _score(options: argparse.Namespace) -> None:
    from t2vid.evaluation.report import report
    from t2vid.evaluation.score import score

    score(options.run, judge=options.judge)
    print(report([options.run]))


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="+",
        help="folders of evaluations; or a dataset: a built mix, a folder of save_to_disk, a name "
        "for load_dataset with its config, a recipe",
    )
    parser.add_argument("--out", help="file to write (of a dataset: report.html; else prints)")
    runs = parser.add_argument_group("for evaluations")
    runs.add_argument("--as", dest="as_", choices=["runs", "paper"], default="runs")
    runs.add_argument("--format", choices=["markdown", "html", "json"], default="markdown")
    rows = parser.add_argument_group("for a dataset")
    rows.add_argument("--data", help="folder of annotations and videos; a recipe needs it")
    rows.add_argument("--sample", type=int, help="instructions a source on the map (5,000)")
    rows.add_argument("--embedder", help="sentence-transformers model or folder (TF-IDF with SVD)")
    rows.add_argument("--benchmark", action="append", default=[], metavar="NAME=FILE")
    rows.add_argument(
        "--fail-if",
        action="append",
        default=[],
        metavar="METRIC>NUMBER",
        help="exit with 1 where it holds; may be given several times",
    )
    rows.add_argument("--seed", type=int, help="of the sample, the map and the bootstrap (0)")


def _report(options: argparse.Namespace) -> int:
    from pathlib import Path

    if not any(Path(what, "run.json").is_file() for what in options.what):
        return _report_dataset(options)
    from t2vid.evaluation.report import report

    dataset_only = ("data", "sample", "embedder", "benchmark", "fail_if", "seed")
    if given := [name for name in dataset_only if getattr(options, name) not in (None, [])]:
        name = given[0].replace("_", "-")
        raise InputError(f"--{name} is about a dataset, and {options.what[0]} is an evaluation")
    text = report(options.what, as_=options.as_, format=options.format, out=options.out)
    print(text if options.out is None else options.out)
    return 0


def _report_dataset(options: argparse.Namespace) -> int:
    from t2vid.insight import report

    if len(options.what) > 2:
        raise InputError(
            f"{len(options.what)} names: a dataset is one name, or a name and its config; of "
            f"evaluations, {options.what[0]} holds no run.json"
        )
    if options.as_ != "runs" or options.format != "markdown":
        raise InputError(
            f"--as and --format are about evaluations, and {options.what[0]} holds no run.json"
        )
    given = {"sample": options.sample, "seed": options.seed}
    written = report(
        *options.what,
        out=options.out or "report.html",
        data=options.data,
        embedder=options.embedder,
        benchmarks=_pairs(options.benchmark),
        fail_if=options.fail_if,
        **{name: value for name, value in given.items() if value is not None},
    )
    if written.findings.map is not None:
        print(written.findings.map.table())
    print(f"{written.page}, figures in {written.folder}")
    for condition in written.failed:
        print(f"t2vid report: {condition}", file=sys.stderr)
    return 1 if written.failed else 0


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", help="folder of an evaluation")
    parser.add_argument("second", help="another")
    _table_arguments(parser)


def _compare(options: argparse.Namespace) -> None:
    from t2vid.evaluation.report import compare

    text = compare(options.first, options.second, format=options.format, out=options.out)
    print(text if options.out is None else options.out)


def _table_arguments(parser: argparse.ArgumentParser) -> None:
    formats = ["markdown", "html", "json"]
    parser.add_argument("--format", choices=formats, default="markdown", help="(default: markdown)")
    parser.add_argument("--out", help="file to write; prints by default")


def _pairs(items: Sequence[str]) -> dict[str, str]:
    wrong = [item for item in items if "=" not in item]
    if wrong:
        raise InputError(f"{wrong[0]!r} must be NAME=FILE")
    return dict(item.split("=", 1) for item in items)


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", help="folder of videos, or one video")
    parser.add_argument("--out", default="doctor.jsonl", help="list, a line a video (doctor.jsonl)")
    parser.add_argument("--num-proc", type=int, help="processes (default: one a core, up to 8)")


def _doctor(options: argparse.Namespace) -> int:
    from t2vid.frames.doctor import doctor

    counts = doctor(options.data, out=options.out, num_proc=options.num_proc)
    print(f"{counts}\n{counts.table()}\n{options.out} names each video")
    return 2 if counts.dropped else 0


def _browse_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", help="folder of a mix, file of rows, or name of a dataset")
    parser.add_argument("--config", help="of a named dataset")
    parser.add_argument("--split", help="(default: the first)")
    parser.add_argument("--data-dir", help="folder of the videos; nothing outside it is read")
    parser.add_argument(
        "--processor",
        action="append",
        default=[],
        metavar="MODEL",
        help="show its prompt and loss mask; several may be given (default: tiny stand-ins)",
    )
    parser.add_argument(
        "--quarantine",
        default="quarantine.jsonl",
        metavar="FILE",
        help="list of the rows that are put aside (default: quarantine.jsonl)",
    )
    parser.add_argument("--remote", action="store_true", help="follow the URLs that rows name")
    parser.add_argument("--port", type=int, help="of the loopback (default: 7860 or a free one)")


def _browse(options: argparse.Namespace) -> None:
    from t2vid.browse.app import browse

    serving = browse(
        options.target,
        config=options.config,
        split=options.split,
        data_dir=options.data_dir,
        processors=options.processor,
        quarantine=options.quarantine,
        remote=options.remote,
        port=options.port,
    )
    with contextlib.suppress(KeyboardInterrupt), serving as server:  # Ctrl-C is how it ends
        print(f"{options.target} is at {server.url} until Ctrl-C", flush=True)
        server.wait()


def _convert_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="folder of the published files, or their name on the Hub")
    parser.add_argument("--out", required=True, help="folder to write; run again to go on")


def _convert(options: argparse.Namespace) -> None:
    from t2vid.models.convert import convert

    print(convert(options.source, out=options.out))


COMMANDS = {
    "demo": Command(
        "run the main job on the bundled sample and write a page to look at",
        "t2vid demo --out demo",
        _demo_arguments,
        _demo,
    ),
    "render": Command(
        "draw text files as frames: images, a gif, an mp4 or a contact sheet",
        "t2vid render notes.txt --out frames --format contact-sheet",
        _render_arguments,
        _render,
    ),
    "doctor": Command(
        "try every video of a corpus and list those that fail, with the reason",
        "t2vid doctor videos --out doctor.jsonl",
        _doctor_arguments,
        _doctor,
    ),
    "build": Command(
        "build a mix from a recipe: chosen rows, token budget, shards",
        "t2vid build hybrid-30k --data corpora --out mix --num-proc 8",
        _build_arguments,
        _build,
    ),
    "push": Command(
        "publish a mix on the Hub, and load it back before it is visible",
        "t2vid push mix me/my-mix",
        _push_arguments,
        _push,
    ),
    "browse": Command(
        "look through the rows of a dataset in a browser, and put bad ones aside",
        "t2vid browse t2vid/mix --config sample",
        _browse_arguments,
        _browse,
    ),
    "train": Command(
        "fine-tune a vision-language model as a YAML file says",
        "t2vid train --config idefics3-hybrid-30k data_dir=corpora learning_rate=1e-5",
        _train_arguments,
        _train,
    ),
    "inspect": Command(
        "show one batch as it reaches the model: frames, prompt, what the loss counts",
        "t2vid inspect idefics3-hybrid-30k data_dir=corpora --model tiny --out inspect.html",
        _inspect_arguments,
        _inspect,
    ),
    "convert": Command(
        "turn Mini-InternVL-Chat-4B-V1-5 into a checkpoint that transformers loads by itself",
        "t2vid convert OpenGVLab/Mini-InternVL-Chat-4B-V1-5 --out mini-internvl",
        _convert_arguments,
        _convert,
    ),
    "eval": Command(
        "put a benchmark to a model; run again, it does only what is missing",
        "t2vid eval me/my-model t2vid/mvbench --data-dir MVBench --out runs/mvbench",
        _eval_arguments,
        _eval,
    ),
    "score": Command(
        "judge the answers of an evaluation again",
        "t2vid score runs/mvbench",
        _score_arguments,
        _score,
    ),
    "report": Command(
        "write the page of a dataset, or the scores of evaluations as tables",
        "t2vid report t2vid/mix sample --out report.html",
        _report_arguments,
        _report,
        ("t2vid report runs/mvbench runs/tempcompass --as paper",),
    ),
    "compare": Command(
        "say whether one evaluation is better than another, or lucky",
        "t2vid compare runs/mine runs/baseline",
        _compare_arguments,
        _compare,
    ),
}
