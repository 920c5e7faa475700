"""The documentation holds: every code block runs, every command parses, every error is explained.

A page is run from top to bottom in an empty folder: `python` blocks in one namespace, `bash` blocks
as commands, blocks with `file=NAME` are written down. `check` after the language means that a block
needs what a test has not (a checkpoint, eight GPUs, the Hub): its commands are parsed and its
imports are made. A page with `<!-- slow -->` runs with the slow tests.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from t2vid import catalog, cli
from t2vid.commands import COMMANDS
from t2vid.errors import InputError, T2VidError
from t2vid.scoring.probe import probe_cases

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
import hooks  # noqa: E402
import refusals  # noqa: E402

_BLOCK = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```$", re.M | re.S)
_RUN = ("python", "bash")
_UNRUN = {"check", "no-run"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.name != "architecture.md"]  # has a test of its own


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Give language, words after it and text of each block."""
    text = page.read_text(encoding="utf-8")
    found = []
    for indent, language, words, body in _BLOCK.findall(text):
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        found.append((language, words.strip(), "\n".join(lines) + "\n"))
    return found


def marked(page: Path) -> object:
    slow = "<!-- slow -->" in page.read_text(encoding="utf-8")
    marks = [pytest.mark.slow] if slow else []
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks)


WITH_CODE = [page for page in PAGES if any(b[0] in _RUN for b in blocks(page))]


@pytest.mark.parametrize("page", [marked(page) for page in WITH_CODE])
def test_the_blocks_of_a_page_run(page, empty_folder):
    names: dict[str, object] = {"__name__": "__page__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for language, words, text in blocks(page):
            if "file=" in words:
                path = Path(re.search(r"file=(\S+)", words)[1])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            elif language == "python" and _UNRUN & set(words.split()):
                imports = [
                    n for n in ast.parse(text).body if isinstance(n, ast.Import | ast.ImportFrom)
                ]
                exec(compile(ast.Module(imports, []), str(page), "exec"), {})
            elif language == "python":
                exec(compile(text, str(page), "exec"), names)
            elif language == "bash":
                for line in commands(text):
                    parses(line) if _UNRUN & set(words.split()) else run(line)


def commands(text: str) -> list[str]:
    """Give the commands of a block: comments off, continued lines joined."""
    text = re.sub(r"\s*\\\n\s*", " ", text)
    return [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]


def run(line: str) -> None:
    tokens = shlex.split(line, comments=True)
    if tokens[0] == "t2vid" and not {"|", "&&", ">", "&"} & set(tokens):
        assert cli.main(tokens[1:]) == 0, line
        return
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", line], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def parses(line: str) -> None:
    """Hold the options of a command that is not run against its parser."""
    for part in re.split(r"&&|\||;", line):
        tokens = shlex.split(part, comments=True)
        if "t2vid" in tokens[:12]:
            name, *rest = tokens[tokens.index("t2vid") + 1 :]
            if name.startswith("-") or name == "completion":
                continue
            assert name in COMMANDS, line
            usual, *others = COMMANDS[name].calls
            keys = [key for key in others if key in rest] or list(COMMANDS[name].calls)
            assert any(parsed(name, key, [t for t in rest if t != key]) for key in keys), line


def parsed(name: str, key: str, tokens: list[str]) -> bool:
    try:
        cli.parser_of(name, key).parse(tokens)
    except InputError:
        return False
    return True


def test_most_blocks_are_run_and_not_only_parsed():
    words = [w for page in WITH_CODE for language, w, _ in blocks(page) if language in _RUN]
    assert sum(bool(_UNRUN & set(w.split())) for w in words) < len(words) / 2


def test_every_page_is_in_the_navigation_and_every_placeholder_is_known():
    import yaml

    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"([\w/-]+\.md)$", nav, re.M))
    there = {str(page.relative_to(ROOT / "docs")) for page in PAGES[1:]} | {"architecture.md"}
    assert listed <= there  # `hooks.on_config` lists the others under "Guides"
    assert yaml.safe_load(nav)["strict"] is True
    for page in PAGES[1:]:
        for found in hooks._MADE.finditer(page.read_text(encoding="utf-8")):
            assert hooks.made(*found[1].split()), f"{page}: {found[0]}"


