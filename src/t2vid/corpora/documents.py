r"""Long texts with questions inside their prompts: LongAlign, ChatQA2, BookSum, Natural Questions, TOPA.

>>> from t2vid.schema import Counts
>>> prompt = "A report on tides. " * 9 + "\n\nWhen is high tide?"
>>> turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": "At noon."}]
>>> row = next(convert([(0, {"messages": turns})], Counts()))
>>> row.question, row.answer, row.context[:18]
('When is high tide?', 'At noon.', 'A report on tides.')

Each kind of record is told by its keys. The document is the longest part of what the user says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from t2vid.corpora.bounds import given
from t2vid.corpora.layouts import read_row
from t2vid.corpora.long_qlora import split_prompt
from t2vid.corpora.triplets import KEYS, Triplet, row_id
from t2vid.errors import LayoutError, RecordError
from t2vid.schema import Counts
from t2vid.storage.fields import Record, Unfit, needed, parsed

SOURCE = "documents"
_MIN_TIMES = 2  # the document is so many times as long as the question, or nothing tells them apart
_ASKING = ("?", "？", ":", "：")
_SPEAKERS = re.compile(r"\A\s*User:|\s*Assistant:\s*\Z")
_LABEL = re.compile(r"\A(?:Q|Question):\s*")
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")

Pieces = tuple[str, str, str, tuple[tuple[str, str], ...]]


def convert(
    rows: Iterable[tuple[int, Any]], counts: Counts, *, source: str = SOURCE, question: str = ""
) -> Iterator[Triplet]:
    """Give a `Triplet` for each question of each usable row.

    Args:
        rows: `(row number, record)` pairs.
        counts: where unusable rows are counted by reason.
        source: name in the ids and the counts.
        question: asked where a row is a document and an answer without a question.

    Raises:
        RecordError: when the rows are of no known kind at all.
    """

    def parse(record: Record) -> list[Pieces]:
        for keys, read in _KINDS.items():
            if all(given(record, key) is not None for key in keys):
                return read(record, question)
        raise Unfit(
            f"none of {[' + '.join(keys) for keys in _KINDS]} "
            f"(it has {sorted(map(str, record))[:8]})"
        )

    for row, found in parsed(rows, parse, source=source, counts=counts):
        for at, (context, asked, answer, more) in enumerate(found):
            name = row_id(source, row) if len(found) == 1 else f"{row_id(source, row)}.{at}"
            yield Triplet(name, context, asked, answer, more)


def split_document(said: str, question: str = "") -> tuple[str, str]:
    """Tell document and question of a prompt apart: paragraphs before or after all others.

    Args:
        said: by the user.
        question: taken where the prompt holds none.

    Returns:
        `(document, question)`.

    Raises:
        RecordError: where no short paragraph stands at either end.
    """
    paragraphs = _BLANK_LINE.split(said.strip())
    if len(paragraphs) == 1:
        paragraphs = said.strip().split("\n")
    last, first = paragraphs[-1].strip(), paragraphs[0].strip()
    ends = [(last, said.strip()[: -len(last)]), (first, said.strip()[len(first) :])]
    # What asks leads or ends a prompt; an instruction without a mark is more often at the end.
    if first.endswith(_ASKING) and not last.endswith(_ASKING):
        ends.reverse()
    for asked, document in ends:
        if asked and len(document.strip()) >= _MIN_TIMES * len(asked):
            return document.strip(), _LABEL.sub("", asked)
    if question:
        return said.strip(), question
    raise RecordError("no question beside the document")


def _conversation(record: Record, question: str) -> list[Pieces]:
    try:
        turns = read_row(record).turns
    except LayoutError as error:
        raise RecordError(error.reason) from error
    if any(not isinstance(part, str) for turn in turns for part in turn.parts):
        raise RecordError("a row of images or videos")
    said = [(turn.role, turn.text.strip()) for turn in turns]
    asked = [at for at, (role, _) in enumerate(said) if role == "user"]
    if not asked or not any(role == "assistant" for role, _ in said):
        raise RecordError("no question" if not asked else "no answer")
    longest = max(asked, key=lambda at: len(said[at][1]))
    before, after = said[:longest], said[longest + 1 :]
    if not after or after[0][0] != "assistant":
        raise RecordError("no answer after the document")
    if any(role != "system" for role, _ in before):
        raise RecordError("the document stands in a later turn")
    contents = record.get("messages", [{}] * len(said))
    parts = _user_parts(contents, longest) or []
    if len(parts) > 1:  # the text part that is longest is the document
        document = max(parts, key=len)
        ask = "\n".join(part for part in parts if part is not document).strip()
    else:
        document, ask = split_document(said[longest][1], question)
    if not document:
        raise RecordError("no context")
    instructions = [text for _, text in before if text]
    return [(document, "\n".join([*instructions, ask]), after[0][1], tuple(after[1:]))]


def _user_parts(messages: Any, at: int) -> list[str]:
    content = messages[at].get("content") if isinstance(messages, list) else None
    if not isinstance(content, list):
        return []
    texts = [
        str(given(part, "text") or "").strip() for part in content if isinstance(part, Mapping)
    ]
    return [text for text in texts if text]


def _prompt(record: Record, question: str) -> list[Pieces]:
    prompt, answer = needed(record, "prompt", "question"), needed(record, "completion", "answer")
    return [(*split_prompt(prompt, answer), ())]


def _triplet(record: Record, question: str) -> list[Pieces]:
    context, asked, answer = (needed(record, key) for key in KEYS)
    return [(context, asked, answer, ())]


def _chat_qa(record: Record, question: str) -> list[Pieces]:
    answer = record["answer"]
    if isinstance(answer, list):  # several wordings of one answer
        answer = answer[0] if answer else ""
    answer = needed({"answer": answer}, "answer")
    prompt = _SPEAKERS.sub("", needed(record, "question"))
    story, label, tail = prompt.rpartition("\n\nQ:")
    if label and story.strip() and tail.strip():
        return [(story.strip(), tail.strip(), answer, ())]
    return [(*split_document(prompt, question), answer, ())]


def _captions(record: Record, question: str) -> list[Pieces]:
    """Read a record of TextVID: what a frame holds is told in words."""
    frames = [
        "; ".join(f"{name}: {text}" for name, text in frame.items() if text)
        for frame in record["frames"]
    ]
    context = "\n\n".join(line for line in frames if line)
    if not context:
        raise RecordError("no context")
    out: list[Pieces] = []
    for pair in record["QAs"]:
        letters = [f"{chr(65 + at)}. {option}" for at, option in enumerate(pair["options"])]
        at = ord(str(pair["answer"]).strip()[:1].upper() or " ") - 65
        if not 0 <= at < len(letters):
            raise RecordError("an answer that is no letter of an option")
        out.append((context, "\n".join([needed(pair, "question"), *letters]), letters[at], ()))
    if caption := str(given(record, "global_video_caption") or "").strip():
        out.append((context, question or "Describe the video in one sentence.", caption, ()))
    if not out:
        raise RecordError("no question")
    return out


# In the order in which they are tried.
_KINDS: dict[tuple[str, ...], Callable[[Record, str], list[Pieces]]] = {
    KEYS: _triplet,
    ("frames", "QAs"): _captions,
    ("prompt", "completion"): _prompt,
    ("messages",): _conversation,
    ("conversations",): _conversation,
    ("question", "answer"): _chat_qa,
}
