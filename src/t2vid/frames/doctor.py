"""Look at every video of a corpus before a run does, and list those that cannot be used.

    t2vid doctor DATA --out quarantine.jsonl

One line a video, bad or good, in the order they were done; an interrupted scan goes on where it
stopped. A video counts as good when the frames that a run would ask for can be decoded.

>>> verdict("nowhere.mp4")["reason"]
'missing'
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from t2vid import targets
from t2vid.errors import BadVideo, InputError, MissingFile, pluralize
from t2vid.frames.decoding import opened_reader
from t2vid.frames.spec import SampleSpec
from t2vid.frames.together import is_several, media_of
from t2vid.frames.video import sample_video
from t2vid.progress import progress
from t2vid.schema import Counts, storable
from t2vid.storage.files import path_of
from t2vid.storage.folder import files_below
from t2vid.storage.media import Limits, bad, opened
from t2vid.storage.staging import staged_file
from t2vid.storage.videos import SUFFIXES, is_video

logger = logging.getLogger(__name__)

_MAX_PROCESSES = 8
_LOOK_S, _FULL_S = 60, 3600  # seconds that one video may take
_BATCH = 8  # videos handed to a process at once


def doctor(
    data: str | os.PathLike[str] | Iterable[Any],
    *,
    out: str | os.PathLike[str] = "doctor.jsonl",
    num_proc: int | None = None,
    full: bool = False,
    spec: SampleSpec = SampleSpec(max_frames=8, size=64),  # noqa: B008
    limits: Limits | None = None,
) -> Health:
    """Decode a few frames of every video and list those that fail, with the reason.

    Args:
        data: a folder that is searched through, one video file, a dataset with a `Frames` or
            `Video` column, or paths.
        out: JSONL file, `{"video", "reason", "message", "decoded", "frames"}` a line, `reason` null
            for a good one; what it already lists is not looked at again.
        num_proc: processes; by default one for each core, up to 8.
        full: decode every frame, not only those of `spec`; damage that costs single frames shows.
        spec: the frames that are tried.
        limits: how much one video may cost; None gives it a minute, or an hour for all of it.

    Returns:
        How many are good, and how many are not for which reason, and how much was looked at;
        `.table()` shows it.

    Raises:
        InputError: when there is no video, or the argument is out of range.
        MissingFile: when the folder or file is not there.
    """
    if num_proc is not None and num_proc < 1:
        raise InputError(f"num_proc ({num_proc}) must be > 0, or None")
    names = list(dict.fromkeys(_videos(data)))
    if not names:
        raise InputError(
            f"no video found in {data!r}; known suffixes are {', '.join(sorted(SUFFIXES))}"
        )
    with staged_file(out) as local:
        return _scanned(names, local, num_proc=num_proc, full=full, spec=spec, limits=limits)


def _scanned(
    names: list[str],
    out: Path,
    *,
    num_proc: int | None,
    full: bool,
    spec: SampleSpec,
    limits: Limits | None,
) -> Health:
    done = _read(out)
    if full:  # a look at a few frames does not stand for one at all of them
        done = {name: line for name, line in done.items() if line.get("full") or line["reason"]}
    left = [name for name in names if name not in done]
    act = partial(verdict, full=full, spec=spec, limits=limits)
    workers = min(num_proc or min(os.cpu_count() or 1, _MAX_PROCESSES), max(1, len(left)))
    with open(out, "a", encoding="utf-8") as file:
        found = _each(act, left, workers)
        for line in progress(found, desc="videos", total=len(left), unit="video"):
            plain = all(storable(value) for value in line.values() if isinstance(value, str))
            file.write(json.dumps(line, ensure_ascii=not plain) + "\n")
            file.flush()  # so that an interruption costs nothing
            done[line["video"]] = line
    counts = Health()
    for name in names:
        reason = done[name]["reason"]
        counts.decoded += done[name].get("decoded") or 0
        counts.frames += done[name].get("frames") or 0
        if reason is None:
            counts.keep(source="videos")
        else:
            counts.drop(reason, source="videos", example=name)
    return counts


@dataclass
class Health(Counts):
    """How many videos are good, and on how much of a look that rests.

    Attributes:
        decoded: frames that were decoded, of all videos that are good.
        frames: frames that these videos have.
    """

    decoded: int = 0
    frames: int = 0

    def table(self) -> str:
        """Give the counts as lines of text, and how much was looked at."""
        share = 100 * self.decoded / max(1, self.frames)
        hint = "" if self.decoded >= self.frames else "; --full decodes all of them"
        looked = f"decoded {self.decoded:,} of {self.frames:,} frames ({share:.0f} %){hint}"
        return f"{super().table()}\n{looked}"


def verdict(
    name: str,
    *,
    full: bool = False,
    spec: SampleSpec = SampleSpec(max_frames=8, size=64),  # noqa: B008
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Say whether one video can be used.

    Args:
        name: path, URL or archive member.
        full: decode every frame.
        spec: the frames that are tried.
        limits: how much it may cost; None gives it a minute, or an hour for all of it.

    Returns:
        `{"video", "reason", "message"}`, of a good one also how many frames were decoded, of how
        many, and whether all were meant to be.
    """
    limits = limits or Limits(timeout_s=_FULL_S if full else _LOOK_S)
    line: dict[str, Any] = {"video": name, "reason": None, "message": None}
    try:
        frames = sample_video(name, spec, limits=limits)
        info = frames.info
        line |= {"decoded": len(frames), "frames": info.video_frames if info else len(frames)}
        if full and info is not None and info.codec not in (None, "webp"):
            line |= dict(zip(("decoded", "frames"), decode_all(name, limits=limits), strict=True))
        if full:
            line["full"] = True
    except BadVideo as error:
        return {"video": name, "reason": error.reason, "message": str(error)}
    except MissingFile as error:
        return {"video": name, "reason": "missing", "message": str(error)}
    except InputError as error:  # a name that can be none
        return {"video": name, "reason": "no video", "message": str(error)}
    return line