def test_every_corpus_and_benchmark_has_its_size_and_layout():
    text = (ROOT / "docs" / "corpora.md").read_text(encoding="utf-8")
    names = [c.hub_file.rpartition("/")[2] for c in catalog.CORPORA if c.hub_file and c.converter]
    names += [entry.title for entry in catalog.BENCHMARKS]
    assert len(names) > 10
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("name", refusals.error_classes())
def test_every_error_leads_to_a_section_that_explains_it(name):
    text = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert re.search(rf"^### {name}\n\n\w", text, re.M)
    assert name == "T2VidError" or f"<!-- made: error-messages {name} -->" in text


def test_every_room_that_refuses_something_has_a_page():
    rooms = {room for said in refusals.messages().values() for room in said}
    assert {room for room in rooms if room} <= set(hooks.PAGES)
    assert all((ROOT / "docs" / page).is_file() for page in hooks.PAGES.values())


def arms_of_the_miniature() -> dict[str, float]:
    """Right answers to unseen kinds by arm, per cent, from the table that a script wrote."""
    page = (ROOT / "docs" / "miniature.md").read_text(encoding="utf-8")
    table = page.partition("## Tables 1-3 in miniature")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if " (" in line]
    return {row[0]: float(row[4].split()[0]) for row in rows if len(row) > 4}


def test_figures_that_pages_repeat_are_those_of_their_source():
    arms = arms_of_the_miniature()
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    claim = readme.partition("Re-tested in miniature")[2].partition("![")[0]
    said = [int(n) for n in re.findall(r"(\d+) %", claim.replace("(guessing: 25 %)", ""))]
    told = [arms[arm] for arm in ("video", "pure-text", "hybrid", "few")]
    assert len(said) == 4 and all(abs(a - b) <= 0.5 for a, b in zip(said, told, strict=True))

    judge = (ROOT / "docs/tutorials/judge.md").read_text(encoding="utf-8")
    assert f"puts {len(probe_cases())} labelled answers" in judge


def test_a_bar_in_code_is_shown_as_it_is_and_elsewhere_no_new_cell():
    shown = hooks.table(["a | b", "`int | None`"], [])
    assert shown.splitlines()[0] == "| a \\| b | `int | None` |"


def test_the_page_of_names_lists_every_kind():
    page = (ROOT / "docs" / "reference" / "names.md").read_text(encoding="utf-8")
    assert set(re.findall(r"made: names (\w+)", page)) == set(catalog.listing().rows)


def test_a_command_is_described_once():
    lines = [line for line in hooks.cli().splitlines() if re.match(r"[A-Z].*\.$", line)]
    assert len(lines) > 20 and sorted(set(lines)) == sorted(lines)


