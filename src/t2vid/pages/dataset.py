"""What is in a dataset, on one page that stands alone: before anybody pays for a GPU.

    t2vid report t2vid/mix sample --out report.html
    t2vid report hybrid-30k --data corpora --fail-if "template_share>0.5"

Beside the page a folder of its name holds the same figures as PNG, SVG and `figures.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.insight.diversity import SAMPLE
from t2vid.insight.figures import FIGURES, figures
from t2vid.insight.findings import METRICS, Findings, findings
from t2vid.insight.flags import failed, parsed
from t2vid.insight.subject import subject_of
from t2vid.pages.dataset_sheets import sheets
from t2vid.pages.dataset_view import html
from t2vid.storage.files import AnyPath, output_file, path_of, write_atomically
from t2vid.storage.staging import staged_folder


@dataclass(frozen=True)
class Report:
    """Where a report is, what it found, and which conditions hold."""

    page: AnyPath
    folder: AnyPath
    findings: Findings
    failed: list[str]


def report(
    what: Any,
    config: str | None = None,
    *,
    out: str | Path = "report.html",
    data: str | Path | None = None,
    sample: int = SAMPLE,
    embedder: str | None = None,
    benchmarks: Mapping[str, str | Path] | None = None,
    fail_if: Iterable[str] = (),
    seed: int = 0,
) -> Report:
    """Write the page of a dataset, and beside it the same figures as PNG, SVG and JSON.

    Args:
        what: a `Dataset`; the folder of a built mix or of `save_to_disk`; a name for
            `load_dataset`; a recipe, its name or its YAML file.
        config: of a name for `load_dataset`.
        out: the page; figures go into a folder of its name without the ending.
        data: folder of annotation files and videos, for a recipe or where the videos moved.
        sample: instructions of each source on the map.
        embedder: name or folder of a `sentence-transformers` model; by default the one that the extra
            `embed` brings, `tfidf` compares words.
        benchmarks: files of benchmark questions by name, to look for in the dataset.
        fail_if: conditions such as `"template_share>0.5"`; those that hold are in
            `Report.failed`, and end the command with 1.
        seed: of the sample, the map and the bootstrap.

    Raises:
        InputError: when `what` is no dataset, or a condition names no metric.
        MissingExtra: when the extra `insight` is not installed.
    """
    conditions = list(fail_if)
    for condition in conditions:  # before minutes of work, not after
        parsed(condition, METRICS)
    page = path_of(out)
    if page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"out ({page}) must end in .html; its figures go into a folder beside it")
    found = findings(
        subject_of(what, config, data=data),
        sample=sample,
        embedder=embedder,
        benchmarks=benchmarks,
        seed=seed,
    )
    folder = page.with_suffix("")
    with staged_folder(folder) as local:
        local.mkdir(parents=True, exist_ok=True)
        _write_figures(found, local)
    write_atomically(output_file(page), html(found, folder.name))
    values = found.values()
    absent = [c for c in conditions if parsed(c, METRICS)[0] not in values]
    if absent:
        raise InputError(f"{absent[0]!r} needs a map, and the dataset has one instruction only")
    return Report(page, folder, found, failed(values, conditions))


def _write_figures(found: Findings, folder: Path) -> None:
    for old in folder.iterdir():  # a measure or a source that the rows have no more
        if old.stem in FIGURES or old.name.startswith("sheet-"):
            old.unlink()
    for name, content in figures(found.rows, found.map).items():
        (folder / name).write_bytes(content)
    for name, sheet in sheets(found).items():
        sheet.save(folder / f"sheet-{name}.png")
    text = json.dumps(found.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "figures.json").write_text(text + "\n", encoding="utf-8")
