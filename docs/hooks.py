"""What mkdocs calls while it builds the site: fills in what the package itself knows.

A line `<!-- made: NAME -->` in a page becomes what the function of that name below gives, so that
options, fields, names and messages stand in one place: the code. The words after the language of
a code block (`bash check`, `python file=mine.py`) are for `tests/test_docs.py` and taken off.
"""

from __future__ import annotations

import configparser
import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import refusals  # mkdocs puts this folder on the path

ROOT = Path(__file__).parents[1]
_MADE = re.compile(r"^<!-- made: ([\w-]+(?: [\w./:-]+)*) -->$", re.M)
_HUB = "https://huggingface.co/"
_SHIM = "https://unpkg.com/iframe-worker/shim"  # what mkdocs-material would load
_NOT_HERE = '<p>It was moved, or its address is mistyped. Search above, or go <a href="/index.html">home</a>.'
_NO_PAGES = {"miniature_intro.md"}
_COMMANDS = re.compile(r'<div class="language-(?:bash|console) .*?</div>', re.S)
_OPTION = re.compile(r"(?<=[\s>])--[\w-]+")
_FENCE = re.compile(r"^( *```\w+) +([^\n{]+)$", re.M)


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Fill in a page; one that has no neighbours gets the room of the column that lists them."""
    if page.parent is None:
        page.meta.setdefault("hide", ["navigation"])
    return _FENCE.sub(_titled, _MADE.sub(lambda found: made(*found[1].split()), markdown))


def on_config(config: Any) -> Any:
    """Put pages that no entry of the navigation names under "Guides", by their first heading."""
    named = set(re.findall(r"[\w/-]+\.md", str(config["nav"])))
    docs = Path(config["docs_dir"])
    more = [path for path in sorted(docs.glob("*.md")) if path.name not in named | _NO_PAGES]
    guides = [
        {path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# "): path.name}
        for path in more
    ]
    if guides:
        next(part["Guides"] for part in config["nav"] if "Guides" in part).extend(guides)
    return config


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Let the search find its stand-in for a worker beside the page; break no option at a hyphen."""
    output = _COMMANDS.sub(
        lambda block: _OPTION.sub(r'<span class="option">\g<0></span>', block[0]), output
    )
    return output.replace(_SHIM, "../" * page.url.count("/") + "offline.js")


def on_post_template(output: str, template_name: str, config: Any, **_: Any) -> str:
    """Let the page "not found" find its style from the disk; mkdocs links it to a server's root."""
    if template_name != "404.html" or config["site_url"]:
        return output
    output = output.replace("404 - Not found</h1>", f"This page is not here</h1>{_NOT_HERE}")
    return re.sub(r'"/(?=[\w."])', '"./', output).replace(_SHIM, "offline.js")


def _titled(found: re.Match[str]) -> str:
    named = re.search(r"(?:file|entry)=(\S+)", found[2])
    return f'{found[1]} title="{named[1]}"' if named else found[1]


