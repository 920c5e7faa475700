"""Each operation of `datasets` on a `Frames` column works, or is refused in one line that names the way.

The list below is also on the page `docs/frames-column.md`; `python tests/frames/test_column_operations.py`
writes it anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import pytest
from datasets import Dataset, Features, Value, concatenate_datasets

from t2vid.errors import InputError
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.spec import RenderSpec, SampleSpec

PAGE = Path(__file__).parents[2] / "docs" / "frames-column.md"
SMALL = RenderSpec(width=64, height=64, margin_px=4, font_px=12)
KEPT = "the rows stay what they are made from"
EMPTY = dict.fromkeys(("text", "path", "bytes", "spec"))
COUNT = "lambda row: {'n': len(row['images'])}"
SAME = "stored(result) == stored(rows)"


class Operation(NamedTuple):
    """What is done, what must hold afterwards, and what the page says of it."""

    code: str
    holds: str = SAME
    says: str = KEPT
    error: str = ""


OPERATIONS = [
    Operation(f"rows.map({COUNT})"),
    Operation("rows.map(lambda row: {**row})"),
    Operation("rows.map(lambda row: {'images': list(row['images'])})"),
    Operation("rows.map(lambda batch: {'n': list(map(len, batch['images']))}, batched=True)"),
    Operation("rows.map(same, num_proc=2)"),
    Operation("rows.map(lambda images: {'n': len(images)}, input_columns=['images'])"),
    Operation(
        "rows.map(lambda row: {'images': None})",
        "stored(result) == [EMPTY] * 4",
        "rows without frames",
    ),
    Operation(
        "rows.map(lambda row: {'images': [one.rotate(90) for one in row['images']]})",
        error="not pixels.*List\\(Image\\(\\)\\) column",
    ),
    Operation(
        "rows.map(lambda row: {'pictures': row['images']})",
        SAME + " and result.features['pictures'] == List(Image())",
        "another column holds pictures, as for any list of images",
    ),
    Operation("rows.filter(lambda row: len(row['images']) >= 0)"),
    Operation("Dataset.from_list(list(rows), features=rows.features)"),
    Operation("Dataset.from_dict(rows[:], features=rows.features)"),
    Operation("Dataset.from_generator(lambda: iter(rows), features=rows.features)"),
    Operation(
        "Dataset.from_list(list(rows))",
        "result.features['images'] == List(Image())",
        "without `features=` they are pictures, as `datasets` takes any list of images",
    ),
    Operation(
        "rows.add_item(rows[1])",
        "stored(result) == [*stored(rows), stored(rows)[1]]",
        "one row more",
    ),
    Operation(
        "rows.select([0]).add_item({'id': 'new', 'images': {'text': 'A page.'}})",
        "result[-1]['images'].encoded['text'] == 'A page.'",
        "one row more",
    ),
    Operation(
        "rows.add_column('more', rows[:]['images'])",
        SAME + " and stored(result, 'more') == stored(rows)",
        "another Frames column",
    ),
    Operation(
        "concatenate_datasets([rows, rows]).unique('images')",
        "[one or EMPTY for one in result] == stored(rows)",
        "what is stored, each once",
    ),
    Operation(
        "rows.cast_column('images', Frames(max_frames=1))",
        SAME + " and [len(row['images']) for row in result] == [1, 1, 1, 0]",
        "another budget",
    ),
    Operation(
        "rows.cast_column('images', Frames(max_frames=2)).cast_column('images', List(Image()))",
        "[len(row['images']) for row in result] == [2, 2, 2, 0]",
        "the pictures of the column's budget",
    ),
    Operation(
        "rows.cast(Features(id=Value('string'), images=List(Image())))",
        "[len(row['images']) for row in result] == [3, 3, 2, 0]",
        "pictures",
    ),
    Operation(
        "rows.cast_column('images', List(Image())).cast_column('images', Frames())",
        error="not pixels.*List\\(Image\\(\\)\\) column",
    ),
    Operation(
        "rows.select([1, 2, 3]).cast_column('images', Video(decode=False))",
        "[bool(v and (v['path'] or v['bytes'])) for v in result[:]['images']] == [1, 1, 0]",
        "the video files",
    ),
    Operation("rows.cast_column('images', Video())", error="holds a text.*no video"),
    Operation(
        "rows.select([1, 3]).cast_column('images', Value('string'))",
        "result[:]['images'] == [stored(rows)[1]['path'], None]",
        "paths of videos",
    ),
    Operation("rows.cast_column('images', Value('string'))", error="holds a text.*no video"),
    Operation(
        "rows.select([2]).cast_column('images', Value('string'))", error="bytes, which has no path"
    ),
    Operation("rows.cast_column('images', Image())", error="cannot become Image.*List\\(Image"),
    Operation(
        "rows.cast_column('images', Frames().plain)",
        "[one or EMPTY for one in result[:]['images']] == stored(rows)",
        "what is stored, as plain columns that need no t2vid",
    ),
    Operation(
        "concatenate_datasets([rows, rows])",
        "stored(result) == stored(rows) * 2",
        "texts and videos in one column",
    ),
    Operation("concatenate_datasets([rows, few])", error="'images' is Frames.*max_frames=1.*alike"),
    Operation("interleave_datasets([rows, few])", error="'images' is Frames.*max_frames=1.*alike"),
    Operation(
        "interleave_datasets([stream, few.to_iterable_dataset()])",
        error="'images' is Frames.*max_frames=1.*alike",
    ),
    Operation(
        "concatenate_datasets([rows, rows.cast_column('images', List(Image()))])",
        error="'images' is Frames.*List\\(Image.*alike",
    ),
    Operation(
        "interleave_datasets([stream, stream])",
        "[row['id'] for row in result][:4] == ['0', '0', '1', '1']",
        "texts and videos in one stream",
    ),
    Operation("(rows.to_parquet(path), Dataset.from_parquet(path))[1]"),
    Operation(
        "(few.select([0, 1, 3]).to_json(path), Dataset.from_json(path, features=few.features))[1]",
        "stored(result) == stored(rows.select([0, 1, 3]))",
        "what is stored, where no video is stored as bytes",
    ),
    Operation("rows.to_json(path)", error="JSON holds no bytes.*to_parquet"),
    Operation("stream.to_json(path)", error="JSON holds no bytes.*to_parquet"),
    Operation("rows.to_csv(path)", error="no columns with fields.*to_parquet"),
    Operation("rows.to_sql('rows', f'sqlite:///{path}')", error="no columns with fields"),
    Operation("Dataset.from_pandas(rows.to_pandas(), features=rows.features)"),
    Operation("Dataset.from_polars(rows.to_polars(), features=rows.features)"),
    Operation("rows.with_format('polars')", error="to_polars\\(\\)"),
    Operation(
        "rows.with_format('pandas')[:]", "[len(r) for r in result.images] == [3, 3, 2, 0]", "frames"
    ),
    Operation(
        "rows.with_format('torch')[0]['images']",
        "tuple(result.shape) == (3, 1, 64, 64)",
        "frames as one tensor",
    ),
    Operation(
        "rows.with_format('numpy')[0]['images']", "result.shape == (3, 64, 64)", "as one array"
    ),
    Operation("(rows.save_to_disk(path), load_from_disk(path))[1]"),
    Operation("rows.sort('id').select(range(4)).flatten()"),
    Operation("rows.shard(2, 0)", "stored(result) == stored(rows)[:2]", "a part of the rows"),
    Operation(
        "rows.train_test_split(0.5, seed=0)['test']",
        "all(one in stored(rows) for one in stored(result))",
        "a part of the rows",
    ),
    Operation(
        "rows.rename_column('images', 'pages').remove_columns(['id'])",
        "stored(result, 'pages') == stored(rows)",
    ),
    Operation("DatasetDict(train=rows).map(lambda row: {**row})['train']"),
    Operation(
        f"stream.map({COUNT}, remove_columns=['images'])",
        "[row['n'] for row in result] == [3, 3, 2, 0]",
        "works while it streams",
    ),
    Operation(
        "Dataset.from_list(list(stream.shuffle(seed=0).filter(lambda row: True)),"
        " features=rows.features).sort('id')"
    ),
    Operation("Dataset.from_list(list(stream), features=rows.features)"),
    Operation(
        "stream.cast_column('images', List(Image()))",
        "[len(row['images']) for row in result] == [3, 3, 2, 0]",
        "pictures",
    ),
    Operation(
        "IterableDataset.from_generator(lambda: iter(rows), features=rows.features)",
        "[row['images'].encoded or EMPTY for row in result] == stored(rows)",
    ),
    Operation("rows.push_to_hub('me/rows')", error="t2vid.push.*List\\(Image"),
    Operation("DatasetDict(train=rows).push_to_hub('me/rows')", error="t2vid.push"),
    Operation("stream.push_to_hub('me/rows')", error="t2vid.push"),
]


def same(row: dict[str, Any]) -> dict[str, Any]:
    return row  # other processes find a function of a module by its name


def stored(dataset: Dataset, column: str = "images") -> list[Any]:
    values = dataset.cast_column(column, Frames(decode=False))[:][column]
    return [value or EMPTY for value in values]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    from media import make_clip

    clip = make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", size=(64, 48))
    values = [
        text_value("Two pages of a text, or three. " * 3, SMALL),
        video_value(clip, SampleSpec(max_frames=3)),
        video_value(clip.read_bytes(), SampleSpec(max_frames=2)),
        None,
    ]
    return Dataset.from_list(
        [{"id": str(at), "images": value} for at, value in enumerate(values)],
        features=Features(id=Value("string"), images=Frames()),
    )


# pyarrow 25 on what datasets 5.2 passes it in sort
@pytest.mark.filterwarnings("ignore:Specifying null_placement:FutureWarning")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.code)
def test_an_operation_works_or_names_the_way(
    rows: Dataset, operation: Operation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "polars" in operation.code:
        pytest.importorskip("polars")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    few = rows.cast_column("images", Frames(max_frames=1))
    names = {
        **vars(datasets),
        **globals(),
        "rows": rows,
        "few": few,
        "stream": rows.to_iterable_dataset(),
    }
    names["path"] = str(tmp_path / "file")
    if operation.error:
        with pytest.raises(InputError, match=operation.error) as caught:
            eval(operation.code, names)
        assert "\n" not in str(caught.value)
    else:
        names["result"] = eval(operation.code, names)
        assert eval(operation.holds, names)


def test_joining_datasets_without_frames_stays_as_it_was() -> None:
    one, other = Dataset.from_dict({"x": [1]}), Dataset.from_dict({"x": ["a"]})
    with pytest.raises(ValueError, match="can't be aligned") as caught:
        concatenate_datasets([one, other])
    assert not isinstance(caught.value, InputError)
    assert one.unique("x") == one.add_item({"x": 1}).unique("x") == [1]


def page_lists() -> str:
    """Give the operations as Markdown, by what comes of them."""
    kept = [one.code for one in OPERATIONS if not one.error and one.says == KEPT]
    rows = [(one.says, one.code) for one in OPERATIONS if not one.error and one.says != KEPT]
    refused: dict[str, list[str]] = {}
    for one in OPERATIONS:
        if one.error:
            words = [
                word + ")" * (word.count("(") - word.count(")"))
                for word in re.sub(r"\\(.)", r"\1", one.error).split(".*")
            ]
            refused.setdefault(" … ".join(words), []).append(one.code)

    def table(head: str, lines: list[tuple[str, str]]) -> list[str]:
        return [f"| {head} | operation |", "|---|---|", *(f"| {a} | `{b}` |" for a, b in lines), ""]

    return "\n".join(
        [
            *("## The rows stay what they are made from", "", "```text", *kept, "```", ""),
            *("## Something else comes of it", "", *table("what", rows)),
            *("## Refused", "", "The error says, among other words:", ""),
            *table("error", [(f"“{a}”", "`<br>`".join(b)) for a, b in refused.items()]),
        ]
    )


def test_the_page_tells_what_is_tested() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(page_lists())


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else sys.exit(f"{PAGE} is not there")
    PAGE.write_text(old.partition("## ")[0] + page_lists(), encoding="utf-8")
