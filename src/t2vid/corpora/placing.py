"""Which medium stands where in a conversation: parts, `<image>` tags and columns brought together.

>>> turns = [Turn("user", "<image>Who? And here?<image>")]
>>> places(turns, [Medium("image", "a.png", {}), Medium("image", "b.png", {})], name="r")[0][0].parts
(0, 'Who? And here?', 1)
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from t2vid.corpora.bounds import clip_options, first_given, given, listed, seconds
from t2vid.errors import LayoutError, kind_of
from t2vid.frames.together import is_several, media_of
from t2vid.storage.fields import is_missing
from t2vid.storage.videos import PICTURES

MediaKind = Literal["image", "video", "frames"]

# What the files of one tool or another write where a medium stands: `<image>`, MiniCPM's `<image_00>`,
# Phi's `<|image_1|>`, and the words that processors of Qwen, InternVL, Gemma, Llama, DeepSeek, VILA,
# XComposer and MiniCPM put there, which get into files that were written after one of them.
_TAG = re.compile(
    r"\(<(?:image|video)>\./</(?:image|video)>\)"
    r"|(?:<\|vision_start\|>)?<\|(?:image|video)_pad\|>(?:<\|vision_end\|>)?"
    r"|(?:<img>)?<IMG_CONTEXT>(?:</img>)?|<VIDEO_CONTEXT>|<ImageHere>|<start_of_image>"
    r"|<\|(?:image|video)(?:_\d+)?\|>"
    r"|<(?:vila/)?(?:image|video|audio)(?:[_ ]\d+|_placeholder|_soft_token)?>",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")
# Qwen-VL and ms-swift write where a medium is into the text itself.
_NAMED = re.compile(r"<(img|image|video)>\s*(?!\./<)([^<>\n]+?)\s*</\1>")
_STORED = {"text", "path", "bytes", "spec"}
MEDIA_COLUMNS: dict[str, MediaKind] = {
    "images": "image",
    "image": "image",
    "videos": "video",
    "video": "video",
}
# Other names of a column, read where none of those holds a medium of the kind.
_ALIASES: dict[str, MediaKind] = {
    f"{kind}_{what}{several}": kind
    for kind in ("image", "video")
    for what in ("path", "url", "file")
    for several in ("", "s")
}
_INLINE = {
    "image": ("image", "image_url", "url", "path", "base64", "bytes", "value"),
    "video": ("video", "video_url", "url", "path", "base64", "bytes", "value"),
}
_KINDS = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "video": "video",
    "video_url": "video",
    "input_video": "video",
    "text": "text",
    "input_text": "text",
    "output_text": "text",
}
_BASE64_CHARS = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_MIN_BASE64_CHARS = 256  # a shorter text is a path, unless it begins as a PNG does
_PNG_IN_BASE64 = "iVBORw0KGgo"


class Medium(NamedTuple):
    """One medium of a row.

    Attributes:
        kind: `"image"`, `"video"` (a file, or a list of frames), or `"frames"` (what a `Frames`
            column stores or gives).
        value: path, URL, bytes, `{path, bytes}`, an image, or a list of these for a video.
        options: how a video is sampled, in qwen-vl-utils' words, its bounds as `start_s`, `end_s`.
        tag: the tag that stands for it, where the row names one (MiniCPM's `<image_00>`).
        n_places: places that it has, where a row is stored with a place for each frame.
    """

    kind: MediaKind
    value: Any
    options: dict[str, Any]
    tag: str = ""
    n_places: int = 0


class Turn(NamedTuple):
    """One turn of a conversation.

    Attributes:
        role: `system`, `user`, `assistant` or `tool`.
        parts: texts, and numbers of media; before `places` has run, the content as it was found.
        weight: whether the turn is trained on, where the row says so.
        tool_calls: of an assistant's turn that calls tools.
    """

    role: str
    parts: Any
    weight: bool | None = None
    tool_calls: list[dict[str, Any]] | None = None

    @property
    def trained(self) -> bool:
        """Whether it is trained on where answers are."""
        return self.weight is not False

    @property
    def is_blank(self) -> bool:
        """Whether it says, shows and calls nothing."""
        words = all(isinstance(part, str) for part in self.parts)
        return words and not self.text.strip() and not self.tool_calls

    @property
    def text(self) -> str:
        """Its texts, one after the other."""
        return "".join(part for part in self.parts if isinstance(part, str))


def columns_of(
    record: Mapping[str, Any], columns: Mapping[str, MediaKind] = MEDIA_COLUMNS
) -> list[Medium]:
    """List the media that a row's columns name, images before videos.

    Args:
        record: the row.
        columns: which columns name media.
    """
    found: list[Medium] = []
    for column, kind in {**columns, **_ALIASES}.items():
        if column not in record:
            continue
        value = listed(given(record, column))
        if column not in columns and any(one.kind in (kind, "frames") for one in found):
            continue
        if value is not None and not _is_empty(value):
            found += _column(value, kind, column)
    found.sort(key=lambda one: one.kind == "video")
    if given(record, "audio") is not None or given(record, "audios") is not None:
        raise LayoutError("the row is about audio, which no frame can show", reason="audio row")
    if path := given(record, "path") if given(record, "data_type") else None:  # Video-R1
        found.append(Medium("video" if record["data_type"] == "video" else "image", path, {}))
    videos = [media for media in found if media.kind == "video"]
    for at, said in enumerate(clip_options(record, len(videos))):
        videos[at].options.update({**said, **videos[at].options})
    return found


class _Place(NamedTuple):
    """Where a medium stands: a part without content, or a tag in a text."""

    kind: str
    tag: str = ""


def places(
    turns: Sequence[Turn], columns: Sequence[Medium], *, name: str, tags: bool = True
) -> tuple[tuple[Turn, ...], tuple[Medium, ...]]:
    """Give every medium its place, and every place its medium.

    Parts decide where a row has any; else tags, as many as there are media; else all media stand
    before the first user text, as in TRL. One stored sequence of frames fills all places.

    Args:
        turns: their `parts` as found: a text, or a list of parts.
        columns: media that the row's columns name.
        name: the row's id, for messages.
        tags: read `<image>` and `<video>` in texts as places; False leaves them words.

    Raises:
        LayoutError: where places and media do not match, naming both numbers.
    """
    placed = [
        [
            one
            for part in _parts(turn.parts, name)
            for one in (_named(part) if tags and turn.role != "assistant" else [part])
        ]
        for turn in turns
    ]
    if tags:
        columns = _numbered_tags(turns, placed, columns)
        placed = [
            parts if turn.role == "assistant" else _where_tagged(parts)
            for turn, parts in zip(turns, placed, strict=True)
        ]
    if columns and columns[0].n_places:
        return _in_stored_places(turns, placed, columns, name)
    stored = len(columns) == 1 and columns[0].kind == "frames"
    structured = any(not isinstance(turn.parts, str) for turn in turns)
    if all(isinstance(part, str) for parts in placed for part in parts):
        # In a row of media every tag is a place. In one without, or whose one medium is a sequence
        # of frames, a tag inside a sentence is a word: texts about models have them.
        every = bool(columns) and not stored
        tagged = [
            parts
            if turn.role == "assistant" or not tags
            else [piece for part in parts for piece in _tagged(part, every=every)]
            for turn, parts in zip(turns, placed, strict=True)
        ]
        if structured and every and all(isinstance(p, str) for parts in tagged for p in parts):
            raise _unmatched(name, len(columns), 0)
        placed = tagged
    if columns and all(isinstance(part, str) for parts in placed for part in parts):
        placed = _before_first_user_text(turns, placed, columns, name)
    return _numbered(turns, placed, columns, name)


def _numbered_tags(
    turns: Sequence[Turn], placed: Sequence[Sequence[Any]], columns: Sequence[Medium]
) -> Sequence[Medium]:
    """Give the media of a column the numbered tags that the texts call them by, in their order."""
    asked = [parts for turn, parts in zip(turns, placed, strict=True) if turn.role != "assistant"]
    texts = [part for parts in asked for part in parts if isinstance(part, str)]
    tags = {match.group() for text in texts for match in _TAG.finditer(text)}
    by_number = {int(found.group()): tag for tag in tags if (found := _NUMBER.search(tag))}
    if len(by_number) < len(tags) or len(tags) != len(columns) or any(one.tag for one in columns):
        return columns
    ordered = zip(columns, sorted(by_number), strict=True)
    return [one._replace(tag=by_number[number]) for one, number in ordered]


def _where_tagged(parts: Sequence[Any]) -> list[Any]:
    """Put the media of a turn where its text has a tag for each; `<image>` beside a part is no word."""
    media = [part for part in parts if not isinstance(part, str)]
    texts = [part for part in parts if isinstance(part, str)]
    pieces = [piece for text in texts for piece in _tagged(text, every=False)]
    if not media or sum(isinstance(piece, _Place) for piece in pieces) != len(media):
        return list(parts)
    waiting = list(media)
    for at, piece in enumerate(pieces):
        if isinstance(piece, _Place):
            same = [n for n, one in enumerate(waiting) if one.kind == piece.kind]
            pieces[at] = waiting.pop(same[0] if same else 0)
    return pieces


def _numbered(
    turns: Sequence[Turn], placed: Sequence[Sequence[Any]], columns: Sequence[Medium], name: str
) -> tuple[tuple[Turn, ...], tuple[Medium, ...]]:
    """Fill places in order and number the media."""
    waiting, media, out = list(columns), list[Medium](), list[Turn]()
    for turn, parts in zip(turns, placed, strict=True):
        done: list[str | int] = []
        for part in parts:
            if isinstance(part, str):
                done.append(part)
                continue
            if isinstance(part, _Place):
                if media and media[0].kind == "frames" and not waiting:
                    done.append(0)
                    continue
                at = next((at for at, one in enumerate(waiting) if _fits(part, one, waiting)), None)
                again = [one for one in media if part.tag and one.tag == part.tag]
                if at is None and again:  # `<image_00>` once more: it is shown once more
                    waiting.append(again[0])
                    at = len(waiting) - 1
                if at is None:
                    n_places = sum(not isinstance(p, str) for ps in placed for p in ps)
                    raise _unmatched(name, len(columns), n_places)
                part = waiting.pop(at)
            media.append(part)
            done.append(len(media) - 1)
        out.append(turn._replace(parts=_tidy(done)))
    if waiting:
        raise _unmatched(name, len(media) + len(waiting), len(media))
    return tuple(out), tuple(media)


def _in_stored_places(
    turns: Sequence[Turn], placed: Sequence[Sequence[Any]], columns: Sequence[Medium], name: str
) -> tuple[tuple[Turn, ...], tuple[Medium, ...]]:
    """Give each medium the places of its frames, which follow one another."""
    numbers = [at for at, one in enumerate(columns) for _ in range(one.n_places)]
    n_places = sum(isinstance(part, _Place) for parts in placed for part in parts)
    if not n_places:
        placed, n_places = _before_first_user_text(turns, placed, columns, name), len(columns)
        numbers = list(range(len(columns)))
    if n_places != len(numbers):
        raise _unmatched(name, len(numbers), n_places)
    next_of = iter(numbers)
    done = [[next(next_of) if isinstance(p, _Place) else p for p in parts] for parts in placed]
    out = [turn._replace(parts=_tidy(parts)) for turn, parts in zip(turns, done, strict=True)]
    return tuple(out), tuple(columns)


def _fits(place: _Place, medium: Medium, waiting: Sequence[Medium]) -> bool:
    if _NUMBER.search(place.tag):
        return medium.tag == place.tag
    if medium.kind in ("frames", place.kind):
        return True
    # LLaVA writes `<image>` for a video too: where no image is left, it is one.
    return place.kind == "image" and all(one.kind == "video" for one in waiting)


def _named(part: Any) -> list[Any]:
    """Split a text at the media that it names itself, `<img>a.png</img>`."""
    if not isinstance(part, str):
        return [part]
    out: list[Any] = []
    at = 0
    for match in _NAMED.finditer(part):
        kind: MediaKind = "video" if match[1] == "video" else "image"
        out += [part[at : match.start()], Medium(kind, _value(match[2], kind), {})]
        at = match.end()
    return [*out, part[at:]] if at else [part]


def _tagged(text: str, *, every: bool) -> list[Any]:
    """Split a text at its tags: all, or those that lead or end it or stand alone on their line."""
    out: list[Any] = []
    at = 0
    for match in _TAG.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 :].partition("\n")[0]
        around = (text[: match.start()], text[match.end() :], line)
        if every or not all(_TAG.sub("", part).strip() for part in around):
            out += [text[at : match.start()]] if match.start() > at else []
            kind = "video" if "video" in match.group().lower() else "image"
            out.append(_Place(kind, match.group()))
            at = match.end()
    return [*out, text[at:]] if at < len(text) or not out else out


def _before_first_user_text(
    turns: Sequence[Turn], placed: Sequence[Sequence[Any]], columns: Sequence[Medium], name: str
) -> list[list[Any]]:
    first = next((at for at, turn in enumerate(turns) if turn.role == "user"), None)
    if first is None:
        raise LayoutError(
            f"row {name!r} shows {len(columns):,} images or videos but has no user turn for them",
            reason="no user turn",
        )
    lead = [_Place(one.kind, one.tag) for one in columns]
    return [[*lead, *parts] if at == first else list(parts) for at, parts in enumerate(placed)]


def _unmatched(name: str, n_media: int, n_places: int) -> LayoutError:
    more = n_places > n_media
    return LayoutError(
        f"row {name!r} has {n_media:,} images or videos but {n_places:,} places for them; "
        "each medium needs one image or video part, or one <image> or <video> tag "
        '(layout="trl" reads tags as words)',
        reason="places without media" if more else "media without places",
    )


def _tidy(parts: Iterable[str | int]) -> tuple[str | int, ...]:
    """Join neighbouring texts, and drop the line ends that only kept a tag apart."""
    out: list[str | int] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif part != "":
            out.append(part)
    for at, part in enumerate(out):
        if isinstance(part, str):
            after_medium = at > 0
            before_medium = at + 1 < len(out)
            part = part.lstrip("\n") if after_medium else part
            out[at] = part.rstrip("\n") if before_medium else part
    return tuple(part for part in out if part != "")


def _parts(content: Any, name: str) -> list[Any]:
    """Split a content into texts, media, and places that a column fills."""
    if isinstance(content, str):
        return [content]
    out: list[Any] = []
    for part in content:
        if isinstance(part, str):
            out.append(part)
            continue
        # Arrow gives every part the keys of all, None where they are not its own.
        filled = {key: value for key in part if (value := given(part, key)) is not None}
        said = filled.get("type") or next((key for key in _KINDS if key in filled), "")
        kind = _KINDS.get(said)
        if kind is None:
            raise LayoutError(
                f"row {name!r} has a part of type {said!r}; known types are {sorted(_KINDS)}",
                reason="unknown part",
            )
        if kind == "text":
            out.append(str(first_given(filled, "text", "content", "value", default="")))
        else:
            out.append(_inline(filled, kind))
    return out


def _inline(part: Mapping[str, Any], kind: Any) -> Medium | _Place:
    key = next((key for key in _INLINE[kind] if key in part), None)
    if key is None:
        return _Place(kind)
    value = part[key]
    if isinstance(value, Mapping) and "url" in value:
        value = value["url"]
    options = {k: v for k, v in part.items() if k not in ("type", "text", key)}
    for old, new in (("video_start", "start_s"), ("video_end", "end_s")):
        if old in options:
            options[new] = options.pop(old)
        if options.get(new) is not None:
            options[new] = seconds(options[new])
    return Medium(kind, _value(value, kind, as_base64=key == "base64"), options)


def _column(value: Any, kind: MediaKind, column: str) -> list[Medium]:
    """List the media of one column."""
    encoded = getattr(value, "encoded", value)
    if isinstance(encoded, Mapping) and _is_stored(encoded) and is_several(encoded):
        return [
            Medium("image" if one.kind == "image" else "frames", one.value, {}, "", one.n)
            for one in media_of(encoded)
        ]
    if _is_stored(value):
        return [Medium("frames", value, {})]
    if isinstance(value, Mapping) and value and all(_TAG.fullmatch(str(key)) for key in value):
        return [Medium(kind, _value(v, kind), {}, str(tag)) for tag, v in value.items()]
    if column in ("image", "video") and not isinstance(value, list | tuple):
        value = [value]
    if kind == "video" and isinstance(value, list) and value and all(map(_is_picture, value)):
        value = [value]  # the frames of one video
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        value = [value]
    return [_of_column(one, kind) for one in value if not _is_empty(one)]


def _of_column(value: Any, kind: MediaKind) -> Medium:
    """Give a medium of a column, which may stand there as in a part, `{"video": …, "fps": 1}`."""
    if isinstance(value, Mapping) and given(value, kind) is not None:
        part = _inline({k: v for k in value if (v := given(value, k)) is not None}, kind)
        assert isinstance(part, Medium)
        return part
    return Medium(kind, _value(value, kind), {})


def _is_picture(value: Any) -> bool:
    return isinstance(value, str) and os.path.splitext(value)[1].lower() in PICTURES


def _is_empty(value: Any) -> bool:
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def _is_stored(value: Any) -> bool:
    if hasattr(value, "encoded"):  # a FrameList: what reading a `Frames` column gives
        return True
    return (
        isinstance(value, Mapping) and set(value) <= _STORED and bool({"text", "spec"} & set(value))
    )


def _value(value: Any, kind: str, *, as_base64: bool = False) -> Any:
    if isinstance(value, list | tuple):
        if kind == "image":
            raise LayoutError(
                f"an image is {kind_of(value)} of {len(value)}; a list of frames is a video",
                reason="unknown medium",
            )
        return [_value(one, "image") for one in value]
    if isinstance(value, str):
        if value.startswith("file://"):
            return value.removeprefix("file://")
        head, comma, packed = value.partition(",") if value.startswith("data:") else ("", "", "")
        if comma and head.endswith(";base64"):
            value, as_base64 = packed, True
        if as_base64 or (
            (len(value) >= _MIN_BASE64_CHARS or value.startswith(_PNG_IN_BASE64))
            and "://" not in value
            and _BASE64_CHARS.fullmatch(value)
        ):
            try:
                return base64.b64decode(value, validate=False)
            except binascii.Error as error:
                raise LayoutError(
                    f"base64 of {len(value):,} characters is damaged ({error})",
                    reason="damaged base64",
                ) from error
    return os.fspath(value) if isinstance(value, os.PathLike) else value
