"""The dataset card: what is inside, where it comes from, under which licence, how to load it.

>>> published("# A card that somebody wrote", config="default")
{}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from t2vid._version import __version__
from t2vid.catalog import PAPER_FAMILIES
from t2vid.corpora.licences import (
    NOT_STATED,
    Licence,
    forbids_commerce,
    listed,
    restriction,
    strictest,
)
from t2vid.errors import InputError, pluralize
from t2vid.mixing.gpu_hours import ASSUMED_MFU, Amount, gpu_hours, paper_line
from t2vid.publishing.materialize import DatasetStats, PublishFormat
from t2vid.schema import Counts, size


@dataclass(frozen=True)
class Facts:
    """Everything that a config's section of the card tells.

    Attributes:
        config: name of the config.
        folder: its folder in the repository.
        splits: `{split: {"num_examples": rows, "num_bytes": bytes in memory}}`.
        download_bytes: size of the Parquet files.
        columns: `{column: type}` as published.
        lazy: the columns that hold frames.
        form: in which form they are published.
        total: what all rows together hold.
        licences: licence by source.
        recipe: the recipe as YAML, or None.
        recipe_hash: its hash, or None.
        counts: what the steps before dropped, or None.
        pictures: `{title: path in the repository, or "" }`.
        missing: `{title: why there is no such picture}`.
        kept: those of `splits` that an earlier push left there.
        is_default: the config is loaded where none is named, whatever its name.
    """

    config: str
    folder: str
    splits: Mapping[str, Mapping[str, int]]
    download_bytes: int
    columns: Mapping[str, str]
    lazy: Sequence[str]
    form: PublishFormat
    total: DatasetStats
    licences: Mapping[str, Licence]
    recipe: str | None = None
    recipe_hash: str | None = None
    counts: Counts | None = None
    pictures: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    kept: Sequence[str] = ()
    is_default: bool = False


def merge_card(old: str | None, facts: Facts, *, repo_id: str) -> str:
    """Write a card, or the config's part of one that is there already; everything else in it stays.

    Args:
        old: the repository's README.md, or None.
        facts: what the config's section tells.
        repo_id: `owner/name`.
    """
    front, body = _split_card(old or "")
    if not body.strip():
        body = f"\n# {repo_id.split('/')[-1]}\n"
    begin, end = _mark(facts.config, "begin"), _mark(facts.config, "end")
    section = begin + _section(facts, repo_id) + end
    start, stop = body.find(begin), body.find(end)
    if 0 <= start < stop:
        body = body[:start] + section + body[stop + len(end) :]
    else:
        body = body.rstrip("\n") + "\n\n" + section + "\n"
    return f"---\n{_dump(_front(front, facts))}---\n{body}"


def published(card: str | None, config: str) -> dict[str, dict[str, int]]:
    """Give the splits that a card lists for a config, with their sizes (0 where it states none)."""
    front, _ = _split_card(card or "")
    info, files = _of_config(front, "dataset_info", config), _of_config(front, "configs", config)
    sizes = {part["name"]: part for part in info.get("splits") or []}
    listed = files.get("data_files")
    names = [part["split"] for part in listed] if isinstance(listed, list) else list(sizes)
    keys = ("num_bytes", "num_examples")
    return {name: {key: sizes.get(name, {}).get(key, 0) for key in keys} for name in names}


def data_files(card: str, config: str) -> Any:
    """Give the files that a card names for a config: `[{"split": name, "path": pattern}]`.

    Raises:
        InputError: when it names none.
    """
    found = _of_config(_split_card(card)[0], "configs", config).get("data_files")
    if not found:
        raise InputError(f"the card names no files for config {config!r}")
    return found


def _of_config(front: Mapping[str, Any], key: str, config: str) -> dict[str, Any]:
    entries = front.get(key) or []
    entries = entries if isinstance(entries, list) else [entries]
    named = [one for one in entries if one.get("config_name", "default") == config]
    return dict(named[0]) if named else {}


def _front(front: dict[str, Any], facts: Facts) -> dict[str, Any]:
    others = [c for c in front.get("configs") or [] if c.get("config_name") != facts.config]
    there = _of_config(front, "configs", facts.config).get("data_files")
    paths = {one["split"]: one["path"] for one in there} if isinstance(there, list) else {}
    named = {s: paths[s] for s in facts.kept if s in paths}
    ours: dict[str, Any] = {
        "config_name": facts.config,
        "data_files": [
            {"split": s, "path": named.get(s, f"{facts.folder}/{s}-*")} for s in facts.splits
        ],
    }
    if facts.config == "default" or facts.is_default:
        ours = {**ours, "default": True}
    info = {
        "config_name": facts.config,
        "splits": [{"name": name, **sizes} for name, sizes in facts.splits.items()],
        "download_size": facts.download_bytes,
        "dataset_size": sum(sizes["num_bytes"] for sizes in facts.splits.values()),
    }
    infos = front.get("dataset_info") or []
    infos = infos if isinstance(infos, list) else [infos]
    infos = [i for i in infos if i.get("config_name", "default") != facts.config]
    n_rows = sum(
        s["num_examples"]
        for i in [*infos, info]
        for s in i.get("splits", [])
        if "num_examples" in s
    )
    tags = [*(front.get("tags") or []), "t2vid", *(["video"] if facts.total.n_videos else [])]
    licence = _merged_licences(front.get("license") if others else None, facts.licences)
    return {
        **front,
        "license": licence,
        "task_categories": front.get("task_categories") or ["visual-question-answering"],
        "tags": list(dict.fromkeys(tags)),
        "size_categories": [_size_category(n_rows)],
        "configs": sorted([*others, ours], key=lambda c: str(c["config_name"])),
        "dataset_info": sorted([*infos, info], key=lambda i: str(i.get("config_name"))),
    }


def _merged_licences(old: Any, licences: Mapping[str, Licence]) -> str | list[str]:
    before = [old] if isinstance(old, str) else list(old or [])
    ids = {*before, *(licence.id for licence in licences.values())} or {NOT_STATED}
    top = max(ids - {NOT_STATED}, key=lambda i: (restriction(i), i), default=None)
    if top is None:
        return NOT_STATED
    return [top, NOT_STATED] if NOT_STATED in ids else top


def _section(facts: Facts, repo_id: str) -> str:
    parts = [
        f"## Config `{facts.config}`",
        _inside(facts),
        *(f"![{title}]({path})" for title, path in facts.pictures.items()),
        *(f"There is no {title.lower()}: {why}." for title, why in facts.missing.items()),
        "### How to load it",
        _loading(facts, repo_id),
        "### Licences",
        _licence_table(facts),
        "### How it was made",
        _making(facts),
    ]
    return "\n".join(part + "\n" for part in parts if part)


def _inside(facts: Facts) -> str:
    rows = sum(sizes["num_examples"] for sizes in facts.splits.values())
    splits = ", ".join(f"`{s}` {sizes['num_examples']:,}" for s, sizes in facts.splits.items())
    lines = [f"{pluralize(rows, 'row')} ({splits}), {size(facts.download_bytes)} to download."]
    if facts.kept:
        names = ", ".join(f"`{s}`" for s in facts.splits if s not in facts.kept)
        lines += ["", f"What follows is about {names}."]
    if facts.total.sources:
        lines += ["", "| source | rows |", "|---|---:|"]
        lines += [f"| {_cell(s)} | {n:,} |" for s, n in sorted(facts.total.sources.items())]
    if facts.lazy:
        lines += ["", f"{_contents(facts.total)} {_storage(facts)}"]
    if facts.total.n_frames:
        lines += ["", _cost(rows, facts.total.n_frames)]
    lines += ["", "| column | type |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(kind)} |" for name, kind in facts.columns.items()]
    return "\n".join(lines)


def _cost(rows: int, n_frames: int) -> str:
    amount = Amount(rows, n_frames, 0)
    each = ", ".join(f"{f.name} {gpu_hours(amount, f):,.1f}" for f in PAPER_FAMILIES)
    return (
        f"The frames of an epoch take about so many GPU hours at {ASSUMED_MFU:.0%} of an A800's peak: "
        f"{each} ({paper_line()})."
    )


def _contents(total: DatasetStats) -> str:
    kinds = [
        f"{pluralize(total.n_texts, 'long text')} drawn as frames" if total.n_texts else "",
        pluralize(total.n_videos, "video") if total.n_videos else "",
    ]
    sums = [
        pluralize(total.n_frames, "frame") if total.n_frames else "",
        pluralize(total.n_words, "word") if total.n_words else "",
    ]
    parts = [" and ".join(filter(None, kinds)), *sums]
    return ", ".join(filter(None, parts)) + "."


def _storage(facts: Facts) -> str:
    name = ", ".join(f"`{column}`" for column in facts.lazy)
    if facts.form.materialize:
        return f"{name} holds the frames as lossless pictures ({facts.form.materialize})."
    text = f"{name} stores what frames are made from, no pixels: `text` and how to draw it, `spec`."
    if not facts.total.n_videos:
        return text
    if facts.form.whole_files:
        return f"{text} For a video `bytes` is its file."
    if facts.form.include_media:
        return f"{text} For a video `bytes` is a lossless MP4 of its sampled frames, one a second."
    return (
        f"{text} **The videos are not in this repository**: `path` names a file below the folder "
        "of the original corpus, `spec` says which frames to take."
    )


def _loading(facts: Facts, repo_id: str) -> str:
    split = next(iter(facts.splits))
    name = "" if facts.config == "default" else f'"{facts.config}", '
    load = f'load_dataset("{repo_id}", {name}split="{split}")'
    lines = [
        "```python",
        "from datasets import load_dataset",
        "",
        f"rows = {load}",
    ]
    if facts.form.materialize is None and facts.lazy:
        column = facts.lazy[0]
        whole = facts.form.include_media or facts.form.whole_files
        local = facts.total.n_videos and not whole
        if local:
            lines += [
                "",
                "# the videos, from your own copy of the corpus",
                "def locate(row):",
                f'    source = row["{column}"]',
                '    if source["path"] and "://" not in source["path"]:',
                '        source["path"] = f"/your/videos/{source[\'path\']}"',
                "    return row",
                "rows = rows.map(locate)",
            ]
        lines += [
            "",
            "# the frames, drawn or decoded as they are read (pip install t2vid)",
            "import t2vid",
            f'rows = rows.cast_column("{column}", t2vid.Frames())',
            f'rows[0]["{column}"]  # a list of PIL images',
        ]
    elif facts.lazy:
        lines += [f'rows[0]["{facts.lazy[0]}"]  # a list of PIL images']
    return "\n".join([*lines, "```"])


def _licence_table(facts: Facts) -> str:
    lines = ["| source | licence | stated where |", "|---|---|---|"]
    lines += [
        f"| {_cell(s)} | {'not stated' if one.id == NOT_STATED else one.id} | {_cell(one.where)} |"
        for s, one in sorted(facts.licences.items())
    ]
    top = strictest(facts.licences)
    silent = [s for s, one in facts.licences.items() if one.id == NOT_STATED]
    if not facts.licences:
        return "The rows have no `source` column and no licence was given: **none is stated**."
    words = [
        f"The strictest stated licence is **{top}**; every row keeps the licence of its source."
        if top != NOT_STATED
        else "**No licence is stated** for any source."
    ]
    if forbids_commerce(top):
        words.append("As a whole this is for **non-commercial use only**.")
    if silent and top != NOT_STATED:
        words.append(f"For {listed(silent)} no licence is stated: ask its authors before use.")
    if facts.total.n_videos:
        words.append(
            "The table is about texts and annotations; the videos have terms of their own."
        )
    return "\n".join([*lines, "", " ".join(words)])


def _making(facts: Facts) -> str:
    lines = [f"Published with t2vid {__version__}."]
    if facts.recipe is None:
        lines += ["", "No recipe was given with this push."]
    else:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", facts.recipe)), default=0))
        lines += ["", f"Recipe, hash `{facts.recipe_hash}`:", "", f"{fence}yaml"]
        lines += [facts.recipe.rstrip("\n"), fence]
    if facts.counts is None:
        lines += ["", "No counts of dropped rows were given with this push."]
    else:
        lines += ["", f"Rows on the way here: {facts.counts}.", "", "| source | what | rows |"]
        lines += ["|---|---|---:|"]
        lines += [
            f"| {_cell(source or '-')} | {_cell(what)} | {n:,} |"
            for source, counter in facts.counts.sources.items()
            for what, n in counter.items()
        ]
        if facts.counts.files:
            lines += [
                "",
                "Where the rows are from; `origin` says it of each, and its record there:",
                "",
            ]
            lines += ["| source | file | rows |", "|---|---|---:|"]
            lines += [
                f"| {_cell(source)} | {_cell(file)} | {n:,} |"
                for source, counter in facts.counts.files.items()
                for file, n in sorted(counter.items())
            ]
    return "\n".join(lines)


def _split_card(text: str) -> tuple[dict[str, Any], str]:
    import yaml

    found = re.match(r"\s*---[ \t]*\r?\n(.*?)\r?\n?---[ \t]*(\r?\n|$)", text, re.DOTALL)
    if found is None:
        return {}, text
    try:
        front = yaml.safe_load(found.group(1)) or {}
    except yaml.YAMLError as error:
        raise InputError(
            f"the README.md of the repository starts with what is no YAML ({error}); mend it first"
        ) from error
    if not isinstance(front, dict):
        raise InputError("the README.md of the repository has a front matter that is no mapping")
    return front, text[found.end() :]


def _dump(front: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _mark(config: str, where: str) -> str:
    return f"<!-- t2vid {config} {where} -->\n"


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _size_category(n: int) -> str:
    edges = [(1e3, "1K"), (1e4, "10K"), (1e5, "100K"), (1e6, "1M"), (1e7, "10M"), (1e8, "100M")]
    low = ""
    for edge, name in edges:
        if n < edge:
            return f"{low}<n<{name}" if low else f"n<{name}"
        low = name
    return "n>100M"
