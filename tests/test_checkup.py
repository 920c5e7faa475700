"""`t2vid doctor` says of a recipe, rows and a mix what is missing, and what to do."""

from __future__ import annotations

import json

import pytest

from mixing.corpora import small_recipe, write_corpora
from t2vid import cli
from t2vid.checkup import checkup
from t2vid.errors import InputError, MissingFile, UnknownTarget
from t2vid.mixing.build import build


@pytest.fixture
def data(tmp_path):
    return write_corpora(tmp_path / "data")


def states(found):
    return {row.name: row.state for row in found.rows}


def test_a_recipe_is_examined_source_by_source(data, tmp_path, capsys):
    (tmp_path / "small.yaml").write_text(small_recipe().to_yaml())
    found = checkup(str(tmp_path / "small.yaml"), data=data)
    assert found.good and set(states(found).values()) == {"ok"}
    assert "12 rows in 1 file; of 12 looked at 11 fit" in found.table()
    assert "1 no such video (sharegemini/00011" in found.table()
    (data / "LongAlpaca-12k.json").unlink()
    for film in (data / "films").glob("v_*.mp4"):
        film.unlink()
    found = checkup(str(tmp_path / "small.yaml"), data=data, rows=5)
    assert states(found) == {
        "sharegemini": "ok",
        "video_chatgpt": "missing",
        "longalpaca": "missing",
        "longqlora": "ok",
    }
    assert "5 no such video" in found.table() and "none of ['LongAlpaca-12k.json']" in found.table()
    command = ["doctor", str(tmp_path / "small.yaml"), "--data", str(data)]
    assert cli.main([*command, "--quiet"]) == 2
    assert cli.main([*command, "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 4


def test_a_source_of_too_few_rows_is_told(data):
    recipe = small_recipe(sources=[{"dataset": "t2vid/sharegemini", "count": 12}])
    (data / "r.yaml").write_text(recipe.to_yaml())
    found = checkup(str(data / "r.yaml"), data=data)
    assert states(found) == {"sharegemini": "note"}
    assert "12 rows are wanted, about 11 fit" in found.table()


@pytest.mark.parametrize("harm", ["none", "shard", "annotations", "video", "data"])
def test_a_mix_is_held_against_what_it_was_made_of(data, tmp_path, harm):
    built = build(small_recipe(), data=data, out=tmp_path / "mix", rows_per_shard=10)
    told = {"none": "as they were", "shard": "00001-of-00003.parquet is gone or changed"}
    told |= {"annotations": "1 annotation file changed", "video": "1 video went (films/100"}
    told |= {"data": "data is gone"}
    if harm == "shard":
        (built.out / "data" / "train-00001-of-00003.parquet").write_bytes(b"")
    elif harm == "annotations":
        (data / "VideoInstruct100K.json").write_text("[]")
    elif harm == "video":
        (data / "films" / "1000.mp4").unlink()
    elif harm == "data":
        data.rename(tmp_path / "elsewhere")
    found = checkup(str(built.out))
    assert told[harm] in found.table()
    assert found.good == (harm not in ("shard", "data"))
    assert ("Everything works" in found.table()) == (harm == "none")


def test_rows_are_examined_where_they_lie_and_videos_as_before(data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row = {"query": "<video>?", "response": "So.", "video": "films/1000.mp4"}
    rows = [row, {**row, "video": "b.mp4"}]
    (data / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert cli.main(["doctor", str(data / "rows.jsonl")]) == 0
    said = capsys.readouterr().out
    assert "2 rows in 1 file; of 2 looked at 1 fit" in said and "1 no such video" in said
    for _ in range(2):  # the second time, doctor.jsonl is a file of rows that is there
        assert cli.main(["doctor", "--full", "data", "--out", "doctor.jsonl"]) == 0
        assert "doctor.jsonl names each video" in capsys.readouterr().out


def test_what_cannot_be_examined_is_refused_in_a_line(data, tmp_path, capsys):
    with pytest.raises(UnknownTarget, match="did you mean 'hybrid-30k'"):
        checkup("hybird-30k")
    with pytest.raises(MissingFile, match="needs the folder"):
        checkup("hybrid-30k")
    with pytest.raises(MissingFile, match="does not exist"):
        checkup("hybrid-30k", data=tmp_path / "no")
    with pytest.raises(InputError, match=r"rows \(0\)"):
        checkup("sample", rows=0)
    assert cli.main(["doctor", "hybird-30k"]) == 2
    assert "did you mean 'hybrid-30k'" in capsys.readouterr().err
    (tmp_path / "broken.yaml").write_text("sources: [")
    assert cli.main(["doctor", str(tmp_path / "broken.yaml")]) == 2
    assert "broken.yaml is no YAML" in capsys.readouterr().err
    (tmp_path / "half" / ".work").mkdir(parents=True)
    (tmp_path / "half" / ".work" / "plan.json").write_text("{}")
    assert cli.main(["doctor", str(tmp_path / "half")]) == 2
    assert "an unfinished mix; run t2vid build again" in capsys.readouterr().err
