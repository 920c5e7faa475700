"""Every video below a folder, beside the ffmpeg program: the same frames, pixel by pixel?

    python benchmarks/real_clips.py FOLDER --json clips.json

For each file `sample_video` at one frame a second is held against `ffmpeg -vf fps=1`, and eight
frames spread over all against the same numbers of ffmpeg's frames, all as PNG. Each file is read in
a process of its own, so that a crash or a hang is one line of the table. What is not as in ffmpeg is
listed, file by file; `same` means within two of 255 levels. Take an ffmpeg near the version that PyAV
brings (printed first): decoders and demuxers differ between versions.
"""

from __future__ import annotations

import argparse
import collections
import json
import multiprocessing
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from t2vid.errors import T2VidError
from t2vid.frames.sampling import subset
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe, sample_video

SPREAD = 8
LEVELS = 2  # of 255, by which two roundings of one colour may differ
SECONDS = SampleSpec(fps=1, max_frames=None)
UNIFORM = SampleSpec(fps=None, max_frames=SPREAD, sampling="linspace")


class Ffmpeg:
    """The ffmpeg program at work on one file.

    Args:
        program: its path.
        clip: the file.
        limit_s: seconds after which a call is given up.
        threads: of its decoder; 0 for as many as it likes.

    Attributes:
        complaint: what it last said of damage.
    """

    def __init__(self, program: str, clip: Path, limit_s: float, *, threads: int = 0) -> None:
        self._program, self._clip, self._limit_s = program, str(clip), limit_s
        self._threads = ["-threads", str(threads)] if threads else []
        self.complaint = ""

    def run(self, *arguments: str) -> str:
        """Run it on the file, and give what it prints; `RuntimeError` where it fails."""
        command = [self._program, "-v", "error", "-nostdin", "-y", *self._threads, "-i", self._clip]
        done = subprocess.run([*command, *arguments], capture_output=True, timeout=self._limit_s)
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        if done.returncode:
            raise RuntimeError(lines[-1] if lines else f"exit {done.returncode}")
        self.complaint = lines[0] if lines else self.complaint
        return done.stdout.decode(errors="replace")

    def pictures(self, filters: str, *more: str) -> list[Image.Image]:
        """Extract frames as PNG files, which scales those of another size to the first one's."""
        with tempfile.TemporaryDirectory() as folder:
            self.run("-vf", filters, *more, f"{folder}/%06d.png")
            return [colours(Image.open(path)) for path in sorted(Path(folder).iterdir())]

    def count(self) -> int:
        """Count the frames of the stream that it chooses."""
        lines = self.run("-an", "-sn", "-dn", "-fps_mode", "passthrough", "-f", "framecrc", "-")
        return len(re.findall(r"^0,", lines, re.MULTILINE))


def colours(image: Image.Image) -> Image.Image:
    """Give a picture in RGB; Pillow would cut 16 bits of gray off at 255."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def beside(mine: list[Image.Image], theirs: list[Image.Image]) -> str:
    """Say how two lists of pictures differ; "same" where they do not."""
    if len(mine) != len(theirs):
        return f"{len(mine)} frames, ffmpeg {len(theirs)}"
    far = []
    for n, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        if a.size != b.size:
            return f"frame {n} is {a.size}, ffmpeg's {b.size}"
        levels = np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16))
        if levels.max() > LEVELS:
            far.append(f"{n} by {levels.max()} (mean {levels.mean():.2f})")
    return f"{len(far)} of {len(mine)} frames differ: {', '.join(far[:4])}" if far else "same"


def compared(clip: Path, program: str, limit_s: float) -> dict[str, str]:
    """Compare one file both ways.

    Returns:
        A verdict by way; errors of either side are part of it.
    """
    found = {}
    for way, spec in (("fps=1", SECONDS), ("uniform", UNIFORM)):
        try:
            mine: Any = list(sample_video(clip, spec))
            promised = probe(clip, spec).n_frames
        except T2VidError as error:
            mine = str(error)
        found[way] = ""
        for threads in (0, 1):  # what it makes of damage, and the first pictures, hang on them
            ffmpeg = Ffmpeg(program, clip, limit_s, threads=threads)
            said = verdict(mine, theirs(ffmpeg, way, mine))
            if said == "same" or said.startswith(("both", "ffmpeg refuses")):
                found[way] = said
                break
            found[way] = found[way] or said
            if ffmpeg.complaint and not threads:
                found[way] += f" (ffmpeg says: {ffmpeg.complaint:.100})"
        if isinstance(mine, list) and promised != len(mine):
            found[way] += f"; probe promises {promised} frames, and there are {len(mine)}"
    return found


def theirs(ffmpeg: Ffmpeg, way: str, mine: Any) -> Any:
    """Give ffmpeg's frames, of the size of ours where its pixels are not square, or its error."""
    try:
        filters, more = "fps=1", []
        pictures = ffmpeg.pictures(filters) if way == "fps=1" else []
        if not pictures:  # a file under half a second has no frame for it: we give the last one
            n = ffmpeg.count()
            picks = subset(n, SPREAD, sampling="linspace") if way == "uniform" else [n - 1]
            filters = "select='" + "+".join(f"eq(n,{n})" for n in picks) + "'"
            more = ["-fps_mode", "passthrough"]
            pictures = ffmpeg.pictures(filters, *more)
        if isinstance(mine, list) and pictures and pictures[0].size != mine[0].size:
            pictures = ffmpeg.pictures("{},scale={}:{}".format(filters, *mine[0].size), *more)
        return pictures
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)


