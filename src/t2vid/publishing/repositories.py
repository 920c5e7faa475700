"""The repositories behind this package's own names, for whoever has not installed it.

    python -m t2vid.publishing.repositories build/hub            # what `make hub` does
    python -m t2vid.publishing.repositories build/hub --upload   # and sends them to the Hub

`t2vid/synthetic` and `t2vid/mix` hold their `sample` configs as plain Parquet, `spaces/t2vid/video_mcq`
the metric with the rules that it reads answers by. With t2vid imported none of them is asked for.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from t2vid import catalog, samples
from t2vid._version import __version__
from t2vid.corpora.licences import licences_of
from t2vid.mixing.recipe import Recipe, shipped
from t2vid.publishing import card
from t2vid.publishing.hub import named, told
from t2vid.publishing.materialize import PublishFormat, survey
from t2vid.publishing.shards import stage

PACKAGE = Path(catalog.__file__).parents[1]
METRIC = PACKAGE / "metrics" / "video_mcq"
RULES = "t2vid_rules"  # what the Space calls its copy of t2vid.scoring
_IMPORT = re.compile(r"^(\s*(?:from|import) )t2vid(?=[.\s])", re.MULTILINE)


def prepare(out: str | Path) -> list[Path]:
    """Write the repositories into a folder, each under its kind and name.

    Args:
        out: the folder; what is in it under these names is replaced.

    Returns:
        `out/datasets/t2vid/synthetic`, `out/datasets/t2vid/mix`, `out/spaces/t2vid/video_mcq`.
    """
    out = Path(out)
    datasets = out / "datasets" / "t2vid"
    return [
        _dataset(datasets / "synthetic", "t2vid/synthetic", None, _other_corpora()),
        _dataset(datasets / "mix", "t2vid/mix", Recipe.from_yaml("sample"), _other_recipes()),
        _space(out / "spaces" / "t2vid" / "video_mcq"),
    ]


def upload(folders: list[Path]) -> list[str]:
    """Send prepared folders to the Hub, one commit each, and give their addresses."""
    from huggingface_hub import HfApi

    api, urls = HfApi(library_name="t2vid", library_version=__version__), []
    for folder in folders:
        kind = folder.parts[-3].removesuffix("s")
        name, sdk = "/".join(folder.parts[-2:]), "gradio" if kind == "space" else None
        api.create_repo(name, repo_type=kind, exist_ok=True, space_sdk=sdk)
        message = f"Publish with t2vid {__version__}"
        api.upload_folder(
            repo_id=name, repo_type=kind, folder_path=folder, commit_message=message,
            delete_patterns=["data/*", "sample/*", "about/*"],
        )  # fmt: skip
        urls.append(f"{api.endpoint}/{'spaces' if kind == 'space' else 'datasets'}/{name}")
    return urls


def _dataset(folder: Path, name: str, recipe: Recipe | None, others: dict[str, str]) -> Path:
    from datasets import load_dataset

    rows = load_dataset(name, "sample", split="train")
    form = PublishFormat(media_root=str(samples.ROOT), whole_files=True)
    total, splits = survey(rows), {"train": rows}
    sources = list(total.sources)
    known = licences_of(sources, corpora=dict.fromkeys(sources, "sample"))
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as staged:
        shards = {"train": stage(rows, form, Path(staged))}
        facts, about = told("sample", splits, shards, total, form, known, recipe, None)
        facts = dataclasses.replace(facts, is_default=True)
        for file in [*named(shards, "sample"), *about]:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read())
    lines = [f"\n## Config `{config}`\n\n{words}\n" for config, words in others.items()]
    text = card.merge_card(None, facts, repo_id=name) + "".join(lines)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


def _other_corpora() -> dict[str, str]:
    """Say of each config what to install and what to call."""
    told = {}
    for corpus in catalog.CORPORA:
        if corpus.dataset == "t2vid/synthetic" and corpus.converter and not corpus.bundled:
            files = "" if corpus.hub_file else ', data_files="your.jsonl"'
            told[corpus.config] = _how("t2vid/synthetic", corpus.config, files, corpus.about)
    return told


def _other_recipes() -> dict[str, str]:
    names = [name for name in shipped() if name != "sample"]
    return {name: _how("t2vid/mix", name, ', data_dir="corpora"', "a recipe") for name in names}


def _how(name: str, config: str, files: str, about: str) -> str:
    return (
        f"{about[0].upper()}{about[1:]}, made on your machine: `pip install t2vid`, then\n"
        f'`import t2vid, datasets; datasets.load_dataset("{name}", "{config}"{files})`.'
    )


def _space(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("README.md", "app.py"):
        shutil.copy(METRIC / name, folder)
    script = (METRIC / "video_mcq.py").read_text(encoding="utf-8")
    future = "from __future__ import annotations\n"
    # `evaluate` fetches what a line of its own imports from beside the script.
    script = script.replace(future, f"{future}\nfrom .{RULES}_files import unpack\n\nunpack()\n", 1)
    (folder / "video_mcq.py").write_text(_renamed(script), encoding="utf-8")
    (folder / f"{RULES}_files.py").write_text(_rules(script), encoding="utf-8")
    (folder / "requirements.txt").write_text("evaluate\ngradio>=5.0\nnumpy\npyyaml\n")
    return folder


def _renamed(source: str) -> str:
    return _IMPORT.sub(rf"\g<1>{RULES}", source)


def _rules(script: str) -> str:
    """Write one module that holds the files of t2vid that a script imports."""
    found: dict[str, str] = {"__init__.py": '"""A part of t2vid."""\n'}
    waiting = _imported(script, inside=True)
    while waiting:
        module = waiting.pop()
        path = PACKAGE.joinpath(*module.split(".")[1:])
        file = path.with_suffix(".py")  # scoring/lexicon.py has a folder of its name beside it
        path = file if file.is_file() else path / "__init__.py"
        inside = path.relative_to(PACKAGE).as_posix()
        if inside in found or not path.is_file():
            continue
        source = path.read_text(encoding="utf-8")
        found[inside] = _renamed(source)
        waiting |= _imported(source, inside=False) | {module.rpartition(".")[0]}
    for path in sorted((PACKAGE / "scoring" / "lexicon").glob("*.yaml")):
        found[f"scoring/lexicon/{path.name}"] = path.read_text(encoding="utf-8")
    files = "".join(
        f"    {name!r}: (\n{''.join(f'        {line!r}' + chr(10) for line in text.splitlines(True))}    ),\n"
        for name, text in sorted(found.items())
    )
    return _UNPACK.format(rules=RULES, version=__version__, files=files)


def _imported(source: str, *, inside: bool) -> set[str]:
    """Name the modules of t2vid that a source imports, those inside functions as well or not."""
    tree = ast.parse(source)
    nodes: Any = ast.walk(tree) if inside else tree.body
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("t2vid"):
            found |= {str(node.module), *(f"{node.module}.{one.name}" for one in node.names)}
    return found


_UNPACK = '''"""The rules of t2vid {version} that the metric reads answers by, as files; written by `make hub`."""

import os
import sys
import tempfile

FOLDER = os.path.splitext(os.path.abspath(__file__))[0]


def unpack():
    """Put the files where they can be imported from, beside this one."""
    if not os.path.isdir(FOLDER):
        made = tempfile.mkdtemp(dir=os.path.dirname(FOLDER))
        for name, text in FILES.items():
            path = os.path.join(made, "{rules}", *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        try:
            os.rename(made, FOLDER)
        except OSError:  # another process was faster
            pass
    if FOLDER not in sys.path:
        sys.path.append(FOLDER)


FILES = {{
{files}}}
'''


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--upload", action="store_true")
    options = parser.parse_args()
    made = prepare(options.out)
    print("\n".join(upload(made) if options.upload else map(str, made)))
