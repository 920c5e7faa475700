"""What a dataset's page shows, laid out for its template: tiles, sheets, tables, notes.

from t2vid.pages.dataset_view import html
Path("report.html").write_text(html(found, "report"))
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from markupsafe import Markup

from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.errors import pluralize
from t2vid.insight.budgets import PAPER, by_source, dropped
from t2vid.insight.diversity import SAME, Diversity, Estimate
from t2vid.insight.figures import words_a_frame
from t2vid.insight.findings import SOURCES, Findings, percentiles
from t2vid.insight.flags import KINDS, OPENING_WORDS, Flag
from t2vid.insight.plotting import mark_style
from t2vid.insight.rows import RowColumns
from t2vid.insight.templates import TOP_TEMPLATES
from t2vid.pages.charts import line_style
from t2vid.pages.dataset_data import CHART_ROWS, cut, script_data
from t2vid.pages.dataset_sheets import SHEET_SOURCES, seen_rows
from t2vid.pages.template import Tile, render


def html(found: Findings, folder: str) -> str:
    """Write the page.

    Args:
        found: what was measured.
        folder: name of the folder beside the page that holds its figures.
    """
    rows = found.rows
    sources = [
        (name, mark_style(at)[1][1], *line_style(at)) for at, name in enumerate(rows.names())
    ]
    return render(
        "dataset.html",
        title=f"What is in {found.subject.name}",
        intro=_kinds(rows) + ".",
        contents=_contents(found),
        folder=folder,
        found=found,
        sources=sources,
        families=TOKENS_PER_FRAME,
        presets=list(PAPER),
        tiles=_tiles(found),
        notable=_notable(found),
        seen=seen_rows(rows),
        diversity=_diversity(found.map) if found.map is not None else None,
        by_words=found.map is not None and found.map.by_words,
        rates=_rates(rows),
        lengths=_lengths(rows),
        limits=_limits(found),
        drops=by_source(dropped(rows, found.limits)),
        sampled=CHART_ROWS if len(rows) > CHART_ROWS else 0,
        flags=_flags(found),
        flags_by_source=_flags_by_source(found),
        examples=[
            (KINDS[flag.name].title, [[cut(text, 160), n] for text, n in flag.examples])
            for flag in found.flags
            if flag.examples
        ],
        counts=_counts(found),
        licences=_licences(found),
        method=_method(rows),
        data=script_data(found),
    )


def _contents(found: Findings) -> dict[str, str]:
    titles = {
        "sees": "What the model sees",
        "instructions": "The instructions",
        "lengths": "How long the rows are",
        "budgets": "What a budget would drop",
        "flags": "Biases",
        "counts": "Rows on the way here",
        "recipe": "Recipe",
        "licences": "Licences",
        "method": "How this was measured",
    }
    absent = {
        "sees": not any(found.rows.shown.values()),
        "instructions": found.map is None,
        "recipe": found.subject.recipe is None,
    }
    return {at: title for at, title in titles.items() if not absent.get(at)}


def _tiles(found: Findings) -> list[Tile]:
    rows = found.rows
    by_name = {flag.name: flag for flag in found.flags}
    repeated = by_name["exact_twins"]
    templates = by_name["template_share"]
    out = [
        Tile(f"{len(rows):,}", "rows", f"from {pluralize(len(found.licences), 'source')}"),
        Tile(f"{int(rows.kept_frames.sum()):,}", "frames", "that one pass over the data shows"),
        Tile(_short(float(rows.text_tokens.sum())), "text tokens", f"by {rows.counted_by}"),
    ]
    drawn = rows.is_text & (rows.frames > 0)
    if drawn.any():
        words = float(rows.n_words[drawn].sum())
        out.append(Tile(_short(words), "words drawn", "as pages, in place of video"))
    if rows.is_video.any():
        known = np.isfinite(rows.durations_s[rows.is_video]).any()
        total_s = float(np.nansum(rows.durations_s))
        units = {"hours": 3600, "minutes": 60, "seconds": 1}
        unit = next((name for name, each_s in units.items() if total_s >= each_s), "hours")
        value = f"{total_s / units[unit]:,.1f}" if known else "unknown"
        about = "of the rows, so a video of two rows counts twice"
        out.append(Tile(value, f"{unit} of video", about))
    if found.map is not None:
        whole = found.map.whole
        out.append(
            Tile(
                f"{whole.vendi.value:,.0f}",
                "different instructions",
                f"Vendi score of {whole.n:,}: 1 where all ask the same",
            )
        )
    for flag, label in ((templates, "of the rows from a template"), (repeated, "repeated rows")):
        limit = KINDS[flag.name].look_above or 0.0
        about = f"{cut(_sentence(flag.says), 90)} Look above {100 * limit:g} %."
        out.append(Tile(f"{100 * flag.value:.1f} %", label, about, flag.state))
    return out


def _notable(found: Findings) -> list[str]:
    notable = [flag.says for flag in found.flags if flag.state == "look"]
    if unknown := int((found.rows.is_video & ~np.isfinite(found.rows.durations_s)).sum()):
        notable.append(
            f"the videos of {pluralize(unknown, 'row')} could not be read: their hours are not "
            "counted, and their frames are those that the rows state"
        )
    return [_sentence(text) for text in notable]


def _kinds(rows: RowColumns) -> str:
    parts = []
    for name in rows.names()[:SHEET_SOURCES]:
        at = rows.of(name)
        kind = "video" if rows.is_video[at].all() else "text" if rows.is_text[at].all() else "row"
        parts.append(f"{pluralize(len(at), kind)} ({name})")
    left = len(rows.names()) - len(parts)
    if left:
        named = sum(len(rows.of(name)) for name in rows.names()[:SHEET_SOURCES])
        parts.append(f"{pluralize(len(rows) - named, 'row')} of others")
    return f"{pluralize(len(rows), 'row')}: " + ", ".join(parts)


def _diversity(found: Diversity) -> dict[str, Any]:
    head = [
        "source",
        "instructions",
        "from a template",
        "clusters",
        "cluster entropy",
        f"in the {TOP_TEMPLATES} largest clusters",
        "Vendi score",
        "distinct\u20111",  # a hyphen that breaks no line
        "distinct\u20112",
        "nearest neighbour",
    ]
    rows = [
        [
            name,
            source.n,
            _interval(source.template_share),
            source.n_clusters,
            _interval(source.cluster_entropy),
            _interval(source.cluster_share),
            _interval(source.vendi),
            f"{source.distinct_1:.3f}",
            f"{source.distinct_2:.3f}",
            _interval(source.nearest),
        ]
        for name, source in found.sources.items()
    ]
    templates = [
        (name, [[cut(text, 200), n] for text, n in source.templates])
        for name, source in found.sources.items()
        if name in set(found.labels)
    ]
    return {"embedder": found.embedder, "head": head, "rows": rows, "templates": templates}


def _interval(estimate: Estimate) -> Markup:
    digits = 0 if estimate.value >= 100 else 1 if estimate.value >= 10 else 2
    value, low, high = (f"{x:,.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return Markup('<span class="figure">{}<small>{}–{}</small></span>').format(value, low, high)


def _rates(rows: RowColumns) -> str:
    said = [
        f"{name}: {', '.join(f'{rate:g} a second' if rate else 'every frame' for rate in rates)}"
        for name, rates in rows.fps.items()
    ]
    if not said:
        return "Frames of texts are pages. Nothing was decoded for it."
    return (
        f"Frames of videos are counted at the rate of their rows ({'; '.join(said)}), those of "
        "texts are pages. Nothing was decoded for it."
    )


def _lengths(rows: RowColumns) -> dict[str, Any]:
    measures = {
        "frames": rows.frames,
        "frames asked for": rows.kept_frames,
        "seconds": rows.durations_s,
        "words a frame": words_a_frame(rows),
        "text tokens": rows.text_tokens,
    }
    choices = {
        "frames": "frames, before any limit",
        "duration": "duration of videos",
        "words": "words a frame",
        "text": "text tokens",
    }
    for family, each in TOKENS_PER_FRAME.items():
        measures[f"visual tokens, {family}"] = rows.kept_frames * each
        choices[f"visual {family}"] = f"visual tokens, {family}"
        choices[f"all {family}"] = f"all tokens, {family}"
    keys = ("p5", "p25", "p50", "p75", "p95", "max", "mean")
    lines = []
    for name in rows.names():
        at = rows.of(name)
        for measure, values in measures.items():
            if part := percentiles(values[at]):
                lines.append([name, measure, *(f"{part[key]:,.0f}" for key in keys)])
    head = ["source", "measure", "5 %", "25 %", "median", "75 %", "95 %", "largest", "mean"]
    first = "frames" if rows.frames.any() else "text"
    return {"choices": choices, "first": first, "head": head, "rows": lines}


def _limits(found: Findings) -> list[dict[str, Any]]:
    rows, limits = found.rows, found.limits
    most_frames = max(int(rows.frames.max()), *(one.max_frames or 1 for one in PAPER.values()))
    dearest = max(TOKENS_PER_FRAME.values()) * int(rows.kept_frames.max())
    most_tokens = max(20_480, -(-(dearest + int(rows.text_tokens.max())) // 1024) * 1024)
    return [
        {"id": at, "label": label, "value": value, "most": most, "step": step}
        for at, label, value, most, step in (
            ("max-frames", "Frames of a row", limits.max_frames, most_frames, 1),
            ("max-tokens", "Tokens of a row", limits.max_tokens, most_tokens, 128),
            ("video-frames", "Frames taken of a video", limits.video_frames, most_frames, 1),
        )
    ]


def _flags(found: Findings) -> list[dict[str, Any]]:
    return [
        {
            "flag": flag,
            "kind": KINDS[flag.name],
            "says": _sentence(flag.says),
            "limit": _limit(flag),
        }
        for flag in found.flags
    ]


def _flags_by_source(found: Findings) -> dict[str, Any]:
    names = found.rows.names() if len(found.rows.names()) > 1 else []
    each = found.by_source[names[0]] if names else []
    rows = [[name, *(f"{flag.value:.2f}" for flag in found.by_source[name])] for name in names]
    return {"head": ["source", *(KINDS[flag.name].title for flag in each)], "rows": rows}


def _limit(flag: Flag) -> str:
    limit = KINDS[flag.name].look_above
    return "" if limit is None else "any" if limit == 0 else f"above {100 * limit:g} %"


def _counts(found: Findings) -> list[tuple[str, list[str], list[list[object]]]]:
    out: list[tuple[str, list[str], list[list[object]]]] = []
    for title, counts in (("Making it", found.subject.counts), ("Reading it", found.rows.counts)):
        if counts is None:
            continue
        sizes = sorted(counts.sources.items(), key=lambda one: -one[1].total())
        named = dict(sizes if len(sizes) <= SOURCES else sizes[: SOURCES - 1])
        rest = [counter for name, counter in sizes if name not in named]
        if rest:
            named[f"{len(rest):,} other sources"] = sum(rest, Counter[str]())
        lines: list[list[object]] = [
            [source or "-", what, n]
            for source, counter in named.items()
            for what, n in counter.items()
        ]
        out.append((title, ["source", "what", "rows"], lines))
    parts = {
        "within a source": found.overlap.within_source,
        "between sources": found.overlap.between_sources,
        **found.overlap.benchmarks,
    }
    repeats: list[list[object]] = [
        [where, kind, n] for where, kinds in parts.items() for kind, n in kinds.items()
    ]
    out.append(("What repeats", ["repeats", "kind", "pairs or rows"], repeats))
    return out


def _licences(found: Findings) -> dict[str, Any]:
    from t2vid.corpora.licences import NOT_STATED, concerns, strictest

    named = list(found.licences.items())
    rows = [[name, one.id, one.where] for name, one in named[:SOURCES]]
    alike = Counter((one.id, one.where) for _, one in named[SOURCES:])
    rows += [[f"{pluralize(n, 'other source')}", *both] for both, n in alike.items()]
    for row in rows:
        row[1] = "not stated" if row[1] == NOT_STATED else row[1]
    top = strictest(found.licences)
    said = (
        f"The strictest stated licence is {top}." if top != NOT_STATED else "No licence is stated."
    )
    return {"rows": rows, "notes": [said, *map(_sentence, concerns(found.licences))]}


def _method(rows: RowColumns) -> list[str]:
    return [
        f"Text tokens were counted by: {rows.counted_by}.",
        "Visual tokens are the paper's for one patch a frame: "
        + ", ".join(f"{family} {each}" for family, each in TOKENS_PER_FRAME.items())
        + ".",
        "A template is an instruction with its numbers (#), quotes (…) and names (@) masked; names "
        "are told by their capitals. The share counts the ten most frequent that repeat.",
        f"Clusters are groups of instructions within cosine {SAME} of one another; their entropy "
        "is in nats and grows with the number of instructions, so compare sources of equal "
        "numbers. The Vendi score (Friedman and Dieng, 2023) is the effective number of different "
        "instructions; the nearest neighbour's distance is 1 - cosine.",
        f"An opening is the first {OPENING_WORDS} words of an answer. Near repeats share four "
        "fifths of their shingles by MinHash.",
        "Pictures of lengths leave out what is above the 99.9th percentile, as the paper's Fig. 3 "
        "does; tables and thresholds do not.",
    ]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _short(value: float) -> str:
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:,.1f}{unit}"
    return f"{value:,.0f}"