def made(name: str, *arguments: str) -> str:
    """Give what a placeholder stands for.

    Raises:
        KeyError: for a name that is none, which ends the build.
    """
    return MAKERS[name](*arguments)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Give a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [[_cell(value) for value in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _cell(value: object) -> str:
    text = "–" if value in (None, "") else f"{value:,}" if isinstance(value, int) else str(value)
    parts = re.split("(`[^`]*`)", " ".join(text.split()))  # in code a backslash would be shown
    return "".join(part if at % 2 else part.replace("|", "\\|") for at, part in enumerate(parts))


def names(kind: str) -> str:
    """Give a table of `t2vid list`."""
    from t2vid import catalog

    rows = [dict(row) for row in catalog.listing(kind).rows[kind]]  # type: ignore[arg-type]
    if kind == "benchmarks":  # each is named as its dataset is
        rows = [{k: v for k, v in row.items() if k != "dataset"} for row in rows]
    rows = [{"name": row.pop("name"), "about": row.pop("about"), **row} for row in rows]
    for row in rows:
        for key in ("name", "dataset", "evaluate.load", "--judge"):
            if row.get(key):
                row[key] = f"`{row[key]}`"
        if row.get("public file"):
            row["public file"] = _linked(str(row["public file"]).replace("hf://", _HUB))
    return table(list(rows[0]), [list(row.values()) for row in rows])


def _linked(text: str) -> str:
    """Show an address by its last two parts; a file of a data set leads to the set."""
    found = re.search(r"https?://[^\s:,;]+", text)
    if not found:
        return text
    url = re.sub(rf"^({_HUB}datasets/[^/]+/[^/]+)/.*", r"\1", found[0])
    return text.replace(found[0], f"[{'/<wbr>'.join(url.split('/')[-2:])}]({url})")


def sources(kind: str) -> str:
    """Give where each corpus or benchmark comes from, and under which licence."""
    from t2vid import catalog

    entries: Sequence[Any] = catalog.CORPORA if kind == "corpora" else catalog.BENCHMARKS
    out = []
    for entry in entries:
        if getattr(entry, "bundled", False):
            continue
        stated = _linked(str(entry.licence_from))
        files = ", ".join(f"`{file}`" for file in getattr(entry, "files", ()))
        name = " ".join(filter(None, [entry.dataset, getattr(entry, "config", "")]))
        name = name if entry.converter else entry.aliases[0]  # known, but not loaded by t2vid
        licence = entry.licence or "not stated"
        out.append([f"`{name}`", entry.about, *([files] * (kind == "corpora")), licence, stated])
    file = ["file"] if kind == "corpora" else []
    return table(["name", "what", *file, "licence", "stated"], out)


def extras() -> str:
    """Give the extras of setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    what = {
        "train": "train: `t2vid train`, `VideoSFTTrainer`",
        "distributed": "ZeRO on several GPUs, beside `train`",
        "eval": "ask benchmarks, `evaluate.load`, Excel predictions",
        "insight": "`t2vid report`: maps, figures, biases",
        "embed": "instructions by their meaning in reports",
        "browse": "`t2vid browse`",
        "scale": "build a mix on several machines (Ray)",
        "docs": "build these pages",
        "dev": "everything, and the tests",
    }
    rows = [
        [f"`{name}`", what.get(name, ""), ", ".join(f"`{one}`" for one in value.split())]
        for name, value in config["options.extras_require"].items()
        if name != "dev"
    ]
    return table(["extra", "for", "brings"], rows)


def cli() -> str:
    """Give each command with its options."""
    from t2vid.cli import function_at, parser_of
    from t2vid.commands import COMMANDS

    parts = []
    for name, command in COMMANDS.items():
        parts.append(f"## t2vid {name}\n\n{command.help}.")
        for key in command.calls:
            parser = parser_of(name, key)
            if len(command.calls) > 1:
                # "without" what the other calls are called by
                others = " or ".join(f"`{one}`" for one in command.calls if one.startswith("--"))
                without = f"without {others}" if others else "otherwise"
                title = f"`{key}`" if key.startswith("--") else f"of {key}" if key else without
                parts.append(f"### t2vid {name}: {title}")
                says = first_line(function_at(command.calls[key]))
                parts += [says] if says.rstrip(".") != command.help else []
            rows = [
                [
                    f"`{one.name if one.index is None else one.name.strip('-').upper()}`"
                    + (" (needed)" if one.required else ""),
                    (one.parameter.help or "") + _default(one),
                ]
                for one in parser.app.assemble_argument_collection()
            ]
            parts.append(table(["option", "what it is"], rows))
        parts.append("```console\n" + "\n".join(f"$ {line}" for line in command.examples) + "\n```")
    return "\n\n".join(parts)


def _default(argument: Any) -> str:
    value = argument.field_info.default
    unsaid = argument.parameter.show_default is False or value is argument.field_info.empty
    return (
        ""
        if unsaid or value in (None, "") or isinstance(value, bool)
        else f" *Default: `{value}`.*"
    )


def first_line(thing: Any) -> str:
    """Give the first line of a docstring."""
    return str(thing.__doc__).strip().partition("\n")[0]


def fields(path: str) -> str:
    """Give the fields of a configuration, `module:Class`."""
    from docstring_parser import parse

    from t2vid.cli import function_at

    kind: Any = function_at(path)
    told = {one.arg_name: one.description for one in parse(str(kind.__doc__)).params}
    rows = []
    for one in dataclasses.fields(kind):
        if one.name not in kind.__dict__.get("__annotations__", {}):
            continue  # of a base class, such as transformers' hundred
        says = told.get(one.name) or one.metadata.get("help", "")
        rows.append([f"`{one.name}`", _kind(one.type), _default_of(one), says])
    return table(["field", "type", "default", "what it is"], rows)


def _kind(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else str(annotation)
    return f"`{re.sub(r'[a-z_]+[.](?=[A-Za-z])', '', text)}`"


def _default_of(one: dataclasses.Field[Any]) -> str:
    if one.default_factory is not dataclasses.MISSING:
        return ""
    if one.default is dataclasses.MISSING:
        return "needed"
    value = one.default
    if dataclasses.is_dataclass(value):
        return f"`{type(value).__name__}()`"
    return "`null`" if value is None else f"`{value!r}`"


def yaml(name: str) -> str:
    """Show a recipe that t2vid brings."""
    from t2vid import catalog

    one = next(recipe for recipe in catalog.recipes() if recipe.name == name)
    return f'```yaml title="{name}.yaml"\n{one.path.read_text(encoding="utf-8").strip()}\n```'


def text(path: str) -> str:
    """Show a file of the project; headings one level lower where it is a page of its own."""
    return (ROOT / path).read_text(encoding="utf-8")


# Which page explains what a room refuses.
PAGES = {
    "browse": "howto/serve.md",
    "catalog": "reference/names.md",
    "corpora": "corpora.md",
    "dataset_scripts": "corpora.md",
    "demo": "install.md",
    "evaluation": "tutorials/benchmark.md",
    "frames": "concepts/lazy-frames.md",
    "insight": "howto/report.md",
    "metrics": "concepts/abstaining.md",
    "mixing": "reference/recipe.md",
    "miniature": "miniature.md",
    "models": "tutorials/family.md",
    "pages": "howto/report.md",
    "publishing": "howto/publish.md",
    "scoring": "concepts/abstaining.md",
    "storage": "howto/s3.md",
    "trainer": "reference/training.md",
}


def video_reasons() -> str:
    """List the words that tables have for what is wrong with a video."""
    return "Reasons: " + ", ".join(f"`{word}`" for word in sorted(refusals.video_reasons())) + "."


def left_out() -> str:
    """List the words under which rows and questions are counted that are left out, by room."""
    rows = [
        [f"[{room}](../{PAGES[room]})", ", ".join(f"`{one}`" for one in said)]
        for room, said in refusals.left_out().items()
    ]
    return table(["room", "counted as"], rows)


def error_messages(name: str) -> str:
    """List the messages of one class by the room they come from."""
    from t2vid.errors import pluralize

    parts = []
    for room, said in sorted(refusals.messages().get(name, {}).items()):
        page = PAGES.get(room, "faq.md")
        title = f"`{room or 't2vid'}`: see [{page.removesuffix('.md')}](../{page})"
        # a heading each, for the search, which leaves out what bears the mark from shorter queries
        mark = '<span class="said">Err</span>'
        lines = "\n".join(
            f"    ###### {mark} `{one.replace('`', chr(39))}`\n" for one in sorted(said)
        )
        count = pluralize(len(said), "message")
        parts.append(f'??? quote "{count} of {room or "t2vid"}"\n    {title}\n\n{lines}')
    return "\n\n".join(parts) or "Its message is put together from what was found."


def biases() -> str:
    """Give the biases that a report measures."""
    from t2vid.insight.flags import KINDS

    rows = [
        [f"`{name}`", kind.about, "–" if kind.look_above is None else f"above {kind.look_above:g}"]
        for name, kind in KINDS.items()
    ]
    return table(["figure", "what it is", "look"], rows)


def budgets() -> str:
    """Give what the paper's families may be shown."""
    from t2vid.mixing.budget import Budget

    kept = {name: Budget.preset(name) for name in ("minicpm", "idefics3", "internvl")}
    rows = [
        [
            f"`{name}`",
            one.tokens_per_frame,
            *(n or "no limit" for n in (one.max_tokens, one.max_frames)),
        ]
        for name, one in kept.items()
    ]
    return table(["preset", "tokens a frame", "most tokens", "most frames"], rows)


def languages() -> str:
    """Say in which languages answers are read."""
    codes = [file.stem for file in sorted((ROOT / "src/t2vid/scoring/lexicon").glob("*.yaml"))]
    return (
        f"Answers are read in {len(codes)} languages: "
        + ", ".join(f"`{one}`" for one in codes)
        + "."
    )


def miniature() -> str:
    """Show the table of the miniature, as `docs/miniature.md` holds it."""
    page = (ROOT / "docs" / "miniature.md").read_text(encoding="utf-8")
    part = page.partition("## Tables 1-3 in miniature")[2].partition("\n## ")[0]
    picture = "pictures/miniature.png"
    shown = f"![Accuracy of each arm, with intervals]({picture})\n\n"
    return (shown if (ROOT / "docs" / picture).is_file() else "") + part.strip()


MAKERS: dict[str, Callable[..., str]] = {
    "biases": biases,
    "budgets": budgets,
    "cli": cli,
    "error-messages": error_messages,
    "extras": extras,
    "fields": fields,
    "languages": languages,
    "left-out": left_out,
    "miniature": miniature,
    "names": names,
    "sources": sources,
    "text": text,
    "video-reasons": video_reasons,
    "yaml": yaml,
}
