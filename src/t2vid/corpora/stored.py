"""A row of any layout as it is stored: its media found, its frames counted, a place for each.

>>> from t2vid.corpora.layouts import read_row
>>> row = read_row({"query": "Why?", "response": "So."})
>>> messages_of(row.turns, [])[1]["content"]
[{'type': 'text', 'text': 'So.'}]
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.corpora.layouts import LayoutRow
from t2vid.corpora.placing import Medium, Turn
from t2vid.errors import BadVideo, InputError, LayoutError, MissingFile, UnsafePath, kind_of
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.together import StoredMedium, is_blank, why_no_picture
from t2vid.schema import Message
from t2vid.storage.files import is_url
from t2vid.storage.media import member_bytes
from t2vid.storage.videos import IMAGE_SUFFIXES, SUFFIXES, VideoFolder

_SAMPLING = ("fps", "nframes", "min_frames", "max_frames", "start_s", "end_s")
_FROM_ROOT = re.compile(r"^(?:[A-Za-z]:)?[\\/]+")
_IN_PAIRS = {"nframes", "min_frames"}

Counter = Callable[[StoredMedium], int]


@dataclasses.dataclass(frozen=True)
class MediaFinder:
    """Finds the files that rows name.

    Args:
        folder: everything below the folder of the media; None where there is none to look through.
        beside: where relative names start without a folder: that of the annotation, a path or a URL.
        relative: give names below the folder instead of absolute paths.
    """

    folder: VideoFolder | None
    beside: str = ""
    relative: bool = False

    def find(self, name: str, kind: str) -> str:
        """Give where a file is.

        Args:
            name: as the row has it.
            kind: `"image"` or `"video"`.

        Raises:
            UnsafePath: for a file outside the folder.
            MissingFile: where there is none.
        """
        if is_url(name):
            return name
        if self.folder is None:
            path = name if os.path.isabs(name) else f"{self.beside}/{name}" if self.beside else name
            if is_url(path) or os.path.exists(path.partition("::")[0]):
                return path
            raise MissingFile(f"no such {kind}: {path}")
        root = str(self.folder.root)
        # An absolute path of the machine that the rows were written on may still end as one here.
        inside = name.removeprefix(f"{root}/")
        inside = _FROM_ROOT.sub("", inside) if inside == name else inside
        archive, mark, member = inside.partition("::")
        if mark:
            found = [archive] * (".." not in archive and (self.folder.root / archive).is_file())
        else:
            among = IMAGE_SUFFIXES if kind == "image" else SUFFIXES
            found = self.folder.agreeing(inside, among, any_suffix=kind == "video")
            if not found:
                found = self.folder.packed.agreeing(inside, among, any_suffix=kind == "video")
        if len(found) != 1:
            some = f"{len(found):,} files below {root} may be {name}: {found[:3]}"
            raise MissingFile(some if found else f"no such {kind} below {root}: {name}")
        path = f"{found[0]}{mark}{member}"
        return path if self.relative else f"{root}/{path}"


def settled(
    row: LayoutRow, *, finder: MediaFinder, sample: SampleSpec, count: Counter
) -> list[list[StoredMedium]]:
    """Give what is stored of each medium of a row: several of a list of frames, else one.

    Args:
        row: as `read_row` gives it.
        finder: of its files.
        sample: which frames of a video are shown; what a row says of its own video wins.
        count: counts the frames of a medium that was found.

    Raises:
        LayoutError: for a medium that is not there or cannot be read, under its reason.
    """
    out = []
    for medium in row.media:
        parts = []
        for one in unsettled(medium, sample):
            try:
                path = None if one.path is None else finder.find(one.path, one.kind)
                found = one._replace(path=path)
                parts.append(found._replace(n=count(found)))
            except UnsafePath as error:
                raise LayoutError(str(error), reason=f"unsafe {one.kind} path") from error
            except MissingFile as error:
                raise LayoutError(str(error), reason=f"no such {one.kind}") from error
            except BadVideo as error:
                reason = f"bad {one.kind} ({error.reason})"
                raise LayoutError(str(error), reason=reason) from error
        out.append(parts)
    return out


def unsettled(medium: Medium, sample: SampleSpec) -> Iterator[StoredMedium]:
    """Give the parts of a medium as it is named, a list of frames one by one.

    Raises:
        LayoutError: for what is no medium.
    """
    value = getattr(medium.value, "encoded", medium.value)
    if medium.kind == "frames":
        stored = dict(value)
        if is_blank(stored):
            return
        kind: Any = "text" if stored.get("text") is not None else "video"
        spec = stored.get("spec") or (RenderSpec().stored() if kind == "text" else sample.to_json())
        yield StoredMedium(kind, stored.get("path"), stored.get("bytes"), stored.get("text"), spec)
    elif isinstance(value, list):
        for frame in value:
            yield StoredMedium("image", *_content(frame, "image"))
    elif medium.kind == "image":
        yield StoredMedium("image", *_content(value, "image"))
    else:
        path, data = _content(value, "video")
        yield StoredMedium("video", path, data, spec=sample_of(medium.options, sample).to_json())


def sample_of(options: Mapping[str, Any], base: SampleSpec) -> SampleSpec:
    """Give how a video is sampled that a row speaks of in qwen-vl-utils' words.

    Budgets of pixels are left out: a frame is decoded at the size that its model takes.

    Args:
        options: of the medium.
        base: what holds where the row says nothing.

    Raises:
        LayoutError: for options that cannot be met, such as a clip that ends before it starts.
    """
    said = {key: value for key, value in options.items() if key in _SAMPLING and value is not None}
    if _IN_PAIRS & set(said):
        said["frame_factor"] = 2  # who counts frames in these words gets pairs of them
        said["sampling"] = None
    try:
        return dataclasses.replace(base, **said)
    except InputError as error:
        raise LayoutError(str(error), reason="unusable clip") from error


def open_check(medium: StoredMedium) -> int:
    """Count the one frame of a picture after a look at its header; a URL is believed.

    Raises:
        BadVideo: for what is no picture.
    """
    from PIL import Image

    data = medium.data
    if data is None and (medium.path is None or is_url(medium.path)):
        return 1
    data = member_bytes(medium.path) if data is None else data
    try:
        with Image.open(io.BytesIO(data) if data is not None else str(medium.path)):
            return 1
    except FileNotFoundError:
        raise MissingFile(f"no such image: {medium.path}") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        name = medium.path or "its bytes"
        why = why_no_picture(error, data)
        raise BadVideo(f"{name}: no image that can be read ({why})", reason="image") from error


def count_frames(medium: StoredMedium) -> int:
    """Count the frames of a medium: pages of a text, frames of a video by its container.

    Raises:
        BadVideo: for a picture or a video that cannot be read.
        MissingFile: where there is none.
    """
    from t2vid.frames.render import count_frames as pages
    from t2vid.frames.video import probe

    if medium.kind == "image":
        return open_check(medium)
    if medium.kind == "text":
        return pages(medium.text or "", RenderSpec.from_json(medium.spec or "{}"))
    source = {"path": medium.path, "bytes": medium.data}
    return probe(source, SampleSpec.from_json(medium.spec or "{}")).n_frames


def messages_of(
    turns: Sequence[Turn], n_places: Sequence[int], *, weighted: bool = False
) -> list[Message]:
    """Write turns with an image part for each frame where its medium stands.

    Args:
        turns: of a `LayoutRow`.
        n_places: frames of each medium; they stand where it is named first.
        weighted: with the weights of turns and their calls of tools.
    """
    named = [
        sum(part == at for turn in turns for part in turn.parts) for at in range(len(n_places))
    ]
    met: set[int] = set()
    out: list[Message] = []
    for turn in turns:
        content: list[Message] = []
        for part in turn.parts:
            if isinstance(part, str):
                content.append({"type": "text", "text": part})
                continue
            apart = named[part] == n_places[part]  # each frame has a place of its own
            n = 1 if apart else 0 if part in met else n_places[part]
            content += [{"type": "image", "text": None} for _ in range(n)]
            met.add(part)
        out.append({"role": turn.role, "content": content})
        if weighted:
            calls = turn.tool_calls and json.dumps(turn.tool_calls, ensure_ascii=False)
            weight = None if turn.weight is None else int(turn.weight)
            out[-1] |= {"weight": weight, "tool_calls": calls or None}
    return out


def _content(value: Any, kind: str) -> tuple[str | None, bytes | None]:
    """Give path and content of what a row names."""
    if isinstance(value, Mapping):
        path, data = value.get("path"), value.get("bytes")
        value = data if data is not None else path
    if isinstance(value, bytes):
        return None, value
    if isinstance(value, str | Path) and str(value):
        return str(value), None
    if kind == "image" and hasattr(value, "save"):  # a Pillow image
        out = io.BytesIO()
        value.save(out, "png")
        return None, out.getvalue()
    raise LayoutError(
        f"{'an' if kind == 'image' else 'a'} {kind} is {kind_of(value)}; give a path, a URL or bytes",
        reason="unknown medium",
    )
