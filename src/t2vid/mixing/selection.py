"""Chooses the rows of a source: candidates in a seeded order, measured, filtered and budgeted.

>>> from t2vid import samples
>>> from t2vid.mixing.recipe import Recipe
>>> recipe = Recipe.from_yaml("sample")
>>> choices, counts = Selection(recipe, samples.ROOT).rows(0)
>>> counts.kept == len(choices) > 0
True

Nothing is drawn or decoded: pages are laid out, videos probed, tokens counted, each once and cached.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.text import paginate
from t2vid.mixing.budget import Cost, conversation_text, question_words
from t2vid.mixing.costs import CostEstimator, Measured, frames_of
from t2vid.mixing.coverage import cover
from t2vid.mixing.plan import permuted
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.source import Source
from t2vid.mixing.sources import Item, RecordLocation, SourceReader, media_plan, names_of
from t2vid.schema import Counts, n_words
from t2vid.storage.files import PathLike, path_of

ASSUMED = "rows of assumed frames"  # of videos that are not there yet
CHUNK = 64  # candidates measured together
# Sizes that `denser_text` tries; below 12 px the error rate of reading passes 3 % (RENDERING).
DENSER_PX = (20, 18, 16, 14, 12)
Turns = tuple[tuple[str, str], ...]


class Selected(NamedTuple):
    """One row of a mix: where its record stands and what of it the row holds.

    Args:
        id: of the row.
        source: number of the source in the recipe.
        file: number of the file in the source.
        row: number of the record in the file.
        start: byte or row group where the record begins.
        begin: first character of the text.
        end: character after the last.
        turn: first turn.
        turn_end: turn after the last.
        video: path of the video, relative to the data folder.
        spec: JSON of the `RenderSpec` or `SampleSpec`; "" gives the text as text.
        n_frames: frames that the spec makes.
        n_words: words of the text, or of the turns about a video.
        text_tokens: tokens of everything that is not drawn.
        n_bytes: UTF-8 bytes of everything that is stored.
        part: number of the row among those of its record.
    """

    id: str
    source: int
    file: int
    row: int
    start: int
    begin: int
    end: int
    turn: int
    turn_end: int
    video: str
    spec: str
    n_frames: int
    n_words: int
    text_tokens: int
    n_bytes: int
    part: int = 0


class Candidate(NamedTuple):
    """What became of one candidate: rows, or the reason why there are none."""

    choices: list[Selected]
    digest: bytes = b""
    reason: str = ""
    example: str = ""
    changed: str = ""
    instruction: str = ""
    assumed: bool = False

    def of_part(self, part: int) -> Candidate:
        """Give the same of a row that need not be the first of its record."""
        if not part:
            return self
        return self._replace(choices=[choice._replace(part=part) for choice in self.choices])


Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


class Selection:
    """Measures and chooses rows; picklable, so that several processes can measure.

    Args:
        recipe: the mix.
        data: folder of annotation files and videos.
        measures: what counts costs; None counts everything anew.
    """

    def __init__(
        self, recipe: Recipe, data: PathLike, measures: CostEstimator | None = None
    ) -> None:
        self.recipe = recipe
        self.measures = measures or CostEstimator(recipe, path_of(data))
        self.readers = [SourceReader(source, path_of(data)) for source in recipe.sources]

    def rows(self, number: int, *, mapper: Mapper = map) -> tuple[list[Selected], Counts]:
        """Choose the rows of one source.

        Candidates come in an order that depends on the seed and the corpus alone, so a smaller count
        is a prefix of a larger one, and two recipes over the same corpus choose the same rows. With
        `pick: diverse` that order only breaks ties, and all candidates are measured.

        Args:
            number: of the source in the recipe.
            mapper: an ordered `map`, perhaps over processes; items after the last needed are dropped.
        """
        source, wanted = self.recipe.sources[number], self.recipe.wanted()[number]
        counts, chosen = Counts(), []
        places = self.readers[number].places()
        if not len(places):
            return [], counts
        diverse = source.filters.pick == "diverse" and wanted is not None
        enough = math.inf if wanted is None or diverse else wanted
        looked_at, entered = self._entered(number, places, enough, counts, mapper)
        if diverse and entered:
            order = cover([v.instruction for v in entered], min(wanted or 0, len(entered)))
            counts.sources.setdefault(source.name, Counter())["not picked"] += len(entered) - len(
                order
            )
            entered = [entered[i] for i in order]
        for candidate in entered:
            for choice in candidate.choices:
                chosen.append(choice)
                counts.keep(source=source.name)
            if candidate.changed:
                counts.sources[source.name][candidate.changed] += 1
            if candidate.assumed:
                counts.sources[source.name][ASSUMED] += 1
        extra = len(chosen) - (wanted if wanted is not None else len(chosen))
        if extra > 0:  # the last record was split into more rows than there was room for
            chosen = chosen[:wanted]
            counts.kept -= extra
            counts.sources[source.name]["kept"] -= extra
        if looked_at < len(places):
            counts.sources.setdefault(source.name, Counter())["not needed"] += (
                len(places) - looked_at
            )
        if wanted is not None and len(chosen) < wanted:
            counts.sources[source.name]["short of the count by"] += wanted - len(chosen)
        return chosen, counts

    def look(self, number: int, n_records: int) -> tuple[int, Counts]:
        """Say how many records a source has, and what becomes of those that would come first.

        Args:
            number: of the source in the recipe.
            n_records: to look at.
        """
        places, counts = self.readers[number].places(), Counts()
        for found in self._measured(
            number, places[self._order(number, len(places))[:n_records]], map
        ):
            for candidate in found:
                if candidate.choices:
                    counts.keep()
                else:
                    counts.drop(candidate.reason, example=candidate.example)
        return len(places), counts

    def _order(self, number: int, n_records: int) -> NDArray[np.int64]:
        """Give the seeded order in which the records of a source are candidates."""
        source = self.recipe.sources[number]
        key = f"choice {self.recipe.seed} {source.dataset} {source.config} {source.files}"
        return permuted(np.arange(n_records), n_records, key=key)

    def _entered(
        self, number: int, places: NDArray[np.int64], enough: float, counts: Counts, mapper: Mapper
    ) -> tuple[int, list[Candidate]]:
        """Give how many records were looked at until enough rows entered, and what entered."""
        source, order = self.recipe.sources[number], self._order(number, len(places))
        looked_at, n_rows, seen = 0, 0, set()
        entered: list[Candidate] = []
        while looked_at < len(order) and n_rows < enough:
            # as many as are likely to do: each round reads its files from begin to end
            likely = (enough - n_rows) * (1.02 * looked_at / n_rows if n_rows else 1)
            some = order[looked_at:][: int(min(len(order), likely)) + CHUNK * bool(looked_at)]
            for found in self._measured(number, places[some], mapper):
                if n_rows >= enough:
                    break
                looked_at += 1
                for candidate in found:
                    if candidate.choices and candidate.digest and candidate.digest in seen:
                        again = "repeats an earlier row"
                        candidate = Candidate([], reason=again, example=candidate.example)
                    if not candidate.choices:
                        counts.drop(candidate.reason, source=source.name, example=candidate.example)
                        continue
                    seen.add(candidate.digest)
                    entered.append(candidate)
                    n_rows += len(candidate.choices)
        return looked_at, entered

    def _measured(
        self, number: int, places: NDArray[np.int64], mapper: Mapper
    ) -> Iterator[list[Candidate]]:
        """Measure records in the order of their files, and give them in their own."""
        by_file = np.lexsort(places.T[::-1])
        chunks = [
            (number, [RecordLocation(*one) for one in places[by_file[at : at + CHUNK]].tolist()])
            for at in range(0, len(places), CHUNK)
        ]
        found = list(itertools.chain.from_iterable(mapper(self.measure, chunks)))
        return (found[at] for at in np.argsort(by_file).tolist())

    def measure(self, task: tuple[int, list[RecordLocation]]) -> list[list[Candidate]]:
        """Measure every row of a chunk, those of one record together."""
        number, places = task
        source, reader = self.recipe.sources[number], self.readers[number]
        read = list(reader.read(places))
        every = [item for _, items, _ in read for item in items]
        inputs = reader.inputs
        measured = iter(
            self.measures.items(source, every, root=inputs.root, beside=inputs.repository)
        )
        candidates = []
        for place, items, reason in read:
            found = [self._candidate(number, place, next(measured)) for _ in items]
            none = Candidate([], reason=reason, example=f"{source.name} {place.row}")
            candidates.append([one.of_part(part) for part, one in enumerate(found)] or [none])
        return candidates

    def _candidate(self, number: int, place: RecordLocation, m: Measured) -> Candidate:
        source, budget = self.recipe.sources[number], self.recipe.budget
        item = m.item
        if m.problem:
            example = f"{item.id}: {item.video}" if item.video else item.id
            return Candidate([], reason=m.problem, example=example)
        asked = item.asked
        cost = Cost(m.n_frames, m.text_tokens, question_words(asked))
        if (source.judge_as or source.form) == "text":
            cost = self.measures.cost_as_text(item)
        if reason := _filtered(source, item, cost):
            return Candidate([], reason=reason, example=item.id)
        digest = _digest(m) if source.filters.unique else b""
        reason = budget.over(cost, source=source.name)
        if not reason:
            choice = self._choice(number, place, m, 0, len(item.text), 0, len(item.turns))
            return Candidate([choice], digest, instruction=asked, assumed=m.assumed)
        policy = self.recipe.over_budget
        if policy == "error":
            raise budget.error(item.id, cost, reason)
        choices: list[Selected] = []
        if policy != "drop" and source.form == "frames" and reason != "over max_question_words":
            choices = self._fitted(number, place, m)
        if not choices:
            return Candidate([], reason=reason, example=item.id)
        changed = f"{policy} ({reason})"
        return Candidate(choices, digest, "", "", changed, asked, m.assumed)

    def _fitted(self, number: int, place: RecordLocation, m: Measured) -> list[Selected]:
        """Make rows that fit of one that does not, by the recipe's policy; none where none can."""
        item, source, policy = m.item, self.recipe.sources[number], self.recipe.over_budget
        end, n_turns = len(item.text), len(item.turns)
        room = self.recipe.budget.frames_that_fit(text_tokens=m.text_tokens)
        if policy == "split" and n_turns > 2 and item.row is None:
            return self._turns_apart(number, place, m)
        if not room:
            return []
        if item.row is not None:
            return self._fewer_of_a_row(number, place, m, room)
        if source.is_video:
            spec = dataclasses.replace(source.sample, max_frames=min(room, m.n_frames))
            fewer = dataclasses.replace(m, n_frames=min(room, m.n_frames))
            return [self._choice(number, place, fewer, 0, 0, 0, n_turns, sample=spec)]
        if policy == "denser_text":
            for px in DENSER_PX:
                dense = dataclasses.replace(
                    source.render, font_px=px, words_per_frame=None, layout="t2vid"
                )
                n = self.measures.pages(dense, [item.text])[0]
                if 0 < n <= room:
                    fewer = dataclasses.replace(m, n_frames=n)
                    return [self._choice(number, place, fewer, 0, end, 0, n_turns, render=dense)]
            return []
        parts = _parts(item.text, source.render, room)
        if policy == "fewer_frames":
            parts = parts[:1]
        rows = []
        for part, (begin, stop, n) in enumerate(parts):
            piece = dataclasses.replace(m, n_frames=n)
            name = "" if len(parts) == 1 else f"#{part}"
            rows.append(self._choice(number, place, piece, begin, stop, 0, n_turns, suffix=name))
        return rows

    def _fewer_of_a_row(
        self, number: int, place: RecordLocation, m: Measured, room: int
    ) -> list[Selected]:
        """Give a row with media fewer frames of its one video; pictures are never left out."""
        videos = [(i, k) for i, parts in enumerate(m.media) for k, one in enumerate(parts)
                  if one.kind == "video"]  # fmt: skip
        others = m.n_frames - sum(m.media[i][k].n for i, k in videos)
        if len(videos) != 1 or others >= room:
            return []
        i, k = videos[0]
        one = m.media[i][k]
        spec = SampleSpec.from_json(one.spec or "{}").limited(room - others)
        media = [list(parts) for parts in m.media]
        media[i][k] = one._replace(spec=spec.to_json(), n=room - others)
        fewer = dataclasses.replace(m, media=media, n_frames=room)
        return [self._choice(number, place, fewer, 0, 0, 0, len(m.item.turns))]

    def _turns_apart(self, number: int, place: RecordLocation, m: Measured) -> list[Selected]:
        """Give each row as many exchanges of a conversation as fit beside all frames."""
        budget, turns = self.recipe.budget, m.item.turns
        rows: list[Selected] = []
        at = 0
        while at < len(turns):
            best = None
            for stop in range(at + 2, len(turns) + 1, 2):
                tokens = self.measures.tokens([conversation_text(turns[at:stop], has_frames=True)])[
                    0
                ]
                if budget.over(Cost(m.n_frames, tokens)):
                    break
                best = (stop, tokens)
            if best is None:
                return []
            piece = dataclasses.replace(m, text_tokens=best[1])
            end = len(m.item.text)
            rows.append(
                self._choice(number, place, piece, 0, end, at, best[0], suffix=f"#{len(rows)}")
            )
            at = best[0]
        return rows

    def _choice(
        self,
        number: int,
        place: RecordLocation,
        m: Measured,
        begin: int,
        end: int,
        turn: int,
        turn_end: int,
        *,
        render: RenderSpec | None = None,
        sample: SampleSpec | None = None,
        suffix: str = "",
    ) -> Selected:
        source, item = self.recipe.sources[number], m.item
        turns, text = item.turns[turn:turn_end], item.text[begin:end]
        frames, tokens, spec = m.n_frames, m.text_tokens, ""
        if item.row is not None:
            spec = media_plan(m.media)
            drawn = [one.text for parts in m.media for one in parts if one.text]
            words = n_words(drawn or [text for _, text in turns])
        elif source.is_video:
            spec = _json_of(sample or source.sample)
            words = n_words([text for _, text in turns])
        else:
            words = n_words([text])
            if source.form == "frames":
                spec = _json_of(render or source.render)
            else:
                frames, tokens = 0, self.measures.cost_as_text(item).text_tokens
        n_bytes = len(text.encode()) + sum(len(part.encode()) for _, part in turns)
        n_bytes += sum(len(one.data or b"") for parts in m.media for one in parts)
        return Selected(
            item.id + suffix, number, place.file, place.row, place.start, begin, end, turn, turn_end,
            m.video, spec, frames, words, tokens, n_bytes,
        )  # fmt: skip


