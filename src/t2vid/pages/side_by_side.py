"""Two data sets on one page: their numbers beside one another and both on one map.

    t2vid compare t2vid/mix t2vid/synthetic --out both.html

>>> from t2vid.insight import compare
>>> found = compare(["Why?", "Who came?"], ["Count it.", "Describe it."], embedder="tfidf")
>>> "Who came?" not in html(found) and "Vendi" in html(found)
True
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from t2vid.insight import SideBySide, compare
from t2vid.insight.diversity import SAMPLE
from t2vid.insight.figures import map_figure
from t2vid.insight.plotting import to_bytes
from t2vid.insight.subject import subject_of
from t2vid.pages.template import render
from t2vid.storage.files import output_file, write_atomically


def html(found: SideBySide) -> str:
    """Give the page of a comparison."""
    first, second = found.names
    picture, narrow = (
        Image.open(io.BytesIO(to_bytes(map_figure(found.map, columns=columns))))
        for columns in (None, 1)
    )
    templates = {
        name: [[text, n] for text, n in found.map.sources[name].templates] for name in found.names
    }
    return render(
        "side_by_side.html",
        title=f"{first} and {second}",
        found=found,
        head=["measure", first, second, "difference"],
        n=found.map.sources[first].n,
        picture=picture,
        narrow=narrow,
        by_words=found.map.by_words,
        templates=templates,
    )


def compare_datasets(
    first: str,
    other: str,
    *,
    out: str | Path | None = None,
    data: str | Path | None = None,
    sample: int = SAMPLE,
    embedder: str | None = None,
    seed: int = 0,
) -> SideBySide:
    """Compare the instructions of two data sets, and write a page of both.

    Args:
        first: what `t2vid report` takes: a mix, a saved dataset, a file of rows, a recipe, a name.
        other: what it is compared with.
        out: the page; without it there is only the table.
        data: folder of annotation files and videos, for recipes.
        sample: instructions of each; the smaller data set decides.
        embedder: name or folder of a `sentence-transformers` model; by default the one that the extra
            `embed` brings, `tfidf` compares words.
        seed: of the sample, the map and the bootstrap.
    """
    one, two = (subject_of(what, data=data, by="compare") for what in (first, other))
    names = (one.name, two.name if two.name != one.name else f"{two.name} (other)")
    found = compare(
        one.dataset, two.dataset, names=names, sample=sample, embedder=embedder, seed=seed
    )
    if out is not None:
        write_atomically(output_file(out), html(found))
    return found
