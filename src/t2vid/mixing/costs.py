"""Measures the candidates of a mix: pages, frames and tokens, each counted once and cached.

>>> from t2vid import samples
>>> from t2vid.mixing.recipe import Recipe
>>> CostEstimator(Recipe.from_yaml("sample"), samples.ROOT).tokens(["a question", ""])
[2, 0]

Nothing is drawn or decoded: pages are laid out, videos probed, tokens counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2vid.corpora.stored import MediaFinder, settled
from t2vid.corpora.stored import count_frames as count_stored
from t2vid.errors import BadVideo, InputError, LayoutError, MissingFile, MissingGlyphs, UnsafePath
from t2vid.frames.render import count_frames
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.together import StoredMedium
from t2vid.frames.video import probe
from t2vid.mixing.budget import Cost, TokenCounter, conversation_text, question_words
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.source import Source
from t2vid.mixing.sources import Item, as_text
from t2vid.storage.cache import Cache
from t2vid.storage.files import PathLike, absolute, is_url, joined, path_of
from t2vid.storage.videos import VideoFolder


@dataclass
class Measured:
    """An item with what it costs in its full form."""

    item: Item
    video: str
    n_frames: int
    text_tokens: int
    problem: str = ""
    media: list[list[StoredMedium]] = field(default_factory=list)
    assumed: bool = False


class CostEstimator:
    """Counts what rows cost; picklable, so that several processes can measure.

    Args:
        recipe: the mix.
        data: folder of annotation files and videos.
        cache: file of the counts; None counts everything anew.
        assume_videos: give a video that is not there the frames of its spec, to plan before downloading.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: PathLike,
        *,
        cache: Path | None = None,
        assume_videos: bool = False,
    ) -> None:
        self.data, self.tokenizer = absolute(path_of(data)), recipe.budget.tokenizer
        self.cache_path, self.assume_videos = cache, assume_videos
        self.videos = media_folder(recipe, data)
        self.versions = self.videos.versions() if self.videos is not None else {}
        # another mix has its media elsewhere
        self.others: dict[str, VideoFolder] = {}
        self.elsewhere: dict[str, str] = {}  # version of each file there, by its path
        self._open()

    def _open(self) -> None:
        self.cache = Cache(self.cache_path)
        self.count_tokens = TokenCounter(self.tokenizer)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what belongs to one process."""
        return {k: v for k, v in self.__dict__.items() if k not in ("cache", "count_tokens")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open it again in this process."""
        self.__dict__.update(state)
        self._open()

    def items(
        self, source: Source, items: Sequence[Item], *, root: str = "", beside: str = ""
    ) -> list[Measured]:
        """Measure the items of a source in their full form.

        Args:
            source: of the recipe.
            items: its records.
            root: folder that their media are in; "" is the data folder.
            beside: where media are looked for that are not there: the repository of a set on the Hub.
        """
        texts = [
            conversation_text(item.turns, has_frames=item.row is None or bool(item.row.media))
            for item in items
        ]
        tokens = self.tokens(texts)
        if source.shows_media:
            videos = ["" if item.row is not None else self._video(item.video) for item in items]
            frames = self._video_frames(source.sample, videos)
        else:
            videos = [""] * len(items)
            frames = self.pages(source.render, [item.text for item in items])
        out = []
        for item, video, n, text_tokens in zip(items, videos, frames, tokens, strict=True):
            if item.row is not None:
                out.append(self._row(source, item, text_tokens, root, beside))
                continue
            problem = ""
            if n < 0 and source.is_video:
                problem = self._video_problem(source.sample, video, item.video)
            elif n < 0:
                problem = _text_problem(source.render, item.text)
            assumed = source.is_video and n > 0 and not video
            found = Measured(item, video or item.video, n, text_tokens, problem, assumed=assumed)
            out.append(found)
        return out

    def tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of texts, those that were counted before from the cache."""
        return self.cache.counted(f"tokens {self.count_tokens.name}", texts, self.count_tokens)

    def pages(self, spec: RenderSpec, texts: Sequence[str]) -> list[int]:
        """Count the pages of texts; -1 for one that cannot be drawn."""

        def count(new: list[str]) -> list[int]:
            return [frames_of(text, spec) for text in new]

        return self.cache.counted(f"pages {spec.hash}", texts, count)

    def cost_as_text(self, item: Item) -> Cost:
        """Give the cost of a row whose text is not drawn."""
        whole = conversation_text(as_text(item.text, item.turns), has_frames=False)
        return Cost(0, self.tokens([whole])[0], question_words(item.turns[0][1]))

    def _row(
        self, source: Source, item: Item, text_tokens: int, root: str, beside: str = ""
    ) -> Measured:
        """Measure a row of any layout: find its media, count their frames."""
        assert item.row is not None
        if root and root not in self.others:
            self.others[root] = VideoFolder.scan(root, images=True, image_folders=True)
            found = self.others[root].versions().items()
            self.elsewhere |= {joined(str(self.others[root].root), k): v for k, v in found}
        folder = self.others[root] if root else self.videos
        finder = MediaFinder(folder, relative=not root)
        assume = self.assume_videos and not folder
        try:
            media = settled(
                item.row,
                finder=_Assumed(folder) if assume else finder,
                sample=source.sample,
                count=_assumed_frames if assume else self._count,
            )
        except LayoutError as error:
            if beside and error.reason.startswith("no such"):
                return self._row(source, item, text_tokens, beside)
            return Measured(item, "", -1, text_tokens, error.reason)
        n = sum(one.n for parts in media for one in parts)
        return Measured(item, "", n, text_tokens, "", media, assumed=assume and n > 0)

    def _count(self, one: StoredMedium) -> int:
        """Count the frames of a medium, those of a file on this machine once and for all."""
        if one.path is None or is_url(one.path):
            return count_stored(one)
        path = joined(self.data, one.path)
        if one.kind != "video":
            return count_stored(one._replace(path=path))
        spec = SampleSpec.from_json(one.spec or "{}")
        archive = one.path.rpartition("::")[0]
        known = self.elsewhere if one.path in self.elsewhere else self.versions
        version = known.get(one.path) or known.get(archive, "")
        key = f"{path}|{version}"

        def count(new: list[str]) -> list[int]:
            return [_count_video(path, spec) for _ in new]

        found = self.cache.counted(f"video {spec.to_json()}", [key], count)[0]
        return found if found > 0 else count_stored(one._replace(path=path))

    def _video(self, name: str) -> str:
        """Give the path of a video below the data folder; "" where there is none."""
        if self.videos is None:
            return ""
        try:
            return self.videos.inside(name) or ""
        except UnsafePath:
            return ""

    def _video_frames(self, spec: SampleSpec, videos: Sequence[str]) -> list[int]:
        paths = [joined(self.data, video) for video in videos]
        keys = [
            f"{path}|{self.versions[video]}" if video else ""
            for video, path in zip(videos, paths, strict=True)
        ]
        by_key = dict(zip(keys, paths, strict=True))

        def count(new: list[str]) -> list[int]:
            return [_count_video(by_key[key], spec) if key else -1 for key in new]

        counts = self.cache.counted(f"video {spec.to_json()}", keys, count)
        if self.assume_videos and not self.videos:
            return [spec.max_frames or 1 for _ in counts]
        return counts

    def _video_problem(self, spec: SampleSpec, video: str, name: str) -> str:
        if not video:
            try:
                if (
                    self.videos is not None
                ):  # an empty folder is false, and refuses paths all the same
                    self.videos.inside(name)
            except UnsafePath:
                return "unsafe video path"
            return "no such video"
        try:
            probe(joined(self.data, video), spec)
        except (BadVideo, MissingFile) as error:
            return f"bad video ({getattr(error, 'reason', type(error).__name__)})"
        return "video without frames"


@dataclass(frozen=True)
class _Assumed(MediaFinder):
    """Takes every file that a row names for one that will be there."""

    def find(self, name: str, kind: str) -> str:
        """Give the name."""
        return name


def _assumed_frames(one: StoredMedium) -> int:
    if one.path is None:
        return count_stored(one)
    return 1 if one.kind == "image" else SampleSpec.from_json(one.spec or "{}").max_frames or 1


def media_folder(recipe: Recipe, data: PathLike) -> VideoFolder | None:
    """Look through the data folder for what the sources of a recipe show; None where they show none."""
    if not any(source.shows_media for source in recipe.sources):
        return None
    any_media = recipe.is_weighted
    return VideoFolder.scan(data, images=any_media, image_folders=any_media)


def frames_of(text: str, spec: RenderSpec) -> int:
    """Count the frames of a text; -1 where it cannot be drawn."""
    try:
        return count_frames(text, spec)
    except Exception:  # whatever one text raises, the other rows are measured
        return -1


def _count_video(path: str, spec: SampleSpec) -> int:
    try:
        return probe(path, spec).n_frames or -1
    except (BadVideo, MissingFile):
        return -1


def _text_problem(spec: RenderSpec, text: str) -> str:
    try:
        count_frames(text, spec)
    except MissingGlyphs:
        return "characters without a font"
    except InputError:
        return "text cannot be drawn"
    except Exception as error:
        return f"text cannot be drawn ({type(error).__name__})"
    return "text cannot be drawn"
