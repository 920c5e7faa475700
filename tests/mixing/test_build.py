from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from mixing.corpora import kill_always, kill_once, small_recipe, write_corpora
from t2vid.errors import BudgetError, InputError, MissingExtra, MissingFile, RecordError
from t2vid.mixing.build import OverlapError, build, load
from t2vid.mixing.shards import BuildPlan, write_shard
from t2vid.storage.pool import BuildError, in_pool


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("mix") / "data")


@pytest.fixture(scope="module")
def built(data, tmp_path_factory):
    return build(small_recipe(), data=data, out=tmp_path_factory.mktemp("built"), rows_per_shard=4)


def rows_of(out: Path) -> list[dict]:
    return [
        row
        for file in sorted(out.glob("data/*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]


def test_a_mix_holds_what_the_recipe_asks_for(built):
    rows = rows_of(built.out)
    assert built.n_rows == len(rows) == 24
    assert set(Counter(row["source"] for row in rows).values()) == {6}
    assert len({row["id"] for row in rows}) == 24
    assert [row["source"] for row in rows] != sorted(row["source"] for row in rows)


def test_frames_of_every_row_are_as_many_as_it_says(built):
    for row in built.dataset():
        images = [part for part in row["messages"][0]["content"] if part["type"] == "image"]
        assert len(row["images"]) == row["n_frames"] == len(images) > 0


def test_the_shards_load_without_t2vid(built):
    code = (
        "import sys, datasets\n"
        f"rows = datasets.load_dataset({str(built.out)!r}, split='train')\n"
        "assert 't2vid' not in sys.modules\n"
        "print(len(rows), sorted(rows[0]['images']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "24 ['bytes', 'path', 'spec', 'text']", done.stderr


def test_no_path_of_this_machine_is_in_the_mix(built, data):
    for file in built.out.glob("data/*.parquet"):
        assert str(data).encode() not in file.read_bytes()
    assert all(
        not row["images"]["path"].startswith("/")
        for row in rows_of(built.out)
        if row["images"]["path"]
    )


def test_the_same_recipe_and_files_give_the_same_bytes(built, data, tmp_path):
    again = build(small_recipe(), data=data, out=tmp_path / "again", rows_per_shard=4)
    assert again.hash == built.hash


def test_another_seed_gives_other_rows(built, data, tmp_path):
    other = build(small_recipe(seed=1), data=data, out=tmp_path / "o", rows_per_shard=4)
    assert other.hash != built.hash


def test_processes_give_the_bytes_of_one(built, data, tmp_path):
    assert (
        build(small_recipe(), data=data, out=tmp_path / "p", rows_per_shard=4, num_proc=2).hash
        == built.hash
    )


def test_load_dataset_gives_the_rows_of_the_build(built, data, tmp_path, monkeypatch):
    (tmp_path / "small.yaml").write_text(small_recipe().to_yaml())
    mix = load_dataset(
        "t2vid/mix", recipe=str(tmp_path / "small.yaml"), data_dir=str(data), split="train"
    )
    ours = built.dataset()
    assert mix["id"][:] == ours["id"][:]
    assert mix["messages"][:] == ours["messages"][:]
    plain = [
        rows.cast_column("images", type(rows.features["images"])(decode=False))
        for rows in (mix, ours)
    ]
    assert plain[0]["images"][:] == plain[1]["images"][:]
    stream = load_dataset(
        "t2vid/mix",
        recipe=str(tmp_path / "small.yaml"),
        data_dir=str(data),
        split="train",
        streaming=True,
    )
    assert [row["id"] for row in stream] == mix["id"][:]


def test_counts_say_what_became_of_every_row(built):
    counts = json.loads((built.out / "counts.json").read_text())
    assert counts["kept"] == 24
    for source, n in (("sharegemini", 12), ("longqlora", 12)):
        found = counts["sources"][source]
        assert sum(found.values()) == n, found


def test_rows_without_a_video_or_a_document_are_counted(data, tmp_path):
    everything = small_recipe(
        sources=[
            {"dataset": "t2vid/sharegemini"},
            {"dataset": "t2vid/synthetic", "config": "longqlora"},
        ]
    )
    built = build(everything, data=data, out=tmp_path / "all")
    assert built.counts.sources["sharegemini"] == {"kept": 11, "no such video": 1}
    assert built.counts.sources["longqlora"] == {"kept": 9, "no context": 3}
    assert built.counts.examples["no such video"] == ["sharegemini/00011: 2/10011.mp4"]


def test_a_source_that_is_too_small_is_reported(data, tmp_path):
    recipe = small_recipe(sources=[{"dataset": "t2vid/sharegemini", "count": 50}])
    built = build(recipe, data=data, out=tmp_path / "o")
    assert built.counts.sources["sharegemini"]["short of the count by"] == 39


def test_a_smaller_count_takes_a_part_of_the_same_rows(data, tmp_path):
    def ids(count):
        recipe = small_recipe(sources=[{"dataset": "t2vid/video_chatgpt", "count": count}])
        built = build(recipe, data=data, out=tmp_path / str(count))
        return {row["id"] for row in rows_of(built.out)}

    assert ids(3) < ids(8)


def test_the_pure_text_arm_holds_the_very_texts_that_are_drawn(data, tmp_path):
    budget = {"family": "minicpm", "max_tokens": 450}
    drawn = {"dataset": "t2vid/synthetic", "config": "longalpaca", "count": 5, "render": "paper"}
    text = drawn | {"form": "text", "judge_as": "frames"}
    arms = [
        rows_of(
            build(
                small_recipe(sources=[s], budget=budget),
                data=data,
                out=tmp_path / s.get("form", "f"),
            ).out
        )
        for s in (drawn, text)
    ]
    assert {row["id"] for row in arms[0]} == {row["id"] for row in arms[1]}
    contexts = {row["id"]: row["images"]["text"] for row in arms[0]}
    for row in arms[1]:
        assert row["n_frames"] == 0 and row["images"]["text"] is None
        assert row["messages"][0]["content"][0]["text"].startswith(contexts[row["id"]])


TEXTS = [{"dataset": "t2vid/synthetic", "config": "longalpaca"}]
TIGHT = {"family": "minicpm", "max_tokens": 330}  # three frames and a question


@pytest.fixture(scope="module")
def by_policy(data, tmp_path_factory):
    return {
        policy: build(
            small_recipe(sources=TEXTS, budget=TIGHT, over_budget=policy),
            data=data,
            out=tmp_path_factory.mktemp(policy),
        )
        for policy in ("drop", "fewer_frames", "denser_text", "split")
    }


@pytest.mark.parametrize("policy", ["drop", "fewer_frames", "denser_text", "split"])
def test_every_row_of_a_budgeted_mix_fits(by_policy, policy):
    for row in by_policy[policy].dataset():
        assert len(row["images"]) == row["n_frames"] <= 3


def test_drop_counts_what_it_drops(by_policy):
    counts = by_policy["drop"].counts
    assert counts.dropped["over max_tokens"] == 12 - counts.kept > 0


def test_fewer_frames_keeps_the_leading_pages(by_policy, data):
    whole = {r["instruction"] for r in json.loads((data / "LongAlpaca-12k.json").read_text())}
    rows = rows_of(by_policy["fewer_frames"].out)
    assert len(rows) == 12
    assert all(any(row["images"]["text"] in text for text in whole) for row in rows)
    assert (
        by_policy["fewer_frames"].counts.sources["longalpaca"]["fewer_frames (over max_tokens)"] > 0
    )


def test_split_loses_no_character(by_policy, data):
    parts: dict[str, str] = {}
    for row in sorted(rows_of(by_policy["split"].out), key=lambda row: row["id"]):
        name = row["id"].partition("#")[0]
        parts[name] = parts.get(name, "") + row["images"]["text"]
    whole = [r["instruction"] for r in json.loads((data / "LongAlpaca-12k.json").read_text())]
    assert len(parts) == 12
    assert all(any(f" {text} " in document for document in whole) for text in parts.values())
    assert len(rows_of(by_policy["split"].out)) > 12


def test_denser_text_keeps_the_text_and_shrinks_the_letters(by_policy):
    rows = rows_of(by_policy["denser_text"].out)
    assert len(rows) > by_policy["drop"].n_rows
    assert any(json.loads(row["images"]["spec"])["font_px"] < 20 for row in rows)


def test_error_names_the_row(data, tmp_path):
    with pytest.raises(BudgetError, match="sample 'longalpaca/"):
        build(
            small_recipe(sources=TEXTS, budget=TIGHT, over_budget="error"),
            data=data,
            out=tmp_path / "o",
        )


def test_fewer_frames_thins_a_video(data, tmp_path):
    recipe = small_recipe(
        sources=[{"dataset": "t2vid/sharegemini"}],
        budget={"max_frames": 2},
        over_budget="fewer_frames",
    )
    rows = build(recipe, data=data, out=tmp_path / "o").dataset()
    assert {len(row["images"]) for row in rows} == {2} == set(rows["n_frames"])


def test_a_long_conversation_is_split_between_its_turns(tmp_path, data):
    turns = []
    for i in range(4):
        turns += [
            {"from": "human", "value": f"Number {i}?"},
            {"from": "gpt", "value": "lamp " * 30},
        ]
    (tmp_path / "talk.jsonl").write_text(
        json.dumps({"video": "1000.mp4", "conversations": turns}) + "\n"
    )
    os.link(data / "films" / "1000.mp4", tmp_path / "1000.mp4")
    recipe = small_recipe(
        sources=[
            {"dataset": "t2vid/sharegemini", "files": "talk.jsonl", "sample": {"max_frames": 2}}
        ],
        budget={"tokens_per_frame": 10, "max_tokens": 100},
        over_budget="split",
    )
    rows = rows_of(build(recipe, data=tmp_path, out=tmp_path / "o").out)
    asked = {
        m["content"][-1]["text"] for row in rows for m in row["messages"] if m["role"] == "user"
    }
    assert len(rows) == 2 and asked == {f"Number {i}?" for i in range(4)}
    assert all(row["n_frames"] == 2 for row in rows)


def test_unique_refuses_repeats(tmp_path):
    row = {"context": "lamp " * 50, "question": "What?", "answer": "A lamp."}
    (tmp_path / "t.jsonl").write_text((json.dumps(row) + "\n") * 3)
    source = {"dataset": "t2vid/synthetic", "config": "triplets", "files": "t.jsonl"}
    built = build(
        small_recipe(sources=[source | {"filters": {"unique": True}}]),
        data=tmp_path,
        out=tmp_path / "o",
    )
    assert built.counts.sources["triplets"] == {"kept": 1, "repeats an earlier row": 2}


def test_filters_are_counted(data, tmp_path):
    source = {
        "dataset": "t2vid/synthetic",
        "config": "longalpaca",
        "filters": {"min_words": 300, "max_frames": 4},
    }
    built = build(small_recipe(sources=[source]), data=data, out=tmp_path / "o")
    assert set(built.counts.dropped) == {
        "under min_words of the source",
        "over max_frames of the source",
    }
    assert all(300 <= row["n_words"] and row["n_frames"] <= 4 for row in rows_of(built.out))


def test_a_dry_run_writes_nothing_and_tells_the_figures_of_the_build(built, data, tmp_path):
    dry = build(small_recipe(), data=data, out=tmp_path / "never", dry_run=True)
    assert not (tmp_path / "never").exists()
    assert dry.total("rows") == 24
    assert dry.total("frames") == sum(row["n_frames"] for row in rows_of(built.out))
    table = dry.table()
    assert "steps at batch 64: 1" in table and f"{dry.total('frames') * 169:,}" in table


def test_a_dry_run_plans_videos_that_are_not_there_yet(data, tmp_path):
    (tmp_path / "sharegemini_webvid_core100k.json").write_bytes(
        (data / "sharegemini_webvid_core100k.json").read_bytes()
    )
    recipe = small_recipe(sources=[{"dataset": "t2vid/sharegemini", "sample": {"max_frames": 7}}])
    assert build(recipe, data=tmp_path, dry_run=True).total("frames") == 12 * 7


def test_a_finished_mix_is_found_and_not_written_again(built, data):
    before = {file: file.stat().st_mtime_ns for file in built.out.glob("data/*")}
    again = build(small_recipe(), data=data, out=built.out, rows_per_shard=4)
    assert again.written == 0 and again.hash == built.hash
    assert {file: file.stat().st_mtime_ns for file in built.out.glob("data/*")} == before


@pytest.mark.parametrize("harm", ["cut", "gone", "changed"])
def test_a_damaged_shard_is_written_again(built, data, tmp_path, harm):
    out = tmp_path / "o"
    first = build(small_recipe(), data=data, out=out, rows_per_shard=4)
    shard = out / "data" / "train-00002-of-00006.parquet"
    if harm == "gone":
        shard.unlink()
    else:
        whole = shard.read_bytes()
        shard.write_bytes(whole[:-9] if harm == "cut" else b"x" + whole[1:])
    again = build(small_recipe(), data=data, out=out, rows_per_shard=4)
    assert again.written == 1 and again.hash == first.hash == built.hash


def test_a_folder_with_another_mix_is_not_overwritten(data, tmp_path):
    build(small_recipe(), data=data, out=tmp_path)
    with pytest.raises(InputError, match="another mix"):
        build(small_recipe(seed=9), data=data, out=tmp_path)
    other = build(small_recipe(seed=9), data=data, out=tmp_path, resume=False, rows_per_shard=8)
    assert len(rows_of(tmp_path)) == other.n_rows == 24


def test_changed_annotations_are_another_mix(tmp_path):
    data = write_corpora(tmp_path / "data", n=6)
    recipe = small_recipe(sources=TEXTS)
    build(recipe, data=data, out=tmp_path / "o")
    file = data / "LongAlpaca-12k.json"
    file.write_text(file.read_text().replace("harbour", "HARBOUR"))
    with pytest.raises(InputError, match="other files"):
        build(recipe, data=data, out=tmp_path / "o")


def test_killed_at_any_shard_and_resumed_the_bytes_are_the_same(built, data, tmp_path):
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from t2vid.mixing import build as module, shards
        from t2vid.mixing.recipe import Recipe
        write = shards.write_shard
        def slow(out, number):
            import time
            time.sleep(0.3)
            return write(out, number)
        module.write_shard = slow
        recipe, data, out = sys.argv[1:]
        module.build(recipe, data=data, out=out, rows_per_shard=4)
        """
    )
    (tmp_path / "r.yaml").write_text(small_recipe().to_yaml())
    out = tmp_path / "o"
    command = [sys.executable, "-c", script, str(tmp_path / "r.yaml"), str(data), str(out)]
    for shards in (1, 3):
        process = subprocess.Popen(command)
        while len(list(out.glob("data/train-*.parquet"))) < shards and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None, "it ended before it was killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (out / "manifest.json").exists()
    rest = build(small_recipe(), data=data, out=out, rows_per_shard=4)
    assert rest.hash == built.hash
    assert 0 < rest.written < 6


@pytest.mark.parametrize("ordered", [False, True])
def test_a_killed_worker_costs_no_task(tmp_path, ordered):
    tasks = [(str(tmp_path), n) for n in range(8)]
    results = list(in_pool(kill_once, tasks, 2, ordered=ordered))
    assert sorted(results) == [n * 10 for n in range(8)]
    assert not ordered or results == sorted(results)


def test_a_task_that_always_kills_its_worker_is_an_error_with_its_number():
    with pytest.raises(BuildError, match="a worker died"):
        list(in_pool(kill_always, [(n,) for n in range(3)], 2))


def test_an_error_in_a_worker_is_the_error_of_the_build(data, tmp_path):
    recipe = small_recipe(sources=TEXTS, budget=TIGHT, over_budget="error")
    with pytest.raises(BudgetError, match="longalpaca"):
        build(recipe, data=data, out=tmp_path / "o", num_proc=2)


def test_write_shard_is_pure(built):
    plan = BuildPlan.load(built.out)
    first = (built.out / plan.shard_name(1)).read_bytes()
    (built.out / plan.shard_name(1)).unlink()
    write_shard(built.out, 1)
    assert (built.out / plan.shard_name(1)).read_bytes() == first


def test_missing_data_names_the_file(tmp_path):
    with pytest.raises(MissingFile, match="sharegemini_webvid"):
        build(small_recipe(), data=tmp_path, out=tmp_path / "o")
    with pytest.raises(MissingFile, match="does not exist"):
        build(small_recipe(), data=tmp_path / "nowhere", out=tmp_path / "o")


def test_a_file_of_another_format_is_an_error_that_shows_it(tmp_path):
    (tmp_path / "VideoInstruct100K.json").write_text('[{"colour": "red"}]')
    with pytest.raises(RecordError, match="colour"):
        build(
            small_recipe(sources=[{"dataset": "t2vid/video_chatgpt"}]),
            data=tmp_path,
            out=tmp_path / "o",
        )


def test_no_row_left_is_an_error(data, tmp_path):
    with pytest.raises(InputError, match="no row"):
        build(
            small_recipe(sources=TEXTS, budget={"max_question_words": 1}),
            data=data,
            out=tmp_path / "o",
        )


def test_benchmark_questions_and_videos_in_the_mix_are_found(data, tmp_path):
    chat = json.loads((data / "VideoInstruct100K.json").read_text())
    (tmp_path / "mme.jsonl").write_text(
        json.dumps({"videoID": "00000000003", "video_id": "001", "question": chat[5]["q"].upper()})
        + "\n"
    )
    recipe = small_recipe(sources=[{"dataset": "t2vid/video_chatgpt"}])
    benchmarks = {"video_mme": tmp_path / "mme.jsonl"}
    built = build(recipe, data=data, out=tmp_path / "o", benchmarks=benchmarks)
    assert built.overlap.benchmarks["video_mme"]["same video"] == 1
    assert built.overlap.benchmarks["video_mme"]["same question"] == 1
    assert json.loads((tmp_path / "o" / "overlap.json").read_text()) == built.overlap.to_dict()
    with pytest.raises(OverlapError, match="same question"):
        build(recipe, data=data, out=tmp_path / "o", benchmarks=benchmarks, fail_on_overlap=True)


def test_loading_an_unfinished_mix_says_so(tmp_path):
    with pytest.raises(MissingFile, match="no finished mix"):
        load(tmp_path)


@pytest.mark.parametrize("wrong", [{"engine": "spark"}, {"num_proc": 0}, {"out": None}])
def test_wrong_arguments_are_errors(data, tmp_path, wrong):
    with pytest.raises(InputError):
        build(small_recipe(), **({"data": data, "out": tmp_path} | wrong))


def test_a_path_that_climbs_out_of_the_data_is_counted_as_unsafe(data, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    os.link(data / "films" / "1000.mp4", tmp_path / "1000.mp4")
    turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]
    rows = [{"video": name, "conversations": turns} for name in ("../1000.mp4", "1001.mp4")]
    (inside / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.link(data / "films" / "1001.mp4", inside / "1001.mp4")
    recipe = small_recipe(sources=[{"dataset": "t2vid/sharegemini", "files": "t.jsonl"}])
    built = build(recipe, data=inside, out=tmp_path / "o")
    assert built.counts.sources["sharegemini"] == {"kept": 1, "unsafe video path": 1}


def test_a_part_of_a_video_is_shown_where_a_row_says_so(data, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    os.link(data / "films" / "1000.mp4", inside / "1000.mp4")
    turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]
    row = {"video": "1000.mp4", "conversations": turns}
    rows = [row, {**row, "start": 1.0, "end": 3.0}, {**row, "start": 3.0, "end": 1.0}]
    (inside / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = small_recipe(sources=[{"dataset": "t2vid/sharegemini", "files": "t.jsonl"}])
    built = build(recipe, data=inside, out=tmp_path / "o")
    assert sorted(row["n_frames"] for row in built.dataset()) == [2, 4]
    assert built.counts.dropped == {"a clip that ends before it starts": 1}


def video_ids(out: Path) -> set[str]:
    return {row["images"]["path"] for row in rows_of(out)}


VIDEOS = [{"dataset": "t2vid/sharegemini", "sample": {"max_frames": 2}}]


def test_videos_that_come_later_are_in_the_next_build(tmp_path):
    data = write_corpora(tmp_path / "data", n=7)
    aside = tmp_path / "aside"
    aside.mkdir()
    for name in ("1001.mp4", "1002.mp4", "1003.mp4"):
        os.rename(data / "films" / name, aside / name)
    recipe, out = small_recipe(sources=VIDEOS), tmp_path / "o"
    assert build(recipe, data=data, out=out).n_rows == 3
    assert build(recipe, data=data, out=out).written == 0
    for file in aside.iterdir():
        os.rename(file, data / "films" / file.name)
    again = build(recipe, data=data, out=out)
    assert again.n_rows == len(rows_of(out)) == 6
    assert "3 videos came (films/1001.mp4, …)" in again.table()
    assert build(recipe, data=data, out=out).changed == ""


def test_a_replaced_and_a_removed_video_are_noticed(tmp_path):
    data = write_corpora(tmp_path / "data", n=4)
    recipe, out = small_recipe(sources=VIDEOS), tmp_path / "o"
    build(recipe, data=data, out=out)
    film = data / "films" / "1001.mp4"
    film.unlink()
    film.write_bytes(b"no video any more")
    assert build(recipe, data=data, out=out).changed == "1 video changed (films/1001.mp4)"
    assert not any("1001" in path for path in video_ids(out))
    (data / "films" / "1000.mp4").unlink()
    assert build(recipe, data=data, out=out).changed == "1 video went (films/1000.mp4)"
    assert video_ids(out) == {"films/1002.mp4"}


def test_with_hashes_a_video_is_what_it_holds(tmp_path, monkeypatch):
    data = write_corpora(tmp_path / "data", n=4)
    recipe, out = small_recipe(sources=VIDEOS), tmp_path / "o"
    build(recipe, data=data, out=out)
    assert build(recipe, data=data, out=out, hashes=True).changed == ""
    film, other = data / "films" / "1001.mp4", data / "films" / "1002.mp4"
    for path in (film, other):  # hard links to one file so far
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    assert build(recipe, data=data, out=out).changed == ""  # it was planned with hashes
    read = []
    monkeypatch.setattr("t2vid.storage.hashing._hash", lambda file: read.append(file) or 1)
    before = film.stat()
    film.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(film, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = build(recipe, data=data, out=out)
    assert (again.changed, read) == ("1 video changed (films/1001.mp4)", [film])


def test_a_new_video_that_no_row_names_writes_nothing_anew(tmp_path):
    data = write_corpora(tmp_path / "data", n=4)
    recipe, out = small_recipe(sources=VIDEOS), tmp_path / "o"
    first = build(recipe, data=data, out=out)
    os.link(data / "films" / "1000.mp4", data / "films" / "holiday.mp4")
    again = build(recipe, data=data, out=out)
    assert (again.written, again.hash) == (0, first.hash) and "holiday" in again.changed


def test_load_dataset_sees_videos_that_come_later(tmp_path):
    data = write_corpora(tmp_path / "data", n=4)
    (tmp_path / "r.yaml").write_text(small_recipe(sources=VIDEOS).to_yaml())
    os.rename(data / "films" / "1001.mp4", tmp_path / "aside.mp4")

    def n_rows() -> int:
        recipe = str(tmp_path / "r.yaml")
        return len(load_dataset("t2vid/mix", recipe=recipe, data_dir=str(data), split="train"))

    before = n_rows()
    os.rename(tmp_path / "aside.mp4", data / "films" / "1001.mp4")
    assert (before, n_rows()) == (2, 3)


def test_a_linked_folder_of_videos_gives_rows(tmp_path):
    real = write_corpora(tmp_path / "real", n=4)
    data = tmp_path / "data"
    data.mkdir()
    os.rename(real / "sharegemini_webvid_core100k.json", tmp_path / "notes.json")
    (data / "sharegemini_webvid_core100k.json").symlink_to(tmp_path / "notes.json")
    (data / "videos").symlink_to(real / "films", target_is_directory=True)
    (data / "loop").symlink_to(data, target_is_directory=True)
    build(small_recipe(sources=VIDEOS), data=data, out=tmp_path / "o")
    assert video_ids(tmp_path / "o") == {f"videos/100{i}.mp4" for i in range(3)}


def test_a_source_without_a_row_is_an_error_that_says_why(tmp_path):
    data = write_corpora(tmp_path / "data", n=4)
    for film in (data / "films").glob("100*.mp4"):
        film.unlink()
    with pytest.raises(
        InputError, match=r"source 'sharegemini'.*3 videos are there.*no such video"
    ):
        build(small_recipe(), data=data, out=tmp_path / "o")


def test_a_dry_run_marks_what_it_assumes(built, data, tmp_path):
    assert "~" not in build(small_recipe(), data=data, dry_run=True).table()
    (tmp_path / "sharegemini_webvid_core100k.json").write_bytes(
        (data / "sharegemini_webvid_core100k.json").read_bytes()
    )
    recipe = small_recipe(sources=[{"dataset": "t2vid/sharegemini", "sample": {"max_frames": 7}}])
    dry = build(recipe, data=tmp_path, dry_run=True)
    assert dry.assumed == {"sharegemini": 7}
    assert "~84" in dry.table() and "~ assumed: no video is there yet; 7 frames" in dry.table()


def test_a_mix_goes_to_a_url_and_on_from_there(built, data):
    first = build(small_recipe(), data=data, out="memory://build/mix", rows_per_shard=4)
    assert first.hash == built.hash and first.written == 6
    (first.out / "data" / "train-00002-of-00006.parquet").unlink()
    again = build(small_recipe(), data=data, out="memory://build/mix", rows_per_shard=4)
    assert (again.written, again.hash) == (1, built.hash)
    assert load("memory://build/mix")["id"] == load(built.out)["id"]


def test_data_behind_a_url_give_the_bytes_of_a_folder(built, data, tmp_path):
    import fsspec

    fsspec.filesystem("memory").put(str(data), "/build-data", recursive=True)
    remote = build(small_recipe(), data="memory://build-data", out=tmp_path / "o", rows_per_shard=4)
    assert remote.hash == built.hash
    row = remote.dataset()[0]
    assert len(row["images"]) == row["n_frames"] > 0


def test_a_place_that_cannot_be_written_to_is_one_line(data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingExtra, match=r"s3://.*pip install s3fs"):
        build(small_recipe(), data=data, out="s3://bucket/mix")
    (tmp_path / "hello.txt").write_text("hello")
    for out in (tmp_path / "hello.txt", tmp_path / "hello.txt" / "mix"):
        with pytest.raises(InputError, match=r"must be a folder, but .*hello.txt is a file$"):
            build(small_recipe(), data=data, out=out)
    assert [path.name for path in tmp_path.iterdir()] == ["hello.txt"]
    with pytest.raises(InputError, match="lives in one process"):
        build(small_recipe(), data=data, out="memory://x", num_proc=2)
