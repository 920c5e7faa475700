"""The names of this package mean the same on the Hub, for whoever has not installed it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from datasets import load_dataset

import t2vid
from hub import Hub
from t2vid.publishing.repositories import prepare, upload

# huggingface_hub 2.4 hands a file object to httpx in the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
ANSWERS = {
    "predictions": ["The answer is B.", "A man walks.", "\\boxed{C}", "Neither A nor B.", ""],
    "references": ["B", "A", "C", "D", "A"],
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return prepare(tmp_path_factory.mktemp("hub"))


def served(folders: list[Path]) -> Hub:
    server = Hub()
    for folder in folders:
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        server.put("/".join(folder.parts[-3:]), files)
    return server


def stranger(hub: Hub, home: Path, script: str) -> str:
    """Run a script in a process that cannot import t2vid."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nsys.modules['t2vid'] = None\n" + textwrap.dedent(script),
        ],
        env=hub.environment(home),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", ["t2vid/synthetic", "t2vid/mix"])
def test_a_stranger_gets_the_same_rows(folders: list[Path], tmp_path: Path, name: str) -> None:
    script = f"""
        from datasets import load_dataset
        rows = load_dataset("{name}", split="train")
        rows.to_parquet("rows.parquet")
        print(rows.info.config_name)
    """
    with served(folders) as hub:
        assert stranger(hub, tmp_path / "home", script) == "sample"
    theirs = load_dataset("parquet", data_files=str(tmp_path / "rows.parquet"), split="train")
    theirs = theirs.cast_column("images", t2vid.Frames())
    mine = load_dataset(name, split="train")
    assert mine.column_names == theirs.column_names and len(mine) == len(theirs)
    others = [column for column in mine.column_names if column != "images"]
    assert list(mine.select_columns(others)) == list(theirs.select_columns(others))
    for at in (*range(3), len(mine) - 1, *[mine["source"][:].index(s) for s in {*mine["source"]}]):
        pairs = zip(mine[at]["images"], theirs[at]["images"], strict=True)
        assert all(a.tobytes() == b.tobytes() for a, b in pairs) and len(mine[at]["images"])


def test_a_stranger_gets_the_same_scores(folders: list[Path], tmp_path: Path) -> None:
    import evaluate

    script = f"""
        import json, evaluate
        print(json.dumps(evaluate.load("t2vid/video_mcq").compute(**{ANSWERS!r})))
    """
    with served(folders) as hub:
        theirs = json.loads(stranger(hub, tmp_path / "home", script))
        assert any("/spaces/t2vid/video_mcq/resolve/" in path for _, path, _ in hub.log)
    mine = evaluate.load("t2vid/video_mcq").compute(**ANSWERS)
    assert theirs == json.loads(json.dumps(mine)) and 0 < mine["accuracy"] < 1


def test_with_t2vid_the_names_are_its_own(folders: list[Path], hub: Hub) -> None:
    for folder in folders:
        hub.put("/".join(folder.parts[-3:]), {"README.md": b"---\nlicense: mit\n---\n"})
    assert len(load_dataset("t2vid/synthetic", split="train")[0]["images"]) > 1
    assert not [path for _, path, _ in hub.log if "synthetic" in path]


def test_the_cards_say_how_to_get_what_is_not_there(folders: list[Path]) -> None:
    card = (folders[0] / "README.md").read_text()
    assert "## Config `longalpaca`" in card and "`pip install t2vid`" in card
    assert 'load_dataset("t2vid/mix", "hybrid-30k"' in (folders[1] / "README.md").read_text()


def test_one_command_uploads_them(folders: list[Path], hub: Hub) -> None:
    urls = upload(folders)
    assert urls[2] == f"{hub.url}/spaces/t2vid/video_mcq"
    assert "sample/train-00000-of-00001.parquet" in hub.files("datasets/t2vid/mix")
