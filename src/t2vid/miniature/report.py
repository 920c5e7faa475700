"""What the arms showed, as one Markdown page beside the paper's tables.

    python benchmarks/miniature.py report --out build/miniature

>>> points(0.4567)
'45.7'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from t2vid.evaluation.paper import ROWS
from t2vid.miniature.arms import ARMS, COMPARISONS
from t2vid.miniature.questions import KINDS, LETTERS, SEEN_KINDS, UNSEEN_KINDS
from t2vid.miniature.results import ArmResult
from t2vid.miniature.studies import STUDIES, Study, StudyPoint, of_tables, studied
from t2vid.miniature.verdicts import ArmVerdict, accuracy, lead, verdicts
from t2vid.scoring.statistics import Resampled

WANTED_SEEDS = 5
# InternVL's rows of Table 3, overall accuracy on Video-MME
_PAPER = {
    "zero-shot": "InternVL zero-shot",
    "sharegemini": "InternVL 30K ShareGemini",
    "video-chatgpt": "InternVL 30K Video-ChatGPT",
    "video": "InternVL 30K sampled",
    "hybrid": "InternVL 30K hybrid",
    "pure-text": "InternVL 30K pure-text",
    "full": "InternVL 200K",
}


def report(results: Sequence[ArmResult]) -> str:
    """Write the tables, the verdicts and what is still missing.

    Args:
        results: of all arms, studies and seeds.
    """
    main = of_tables(results)
    by_arm = {name: [r for r in main if r.arm == name] for name in ARMS}
    return "\n".join(
        [
            "## What was asked before the runs",
            "",
            *_stated(),
            "",
            "## Tables 1-3 in miniature",
            "",
            *_main_table(by_arm),
            "",
            *_missing(by_arm),
            "",
            "## The comparisons",
            "",
            *_verdict_table(verdicts(main)),
            "",
            "## By kind of question",
            "",
            *_kind_table(by_arm),
            "",
            "## What it cost",
            "",
            *_cost_table(by_arm),
            "",
            *_studies(results),
        ]
    )


def points(share: float) -> str:
    """Give a share in per cent, one digit after the point."""
    return f"{100 * share:.1f}"


def _stated() -> list[str]:
    out = ["| behind or no better | ahead or no worse | kinds | claim | what speaks against it |"]
    out.append("|---|---|---|---|---|")
    for c in COMPARISONS:
        margin = f" Margin: {points(c.margin)} points." if c.margin is not None else ""
        out.append(f"| {c.first} | {c.second} | {c.group} | {c.claim}{margin} | {c.against} |")
    return out


def _main_table(by_arm: dict[str, list[ArmResult]]) -> list[str]:
    head = "| arm | trained on | rows | seeds | unseen kinds | seen kinds | all | the paper's Video-MME |"
    out = [head, "|---|---|---|---|---|---|---|---|"]
    paper = {row.label: row.values["video_mme"] for row in ROWS}
    for name, results in by_arm.items():
        if not results:
            continue
        figures = [_shown(accuracy(results, kinds)) for kinds in (UNSEEN_KINDS, SEEN_KINDS, KINDS)]
        beside = paper[_PAPER[name]] if name in _PAPER else ""
        cells = [
            name,
            ARMS[name].title,
            f"{results[0].rows:,}",
            str(len(results)),
            *figures,
            str(beside),
        ]
        out.append(f"| {' | '.join(cells)} |")
    chance = points(1 / len(LETTERS))
    out += [
        "",
        f"Right answers in per cent, 95 % interval over seeds and clips; guessing {chance} %.",
    ]
    return out


def _missing(by_arm: dict[str, list[ArmResult]]) -> list[str]:
    short = {name: len(r) for name, r in by_arm.items() if ARMS[name].recipe}
    short = {name: n for name, n in short.items() if n < WANTED_SEEDS}
    if not short:
        return [f"Every arm has {WANTED_SEEDS} seeds."]
    listed = ", ".join(f"{name} {n}" for name, n in short.items())
    return [f"**Not finished**: fewer than {WANTED_SEEDS} seeds of: {listed}."]


def _verdict_table(found: Sequence[ArmVerdict]) -> list[str]:
    out = ["| comparison | kinds | difference, points | seeds ahead | p (Holm) | holds |"]
    out.append("|---|---|---|---|---|---|")
    for v in found:
        c = v.comparison
        low, high = (100 * value for value in (v.interval.low, v.interval.high))
        gap = f"{100 * v.lead.found.mean:+.1f} ({low:+.1f} to {high:+.1f})"
        p = "–" if c.margin is not None else f"{v.p_value:.4f}"
        how = f"no worse than by {points(c.margin)}" if c.margin is not None else "ahead of"
        name = f"{c.second} {how} {c.first}" if c.margin is None else f"{c.second} {how}: {c.first}"
        seeds = f"{v.lead.seeds_ahead} of {v.lead.seeds}"
        ahead = seeds if c.margin is None else f"({v.lead.seeds} seeds)"
        out.append(f"| {name} | {c.group} | {gap} | {ahead} | {p} | {'yes' if v.holds else 'no'} |")
    return out


def _kind_table(by_arm: dict[str, list[ArmResult]]) -> list[str]:
    arms = {name: results for name, results in by_arm.items() if results}
    out = [f"| kind | {' | '.join(arms)} |", "|---" * (len(arms) + 1) + "|"]
    asked = {r.kind(i) for rs in arms.values() for r in rs for i in range(len(r.questions))}
    for kind in (kind for kind in KINDS if kind in asked):  # a few clips may not ask all
        mark = " (seen)" if kind in SEEN_KINDS else ""
        shares = (points(accuracy(results, (kind,)).mean) for results in arms.values())
        out.append(f"| {kind}{mark} | {' | '.join(shares)} |")
    return out


def _studies(results: Sequence[ArmResult]) -> list[str]:
    found = studied(results)
    left_out = [study.name for study in STUDIES.values() if study not in found]
    out = ["## Studies", "", f"**Not run**: {', '.join(left_out)}.", ""] if left_out else []
    out = out or ["## Studies", ""]
    for study, points in found.items():
        out += [
            f"### {study.question}",
            "",
            f"Expected before the run: {study.expected}",
            "",
            *_study_table(study, points),
            "",
            f"![{study.question}](pictures/miniature_{study.name}.png)",
            "",
        ]
    return out


def _study_table(study: Study, found: Mapping[StudyPoint, list[ArmResult]]) -> list[str]:
    other = {r.seed: r for r in found.get(study.reference, [])}
    head = ["", "rows", "seeds", "unseen kinds", "seen kinds", "training, CPU s"]
    if other:
        head.append(f"unseen kinds, ahead of {study.reference.label}, points")
    out = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for point, results in found.items():
        cells = [
            point.label,
            f"{results[0].rows:,}",
            str(len(results)),
            _shown(accuracy(results, UNSEEN_KINDS)),
            _shown(accuracy(results, SEEN_KINDS)),
            f"{min(r.train_s for r in results):.0f}",
        ]
        pairs = [(other[r.seed], r) for r in results if r.seed in other]
        if pairs and point != study.reference:
            of = lead([a for a, _ in pairs], [b for _, b in pairs], UNSEEN_KINDS).found
            low, high = 100 * of.interval.low, 100 * of.interval.high
            cells.append(f"{100 * of.mean:+.1f} ({low:+.1f} to {high:+.1f})")
        elif other:
            cells.append("–")
        out.append(f"| {' | '.join(cells)} |")
    missing = [point.label for point in study.points if point not in found]
    return [*out, "", f"**Not run**: {', '.join(missing)}."] if missing else out


def _cost_table(by_arm: dict[str, list[ArmResult]]) -> list[str]:
    out = ["| arm | steps | training, CPU s | test, CPU s |", "|---|---|---|---|"]
    total = 0.0
    for name, results in by_arm.items():
        if not results:
            continue
        total += sum(r.train_s + r.test_s for r in results)
        # the fastest seed: on a crowded machine the same work takes up to four times the CPU time
        train, test = min(r.train_s for r in results), min(r.test_s for r in results)
        out.append(f"| {name} | {results[0].steps:,} | {train:.0f} | {test:.0f} |")
    spent = f"In all {total / 3600:.2f} CPU hours, some of them on a crowded machine."
    return [*out, "", f"Of the fastest seed. {spent}"]


def _shown(found: Resampled) -> str:
    low, high = found.interval.low, found.interval.high
    return f"{points(found.mean)} ({points(low)}–{points(high)})"
