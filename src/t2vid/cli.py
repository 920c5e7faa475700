"""The command line: one command is one public function with the same name and arguments.

t2vid --help
t2vid demo --out demo
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from t2vid._version import __version__
from t2vid.errors import T2VidError


class Command(NamedTuple):
    """One command: its line in the overview, an example, its arguments and what it calls."""

    help: str
    example: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it did its work, 2 for an input it refused (one line says why), 130 for Ctrl-C.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="t2vid: %(message)s")
    try:
        status = COMMANDS[options.command].run(options)
    except T2VidError as error:
        print(f"t2vid {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nt2vid {options.command}: interrupted; run it again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `t2vid … | head`
        sys.stderr.close()
        return 0
    return status if isinstance(status, int) else 0


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
            epilog=f"example:\n  {command.example}",
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


def _train(options: argparse.Namespace) -> None:
    from t2vid.trainer.run import train

    train(options.config, options.overrides)


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
    "train": Command(
        "fine-tune a vision-language model as a YAML file says",
        "t2vid train --config trainer/recipes/idefics3-hybrid-30k.yaml learning_rate=1e-5",
        _train_arguments,
        _train,
    ),
}
