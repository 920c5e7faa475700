"""A pushed dataset loads anywhere, says what it is, and is on the Hub exactly once."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
import sys
import textwrap
import types
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import Dataset, DatasetDict, load_dataset

import t2vid
from hub import Hub
from media import read_numbers
from rows import dataset_of, text_rows, video_rows
from t2vid import samples
from t2vid.cli import main
from t2vid.corpora.licences import LicenceWarning
from t2vid.errors import InputError, MissingExtra, PublishError
from t2vid.mixing.recipe import Recipe, Source
from t2vid.publishing import commit, shards
from t2vid.schema import Counts

# huggingface_hub 2.4 hands a file object to httpx in the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
push = functools.partial(t2vid.push, licences="apache-2.0")
REPO = "datasets/me/mix"


def stranger(hub: Hub, home: Path, script: str) -> str:
    """Run a script in a process that cannot import t2vid and has empty caches."""
    block = "import sys\nsys.modules['t2vid'] = None\nfrom datasets import load_dataset\n"
    done = subprocess.run(
        [sys.executable, "-c", block + textwrap.dedent(script)],
        env=hub.environment(home),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def front_matter(hub: Hub) -> dict[str, Any]:
    return dict(yaml.safe_load(hub.files(REPO)["README.md"].decode().split("---\n")[1]))


def test_a_stranger_loads_every_row_without_t2vid(hub: Hub, tmp_path: Path, mix: Dataset) -> None:
    done = push(mix, "me/mix")
    assert done.n_rows == len(mix) == 8
    out = stranger(
        hub,
        tmp_path / "stranger",
        """
        import json
        rows = load_dataset("me/mix", split="train")
        stream = load_dataset("me/mix", split="train", streaming=True)
        assert list(stream) == list(rows)
        print(json.dumps(list(rows)))
        """,
    )
    for theirs, mine in zip(json.loads(out), mix.with_format("arrow")[:].to_pylist(), strict=True):
        if mine["images"]["path"]:
            mine["images"]["path"] = mine["images"]["path"].split("/corpus/")[1]
        assert theirs == mine


def test_whoever_has_t2vid_gets_the_same_frames(hub: Hub, videos: Path, mix: Dataset) -> None:
    commit = push(mix, "me/mix").commit
    rows = load_dataset("me/mix", split="train", revision=commit)

    def locate(row: dict[str, Any]) -> dict[str, Any]:  # as the card says
        source = row["images"]
        if source["path"] and "://" not in source["path"]:
            source["path"] = f"{videos}/{source['path']}"
        return row

    rows = rows.map(locate).cast_column("images", t2vid.Frames())
    for mine, theirs in zip(mix, rows, strict=True):
        assert len(mine["images"]) == len(theirs["images"]) > 0
        pairs = zip(mine["images"], theirs["images"], strict=True)
        assert all(a.tobytes() == b.tobytes() for a, b in pairs)


@pytest.mark.parametrize("kind", ["webp", "png"])
def test_pictures_are_lossless_and_need_no_t2vid(
    hub: Hub, tmp_path: Path, mix: Dataset, kind: Any
) -> None:
    with pytest.warns(LicenceWarning, match="frames of 2 videos"):
        push(mix, "me/mix", materialize=kind, include_media=True)
    out = stranger(
        hub,
        tmp_path / "stranger",
        """
        import hashlib, json
        rows = load_dataset("me/mix", split="train")
        digest = lambda image: hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()
        print(json.dumps([[digest(image) for image in images] for images in rows["images"]]))
        print(rows[0]["images"][0].format, rows[0]["images"][0].mode, rows[7]["images"][0].mode)
        """,
    )
    theirs, modes = out.splitlines()
    assert json.loads(theirs) == [[sha(image) for image in row] for row in mix["images"]]
    assert modes == {"webp": "WEBP RGB RGB", "png": "PNG L RGB"}[kind]


def sha(image: Any) -> str:
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def test_media_are_the_sampled_frames_and_not_the_films(
    hub: Hub, tmp_path: Path, mix: Dataset, videos: Path
) -> None:
    with pytest.warns(LicenceWarning, match="frames of 2 videos"):
        commit = push(mix, "me/mix", include_media=True).commit
    rows = load_dataset("me/mix", split="train", revision=commit)
    assert rows[0]["images"]["text"] and rows[0]["images"]["bytes"] is None
    seen = rows.cast_column("images", t2vid.Frames())
    for i in (6, 7):
        assert read_numbers(seen[i]["images"]) == read_numbers(mix[i]["images"])
        assert len(seen[i]["images"]) == 3
        pairs = zip(seen[i]["images"], mix[i]["images"], strict=True)
        assert all(a.tobytes() == b.tobytes() for a, b in pairs)
    published = b"".join(hub.files(REPO).values())
    assert not any(path.read_bytes()[:4000] in published for path in videos.rglob("*.mp4"))


def test_neither_films_nor_local_paths_leave_the_machine(
    hub: Hub, tmp_path: Path, mix: Dataset
) -> None:
    push(mix, "me/mix")
    rows = load_dataset("me/mix", split="train", revision="main")
    assert [row["path"] for row in rows["images"]][6:] == ["a/one.mp4", "b/two.mp4"]
    assert all(row["bytes"] is None for row in rows["images"])
    sent = b"".join(hub.files(REPO).values())
    assert str(tmp_path).encode() not in sent


def test_videos_that_would_be_uploaded_are_refused_unless_asked_for(
    hub: Hub, mix: Dataset, videos: Path
) -> None:
    with pytest.raises(InputError, match="frames of 2 videos; pass include_media=True"):
        push(mix, "me/mix", materialize="webp")
    film = next(videos.rglob("*.mp4")).read_bytes()
    inline = dataset_of([{**text_rows(1)[0], "images": {"bytes": film}}])
    with pytest.raises(InputError, match="1 row with a film as bytes"):
        push(inline, "me/mix")
    outside = dataset_of(video_rows(videos))
    with pytest.raises(InputError, match="not inside media_root"):
        push(outside, "me/mix", media_root=videos / "a")
    assert REPO not in hub.repos


def test_a_font_of_this_machine_is_not_published(hub: Hub) -> None:
    font = str(Path(t2vid.__file__).parent / "fonts" / "LiberationMono-Regular.ttf")
    spec = t2vid.RenderSpec(font=font)
    rows = dataset_of([{**text_rows(1)[0], "images": {"text": "One page.", "spec": spec}}])
    with pytest.raises(InputError, match="LiberationMono.*which only this machine has"):
        push(rows, "me/mix")
    push(rows, "me/mix", materialize="png")
    assert font.encode() not in b"".join(hub.files(REPO).values())


def test_the_licence_is_flagged_before_anything_is_uploaded(hub: Hub) -> None:
    rows = dataset_of([*text_rows(3, source="long_alpaca"), *text_rows(3, source="video_chatgpt")])
    # warnings are errors here, so nothing after the warning happens
    with pytest.raises(LicenceWarning, match=r"'long_alpaca' \(cc-by-nc-4.0\)"):
        t2vid.push(rows, "me/mix")
    assert not hub.log and not hub.repos
    with pytest.warns(LicenceWarning, match="commercial use is forbidden"):
        assert t2vid.push(rows, "me/mix").licence == "cc-by-nc-4.0"
    assert front_matter(hub)["license"] == "cc-by-nc-4.0"
    card = hub.files(REPO)["README.md"].decode()
    assert "| long_alpaca | cc-by-nc-4.0 |" in card and "| video_chatgpt | cc-by-sa-4.0 |" in card
    assert "**cc-by-nc-4.0**" in card and "non-commercial use only" in card


def test_a_source_without_a_stated_licence_is_said_so(hub: Hub) -> None:
    rows = dataset_of([*text_rows(2, source="longqlora"), *text_rows(2, source="mine")])
    with pytest.warns(LicenceWarning, match="no licence is stated for 'longqlora'"):
        t2vid.push(rows, "me/mix", licences={"mine": "CC-BY-4.0"})
    assert front_matter(hub)["license"] == ["cc-by-4.0", "unknown"]
    assert "| longqlora | not stated |" in hub.files(REPO)["README.md"].decode()
    with pytest.raises(InputError, match="'texts'.*which no row has"):
        t2vid.push(rows, "me/mix", licences={"texts": "mit"})


def test_a_recipe_tells_the_corpus_behind_a_name(hub: Hub) -> None:
    recipe = Recipe("one", (Source("t2vid/synthetic", config="longalpaca", name="papers"),))
    with pytest.raises(LicenceWarning, match=r"'papers' \(cc-by-nc-4.0\)"):
        t2vid.push(dataset_of(text_rows(2, source="papers")), "me/mix", recipe=recipe)
    with pytest.raises(LicenceWarning, match="no licence is stated for 'papers'"):
        t2vid.push(dataset_of(text_rows(2, source="papers")), "me/mix")


def test_the_bundled_sample_is_free(hub: Hub) -> None:
    rows = load_dataset("t2vid/mix", "sample", split="train").select(range(3))
    assert t2vid.push(rows, "me/mix").licence == "apache-2.0"


def test_the_bundled_sample_is_free_when_built_and_pushed_on_the_command_line(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "sample", "--out", str(tmp_path / "mix")]) == 0
    assert main(["push", str(tmp_path / "mix"), "me/mix"]) == 0
    assert "46 rows, licence apache-2.0" in capsys.readouterr().out
    assert front_matter(hub)["license"] == "apache-2.0"


def test_ones_own_recipe_loaded_under_the_name_of_the_sample_is_not_taken_for_it(
    hub: Hub, tmp_path: Path
) -> None:
    for name in ("texts.jsonl", "mine.jsonl"):
        shutil.copy(samples.ROOT / "texts.jsonl", tmp_path / name)
    mine = Recipe("mine", (Source("t2vid/synthetic", config="triplets", files=("mine.jsonl",)),))
    rows = load_dataset("t2vid/mix", recipe=mine, data_dir=str(tmp_path), split="train")
    assert rows.info.config_name == "sample"
    with pytest.raises(LicenceWarning, match="no licence is stated for 'triplets'"):
        t2vid.push(rows, "me/mix")


def test_files_of_ones_own_are_not_taken_for_the_bundled_ones(hub: Hub) -> None:
    mine = Source("t2vid/synthetic", config="sample", name="texts", files=("mine.jsonl",))
    with pytest.raises(LicenceWarning, match="no licence is stated for 'texts'"):
        t2vid.push(dataset_of(text_rows(2)), "me/mix", recipe=Recipe("one", (mine,)))


class OneRecipe:
    """Has what push asks of a recipe."""

    hash = "0123456789abcdef"

    def to_yaml(self) -> str:
        return "name: one\nnote: '```'\n"


def test_the_card_tells_recipe_counts_and_how_to_load(hub: Hub, tmp_path: Path) -> None:
    counts = Counts(kept=1).drop("too long", source="texts", example="texts/7")
    rows = dataset_of(text_rows(5))
    push(rows, "me/mix", config_name="small", recipe=OneRecipe(), counts=counts)
    files = hub.files(REPO)
    card = files["README.md"].decode()
    assert "hash `0123456789abcdef`" in card and "````yaml\nname: one\n" in card
    assert "| texts | too long | 1 |" in card and "5 long texts drawn as frames" in card
    assert files["about/small/recipe.yaml"].decode() == OneRecipe().to_yaml()
    assert Counts.from_dict(json.loads(files["about/small/counts.json"])) == counts
    assert files["about/small/frames.webp"][:4] == b"RIFF" and "about/small/frames.webp" in card
    assert 'load_dataset("me/mix", "small", split="train")' in card
    snippet = card.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", f"{snippet}\nassert len(rows) == 5 and rows[0]['images'][0].size"],
        env=hub.environment(tmp_path / "reader"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_without_recipe_counts_or_pictures_the_card_says_so(hub: Hub, videos: Path) -> None:
    push(dataset_of(video_rows(videos)), "me/mix")
    card = hub.files(REPO)["README.md"].decode()
    assert "No recipe was given" in card and "No counts of dropped rows were given" in card
    assert "There is no picture of the first frames: the rows are videos" in card
    assert "**The videos are not in this repository**" in card


def test_the_picture_of_lengths_is_shown_or_its_absence_explained(
    hub: Hub, texts: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(dataset: Dataset) -> bytes:
        raise MissingExtra('matplotlib is not installed; run: pip install "t2vid[insight]"')

    lengths = types.ModuleType("t2vid.insight.lengths")
    monkeypatch.setitem(sys.modules, lengths.__name__, lengths)
    lengths.picture = missing  # type: ignore[attr-defined]
    push(texts, "me/mix")
    reason = "There is no picture of the lengths: matplotlib is not installed"
    assert reason in hub.files(REPO)["README.md"].decode()
    lengths.picture = lambda dataset: b"a picture of %d" % len(dataset)  # type: ignore[attr-defined]
    push(texts, "me/mix")
    assert hub.files(REPO)["about/default/lengths.png"] == b"a picture of 40"
    assert "](about/default/lengths.png)" in hub.files(REPO)["README.md"].decode()


def test_pushing_the_same_again_changes_nothing(hub: Hub, texts: Dataset) -> None:
    first = push(texts, "me/mix")
    sent = [entry for entry in hub.log if entry[0] == "PUT"]
    assert push(texts, "me/mix") == first
    assert [entry for entry in hub.log if entry[0] == "PUT"] == sent
    assert hub.repos[REPO].branches == {"main": first.commit}


def test_a_dry_run_asks_nobody_and_tells_the_files_of_the_push(
    hub: Hub, texts: Dataset, tmp_path: Path
) -> None:
    told = push(texts, "me/mix", dry_run=True, stage_dir=tmp_path)
    assert hub.log == [] and told.commit == ""
    assert "license: apache-2.0" in Path(told.url).read_text()
    done = push(texts, "me/mix", stage_dir=tmp_path)
    assert done.files == told.files and done.n_rows == told.n_rows == 40
    assert hub.files(REPO)["README.md"].decode().count("\n") > 10


def test_a_push_is_one_commit_on_main_and_leaves_no_branch(hub: Hub, texts: Dataset) -> None:
    done = push(texts, "me/mix")
    commit = hub.repos[REPO].at("main")
    parent = hub.repos[REPO].commits[commit.parent or ""]
    assert commit.id == done.commit and parent.parent is None
    assert set(hub.repos[REPO].branches) == {"main"}


def test_many_shards_hold_each_row_once(
    hub: Hub, tmp_path: Path, texts: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 2000)
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 500)
    push(texts.shuffle(seed=3), "me/mix")
    assert sum(path.endswith(".parquet") for path in hub.files(REPO)) > 3
    rows = load_dataset("me/mix", split="train", revision="main")
    assert rows["id"][:] == texts.shuffle(seed=3)["id"][:]


def test_a_shorter_second_version_leaves_nothing_of_the_first(
    hub: Hub, texts: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 2000)
    push(texts, "me/mix", counts=Counts(kept=40))
    push(texts.select(range(3)), "me/mix")
    files = {path for path in hub.files(REPO) if not path.startswith(".")}
    pictures = {"about/default/frames.webp"}  # three rows make no distribution
    n = len(files) - len(pictures) - 1
    data = {f"data/train-{i:05}-of-{n:05}.parquet" for i in range(n)}
    assert files == data | {"README.md"} | pictures and n < 4
    assert len(load_dataset("me/mix", split="train", revision="main")) == 3


def test_configs_live_side_by_side_and_other_words_of_the_card_stay(
    hub: Hub, texts: Dataset
) -> None:
    push(texts, "me/mix")
    card = hub.files(REPO)["README.md"].decode()
    edited = card.replace("# mix", "# mix\n\nMy own words.").replace("tags:", "language: de\ntags:")
    hub.put(REPO, {"README.md": edited.encode()})
    push(texts.select(range(7)), "me/mix", config_name="small")
    for config, n in (("default", 40), ("small", 7)):
        assert len(load_dataset("me/mix", config, split="train", revision="main")) == n
    merged = hub.files(REPO)["README.md"].decode()
    assert "My own words." in merged and front_matter(hub)["language"] == "de"
    assert [c["config_name"] for c in front_matter(hub)["configs"]] == ["default", "small"]
    push(texts.select(range(9)), "me/mix", config_name="small")
    again = hub.files(REPO)["README.md"].decode()
    assert again.count("## Config `small`") == 1 and "My own words." in again


def test_splits_arrive_and_none_is_removed_in_passing(hub: Hub, texts: Dataset) -> None:
    both = DatasetDict(train=texts, test=texts.select(range(4)))
    push(both, "me/mix")
    loaded = load_dataset("me/mix", revision="main")
    assert {name: len(split) for name, split in loaded.items()} == {"train": 40, "test": 4}
    with pytest.raises(InputError, match=r"also has the splits \['test'\]"):
        push(texts, "me/mix")
    assert len(load_dataset("me/mix", split="test", revision="main")) == 4


def test_a_public_repository_is_not_taken_for_a_private_push(hub: Hub, texts: Dataset) -> None:
    push(texts, "me/secret", private=True)
    assert hub.repos["datasets/me/secret"].private
    hub.put(REPO, {"README.md": b"# Mine"})
    with pytest.raises(InputError, match="exists and is public, but private=True"):
        push(texts, "me/mix", private=True)
    assert hub.files(REPO) == {"README.md": b"# Mine"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"config_name": "data"}, "neither 'data' nor 'about'"),
        ({"config_name": "../up"}, "letters, digits"),
        ({"materialize": "jpeg"}, "must be None, 'webp' or 'png'"),
        ({"recipe": "hybrid-30k"}, "must be a t2vid.Recipe"),
        ({"repo_id": "me/mix/more"}, "no owner/name of the Hub"),
        ({"repo_id": "-me/mix"}, "no owner/name of the Hub"),
        ({"revision": "0" * 40}, "is a commit"),
        ({"revision": "a..b"}, "no name of a branch"),
        ({"commit_message": " "}, "must say something"),
        ({"max_shard_size": "much"}, "number of bytes"),
        ({"split": "train[:3]"}, "letters, digits"),
    ],
)
def test_bad_arguments_are_refused_before_the_network(
    hub: Hub, texts: Dataset, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        push(texts, **{"repo_id": "me/mix", **arguments})
    with pytest.raises(InputError, match="not an IterableDataset"):
        push(texts.to_iterable_dataset(), "me/mix")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="has no rows"):
        push(texts.select([]), "me/mix")
    assert not hub.log


def test_a_dataset_without_frames_is_published_too(hub: Hub) -> None:
    rows = Dataset.from_dict({"n": [1, 2, 3], "x": [0.5, float("nan"), None]})
    with pytest.warns(LicenceWarning, match="no licence is stated"):
        assert t2vid.push(rows, "me/mix").n_rows == 3
    t2vid.push(rows, "me/mix", licences="mit")
    assert front_matter(hub)["license"] == "mit"


def test_one_split_is_pushed_beside_the_others(hub: Hub, texts: Dataset) -> None:
    push(texts, "me/mix")
    push(texts.select(range(4)), "me/mix", split="test")
    loaded = load_dataset("me/mix", revision="main")
    assert {name: len(split) for name, split in loaded.items()} == {"train": 40, "test": 4}
    assert front_matter(hub)["dataset_info"][0]["splits"][0]["num_examples"] == 40
    push(texts.select(range(5)), "me/mix", split="test")
    assert len(load_dataset("me/mix", split="test", revision="main")) == 5
    assert len(load_dataset("me/mix", split="train", revision="main")) == 40
    others = Dataset.from_dict({"n": [1]})
    with pytest.raises(InputError, match=r"splits \['train'\].*have the columns"):
        push(others, "me/mix", split="test")


def test_a_split_is_added_to_what_push_to_hub_wrote(hub: Hub) -> None:
    Dataset.from_dict({"n": [1, 2]}).push_to_hub("me/mix", token="hf_test")
    push(Dataset.from_dict({"n": [3]}), "me/mix", split="test")
    loaded = load_dataset("me/mix", revision="main")
    assert {name: split["n"][:] for name, split in loaded.items()} == {"train": [1, 2], "test": [3]}


def test_a_branch_is_made_and_pushed_to_and_main_stays(hub: Hub, texts: Dataset) -> None:
    first = push(texts, "me/mix").commit
    other = push(texts.select(range(3)), "me/mix", revision="small", commit_message="Three rows")
    repo = hub.repos[REPO]
    assert repo.branches == {"main": first, "small": other.commit}
    assert repo.at("small").title == "Three rows"
    assert len(load_dataset("me/mix", split="train", revision="small")) == 3
    assert push(texts.select(range(3)), "me/mix", revision="small").commit == other.commit
    repo.tags["v1"] = first
    with pytest.raises(InputError, match="'v1'.* is a tag"):
        push(texts, "me/mix", revision="v1")


def test_a_pull_request_is_opened_once_and_changes_no_branch(hub: Hub, texts: Dataset) -> None:
    with pytest.raises(InputError, match="no dataset repository me/mix"):
        push(texts, "me/mix", create_pr=True)
    first = push(texts, "me/mix").commit
    few = texts.select(range(3))
    done = push(few, "me/mix", create_pr=True)
    assert done.url.endswith("/datasets/me/mix/discussions/1")
    assert push(few, "me/mix", create_pr=True) == done
    assert hub.repos[REPO].branches == {"main": first, "refs/pr/1": done.commit}
    assert len(load_dataset("me/mix", split="train", revision="refs/pr/1")) == 3


def test_a_pull_request_that_comes_back_different_is_closed(
    hub: Hub, texts: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(texts, "me/mix")

    def unequal(*_: Any, **__: Any) -> None:
        raise PublishError("row 0 is not what was sent")

    monkeypatch.setattr(commit, "compare", unequal)
    with pytest.raises(PublishError, match="not what was sent"):
        push(texts.select(range(3)), "me/mix", create_pr=True)
    assert not hub.repos[REPO].proposals


def test_rows_of_others_are_not_replaced_without_a_word(
    hub: Hub, texts: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    Dataset.from_dict({"n": [1, 2]}).push_to_hub("me/mix", token="hf_test")
    seen: list[bool] = []
    hub.fault = lambda method, path: (
        seen.append("replaces" in caplog.text) if "/commit/main" in path else None
    )
    push(texts, "me/mix")
    assert "this push replaces 2 rows (data/train-00000-of-00001.parquet)" in caplog.text
    assert seen == [True]  # before the commit
    caplog.clear()
    push(texts, "me/mix")
    assert "replaces" not in caplog.text


def test_a_token_that_can_only_read_is_refused_before_any_work(
    hub: Hub, texts: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = {"name": "me", "auth": {"accessToken": {"role": "read"}}}
    monkeypatch.setattr("huggingface_hub.HfApi.whoami", lambda *_: read)
    with pytest.raises(PublishError, match="can only read"):
        push(texts, "me/mix")
    assert not hub.log


def test_a_name_without_owner_is_ones_own(hub: Hub, texts: Dataset) -> None:
    assert push(texts, "mix").repo_id == "me/mix"
    with pytest.raises(InputError, match="'mix'.* has no owner.*OWNER/mix"):
        push(texts, "mix", dry_run=True)


def test_files_are_as_large_as_asked(hub: Hub, texts: Dataset) -> None:
    push(texts, "me/mix", max_shard_size="2KB")
    assert sum(path.endswith(".parquet") for path in hub.files(REPO)) > 3


def test_the_former_name_of_an_argument_goes_on_working(hub: Hub, texts: Dataset) -> None:
    with pytest.warns(DeprecationWarning, match="config_name"):
        push(texts, "me/mix", config="small")
    assert len(load_dataset("me/mix", "small", split="train", revision="main")) == 40
