"""Tables say what the rows say: every figure recomputed from the JSONL, ours beside the paper's."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import t2vid
from benchmark_rows import make_rows
from t2vid.errors import InputError, MissingFile
from t2vid.evaluation import paper
from t2vid.evaluation.backends import FunctionBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.score import score
from t2vid.pages.scores import compare, report

FAST = EvalConfig(control="blind")


def run_of(folder: Path, clips: list[Path], source: str, name: str, wrong: int = 0) -> Any:
    """A run that answers all but the first `wrong` questions right."""
    rows = [{**row, "source": source} for row in make_rows(clips)]
    bad = {row["id"] for row in rows[:wrong]}
    say = FunctionBackend(
        lambda ask: "?" if ask.key[0] in bad else ask.line["answer"], name="scripted"
    )
    return t2vid.evaluate(say, rows, FAST, out=folder / f"{name}-{source}", name=name)


def rows_of(text: str, label: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"| {label} |")]


def test_every_figure_is_that_of_the_rows(clips, tmp_path):
    run = run_of(tmp_path, clips, "mvbench", "mine", wrong=5)
    judged = [json.loads(x) for x in (run.folder / "judged.jsonl").read_text().splitlines()]
    tables = json.loads(report([run], format="json"))
    overall = dict(zip(tables[0]["head"], tables[0]["rows"][0], strict=True))
    assert overall["accuracy"] == pytest.approx(100 * sum(x["correct"] for x in judged) / 12)
    assert (overall["n"], overall["of"], overall["no letter"]) == (12, 12, 5)
    assert overall["guessing"] == pytest.approx(sum(100 / len(x["options"]) for x in judged) / 12)
    by_category = next(t for t in tables if "by category" in t["title"])
    for label, cell in by_category["rows"]:
        category, n = re.fullmatch(r"(\w+) \((\d+)\)", label).groups()
        rows = [x for x in judged if x["category"] == category]
        assert int(n) == len(rows)
        assert float(cell.split()[0]) == pytest.approx(
            100 * sum(x["correct"] for x in rows) / len(rows), abs=0.05
        )
    decided = next(t for t in tables if "read" in t["title"])
    assert sum(n for _, n in decided["rows"]) == 12


def test_the_protocol_stands_beside_every_score(clips, tmp_path):
    run = run_of(tmp_path, clips, "mvbench", "mine")
    for as_ in ("runs", "paper"):
        text = report([run], as_=as_)
        assert FAST.asking_hash in text and FAST.hash in text


def test_the_papers_tables_hold_its_figures_and_ours_with_the_difference(clips, tmp_path):
    sources = ("video_mme", "mvbench", "tempcompass")
    runs = [run_of(tmp_path, clips, source, "idefics3-30k-seed0", wrong=6) for source in sources]
    text = report(runs, as_="paper")
    table_4 = text.split("### Table 4")[1]
    assert rows_of(table_4, "Idefics3 30K") == [
        "| Idefics3 30K | 67.1 | 53.8 | 48.0 | 56.3 | 51.6 | 62.3 | 56.7 |  |"
    ]
    (ours,) = rows_of(table_4, "ours: idefics3-30k-seed0")
    cells = [cell.strip() for cell in ours.split("|")]
    assert cells[5].startswith("50.0 [") and cells[5].endswith("−6.3")  # 50.0 - 56.3
    assert cells[8].endswith("−6.7") and cells[9] == "36"
    assert text.count("ours: idefics3-30k-seed0 |") == 1  # not in the tables of InternVL
    assert "12 of 2,700 questions" in text


def test_a_run_can_be_set_against_a_row_by_name(clips, tmp_path):
    run = run_of(tmp_path, clips, "video_mme", "mine")
    text = report([run], as_="paper", rows={"mine": "InternVL 200K"})
    assert "+43.7" in rows_of(text.split("### Table 1")[1], "ours: mine")[0]
    with pytest.raises(InputError, match="InternVL 30K hybrid"):
        report([run], as_="paper", rows={"mine": "GPT"})


def test_averages_of_the_paper_are_means_of_its_benchmarks():
    for row in paper.ROWS:
        if "avg" in row.values:
            mean = sum(row.values[name] for name in paper.BENCHMARKS) / 3
            assert row.values["avg"] == pytest.approx(mean, abs=0.051), row.label


def test_comparison_pairs_the_questions(clips, tmp_path):
    a = run_of(tmp_path, clips, "mvbench", "before", wrong=8)
    b = run_of(tmp_path, clips, "mvbench", "after", wrong=2)
    whole, by_category = json.loads(compare([a, b], format="json"))
    row = dict(zip(whole["head"], whole["rows"][0], strict=True))
    assert (row["n"], row["only first right"], row["only second right"]) == (12, 0, 6)
    assert row["difference"] == "+50.0" and row["p (McNemar)"] == "0.031"
    assert len(by_category["rows"]) == 2
    same = json.loads(compare([a, a], format="json"))[0]["rows"][0]
    assert same[4] == "+0.0" and same[-1] == "1"
    with pytest.warns(DeprecationWarning, match=r"compare\(\[first, second\]\)"):
        assert compare(a, b) == compare([a, b])


def scored(folder: Path, name: str, letters: str, **more: Any) -> Any:
    """A run made of a file of answers to questions whose right letter is A."""
    lines = [
        {"id": f"q{n}", "question": f"Which, {n}?", "options": ["cat", "dog"], "answer": "A"}
        | {"prediction": letter, "category": ["", "task 10", "task 2"][n % 3], **more}
        for n, letter in enumerate(letters)
    ]
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    score(path, out=folder / f"{name}-run")
    return folder / f"{name}-run"


def test_answers_without_a_video_stand_alone_and_a_single_video_has_no_interval(tmp_path):
    first, second = (scored(tmp_path, n, letters * 20) for n, letters in (("a", "AB"), ("b", "BA")))
    cell = json.loads(report([first], format="json"))[0]["rows"][0][4]
    low, high = map(float, re.findall(r"[\d.]+", cell))
    assert 25 < low < 45 and 55 < high < 75
    whole = json.loads(compare([first, second], format="json"))[0]["rows"][0]
    assert whole[4] == "+0.0" and whole[5] != "[0.0, 0.0]"
    first, second = (
        scored(tmp_path, f"{n}-film", letters * 20, video="a.mp4")
        for n, letters in (("a", "AB"), ("b", "BA"))
    )
    assert json.loads(report([first], format="json"))[0]["rows"][0][4] == "[0.0, 100.0]"
    assert json.loads(compare([first, second], format="json"))[0]["rows"][0][5] == "[−100.0, 100.0]"


def test_what_is_all_right_or_all_wrong_is_not_certain_by_video(tmp_path):
    for name, letters in (("right", "A" * 9), ("wrong", "B" * 9)):
        cells = json.loads(report([scored(tmp_path, name, letters)], format="json"))[0]["rows"][0]
        assert cells[4] == cells[3] and cells[4] not in ("[0.0, 0.0]", "[100.0, 100.0]")


def test_categories_without_a_name_have_one_and_stand_in_the_order_of_their_numbers(tmp_path):
    runs = [scored(tmp_path, n, "ABAB" * 3) for n in "ab"]
    table = next(t for t in json.loads(report(runs[:1], format="json")) if "category" in t["title"])
    assert [row[0] for row in table["rows"]] == ["(none) (4)", "task 2 (4)", "task 10 (4)"]
    tables = json.loads(compare(runs, format="json"))
    assert [row[0] for row in tables[1]["rows"]] == ["(none)", "task 2", "task 10"]
    assert all(title for table in tables for title in table["head"])


def test_a_line_break_in_a_name_ends_no_row_of_markdown(tmp_path):
    run = scored(tmp_path, "broken", "AB", category="one\ntwo")
    assert "| one two (2) |" in report([run])


def test_the_page_names_each_answer_and_says_where_it_is_cut(tmp_path):
    run = scored(tmp_path, "cut", ["x " * 900 + "So the answer is (B). " + "y " * 900, ""])
    html = report([run], format="html")
    assert "Scores of cut" in html and "questions/q0" in html
    assert re.search(r">…[x ]+So the answer is \(<mark>B</mark>\)\.[y ]+…<", html)
    assert "(nothing)" in html


def test_more_than_two_runs_are_compared_in_pairs_and_corrected_for_their_number(clips, tmp_path):
    runs = [
        run_of(tmp_path, clips, "mvbench", name, wrong=wrong)
        for name, wrong in {"base": 8, "mine": 2, "other": 8}.items()
    ]
    whole, *categories = json.loads(compare(runs, format="json"))
    rows = [dict(zip(whole["head"], row, strict=True)) for row in whole["rows"]]
    assert [row["runs"] for row in rows] == ["base → mine", "base → other", "mine → other"]
    assert [row["p (McNemar)"] for row in rows] == ["0.031", "1", "0.031"]
    assert [row["p (Holm)"] for row in rows] == ["0.094", "1", "0.094"]  # three times the smallest
    assert [table["title"].partition(" by ")[0] for table in categories] == [
        "mine against base",
        "other against base",
    ]
    assert "Holm over 4 comparisons." in categories[0]["notes"]
    with pytest.raises(InputError, match="two or more"):
        compare(runs[:1])


def test_a_margin_says_no_worse_only_where_the_whole_interval_does(clips, tmp_path):
    base = run_of(tmp_path, clips, "mvbench", "base", wrong=4)
    better = run_of(tmp_path, clips, "mvbench", "better", wrong=0)
    (row, *_) = json.loads(compare([base, better], margin=1, format="json"))[0]["rows"]
    assert row[-1] == "no worse"
    (row, *_) = json.loads(compare([better, base], margin=1, format="json"))[0]["rows"]
    assert row[-1] == "open"  # two of four videos lose: drawn again, none may
    (row, *_) = json.loads(compare([base, base], margin=1, format="json"))[0]["rows"]
    assert row[-1] == "equivalent"
    with pytest.raises(InputError, match="margin"):
        compare([base, better], margin=0)


def test_runs_without_a_common_question_are_no_comparison(clips, tmp_path):
    a = run_of(tmp_path, clips, "mvbench", "a")
    rows = [{**row, "id": f"x{row['id']}"} for row in make_rows(clips)]
    b = t2vid.evaluate(lambda ask: "A", rows, FAST, out=tmp_path / "b")
    with pytest.raises(InputError, match="share no question"):
        compare([a, b])


def test_the_papers_table_3_has_the_intervals_that_it_leaves_out():
    text = report([], as_="paper")
    table = text.split("with the intervals it leaves out")[1].split("###")[0]
    (pure,) = rows_of(table, "InternVL 30K pure-text")
    cells = [cell.strip() for cell in pure.split("|")[2:-1]]
    assert cells == ["55.8", "[53.9, 57.7]", "+0.9", "[−1.8, 3.5]", "luck explains it"]
    (zero,) = rows_of(table, "InternVL zero-shot")
    assert "shown" in zero and "about 0.95 points" in table


def test_a_run_without_frames_is_told_as_a_control(clips, tmp_path):
    rows = make_rows(clips)
    say = FunctionBackend(lambda ask: ask.line["answer"] if ask.frames else "?", name="looks")
    runs = [
        t2vid.evaluate(say, rows, how, out=tmp_path / str(n))
        for n, how in enumerate([EvalConfig(frames=2), "text-only", "blank-frames"])
    ]
    text = report(runs)
    table = text.split("Does looks on mvbench use the video")[1]
    (blind,), (blank,) = rows_of(table, "no frames"), rows_of(table, "gray frames")
    assert "+100.0" in blind and "uses the video" in blind and "+0.0" in blank


def test_scores_follow_answers_that_came_later(clips, tmp_path):
    rows = make_rows(clips)
    say = FunctionBackend(lambda ask: ask.line["answer"], name="x")
    run = t2vid.evaluate(say, rows, FAST, out=tmp_path, limit=3)
    (tmp_path / "scores.json").unlink()
    assert "| 3 | 12 |" in report([run])


def test_the_page_is_one_file_that_asks_for_nothing(clips, tmp_path):
    run = run_of(tmp_path, clips, "mvbench", "mine <script>")
    out = tmp_path / "report.html"
    text = report([run], format="html", out=out)
    assert out.read_text() == text and "<script>" not in text and "http" not in text
    HTMLParser().feed(text)


def test_no_run_is_refused_with_the_next_move(tmp_path):
    with pytest.raises(InputError, match="out="):
        report([])
    with pytest.raises(MissingFile, match=re.escape("run.json")):
        report([tmp_path])
