"""Benchmarks in their authors' formats: rows, tables, traps, result files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, load_dataset

import t2vid  # noqa: F401  (registers the names)
from t2vid.catalog import BENCHMARKS, official_prompt
from t2vid.corpora.counting import read_counts
from t2vid.errors import InputError, MissingFile
from t2vid.evaluation import asking
from t2vid.evaluation.benchmarks.lvbench import flat
from t2vid.evaluation.benchmarks.questions import features
from t2vid.evaluation.benchmarks.reader import reader_of
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.exchange import export, read_predictions
from t2vid.evaluation.report import run_tables
from t2vid.evaluation.score import score
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec
from t2vid.schema import Counts

EIGHT = "\n".join(f"{letter}. option {letter.lower()}" for letter in "ABCDEFGH")


def v2(kinds: str = "relevance", structure: str = "[1, 2, 3, 4]", video: int = 1) -> list[Any]:
    last = {"level": "1", "second_head": "Order", "third_head": "Part"}
    none = dict.fromkeys(last, "None")
    return [
        {
            "video_id": f"{video:03}",
            "url": "u",
            "group_type": kinds,
            "group_structure": structure,
            "question_id": f"{video:03}-{k}",
            "question": f"Question {k} about {video}?",
            "options": EIGHT,
            "answer": "A",
            **(last if k == 4 else none),
        }
        for k in (1, 2, 3, 4)
    ]


def lvb(n: int = 2, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"v{at}_0",
            "video_path": f"v{at}.mp4",
            "subtitle_path": f"v{at}_en.json",
            "question": f"What {at}?",
            "candidates": ["a pan", "a jug", "a rope"],
            "correct_choice": at % 3,
            "duration": 20.0,
            "duration_group": [15, 600][at % 2],
            "question_category": ["S2O", "T3E"][at % 2],
            "starting_timestamp_for_subtitles": 100.0,
            **more,
        }
        for at in range(n)
    ]


PLOT = {
    "video": "p.mp4",
    "duration": 9,
    "question": "Which?",
    "candidates": ["x", "y", "z", "w"],
    "answer": "y",
    "question_type": "plotQA",
}
NEEDLE = {**PLOT, "video": "n.mp4", "question_type": "findNeedle"}
MLVU = [
    PLOT,
    {**PLOT, "question": "Same twice?", "candidates": ["x", "y", "x", "w"], "answer": "x"},
    {**PLOT, "question": "", "candidates": ["", "", "", ""], "answer": ""},
    NEEDLE,
    {**NEEDLE, "question": "None of them?", "answer": "v"},
]
LVBENCH = [
    {
        "key": "yt1",
        "type": "cartoon",
        "qa": [
            {
                "uid": str(at),
                "question": f"What {at}?\n(A) drum\n(B) lamp\n(C) map\n(D) rope",
                "answer": "C",
                "question_type": [["reasoning"], ["reasoning", "summarization"]][at],
                "time_reference": "00:15-00:19",
            }
            for at in (0, 1)
        ],
    }
]
EGO = [
    {"q_uid": f"u{at}", "question": "Why?"} | {f"option {k}": f"c does {k}" for k in range(5)}
    for at in (0, 1)
]
NEXT = [
    {"video": 90 + at, "frame_count": 9, "width": 4, "height": 3, "question": "why", "answer": at}
    | {"qid": at, "type": ["CW", "TP", "DL"][at]}
    | {f"a{k}": f"reason {k}" for k in range(5)}
    for at in range(3)
]
PERCEPTION = {
    "video_1": {
        "metadata": {"frame_rate": 10.0},
        "mc_question": [
            {"id": at, "question": "How many?", "options": ["one", "two", "three"]}
            | {"answer_id": at, "area": ["memory", "physics"][at], "tag": []}
            for at in (0, 1)
        ],
    }
}


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(value), path)
    elif path.suffix == ".csv":
        with open(path, "w", newline="") as file:
            table = csv.DictWriter(file, list(value[0]))
            table.writeheader()
            table.writerows(value)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in value))
    else:
        path.write_text(json.dumps(value, indent=1))
    return path


def flat_options(row: dict[str, Any]) -> dict[str, Any]:
    given = [*row["candidates"], "N/A", "N/A"][:5]
    rest = {key: value for key, value in row.items() if key != "candidates"}
    return rest | {f"option{k}": text for k, text in enumerate(given)}


# benchmark, configuration, file, what it holds, ids, right letters, categories
LAYOUTS: dict[str, tuple[str, str | None, str, Any, str, str, str]] = {
    "v2": ("video_mme_v2", None, "test.parquet", v2(), "001-1 001-2 001-3 001-4", "AAAA", "Order"),
    "lvb json": ("longvideobench", None, "lvb_val.json", lvb(), "v0_0 v1_0", "AB", "S2O T3E"),
    "lvb parquet": (
        "longvideobench",
        None,
        "validation-00000.parquet",
        [flat_options(row) for row in lvb()],
        "v0_0 v1_0",
        "AB",
        "S2O T3E",
    ),
    "mlvu": ("mlvu", None, "json/1_plotQA.json", MLVU[:2], "plotQA/0 plotQA/1", "BC", "plotQA"),
    "mlvu repository": ("mlvu", "needle", "data/2_needle.json", [NEEDLE], "needle/0", "B", "needle"),
    "mlvu parquet": (
        "mlvu",
        None,
        "mlvu/test-0.parquet",
        [{"video_name": "p.mp4", "question": "Which?\n(A) x\n(B) y", "answer": "B"} | {"task_type": "ego"}],
        "ego/0",
        "B",
        "ego",
    ),
    "lvbench": ("lvbench", None, "video_info.meta.jsonl", LVBENCH, "0 1", "CC", "reasoning"),
    "lvbench parquet": (
        "lvbench",
        None,
        "data/train-0.parquet",
        [row for _, row in flat(enumerate(LVBENCH))],
        "0 1",
        "CC",
        "reasoning",
    ),
    "egoschema": ("egoschema", "full", "questions.json", EGO, "u0 u1", "", ""),
    "egoschema parquet": (
        "egoschema",
        None,
        "Subset/test-0.parquet",
        [{"question_idx": "1", "video_idx": "u0", "question": "Why?", "answer": "1"} | {"option": ["A. x", "B. y"]}],
        "u0",
        "B",
        "",
    ),
    "nextqa": ("nextqa", None, "test.csv", NEXT, "90_0 91_1 92_2", "ABC", "CW TN DL"),
    "nextqa val": ("nextqa", "validation", "nextqa/val.csv", NEXT[:1], "90_0", "A", "CW"),
    "nextqa parquet": ("nextqa", None, "MC/test-0.parquet", NEXT[:1], "90_0", "A", "CW"),
    "perception": (
        "perception_test",
        None,
        "mc_question_valid.json",
        PERCEPTION,
        "video_1/0 video_1/1",
        "AB",
        "memory physics",
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_ids_letters_and_categories(layout: str, tmp_path: Path):
    name, config, file, value, ids, letters, categories = LAYOUTS[layout]
    write(tmp_path / file, value)
    rows = load_dataset(f"t2vid/{name}", config, data_dir=str(tmp_path), split="test")
    assert rows["id"][:] == [f"{name}/{one}" for one in ids.split()]
    assert "".join(rows["answer"][:]) == letters and not read_counts(rows).dropped
    found = [row.split(",")[0] for row in rows["category"][:]]
    assert found == (categories.split() * len(found))[: len(found)] or not categories
    assert rows["source"][0] == name and json.loads(rows["official"][0])
    with pytest.raises(MissingFile):  # no video is there, and the question stays
        rows[0]["images"]
    with pytest.raises(MissingFile):
        load_dataset(f"t2vid/{name}", config, data_dir=str(tmp_path), missing="raise")


def test_what_lies_beside_the_questions_counts_when_it_comes_later(tmp_path: Path):
    write(tmp_path / "questions.json", EGO)

    def letters() -> list[str]:
        rows = load_dataset("t2vid/egoschema", "full", data_dir=str(tmp_path), split="test")
        return list(rows["answer"][:])

    assert letters() == ["", ""]
    write(tmp_path / "subset_answers.json", {"u1": 3})
    assert letters() == ["", "D"]
    rows = load_dataset("t2vid/egoschema", data_dir=str(tmp_path), split="test")
    assert rows["id"][:] == ["egoschema/u1"]


def test_a_video_that_gives_its_answer_away_ends_at_the_authors_frame(tmp_path: Path):
    write(tmp_path / "mc_question_valid.json", PERCEPTION)
    write(tmp_path / "cut_frame_mapping_valid.json", {"video_1": 45})
    rows = load_dataset("t2vid/perception_test", data_dir=str(tmp_path), split="test")
    stored = rows.cast_column("images", Frames(decode=False))[0]["images"]
    assert json.loads(stored["spec"])["end_s"] == 4.5  # at its 10 frames a second


def test_subtitles_are_shown_as_each_benchmark_shows_them(tmp_path: Path):
    write(tmp_path / "test.parquet", v2())
    words = [
        {"text": w, "start_time": t, "end_time": t + 0.2} for t, w in enumerate("one two".split())
    ]
    write(tmp_path / "subtitle" / "001.jsonl", words)
    write(tmp_path / "lvb_val.json", lvb(1))
    cues = [
        {"timestamp": [101.0, 102.0], "text": "seen"},
        {"timestamp": [110.0, 111.0], "text": "not at a frame"},
        {"timestamp": [119.0, None], "text": "open end"},
    ]
    write(tmp_path / "subtitles" / "v0_en.json", cues)
    frames = _at(1.5, 19.5)
    shown = {}
    for name in ("video_mme_v2", "longvideobench"):
        kwargs = {"subtitle_dir": str(tmp_path / "subtitles")} if name == "longvideobench" else {}
        rows = load_dataset(
            f"t2vid/{name}", "subtitles", data_dir=str(tmp_path), split="test", **kwargs
        )
        how = EvalConfig.named(f"{name.replace('_', '-')}-subtitles")
        shown[name] = asking.ask(rows.remove_columns("images")[0], 0, frames, how).prompt
    assert "subtitles are listed below:\none two\nQuestion: Question 1" in shown["video_mme_v2"]
    assert shown["longvideobench"].startswith("seen\nopen end\nQuestion: What 0?\nA. a pan")


def _at(*times_s: float) -> FrameList:
    from PIL import Image

    frames = FrameList([Image.new("RGB", (4, 4))] * len(times_s))
    frames.timestamps_s = list(times_s)
    return frames


def test_every_official_prompt_is_a_protocol_and_holds_what_it_must():
    for entry in BENCHMARKS:
        for way in entry.ways:
            how = EvalConfig.named(way.name)
            row = {"question": "Which way?", "options": ["left", "right"], "style": "choice"}
            text = asking.prompt_of(row, how)
            assert "Which way?" in text and way.option.format("B", "right") in text
            assert official_prompt(way.name) is way


def judged(
    name: str, questions: Any, said: list[str], out: Path, **settings: Any
) -> dict[str, Any]:
    """Score answers to questions through the file that anybody may write."""
    rows = dataset(questions)
    path = out / "mine.jsonl"
    out.mkdir(exist_ok=True)
    ids = [one.partition("/")[2] for one in rows["id"]]
    write(path, [{"id": i, "prediction": s} for i, s in zip(ids, said, strict=True)])
    run, _ = read_predictions(path, rows, out=out / "run")
    return score(run, **settings)


def dataset(questions: Any) -> Any:
    rows = [question.row(None, SampleSpec()) for question in questions]
    return Dataset.from_list(rows, features=features(Frames()))


def questions(name: str, records: list[Any], config: str = "") -> list[Any]:
    return list(reader_of(name).convert(enumerate(records), Counts(), config=config))


def test_an_answer_that_v2s_script_cannot_read_is_wrong_here_and_right_there(tmp_path: Path):
    both = [*v2("logic", "[1, [2, 3], 4]"), *v2("relevance", video=2)]
    said = ["…", "…", "…", "…", "A", "A", "A", "…"]
    asked = questions("video_mme_v2", both)
    ours = judged("video_mme_v2", asked, said, tmp_path / "a")["official"]["video_mme_v2"]
    assert (ours["logic_score"], ours["relevance_score"]) == (0, 56.25)
    assert ours["total"] == ours["level_1"] == ours["second_head: Order"] == 28.125
    assert ours["accuracy of questions"] == 37.5
    theirs = judged("video_mme_v2", asked, said, tmp_path / "b", scheme="official")["official"]
    assert theirs["video_mme_v2"]["logic_score"] == 100  # -1 is true
    assert theirs["video_mme_v2"]["relevance_score"] == 25  # -1 takes one from the count


def test_mlvu_gives_both_means_and_keeps_what_cannot_be_answered(tmp_path: Path):
    asked = questions("mlvu", MLVU)
    assert [q.answer for q in asked] == ["B", "C", "", "B", ""]
    said = ["(B) y", "A", "D", "(A) x", "B"]
    scores = judged("mlvu", asked, said, tmp_path / "a")
    ours = scores["official"]["mlvu"]
    assert scores["n"] == 3 and scores["without_answer"] == 2
    # "A" names the text that stands twice
    assert (ours["plotQA"], ours["needle"], ours["M-Avg (mean of tasks)"]) == (100, 0, 50)
    assert ours["pooled (VLMEvalKit's M-Avg)"] == pytest.approx(200 / 3)
    theirs = judged("mlvu", asked, said, tmp_path / "b", scheme="official")["official"]["mlvu"]
    assert theirs["plotQA"] == pytest.approx(200 / 3)  # the empty row's D is right, the A is not
    assert theirs["M-Avg as its script counts"] == pytest.approx(100 / 3)


def test_a_question_of_two_types_counts_in_both(tmp_path: Path):
    asked = questions("lvbench", [row for _, row in flat(enumerate(LVBENCH))])
    found = judged("lvbench", asked, ["(C) map", "A"], tmp_path)["official"]["lvbench"]
    assert found == {"Overall": 50, "Rea": 50, "Sum": 0}


def test_before_counts_with_after_and_kinds_are_added_up(tmp_path: Path):
    found = judged("nextqa", questions("nextqa", NEXT), ["A", "B", "A"], tmp_path)["official"]
    assert found["nextqa"] == {
        "Why": 100,
        "Bef&Aft": 100,
        "Loc": 0,
        "Acc_C": 100,
        "Acc_T": 100,
        "Acc_D": 0,
        "Acc": pytest.approx(200 / 3),
    }


EXPORTED: dict[str, tuple[Any, list[str], Any]] = {
    "longvideobench": (lvb(), ["A.", "?"], {"v0_0": "A.", "v1_0": "?"}),
    "lvbench": ([row for _, row in flat(enumerate(LVBENCH))], ["(C) map", "?"], {"0": "C"}),
    "egoschema": ([row | {"answer": 1} for row in EGO], ["B", "?"], {"u0": 1, "u1": -1}),
    "nextqa": (
        NEXT[:2],
        ["C", "?"],
        {"90_0": {"prediction": 2, "answer": 0}, "91_1": {"prediction": -1, "answer": 1}},
    ),
    "perception_test": (
        [{"video_name": "v", "question_id": "4", "question": "?", "options": ["x", "y", "z"], "answer_id": "0"}],
        ["C"],
        {"v": [{"id": 4, "answer_id": 2, "answer": "z"}]},
    ),
    "mlvu": (
        [PLOT],
        ["(B) y"],
        {
            "acc_dict": {"plotQA": [1, 1]},
            "res_list": [
                {
                    "pred": "(B) y",
                    "gt": "(B) y",
                    "question": "Question: Which?\nOptions:\n(A) x\n(B) y\n(C) z\n(D) w",
                    "question_type": "plotQA",
                    "video": "p.mp4",
                }
            ],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*EXPORTED, "video_mme_v2"])
def test_the_authors_file_is_written_and_read_back_with_the_same_score(name: str, tmp_path: Path):
    records, said, wanted = EXPORTED.get(name, (v2(), ["A", "A", "Final Answer: B", ""], None))
    asked = questions(name, records)
    scores = judged(name, asked, said, tmp_path / "a")
    suffix = ".tsv" if name == "video_mme_v2" else ".json"
    (path,) = export(tmp_path / "a" / "run", name, tmp_path / f"theirs{suffix}")
    if wanted is not None:
        assert json.loads(path.read_text()) == wanted
    run, _ = read_predictions(path, dataset(asked), out=tmp_path / "back")
    again = score(run)
    assert (again["accuracy"], again["official"]) == (scores["accuracy"], scores["official"])


READ: list[tuple[str, str, str | None]] = [
    ("video_mme_v2", "Because of that: Final Answer: C", "B"),
    ("video_mme", "Best answer: C", "B"),
    ("longvideobench", "The best option is C", "C"),
    ("mlvu", "(B) Red (C)", "B"),
    ("mlvu", "B. Red", None),
    ("lvbench", "(C) a map", "C"),
    ("lvbench", "It is C", "I"),
    ("egoschema", "not (A) but (B)", "A"),
    ("nextqa", "not (A) but (B)", "B"),
    ("perception_test", "A man holds B", "A"),
    ("mvbench", "Best option:(C) x", "C"),
    ("mvbench", "The answer is C", None),
    ("mvbench", "c. x\n(A)", "C"),
    ("mvbench", "", "D"),  # nothing fits every option, so it is right
    ("tempcompass", "C) x", "C"),
    ("tempcompass", "(C)", None),
]


@pytest.mark.parametrize(("name", "said", "letter"), READ)
def test_the_authors_reading_is_kept_with_its_mistakes(name: str, said: str, letter: str | None):
    line = {"id": "q", "options": ["v", "w", "x", "y", "z"], "answer": "D", "style": "choice"}
    assert reader_of(name).parse(said, line) == letter


@pytest.mark.parametrize(
    ("style", "said", "letter"),
    [
        ("yes_no", "Nothing of it. Yes.", "B"),
        ("yes_no", "It is", None),
        ("matching", "Option 2: It bows.", "B"),
        ("matching", "1.", "A"),
        ("matching", "It waves", "A"),  # a caption is compared up to ": "
        ("matching", "It waves: once.", None),
        ("matching", "2) It bows.", "B"),
        ("caption", "A. It waves", None),
    ],
)
def test_tempcompass_other_forms_are_read_by_their_own_rules(style, said, letter):
    line = {"style": style, "labels": ["Option 1", "Option 2"], "answer": "A"}
    line["options"] = ["It waves: once.", "It bows."]
    assert reader_of("tempcompass").parse(said, line) == letter


def test_mvbench_and_tempcompass_print_their_authors_tables(tmp_path: Path):
    record = {"video": "a", "question": "?", "candidates": ["x", "y"], "answer": "y"}
    asked = questions("mvbench", [record, record], "action_count")
    scores = judged("mvbench", asked, ["B", "(A)"], tmp_path, scheme="official")
    assert scores["official"]["mvbench"] == {"Avg": 50, "action_count": 50}
    one = {"video_id": "1", "dim": "order", "question": "Is it?", "answer": "yes"}
    asked = questions("tempcompass", [one, one, {**one, "dim": "speed"}], "yes_no")
    scores = judged("tempcompass", asked, ["Yes", "", "yes"], tmp_path / "t", scheme="official")
    assert scores["official"]["tempcompass"] == {"avg": 200 / 3, "order": 50, "speed": 100}


def test_where_they_draw_a_letter_ours_draws_the_same_one_each_time():
    line = {"id": "q", "options": ["v", "w", "x", "y", "z"]}
    for name in ("longvideobench", "egoschema", "nextqa"):
        assert {reader_of(name).parse("…", line) for _ in range(5)} <= set("ABCDE")


def test_official_reading_of_another_benchmark_is_refused_by_name(tmp_path: Path):
    record = {"video": "a", "question": "?", "options": ["x", "y"], "answer": "y"}
    asked = questions("questions", [record])
    with pytest.raises(InputError, match="not known of 'questions', only of .*'mlvu'"):
        judged("questions", asked, ["B"], tmp_path, scheme="official")


def test_questions_without_a_public_answer_are_asked_exported_and_not_scored(tmp_path: Path):
    hidden = [{k: v for k, v in row.items() if k != "correct_choice"} for row in lvb()]
    asked = questions("longvideobench", hidden, "test")
    assert [q.answer for q in asked] == ["", ""]
    scores = judged("longvideobench", asked, ["A", "B"], tmp_path / "a")
    assert (scores["accuracy"], scores["n"], scores["without_answer"]) == (None, 0, 2)
    assert "2 questions have no public right answer" in str(run_tables([scores])[0].notes)
    (path,) = export(tmp_path / "a" / "run", "longvideobench", tmp_path / "x.json")
    assert json.loads(path.read_text()) == {"v0_0": "A", "v1_0": "B"}
    row = dataset(asked).remove_columns("images")[0]
    assert asking.rotated(row, 1)["answer"] == ""


OWN: list[tuple[dict[str, Any], str]] = [
    ({"options": ["red", "blue"], "answer": "blue"}, "B"),
    ({"options": ["red", "blue"], "answer": "b"}, "B"),
    ({"options": ["red", "blue"], "answer": "(A)"}, "A"),
    ({"options": ["red", "blue"], "answer": 1}, "B"),
    ({"options": ["3", "1", "0"], "answer": "1"}, "B"),
    ({"options": "A. red\nB. blue", "answer": "B"}, "B"),
    ({"options": {"A": "red", "B": "blue"}, "answer": "red"}, "A"),
    ({"A": "red", "B": "blue", "C": "", "answer": "B"}, "B"),
    ({"options": ["red", "blue"]}, ""),
    ({"options": ["red", "blue"], "answer": "green"}, "none of the options"),
    ({"options": ["B", "A"], "answer": "A"}, "the text of another option"),
    ({"options": ["red"], "answer": "A"}, "one option is no choice"),
    ({"options": "red or blue", "answer": "A"}, "neither a list"),
    ({"options": ["red", "blue"], "answer": "A", "start_s": "soon"}, "no number of seconds"),
    ({"A": "red", "C": "blue", "answer": "A"}, "gap"),
    ({"options": {"A": "red", "B": "blue"}, "answer": "B"}, "B"),
    ({"options": {"b": "blue", "a": "red"}, "answer": "b"}, "B"),
    ({"options": {"2": "blue", "1": "red", "10": "tan"}, "answer": 2}, "B"),
    ({"options": {"0": "red", "1": "blue"}, "answer": "1"}, "B"),
    ({"options": {"no": "red", "yes": "blue"}, "answer": "yes"}, "B"),
    ({"options": {"B": "red", "C": "blue"}, "answer": "B"}, "gap"),
    ({"options": ["red", "", "blue"], "answer": "blue"}, "gap"),
    ({"options": ["red", "blue", "", ""], "answer": "blue"}, "B"),
    ({"options": ["A. red", "B. blue"], "answer": "blue"}, "B"),
    ({"options": ["(A) red", "(B) blue"], "answer": "(B) blue"}, "B"),
    ({"options": ["red", "blue"], "answer": "B. blue"}, "B"),
    ({"options": ["red", "blue"], "answer": "B. red"}, "another option"),
    ({"options": ["red", "blue"], "answer": "B. green"}, "another option"),
    ({"question": "Which?\nA. red\nB. blue", "answer": "B"}, "B"),
    ({"options": [f"o{n}" for n in range(11)], "answer": "A"}, "more than 10 options"),
    ({"options": [], "answer": "A"}, "options are no list"),
    ({"options": ["赤", "青い"], "answer": "青い"}, "B"),
]


@pytest.mark.parametrize(("given", "wanted"), OWN)
def test_ones_own_questions_say_their_answer_in_any_way_that_is_clear(given: Any, wanted: str):
    counts = Counts()
    rows = [(0, {"id": "q", "video": "a.mp4", "question": "Which?", **given})]
    found = [q.answer for q in reader_of("questions").convert(rows, counts)]
    if len(wanted) < 2:
        assert found == [wanted]
    else:
        (reason,) = counts.dropped
        assert not found and wanted in reason


@pytest.mark.parametrize("options", [None, ["red", "blue"], ["A. red", "B. blue"]])
def test_options_are_shown_once_and_without_their_letters_wherever_they_stood(options: Any):
    row = {"id": "q", "video": "a.mp4", "question": "Which?\nA. red\nB. blue", "answer": "B"}
    row |= {"options": options} if options else {}
    (found,) = reader_of("questions").convert([(0, row)], Counts())
    assert (found.question, found.options) == ("Which?", ("red", "blue"))
    (other,) = reader_of("questions").convert(
        [(0, row | {"options": ["x", "y"], "answer": "x"})], Counts()
    )
    assert other.question == row["question"]  # lines that are no list of these options


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json", "parquet"])
def test_ones_own_file_is_a_benchmark(suffix: str, tmp_path: Path):
    rows = [
        {"id": f"q{at}", "video": "a.mp4", "question": "Which?", "A": "red", "B": "blue"}
        | {"answer": "blue", "category": "colour", "end_s": 2.5}
        for at in (0, 1)
    ]
    path = write(tmp_path / f"mine.{suffix}", rows)
    found = load_dataset("t2vid/questions", data_files=str(path), split="test")
    assert found["id"][:] == ["questions/q0", "questions/q1"] and found["answer"][:] == ["B", "B"]
    with pytest.raises(MissingFile, match="no public files"):
        load_dataset("t2vid/questions", split="test")


@pytest.mark.parametrize(
    "row",
    [
        {"Question ID": "q0", "video_path": "a.mp4", "prompt": "Which?", "GT": "blue"}
        | {"choices": {"A": "red", "B": "blue"}, "Task-Type": "colour"},
        {"qid": "q0", "clip": "a.mp4", "query": "Which?", "label": 1, "options": "red | blue"}
        | {"type": "colour"},
        {"uid": "q0", "file": "a.mp4", "question": "Which?", "option_1": "red", "option_2": "blue"}
        | {"correct option": "2", "category": "colour"},
    ],
)
def test_columns_are_known_by_the_names_that_people_give_them(row: Any, tmp_path: Path):
    wrapped = {"version": 1, "questions": [row]}
    by_id = {"q0": {key: value for key, value in row.items() if not key.lower().endswith("id")}}
    for at, whole in enumerate(([row], wrapped, by_id)):
        path = tmp_path / f"mine{at}.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
        (found,) = load_dataset("t2vid/questions", data_files=str(path), split="test")
        assert (found["id"], found["question"]) == ("questions/q0", "Which?")
        assert (found["options"], found["answer"]) == (["red", "blue"], "B")
        assert (found["video"], found["category"]) == ("a.mp4", "colour")


def test_a_question_without_a_video_says_which_columns_there_are():
    counts = Counts()
    rows = [(0, {"question": "Which?", "film": "a.mp4"}), (1, {"question": "Which?", "video": ""})]
    assert not list(reader_of("questions").convert(rows, counts))
    assert list(counts.dropped) == [
        "no video (or video_path, video_file, video_name …) among question, film",
        "no video (or video_path, video_file, video_name …) among question, video",
    ]


# ---- others' answers


def test_lmms_evals_lines_are_matched_compared_and_their_printed_figure_is_shown(tmp_path: Path):
    metric = {"question_id": "001-1", "pred_answer": "B", "answer": "A", "score": 0}
    lines = [
        {"doc_id": k, "filtered_resps": said, "input": "…"}
        | {
            "videomme_v2_overall_score": {
                **metric,
                "question_id": f"001-{k + 1}",
                "pred_answer": theirs,
            }
        }
        for k, (said, theirs) in enumerate([("A", "A"), ("B", "B"), ("Answer: A", "B"), ("A", "A")])
    ]
    path = write(tmp_path / "2026_samples_videomme_v2.jsonl", lines[::-1])
    printed = {"results": {"videomme_v2": {"alias": "x", "videomme_v2_overall_score,none": 25.0}}}
    write(tmp_path / "2026_results.json", printed)
    run, counts = read_predictions(
        path, dataset(questions("video_mme_v2", v2())), out=tmp_path / "r"
    )
    found = score(run)
    assert counts.kept == 4 and found["printed"] == {"videomme_v2_overall_score": 25.0}
    theirs = found["theirs"]
    assert (theirs["n"], theirs["theirs"], theirs["ours"], theirs["alike"]) == (4, 0.5, 0.75, 3)
    (table,) = [one for one in run_tables([found]) if one.title.startswith("Beside the tool")]
    assert table.rows == [["2026_samples_videomme_v2", 4, 50.0, 75.0, 3]]
    assert "'Answer: A' is read as A" in table.notes[0] and "overall_score 25" in table.notes[1]


LOGS: dict[str, tuple[str, list[Any], str, Any]] = {
    "LongVideoBench with its document": (
        "longvideobench",
        lvb(1),
        "s.jsonl",
        [{"doc_id": 0, "doc": lvb(1)[0], "resps": [["A"]], "lvb_acc": {"answer": "A", "parsed_pred": "A"}}],
    ),
    "MLVU by its prompt": (
        "mlvu",
        MLVU[:2],
        "s.jsonl",
        [
            {
                "doc_id": 7,
                "filtered_resps": "B",
                "input": "Which?\n(A) x\n(B) y\n(C) z\n(D) w\nOnly give the best option.\nBest option: (",
                "mlvu_percetion_score": {"question_id": "Which?", "pred_answer": "B", "answer": "B"},
            }
        ],
    ),
    "LVBench by its row": (
        "lvbench",
        [row for _, row in flat(enumerate(LVBENCH))],
        "s.jsonl",
        [
            {
                "doc_id": 0,
                "filtered_resps": "C",
                "input": "What 0?\n(A) drum\n(B) lamp\n(C) map\n(D) rope\nAnswer the question with the option letter",
                "lvbench_score": True,
            }
        ],
    ),
    "EgoSchema of the first versions": (
        "egoschema",
        [row | {"answer": 2} for row in EGO],
        "s.json",
        {
            "args": {},
            "logs": [
                {
                    "doc_id": 0,
                    "doc": {"question_idx": "9", "video_idx": "u0"},
                    "filtered_resps": ["C"],
                    "score": {"pred": 2, "ground_truth": "2"},
                }
            ],
        },
    ),
    "VLMEvalKit's MLVU": (
        "mlvu",
        [PLOT],
        "m.csv",
        [
            {"index": 0, "task_type": "plotQA", "video": "p.mp4", "question": "Which?"}
            | {"candidates": "['x', 'y', 'z', 'w']", "answer": "y", "prediction": "(B) y", "score": 1}
        ],
    ),
    "VLMEvalKit's v2 after Excel": (
        "video_mme_v2",
        v2(),
        "m.csv",
        [
            {"index": 0, "video": "1", "question": "Question 1 about 1?", "options": EIGHT}
            | {"prediction": "A", "score": 1}
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("log", LOGS)
def test_a_log_answers_its_question_and_says_what_its_tool_thought(log: str, tmp_path: Path):
    name, records, file, value = LOGS[log]
    rows = dataset(questions(name, records))
    run, counts = read_predictions(write(tmp_path / file, value), rows, out=tmp_path / "run")
    assert counts.kept == 1
    first = run.judged()[0]
    assert first["id"] == rows[0]["id"] and first["correct"] and first["theirs"] is True


def test_an_answer_to_another_question_is_an_error_with_examples(tmp_path: Path):
    rows = dataset(questions("egoschema", [row | {"answer": 2} for row in EGO]))
    path = write(tmp_path / "submission.json", {"u0": 2, "elsewhere": 1})
    with pytest.raises(InputError, match='1 of 2 predictions.*"elsewhere".*unmatched="drop"'):
        read_predictions(path, rows, out=tmp_path / "a")
    _, counts = read_predictions(path, rows, out=tmp_path / "b", unmatched="drop")
    assert counts.dropped == {"matches no question": 1, "not predicted": 1}
    other = write(tmp_path / "other.json", {"elsewhere": 1})
    with pytest.raises(InputError, match="give the benchmark and config"):
        read_predictions(other, rows, out=tmp_path / "c", unmatched="drop")


def test_a_file_that_was_appended_to_counts_its_last_answer(tmp_path: Path):
    rows = dataset(questions("longvideobench", lvb(1)))
    path = write(tmp_path / "s.jsonl", [{"id": "v0_0", "prediction": p} for p in "BA"])
    run, counts = read_predictions(path, rows, out=tmp_path / "run")
    assert run.judged()[0]["letter"] == "A"
    assert counts.dropped == {"answered again, the last one counts": 1}