def decode_all(name: str, *, limits: Limits) -> tuple[int, int]:
    """Decode every frame of a video file; give how many came, of how many.

    Args:
        name: path, URL or archive member.
        limits: how much it may cost.

    Raises:
        BadVideo: when a packet cannot be decoded, or a frame is broken.
    """
    n = broken = 0
    with opened(name, limits) as media, opened_reader(media, limits) as reader:
        for frame in reader.everything():
            n += 1
            broken += bool(frame.is_corrupt)
        if reader.lost_packets or broken:
            lost = pluralize(reader.lost_packets, "packet")
            found = f"{lost} cannot be decoded, and {broken} of {n:,} frames are broken"
            raise bad(media.name, "damaged", found, "download it again, or leave it out")
    return n, n


def _videos(data: Any) -> Iterator[str]:
    if isinstance(data, str | os.PathLike):
        name = os.fspath(data)
        if "::" in name or name.startswith("data:"):
            yield name
            return
        path = path_of(name)
        if path.is_dir():
            names = (file.path for file in files_below(path) if is_video(file.path))
            yield from (str(path / name) for name in names)
            return
        if isinstance(path, Path) and not path.exists():
            near = targets.near(name, ("folder", "file", "recipe"))
            meant = f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
            raise MissingFile(
                f"{name} is not there{meant}; give a folder of videos, one video or a URL"
            )
        yield name
        return
    inline = 0
    for row in _stored(data):
        if isinstance(row, Mapping) and is_several(row):
            films = [one for one in media_of(row) if one.kind == "video"]
            inline += sum(one.path is None for one in films)
            yield from (one.path for one in films if one.path is not None)
            continue
        if isinstance(row, Mapping):
            inline += row.get("bytes") is not None
            row = row.get("path") if row.get("bytes") is None else None
        if row is not None:
            yield os.fspath(row)
    if inline:
        logger.warning("%d rows hold their video as bytes, which no scan by name covers", inline)


def _stored(data: Any) -> Iterable[Any]:
    """Give the stored values of a dataset's video column, or the data itself where it is none."""
    features = getattr(data, "features", None)
    if features is None:
        return data  # type: ignore[no-any-return]
    for column, feature in features.items():
        if getattr(feature, "_type", "") in ("Frames", "Video"):
            plain = type(feature)(decode=False)
            rows = data.select_columns([column]).cast_column(column, plain)
            return (row[column] for row in rows)
    raise InputError(f"the dataset has no Frames or Video column, only {list(features)}")


def _each(act: Any, names: list[str], workers: int) -> Iterator[dict[str, Any]]:
    if workers == 1:
        yield from map(act, names)
        return
    with _pool(workers) as pool:
        for start in range(0, len(names), 64 * workers * _BATCH):
            part = names[start : start + 64 * workers * _BATCH]
            done = 0
            try:
                for line in pool.map(act, part, chunksize=_BATCH):
                    yield line
                    done += 1
            except BrokenProcessPool:
                yield from _one_by_one(act, part[done:])
                yield from _each(act, names[start + len(part) :], workers)
                return


def _one_by_one(act: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    """Find out which video ended the process that looked at it, and list it as bad, too."""
    while names:
        done = 0
        try:
            with _pool(1) as pool:
                for line in pool.map(act, names):
                    yield line
                    done += 1
        except BrokenProcessPool:
            found = (
                "the process that decoded it was ended, for want of memory or by a fault in libav"
            )
            message = f"{names[done]}: {found}; leave it out, or encode it with ffmpeg"
            yield {"video": names[done], "reason": "crash", "message": message}
            done += 1
        names = names[done:]


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, for a forked process may inherit a lock that nobody opens again.
    context = get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Let a worker end when its parent was killed; it would wait for work for ever."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Read what an earlier scan wrote; a line that it could not finish is done again."""
    if not path.exists():
        return {}
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        path.write_bytes(b"".join(lines[:-1]))
        lines.pop()
    try:
        return {line["video"]: line for line in map(json.loads, lines)}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no list of this command ({error}); give another out") from None