@functools.lru_cache(maxsize=64)
def _json_of(spec: RenderSpec | SampleSpec) -> str:
    return spec.to_json()


def _filtered(source: Source, item: Item, cost: Cost) -> str:
    """Give the first filter that refuses a row; "" where all let it in."""
    filters = source.filters
    words = n_words([item.text] if item.text else [text for _, text in item.turns])
    values = {"words": words, "question_words": cost.question_words, "frames": cost.n_frames}
    for name, value in values.items():
        low, high = getattr(filters, f"min_{name}", None), getattr(filters, f"max_{name}", None)
        if low is not None and value < low:
            return f"under min_{name} of the source"
        if high is not None and value > high:
            return f"over max_{name} of the source"
    return ""


def _parts(text: str, spec: RenderSpec, room: int) -> list[tuple[int, int, int]]:
    """Cut a text into `(begin, end, frames)` parts of at most `room` frames each."""
    spans = paginate(text, spec)
    parts, first = [], 0
    while first < len(spans):
        last = min(first + room, len(spans))
        while True:
            begin, end = spans[first][0], spans[last - 1][1]
            piece = text[begin:end]
            n = frames_of(piece, spec) if piece.strip() else 0
            if n <= room or last == first + 1:
                break
            last -= 1  # a piece alone may take a page more than it took inside the text
        if 0 < n <= room:
            parts.append((begin, end, n))
        first = last
    return parts


def _digest(m: Measured) -> bytes:
    parts = [m.video or m.item.text, *(f"{role}\0{text}" for role, text in m.item.turns)]
    parts += names_of(m.media)
    return hashlib.blake2b("\1".join(parts).encode("utf-8", "replace"), digest_size=16).digest()