def verdict(mine: Any, theirs: Any) -> str:
    """Word what two sides gave, frames or an error each."""
    if isinstance(mine, str):
        if isinstance(theirs, str) or not theirs:
            return f"both refuse: {mine}"
        return f"WE REFUSE, ffmpeg gives {len(theirs)}: {mine}"
    if isinstance(theirs, str) or not theirs:
        return f"ffmpeg refuses, we give {len(mine)}: {theirs or 'no frame'}"
    return beside(mine, theirs)


def _work(clip: Path, program: str, limit_s: float, out: Any) -> None:
    try:
        out.send(compared(clip, program, limit_s))
    except BaseException as error:  # whatever it is, it belongs in the table
        out.send({"fps=1": f"RAW {type(error).__name__}: {error}"})


def apart(clip: Path, program: str, limit_s: float) -> dict[str, str]:
    """Compare one file in a process of its own."""
    receive, send = multiprocessing.Pipe(duplex=False)
    worker = multiprocessing.Process(target=_work, args=(clip, program, limit_s, send))
    worker.start()
    send.close()
    try:
        if not receive.poll(6 * limit_s):
            worker.kill()
            return {"fps=1": f"HANGS: no end after {6 * limit_s:.0f} s"}
        return dict(receive.recv())
    except EOFError:
        worker.join()
        return {"fps=1": f"CRASHES: exit code {worker.exitcode}"}
    finally:
        worker.join()


def kind(text: str) -> str:
    """Give the column that a verdict is counted in."""
    if text == "same" or "probe promises" in text:
        return text.rpartition("; ")[2].split(" promises")[0]
    if text.startswith(("both", "ffmpeg refuses", "WE REFUSE")):
        return text.split(":")[0].split(",")[0]
    return text.split(":")[0].split()[0] if text[0].isupper() else "differs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg"), help="path of the program")
    parser.add_argument("--limit", type=float, default=30, help="seconds for one call of ffmpeg")
    parser.add_argument("--json", type=Path, help="write the verdicts there, too")
    given = parser.parse_args()
    if given.ffmpeg is None:
        sys.exit("no ffmpeg program; give --ffmpeg PATH")
    version = subprocess.run([given.ffmpeg, "-version"], capture_output=True, text=True).stdout
    print(version.splitlines()[0], "| PyAV", av.__version__, "with FFmpeg", av.ffmpeg_version_info)
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    verdicts: dict[str, dict[str, str]] = {}
    for clip in sorted(path for path in given.folder.rglob("*") if path.is_file()):
        start = time.monotonic()
        found = apart(clip, given.ffmpeg, given.limit)
        name = str(clip.relative_to(given.folder))
        verdicts[name] = found
        for way, text in found.items():
            table[f"{clip.suffix.lower()[1:]} {way}"][kind(text)] += 1
            if text != "same":
                print(f"{name} [{way}] {time.monotonic() - start:.1f} s: {text}", flush=True)
    columns = sorted({column for counts in table.values() for column in counts})
    print(f"\n| files | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    totals: collections.Counter[str] = collections.Counter()
    for row, counts in sorted(table.items()):
        print(f"| {row} | {' | '.join(str(counts[column] or '') for column in columns)} |")
        totals.update({f"{row.split()[1]} {column}": n for column, n in counts.items()})
    print(f"\n{len(verdicts)} files: {dict(sorted(totals.items()))}")
    if given.json:
        given.json.write_text(json.dumps(verdicts, indent=1))


if __name__ == "__main__":
    main()
