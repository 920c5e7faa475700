"""The sections of a report: what `t2vid.insight.report` found, as HTML that says it in words too.

from t2vid.insight.sections import html
Path("report.html").write_text(html(found))
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from t2vid._version import __version__
from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.errors import BadVideo, InputError, MissingFile, pluralize
from t2vid.frames.export import contact_sheet
from t2vid.frames.feature import Frames
from t2vid.insight import page
from t2vid.insight.budgets import PAPER, by_source, dropped
from t2vid.insight.diversity import SAME, TOP_TEMPLATES, Diversity, Figure
from t2vid.insight.figures import words_a_frame
from t2vid.insight.flags import OPENING_WORDS, Flag
from t2vid.insight.rows import Rows, Shown

if TYPE_CHECKING:
    from t2vid.insight.report import Findings

_HERE = Path(__file__).parent
SHEET_FRAMES = 8
SHEET_SOURCES = 6
_TILE_PX = 448
_MAP_BYTES = 1_500_000  # of instructions in the page; longer ones are cut until they fit
_MAP_POINTS = 30_000
_CHART_ROWS = 60_000  # that the thresholds look at; of more, an even sample
# From which share a flag is said at the top of the page: where the paper's ShareGemini would be
# seen and a mix with text would not.
_NOTABLE = {
    "opening_share": 0.2,
    "template_share": 0.5,
    "same_length": 0.8,
    "letter_share": 0.5,
    "exact_twins": 0.01,
    "near_twins": 0.01,
    "between_sources": 0.001,
    "benchmark_overlap": 0.0,
}


def html(found: Findings) -> str:
    """Write the page."""
    parts = {
        "sees": ("What the model sees", _sees(found)),
        "instructions": ("The instructions", _map(found)),
        "lengths": ("How long the rows are", _lengths(found)),
        "budgets": ("What a budget would drop", _budgets(found)),
        "flags": ("Biases", _flags(found)),
        "counts": ("Rows on the way here", _counts(found)),
        "recipe": ("Recipe", _recipe(found)),
        "licences": ("Licences", _licences(found)),
        "method": ("How this was measured", _method(found)),
    }
    contents = {at: title for at, (title, blocks) in parts.items() if blocks}
    sections = [
        page.section(title, *blocks, anchor=at) for at, (title, blocks) in parts.items() if blocks
    ]
    title = f"Report on {found.subject.name}"
    return page.page(
        title,
        [_summary(found), *sections, page.data("data", _data(found))],
        intro=f"{_kinds(found.rows)}. Written by t2vid {__version__}; this page loads nothing.",
        contents=contents,
        style=(_HERE / "report.css").read_text(encoding="utf-8"),
        script=(_HERE / "report.js").read_text(encoding="utf-8"),
    )


def sheets(found: Findings) -> dict[str, Image.Image]:
    """Give a contact sheet for each source, by its name as a file may have it."""
    out = {}
    for name, shown in list(found.rows.shown.items())[:SHEET_SOURCES]:
        frames = _frames(shown[0]) if shown else None
        if frames:
            plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
            out[plain] = contact_sheet(frames, captions=_captions(frames), tile_px=_TILE_PX)
    return out


def _summary(found: Findings) -> str:
    rows = found.rows
    unknown = int((rows.is_video & ~np.isfinite(rows.durations_s)).sum())
    figures = {
        "rows": f"{len(rows):,}",
        "sources": f"{len(rows.names()):,}",
        "frames a pass shows": f"{int(rows.kept_frames.sum()):,}",
        "text tokens": f"{_short(float(rows.text_tokens.sum()))}",
        "words drawn": _short(float(rows.n_words[~rows.is_video].sum())),
    }
    if rows.is_video.any():
        hours = float(np.nansum(rows.durations_s)) / 3600
        none = unknown == rows.is_video.sum()
        figures["hours of video"] = "unknown" if none else f"{hours:,.1f}"
    if found.map is not None:
        whole = found.map.sources.get("all") or next(iter(found.map.sources.values()))
        figures["Vendi score of the instructions"] = f"{whole.vendi.value:,.0f}"
    notable = [flag.says for flag in found.flags if flag.value > _NOTABLE.get(flag.name, 1.0)]
    if unknown:
        notable.append(
            f"the videos of {pluralize(unknown, 'row')} could not be read: their hours are not counted, "
            "and their frames are those that the rows state"
        )
    notes = "".join(f"<li>{escape(_sentence(text))}</li>" for text in notable)
    stands_out = f'<h3>What stands out</h3><ul class="notes">{notes}</ul>' if notable else ""
    return page.tiles(figures) + stands_out


def _kinds(rows: Rows) -> str:
    parts = []
    for name in rows.names():
        at = rows.of(name)
        kind = "videos" if rows.is_video[at].all() else "texts" if rows.frames[at].any() else "rows"
        parts.append(f"{len(at):,} {kind} ({name})")
    return f"{len(rows):,} rows: " + ", ".join(parts)


def _sees(found: Findings) -> list[str]:
    out = []
    for name, shown in list(found.rows.shown.items())[:SHEET_SOURCES]:
        if shown:
            out += _seen(name, shown[0])
    return out


def _seen(name: str, shown: Shown) -> list[str]:
    frames = _frames(shown)
    if not frames:
        return []
    is_text = frames.spans is not None
    kind = "a text, drawn" if is_text else "a video, sampled"
    figures = []
    for frame, caption in zip(frames, _captions(frames), strict=True):
        small = frame.copy()
        small.thumbnail((_TILE_PX, _TILE_PX))
        alt = f"{'Page of text' if is_text else 'Video frame'} from {shown.id}: {caption}"
        figures.append(
            page.picture(small, alt=alt, caption=caption, quality=None if is_text else 80)
        )
    talk = [["question", _cut(shown.question, 400)], ["answer", _cut(shown.answer, 400)]]
    return [
        page.heading(f"{name}: {kind}"),
        page.paragraph(f"{shown.id}: {len(frames)} of {frames.n_total} frames."),
        f'<div class="frames">{"".join(figures)}</div>',
        page.table(["", "what is said about it"], talk),
    ]


def _frames(shown: Shown) -> Any:
    try:
        return Frames(max_frames=SHEET_FRAMES).decode_example(dict(shown.value))
    except (BadVideo, MissingFile, InputError):
        return None


def _captions(frames: Any) -> list[str]:
    if frames.spans is not None:
        return [
            f"page {number}, characters {start:,} to {end:,}"
            for number, (start, end) in enumerate(frames.spans, 1)
        ]
    return [f"{time:.2f} s" for time in frames.timestamps_s]


def _map(found: Findings) -> list[str]:
    if found.map is None:
        return []
    names = found.rows.names()
    boxes = "".join(
        f'<label><input type="checkbox" data-source="{at}" checked>'
        f'<i style="background:{page.COLOURS[at % len(page.COLOURS)]}"></i>{escape(name)}</label>'
        for at, name in enumerate(names)
    )
    controls = (
        f'<div class="controls"><fieldset><legend>Sources shown</legend>{boxes}</fieldset>'
        '<label class="over screen">Words in the instruction'
        '<input type="search" id="map-words" autocomplete="off"></label></div>'
        '<p id="map-count" class="soft" role="status"></p>'
    )
    canvas = (
        '<div class="map"><canvas id="map" tabindex="0" role="application" '
        'aria-roledescription="map of instructions" aria-describedby="map-help" '
        'aria-label="Map of instructions: close points are alike. Numbers and the most frequent '
        'instructions are in the tables that follow."></canvas>'
        '<div id="map-said" class="said" role="status" hidden></div></div>'
    )
    help_ = (
        '<p id="map-help" class="soft">Close points are instructions in like words: templates make '
        "islands, a varied set a cloud. Point at one to read it; with the keyboard, focus the map "
        "and go by the arrow keys (Home: the middle, Escape: none).</p>"
    )
    templates = [
        page.details(
            f"The most frequent instructions of {name}",
            page.table(
                ["instruction", "rows of the sample"],
                [[_cut(text, 200), n] for text, n in source.templates],
            ),
        )
        for name, source in found.map.sources.items()
        if name != "all"
    ]
    return [
        page.paragraph(f"Embedded by {found.map.embedder}, laid out by t-SNE."),
        controls,
        canvas,
        help_,
        _diversity_table(found.map),
        *templates,
    ]


def _diversity_table(found: Diversity) -> str:
    head = [
        "source",
        "instructions",
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
            source.n_clusters,
            _interval(source.cluster_entropy),
            _interval(source.template_share),
            _interval(source.vendi),
            f"{source.distinct_1:.3f}",
            f"{source.distinct_2:.3f}",
            _interval(source.nearest),
        ]
        for name, source in found.sources.items()
    ]
    note = "How varied the instructions are, with 95 % bootstrap intervals"
    return page.table(head, rows, caption=note)


def _interval(figure: Figure) -> page.Raw:
    digits = 0 if figure.value >= 100 else 1 if figure.value >= 10 else 2
    value, low, high = (f"{x:,.{digits}f}" for x in (figure.value, figure.low, figure.high))
    return page.Raw(f'<span class="figure">{value}<small>{low}–{high}</small></span>')


def _lengths(found: Findings) -> list[str]:
    names = {
        "frames": "frames, before any limit",
        "duration": "duration of videos",
        "words": "words a frame",
        "text": "text tokens",
    }
    for family in TOKENS_PER_FRAME:
        names[f"visual {family}"] = f"visual tokens, {family}"
        names[f"all {family}"] = f"all tokens, {family}"
    options = "".join(f'<option value="{at}">{escape(name)}</option>' for at, name in names.items())
    swatches = "".join(
        f'<span><i style="background:{page.COLOURS[at % len(page.COLOURS)]}"></i>'
        f"{escape(name)}</span>"
        for at, name in enumerate(found.rows.names())
    )
    controls = (
        '<div class="controls"><label class="over">Measure'
        f'<select id="measure">{options}</select></label>'
        '<fieldset><legend>Scale</legend><label><input type="radio" name="scale" checked>linear'
        '</label><label><input type="radio" name="scale" id="scale-log">logarithmic</label>'
        "</fieldset></div>"
    )
    chart = (
        f'<p class="legend">{swatches}</p><div id="chart"></div>'
        '<p id="chart-said" class="soft" role="status"></p>'
        "<noscript><p>The pictures are in the folder beside this page.</p></noscript>"
    )
    return [_rates(found.rows), controls, chart, _lengths_table(found.rows)]


def _rates(rows: Rows) -> str:
    said = [
        f"{name}: {', '.join(f'{rate:g} a second' if rate else 'every frame' for rate in rates)}"
        for name, rates in rows.fps.items()
    ]
    videos = (
        f"Frames of videos are counted at the rate of their rows ({'; '.join(said)}), "
        if said
        else ""
    )
    return page.paragraph(
        f"{videos}{'those' if said else 'frames'} of texts are pages. Nothing was decoded for it."
    )


def _lengths_table(rows: Rows) -> str:
    from t2vid.insight.report import percentiles

    measures: dict[str, NDArray[Any]] = {
        "frames": rows.frames,
        "frames asked for": rows.kept_frames,
        "seconds": rows.durations_s,
        "words a frame": words_a_frame(rows),
        "text tokens": rows.text_tokens,
    }
    for family, each in TOKENS_PER_FRAME.items():
        measures[f"visual tokens, {family}"] = rows.kept_frames * each
    keys = ("p5", "p25", "p50", "p75", "p95", "max", "mean")
    lines = []
    for name in rows.names():
        at = rows.of(name)
        for measure, values in measures.items():
            if part := percentiles(values[at]):
                lines.append([name, measure, *(f"{part[key]:,.0f}" for key in keys)])
    head = ["source", "measure", "5 %", "25 %", "median", "75 %", "95 %", "largest", "mean"]
    return page.details("Percentiles of every measure", page.table(head, lines))


def _budgets(found: Findings) -> list[str]:
    rows, limits = found.rows, found.limits
    most_frames = max(int(rows.frames.max()), *(one.max_frames or 1 for one in PAPER.values()))
    dearest = max(TOKENS_PER_FRAME.values()) * int(rows.kept_frames.max())
    most_tokens = max(20_480, -(-(dearest + int(rows.text_tokens.max())) // 1024) * 1024)
    inputs = "".join(
        [
            _limit("max-frames", "Frames of a row", limits.max_frames, most_frames, 1),
            _limit("max-tokens", "Tokens of a row", limits.max_tokens, most_tokens, 128),
            _limit("video-frames", "Frames taken of a video", limits.video_frames, most_frames, 1),
        ]
    )
    presets = "".join(
        f'<button type="button" data-preset="{name}">{name}</button>' for name in PAPER
    )
    head = ["source", "rows", "too many frames", *TOKENS_PER_FRAME]
    drops = page.table(
        head, by_source(dropped(rows, limits)), caption="Rows that would be dropped", name="drops"
    )
    sampled = (
        f" These sums are over an even sample of {_CHART_ROWS:,} rows."
        if len(rows) > _CHART_ROWS
        else ""
    )
    return [
        page.paragraph(
            "Set the limits; the rows that they would drop are counted at once. A family's column "
            "counts rows with too many frames, or too many tokens at "
            + ", ".join(f"{each} a frame ({f})" for f, each in TOKENS_PER_FRAME.items())
            + f". An empty field is no limit.{sampled}"
        ),
        f'<div class="controls">{inputs}</div>',
        f'<div class="controls screen" role="group" aria-label="Limits of the paper">'
        f"<span>The paper's filters:</span>{presets}</div>",
        '<p id="drops-said" role="status"></p>',
        drops,
    ]


def _limit(name: str, label: str, value: int | None, most: int, step: int) -> str:
    shown = "" if value is None else value
    return (
        f'<label class="over">{label}<input type="number" id="{name}" min="1" value="{shown}" '
        f'placeholder="no limit"></label>'
        f'<input type="range" class="screen" data-for="{name}" min="{step}" max="{most}" '
        f'step="{step}" value="{most if value is None else value}" aria-label="{label}, slider">'
    )


def _flags(found: Findings) -> list[str]:
    names = found.rows.names() if len(found.rows.names()) > 1 else []
    head = ["flag", "share", "", "what it says", *names]
    lines = []
    for flag in found.flags:
        parts = [
            next((f"{one.value:.2f}" for one in found.by_source[name] if one.name == flag.name), "")
            for name in names
        ]
        lines.append([flag.name, f"{flag.value:.3f}", _bar(flag), _sentence(flag.says), *parts])
    shown = [
        page.details(
            f"Examples: {flag.name}",
            page.table(["what", "how often"], [[_cut(text, 160), n] for text, n in flag.examples]),
        )
        for flag in found.flags
        if flag.examples
    ]
    note = 'A pipeline stops on any of them with t2vid report … --fail-if "template_share>0.5".'
    return [page.table(head, lines), page.paragraph(note), *shown]


def _bar(flag: Flag) -> page.Raw:
    # the number stands beside it, so nobody needs to have it read out
    return page.Raw(
        f'<span class="bar" aria-hidden="true"><i style="width:{100 * flag.value:.1f}%"></i></span>'
    )


def _counts(found: Findings) -> list[str]:
    out = []
    for title, counts in (("Making it", found.subject.counts), ("Reading it", found.rows.counts)):
        if counts is None:
            continue
        lines: list[list[object]] = [
            [source or "-", what, n]
            for source, counter in counts.sources.items()
            for what, n in counter.items()
        ]
        out.append(page.table(["source", "what", "rows"], lines, caption=title))
    overlap = found.overlap
    parts = {
        "within a source": overlap.within_source,
        "between sources": overlap.between_sources,
        **overlap.benchmarks,
    }
    lines = [[where, kind, n] for where, kinds in parts.items() for kind, n in kinds.items()]
    out.append(page.table(["repeats", "kind", "pairs or rows"], lines, caption="What repeats"))
    return out


def _recipe(found: Findings) -> list[str]:
    subject = found.subject
    if subject.recipe is None:
        return []
    facts = page.table(["what", "value"], [[name, value] for name, value in subject.facts.items()])
    return [facts, page.code(subject.recipe.to_yaml())]


def _licences(found: Findings) -> list[str]:
    from t2vid.publishing.licences import NOT_STATED, concerns, strictest

    lines = [
        [name, "not stated" if one.id == NOT_STATED else one.id, one.where]
        for name, one in found.licences.items()
    ]
    top = strictest(found.licences)
    said = f"The strictest stated licence is {top}." if top != NOT_STATED else "None is stated."
    notes = [_sentence(text) for text in concerns(found.licences)]
    return [
        page.table(["source", "licence", "stated where"], lines),
        *(page.paragraph(text) for text in [said, *notes]),
    ]


def _method(found: Findings) -> list[str]:
    said = [
        f"Text tokens were counted by: {found.rows.counted_by}.",
        "Visual tokens are the paper's for one patch a frame: "
        + ", ".join(f"{family} {each}" for family, each in TOKENS_PER_FRAME.items())
        + ".",
        f"Clusters are groups of instructions within cosine {SAME} of one another; their entropy "
        "is in nats and grows with the number of instructions, so compare sources of equal "
        "numbers. The Vendi score (Friedman and Dieng, 2023) is the effective number of different "
        "instructions; the nearest neighbour's distance is 1 - cosine.",
        f"An opening is the first {OPENING_WORDS} words of an answer. Near repeats share four "
        "fifths of their shingles by MinHash.",
        "Pictures of lengths leave out what is above the 99.9th percentile, as the paper's Fig. 3 "
        "does; tables and thresholds do not.",
    ]
    return [page.paragraph(text) for text in said]


def _data(found: Findings) -> dict[str, Any]:
    rows = found.rows
    at = np.arange(len(rows))
    if len(rows) > _CHART_ROWS:
        at = np.linspace(0, len(rows) - 1, _CHART_ROWS).astype(np.int64)
    names = rows.names()
    number = {name: n for n, name in enumerate(names)}
    source = np.array([number[rows.sources[i]] for i in at])
    columns = {
        "source": source.astype("u1"),
        "is_video": rows.is_video[at].astype("u1"),
        "frames": rows.frames[at].astype("<u4"),
        "durations_s": rows.durations_s[at].astype("<f4"),
        "n_words": rows.n_words[at].astype("<u4"),
        "text_tokens": rows.text_tokens[at].astype("<u4"),
    }
    return {
        "sources": names,
        "colours": list(page.COLOURS),
        "families": TOKENS_PER_FRAME,
        "presets": {
            name: {"max_frames": one.max_frames, "max_tokens": one.max_tokens}
            for name, one in PAPER.items()
        },
        "map": _points(found.map, number),
        "rows": {
            "n": len(at),
            "columns": {
                name: base64.b64encode(values.tobytes()).decode()
                for name, values in columns.items()
            },
        },
    }


def _points(found: Diversity | None, number: dict[str, int]) -> dict[str, Any]:
    if found is None:
        return {"width": 1, "height": 1, "x": [], "y": [], "source": [], "text": [], "texts": []}
    at = np.arange(len(found.texts))
    if len(at) > _MAP_POINTS:
        at = np.linspace(0, len(at) - 1, _MAP_POINTS).astype(np.int64)
    xy = found.xy[at] - found.xy[at].min(axis=0)
    scale = 1000 / max(float(xy.max()), 1e-9)
    xy = np.rint(xy * scale).astype(int)
    limit = 400
    texts: dict[str, int] = {}
    while True:
        texts = {}
        text = [texts.setdefault(_cut(found.texts[i], limit), len(texts)) for i in at]
        if sum(len(one.encode()) for one in texts) <= _MAP_BYTES or limit <= 30:
            break
        limit = limit * 3 // 4
    return {
        "width": int(max(1, xy[:, 0].max())),
        "height": int(max(1, xy[:, 1].max())),
        "x": xy[:, 0].tolist(),
        "y": (int(xy[:, 1].max()) - xy[:, 1]).tolist(),  # up on the page as in the figures
        "source": [number[found.labels[i]] for i in at],
        "text": text,
        "texts": list(texts),
    }


def _cut(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _short(value: float) -> str:
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:,.1f}{unit}"
    return f"{value:,.0f}"
