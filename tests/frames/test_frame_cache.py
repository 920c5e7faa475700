"""The cache of decoded frames: the same frames, bounded, and safe between workers and after a kill."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, Features, Value, concatenate_datasets
from PIL import Image

from media import make_clip
from t2vid import Frames
from t2vid.errors import BadVideo, InputError, MissingFile
from t2vid.frames import feature, frame_cache
from t2vid.frames.feature import video_value
from t2vid.frames.frame_cache import FrameCache
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec

SPEC = SampleSpec(size=(48, 32))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=4)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was really decoded."""
    from t2vid.frames import video

    calls: list[Any] = []
    real = video.sample_video

    def counting(source: Any, spec: Any) -> Any:
        calls.append(source)
        return real(source, spec)

    monkeypatch.setattr(video, "sample_video", counting)
    return calls


def pixels(frames: list[Image.Image]) -> list[bytes]:
    return [frame.tobytes() for frame in frames]


def noise(n: int = 1) -> FrameList:
    """Frames that no packing makes smaller: 3 KB each."""
    return FrameList(
        [Image.frombytes("RGB", (32, 32), os.urandom(3072)) for _ in range(n)], timestamps_s=[0.0]
    )


def test_a_second_reading_gives_the_same_without_decoding(
    clip: Path, tmp_path: Path, decoded: list[Any]
) -> None:
    values = [video_value(clip, SPEC), video_value(clip.read_bytes(), SPEC)]
    for value in values:
        fresh = Frames().decode_example(value)
        reader = Frames(cache=str(tmp_path))
        before = len(decoded)
        first, again = reader.decode_example(value), reader.decode_example(value)
        assert len(decoded) == before + 1
        for kept in (first, again):
            assert pixels(kept) == pixels(fresh)
            assert (kept.timestamps_s, kept.info, kept.n_total) == (
                fresh.timestamps_s,
                fresh.info,
                fresh.n_total,
            )
            assert kept.encoded == value


def test_what_changes_the_frames_is_decoded_again(
    clip: Path, tmp_path: Path, decoded: list[Any]
) -> None:
    own = tmp_path / "own.mp4"
    shutil.copy(clip, own)
    cache = str(tmp_path / "cache")
    Frames(cache=cache).decode_example(video_value(own, SPEC))
    Frames(cache=cache).decode_example(video_value(own, SampleSpec(size=(32, 32))))
    Frames(cache=cache, max_frames=2).decode_example(video_value(own, SPEC))
    assert len(decoded) == 3
    make_clip(own, seconds=2)
    assert len(Frames(cache=cache).decode_example(video_value(own, SPEC))) == 2
    assert len(decoded) == 4


def test_texts_and_empty_rows_are_not_kept(tmp_path: Path) -> None:
    reader = Frames(cache=str(tmp_path))
    assert len(reader.decode_example(feature.text_value("A page."))) == 1
    assert reader.decode_example(None) == []
    assert not list(tmp_path.iterdir())


def test_a_bad_video_is_what_it_was(tmp_path: Path) -> None:
    reader = Frames(cache=str(tmp_path / "cache"))
    with pytest.raises(MissingFile):
        reader.decode_example(video_value(tmp_path / "none.mp4"))
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    with pytest.raises(BadVideo):
        reader.decode_example(video_value(tmp_path / "bad.mp4"))
    assert FrameCache(tmp_path / "cache").size_bytes() == 0


@pytest.mark.parametrize("damage", [b"", b"\x00", b"{}\n", None])
def test_a_damaged_file_is_decoded_again(
    clip: Path,
    tmp_path: Path,
    damage: bytes | None,
    decoded: list[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    value, reader = video_value(clip, SPEC), Frames(cache=str(tmp_path))
    whole = pixels(reader.decode_example(value))
    (kept,) = tmp_path.glob("??/*.frames")
    kept.write_bytes(kept.read_bytes()[:-7] if damage is None else damage)
    assert pixels(reader.decode_example(value)) == whole
    assert "damaged" in caplog.text
    assert pixels(reader.decode_example(value)) == whole
    assert len(decoded) == 2


def test_the_folder_stays_below_its_limit_and_the_oldest_go(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path, limit_gb=100_000 / 1e9)
    names = [f"{i:02x}" * 20 for i in range(100)]
    for i, name in enumerate(names):
        cache.put(name, noise())
        stamp = 1_000_000_000 + i
        for path in tmp_path.glob(f"{name[:2]}/*"):
            os.utime(path, (stamp, stamp))
        if cache.get(names[0]) is not None:  # read all the time, so never the oldest
            os.utime(next(tmp_path.glob(f"{names[0][:2]}/*")), (stamp + 1, stamp + 1))
        assert cache.size_bytes() <= 100_000 * 1.05
    held = [name for name in names if cache.get(name) is not None]
    assert held[0] == names[0]
    assert held[1:] == names[-len(held) + 1 :]
    assert len(held) > 20


def test_frames_larger_than_the_limit_are_not_kept(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path, limit_gb=2_000 / 1e9)
    cache.put("ab" * 20, noise())
    assert cache.size_bytes() == 0


def test_a_full_disk_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(frame_cache, "whole_file", full)
    FrameCache(tmp_path).put("ab" * 20, noise())
    assert "No space left" in caplog.text


def _fill(folder: str, until_killed: bool) -> None:
    cache, i = FrameCache(folder, limit_gb=200_000 / 1e9), 0
    while until_killed or i < 60:
        name = f"{i % 50:02x}" * 20
        if cache.get(name) is None:
            cache.put(name, noise(3))
        i += 1


def test_workers_share_a_folder_and_a_kill_leaves_no_half_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    killed = context.Process(target=_fill, args=(str(tmp_path), True))
    others = [context.Process(target=_fill, args=(str(tmp_path), False)) for _ in range(2)]
    for process in (killed, *others):
        process.start()
    for process in others:
        process.join()
        assert process.exitcode == 0
    os.kill(killed.pid, signal.SIGKILL)
    killed.join()
    cache = FrameCache(tmp_path, limit_gb=200_000 / 1e9)
    assert cache.size_bytes() <= 200_000 * 1.1
    held = [path.name.partition(".")[0] for path in tmp_path.glob("??/*.frames")]
    assert held
    assert all(len(cache.get(name) or []) == 3 for name in held)


def test_what_a_killed_process_left_goes_after_an_hour(tmp_path: Path) -> None:
    half = tmp_path / "ab" / f".{'ab' * 20}.frames.host.1.1"
    half.parent.mkdir()
    half.write_bytes(b"half")
    FrameCache(tmp_path).put("cd" * 20, noise())
    assert half.exists()
    os.utime(half, (1, 1))
    FrameCache(tmp_path).put("ef" * 20, noise())
    assert not half.exists()


def test_columns_that_differ_in_their_cache_are_of_one_type(clip: Path, tmp_path: Path) -> None:
    rows = [
        Dataset.from_dict(
            {"images": [str(clip)]}, features=Features(images=Value("string"))
        ).cast_column("images", Frames(cache=cache))
        for cache in (None, str(tmp_path))
    ]
    both = concatenate_datasets(rows)
    assert [len(row["images"]) for row in both] == [4, 4]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"cache": "s3://bucket/frames"}, "folder of this machine"),
        ({"cache": "frames", "cache_gb": 0}, "cache_gb"),
        ({"cache": "frames", "cache_gb": "1"}, "cache_gb"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Frames(**arguments)
