"""`t2vid probe` says of every file what it is, or why nobody can tell."""

from __future__ import annotations

import json

import pytest

from media import make_clip
from t2vid import cli
from t2vid.errors import InputError
from t2vid.frames.probing import probe_files


def test_each_file_is_told_in_its_order_with_what_is_shown_of_it(tmp_path) -> None:
    good = make_clip(tmp_path / "good.mp4", seconds=30, size=(160, 96), rotation=90)
    (tmp_path / "text.mp4").write_text("no video\n" * 9)
    found = probe_files([good, tmp_path / "text.mp4", tmp_path / "nowhere.mp4"])
    assert [one.error is None for one in found] == [True, False, False]
    info = found[0].info
    assert info is not None
    assert (info.size, info.rotation, info.codec, info.fps) == ((96, 160), 90, "h264", 10.0)
    assert (info.n_frames, info.n_total, info.video_frames) == (24, 30, 300)
    assert (
        found[0]
        .line()
        .endswith("30.00 s at 10 frames a second, turned by 90°; shown: 24 frames of 30, 96x160")
    )
    assert "it is text" in found[1].line() and "no such file" in found[2].line()


def test_a_family_and_its_limits_can_be_asked_for(tmp_path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=30, size=(160, 96))
    (found,) = probe_files([clip], family="qwen2_5_vl", max_frames=8)
    assert found.info is not None
    assert len(found.info.indices) == found.info.n_frames == 8
    assert found.info.indices[-1] == 299
    with pytest.raises(InputError, match=r"family \('gpt'\) must be one of"):
        probe_files([clip], family="gpt")
    with pytest.raises(InputError, match="no file is given"):
        probe_files([])


def test_the_command_prints_json_and_fails_with_a_file(tmp_path, capsys) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    assert cli.main(["probe", str(clip), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["info"]["duration_s"] == 3.0 and told["info"]["indices"] == [4, 14, 24]
    assert cli.main(["probe", str(clip), str(tmp_path / "nowhere.mp4")]) == 2