def wrong_calls() -> dict[str, object]:
    """Give calls that are refused: what a user gets wrong, in each room."""
    import t2vid
    from t2vid import targets
    from t2vid.evaluation.config import EvalConfig
    from t2vid.evaluation.score import score
    from t2vid.frames.doctor import doctor
    from t2vid.metrics.video_mcq.video_mcq import VideoMCQ
    from t2vid.mixing.budget import Budget
    from t2vid.mixing.plan import RowPlan
    from t2vid.models.families import family_of
    from t2vid.scoring import judge_from
    from t2vid.trainer.run import read_pairs

    Path("text.mp4").write_text("<html>not found</html>")
    Path("cut.mp4").write_bytes((ROOT / "src/t2vid/samples/clips/ball.mp4").read_bytes()[:2000])
    Path("list.yaml").write_text("- a")
    clip = ROOT / "src/t2vid/samples/clips/ball.mp4"
    source = {"dataset": "t2vid/synthetic", "config": "sample"}
    return {
        "font size": lambda: t2vid.RenderSpec(font_px=0),
        "font": lambda: t2vid.render_text("x", t2vid.RenderSpec(font="nofont")),
        "layout": lambda: t2vid.RenderSpec(layout="book"),
        "no text": lambda: t2vid.render_text(" "),
        "no text at all": lambda: t2vid.render_text(3),
        "glyphs": lambda: t2vid.render_text("\U0001e900"),
        "sampling": lambda: t2vid.SampleSpec(sampling="best"),
        "no video": lambda: t2vid.sample_video("none.mp4"),
        "empty video": lambda: t2vid.sample_video(b""),
        "text for a video": lambda: t2vid.sample_video("text.mp4"),
        "broken video": lambda: t2vid.sample_video("cut.mp4"),
        "times": lambda: t2vid.sample_video(clip, t2vid.SampleSpec(start_s=900)),
        "data URL": lambda: t2vid.sample_video("data:video/mp4;base64,%%"),
        "output": lambda: t2vid.sample_video(clip, output="list"),
        "frames": lambda: t2vid.Frames(max_frames=0),
        "columns": lambda: t2vid.Frames().encode_example(3),
        "typo": lambda: targets.find("hybird-30k"),
        "nowhere": lambda: targets.find("nothing/at/all"),
        "recipe": lambda: t2vid.Recipe.from_yaml("nope.yaml"),
        "key": lambda: t2vid.Recipe.from_dict({"name": "a", "sourcs": []}),
        "source": lambda: t2vid.Recipe.from_dict({"name": "a", "sources": [{"dataset": 3}]}),
        "share": lambda: t2vid.Recipe.from_dict({"name": "a", "sources": [source | {"share": 2}]}),
        "data": lambda: t2vid.Recipe.from_yaml("sample").build(data="nowhere", out="mix"),
        "preset": lambda: Budget.preset("gpt"),
        "plan": lambda: RowPlan(n_rows=-1, seed=0),
        "judge": lambda: judge_from("nobody"),
        "protocol": lambda: EvalConfig.named("nobody"),
        "strategy": lambda: EvalConfig(strategy="all"),
        "run": lambda: score("nowhere"),
        "folder": lambda: doctor("nowhere"),
        "push": lambda: t2vid.push("nowhere", "me/x"),
        "family": lambda: family_of("gpt"),
        "kind": lambda: catalog.listing("cats"),
        "metric": lambda: VideoMCQ().compute(predictions=["A"], references=["A"], refs=["A"]),
        "pair": lambda: read_pairs(["learning_rate"]),
        "training": lambda: cli.parser_of("train", "").parse(["--config"]),
        "option": lambda: cli.parser_of("build", "").parse(["sample", "--bogus"]),
        "argument": lambda: cli.parser_of("build", "").parse([]),
        "number": lambda: cli.parser_of("build", "").parse(["sample", "--num-proc", "x"]),
    }


def test_what_a_user_reads_is_found_on_the_page_of_errors(empty_folder):
    listed = refusals.messages()
    assert [kind for kind, rooms in listed.items() if not rooms] == []
    unfound = {}
    for name, call in wrong_calls().items():
        with pytest.raises((T2VidError, ValueError)) as caught:
            call()
        classes = {"InputError", *(kind.__name__ for kind in type(caught.value).__mro__)}
        said = [m for c in classes for room in listed.get(c, {}).values() for m in room]
        said += ["Unknown option: …", "… is missing; example: …"]
        said += ["Invalid value for …: unable to convert … into …."]
        patterns = [".*".join(map(re.escape, one.split("…"))) for one in said]
        if not any(re.fullmatch(one, str(caught.value), re.S) for one in patterns):
            unfound[name] = repr(caught.value)
    assert unfound == {}
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert page.count("<!-- made: left-out -->") == 1
    assert [one for one in said[-3:] if f"`{one}`" not in page] == []


def test_every_word_under_which_rows_are_left_out_is_on_the_page_of_errors(empty_folder):
    from datasets import load_dataset

    import t2vid
    from t2vid.corpora.counting import read_counts
    from t2vid.mixing.budget import Budget

    turns = [{"from": "human", "value": "What?"}, {"from": "gpt", "value": "That."}]
    row = {"id": "1", "conversations": turns, "image": "gone.png"}
    worse = {"chosen": "x", "rejected": "y", "prompt": "z"}
    lines = [row, row | {"id": "2", "conversations": [*turns[:1]]}, worse, row | {"image": None}]
    Path("rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    rows = load_dataset("t2vid/rows", data_files="rows.jsonl", data_dir=".", split="train")
    recipe = replace(
        t2vid.Recipe.from_yaml("sample"), budget=Budget(max_frames=9, tokens_per_frame=1)
    )
    counted = {*read_counts(rows).dropped, *recipe.build(out="mix").counts.dropped}
    listed = [
        ".*".join(map(re.escape, one.split("…"))) for one in re.findall("`(.+?)`", hooks.left_out())
    ]
    assert len(counted) > 3
    assert [one for one in counted if not any(re.fullmatch(words, one) for words in listed)] == []
