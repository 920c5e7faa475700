"""Every common row layout read as one: turns of texts and media, and the media themselves.

>>> row = read_row({"image": "mug.png", "conversations": [
...     {"from": "human", "value": "<image>\\nWhat is it?"}, {"from": "gpt", "value": "A mug."}]})
>>> row.layout, row.media[0].value
('conversations', 'mug.png')
>>> row.turns[0].parts  # a whole number is a place where media[number] is shown
(0, 'What is it?')

The layouts are those of LLaVA, ShareGPT, OpenAI and HF messages, TRL, ms-swift, LLaMA-Factory,
Qwen's fine-tuning code, VideoChat2, Video-R1, ShareGPT4Video and FineVideo. Nothing is opened here:
media are what the row names, by path, URL, bytes or base64.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from t2vid.corpora.bounds import first_given, given, listed
from t2vid.corpora.placing import (
    MEDIA_COLUMNS,
    MediaKind,
    Medium,
    Turn,
    columns_of,
    places,
)
from t2vid.errors import LayoutError, kind_of
from t2vid.storage.fields import is_missing

ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "function_call": "function_call",
    "tool_call": "function_call",
}
# Asked where a corpus holds a caption and no question.
DESCRIBE = "What does this video show? Describe it in detail."
IDS = ("id", "problem_id", "question_id", "video_id")
_WEIGHTS = ("weight", "loss", "train", "loss_weight")
_PREFERENCES = ({"chosen", "rejected"}, {"chosen_messages", "rejected_messages"})


class LayoutRow(NamedTuple):
    """One row, whatever layout it came in.

    Attributes:
        id: its own, or its number as text; empty where neither is known.
        source: its own, or empty.
        layout: name of the layout that it was read by.
        turns: the conversation, in order.
        media: what is shown; `turns` name each by its number at least once.
    """

    id: str
    source: str
    layout: str
    turns: tuple[Turn, ...]
    media: tuple[Medium, ...]


class _Layout(NamedTuple):
    needs: tuple[str, ...]
    turns: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
    media: Mapping[str, MediaKind] = MEDIA_COLUMNS


def read_row(
    record: Mapping[str, Any],
    *,
    layout: str | None = None,
    number: int | None = None,
    answered: bool = True,
) -> LayoutRow:
    """Read one row of any layout.

    Args:
        record: the row. Keys whose value is None or NaN count as absent.
        layout: name of the layout; None finds it by the row's keys. `"trl"` is `messages` in which
            `<image>` in a text is always a word.
        number: of the row in its file, its id where it has none.
        answered: refuse a row without an answer, as training must.

    Raises:
        LayoutError: when it fits no layout, a media part is of an unknown kind, a place has no
            medium or a medium no place, or an answer is missing.
    """
    if not isinstance(record, Mapping):
        hint = "; read a packed list of rows with rows_of" if isinstance(record, list) else ""
        raise LayoutError(f"a row must be a mapping, not {kind_of(record)}{hint}", reason="no row")
    name = own_id(record) or ("" if number is None else str(number))
    known = layout or detect(record)
    if known != "trl" and known not in LAYOUTS:
        near = difflib.get_close_matches(known, [*LAYOUTS, "trl"], n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise LayoutError(
            f"layout ({known!r}) must be one of {[*LAYOUTS, 'trl']}{meant}", reason="unknown layout"
        )
    shape = LAYOUTS["messages" if known == "trl" else known]
    broken: Any
    try:
        raw = shape.turns(record)
        broken = next((turn for turn in raw if not isinstance(turn, Mapping)), None)
    except LayoutError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        broken, raw = f"{type(error).__name__}: {error}", []
    if broken is not None:
        raise LayoutError(
            f"row {name!r} has turns that are no {known} ({str(broken)[:80]}); expected {shape.needs}",
            reason="broken turns",
        )
    if answered and record.get("label") is False and known in _LABELLED:
        raise LayoutError(
            f"row {name!r} holds an answer that is not wanted (label: false, as KTO has it)",
            reason="unwanted answer",
        )
    system = first_given(record, "system", "system_prompt", default=None)
    if system and not (raw and raw[0].get("role") == "system"):
        raw = [{"role": "system", "content": system}, *raw]
    spoken = [_turn(turn, name) for turn in raw]
    columns = columns_of(record, shape.media)
    turns, media = places(spoken, columns, name=name, tags=known != "trl")
    if answered and any(turn.role == "assistant" and turn.is_blank for turn in turns):
        raise LayoutError(f"row {name!r} has an empty answer", reason="empty answer")
    if answered and not any(turn.role == "assistant" and turn.trained for turn in turns):
        raise LayoutError(
            f"row {name!r} has no answer to learn: no assistant turn with a weight above 0",
            reason="no answer",
        )
    source = str(first_given(record, "source", "data_source", default="") or "")
    return LayoutRow(name, source, known, turns, media)


def _one_answer(answer: Any) -> Any:
    """Give an answer; several texts are the better and the worse of a preference.

    Raises:
        LayoutError: for these.
    """
    if isinstance(answer, list | tuple) and len(answer) > 1:
        raise LayoutError(
            f"the row holds {len(answer)} answers, of which supervised fine-tuning needs one",
            reason="preference row",
        )
    return answer[0] if isinstance(answer, list | tuple) and answer else answer


def own_id(record: Mapping[str, Any]) -> str:
    """Give the id that a row has itself, "" where it has none."""
    return str(first_given(record, *IDS, default="")).strip()


def read_unshown(record: Mapping[str, Any]) -> LayoutRow:
    """Read a row whose media may be left out: its places then belong to one blank sequence.

    Args:
        record: the row, with an answer or without.

    Raises:
        LayoutError: as `read_row` does.
    """
    try:
        return read_row(record, answered=False)
    except LayoutError as error:
        if error.reason != "places without media":
            raise
        blank = dict.fromkeys(("text", "path", "bytes", "spec"))
        return read_row({**record, "images": blank}, answered=False)


def turns_of(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give what is said in a row as `(role, text)` pairs.

    >>> turns_of({"messages": [{"role": "user", "content": [{"type": "image"}, "Why?"]}]})
    [('user', 'Why?')]
    """
    return said_by(read_unshown(record).turns)


def said_by(turns: Iterable[Turn]) -> list[tuple[str, str]]:
    """Give turns as `(role, text)` pairs."""
    return [(turn.role, turn.text) for turn in turns]


def rows_of(record: Any, *, number: int | None = None, **options: Any) -> Iterator[LayoutRow]:
    """Read a record that may be a packed list of rows, as Qwen's fine-tuning files have them.

    Args:
        record: a mapping, or a list of them.
        number: of the record in its file.
        **options: for `read_row`.
    """
    if is_conversation(record):
        record = {"messages": record}
    if not isinstance(record, list):
        yield read_row(record, number=number, **options)
        return
    for at, part in enumerate(record):
        row = read_row(part, number=number, **options)
        yield row if given(part, "id") else row._replace(id=f"{row.id}.{at}")


def is_conversation(record: Any) -> bool:
    """Tell a list of turns, which is one row, from a list of rows."""
    return (
        isinstance(record, list)
        and bool(record)
        and all(isinstance(turn, Mapping) and {"role", "from"} & turn.keys() for turn in record)
    )


def detect(record: Mapping[str, Any]) -> str:
    """Name the layout of a row by its keys.

    Raises:
        LayoutError: when they are those of no layout; it names the keys, and what is expected.
    """
    if any(all(given(record, key) is not None for key in keys) for keys in _PREFERENCES):
        raise LayoutError(
            "the row holds a preference (chosen, rejected), which supervised fine-tuning cannot "
            "use; keep `chosen` as the completion of a `prompt`",
            reason="preference row",
        )
    for name, layout in LAYOUTS.items():
        if all(given(record, key) is not None for key in layout.needs):
            return name
    expected = ", ".join(" + ".join(layout.needs) for layout in LAYOUTS.values())
    raise LayoutError(
        f"a row with the keys {sorted(map(str, record))} fits no known layout; expected one of: "
        f"{expected}",
        reason="no known layout",
    )


def _turn(raw: Mapping[str, Any], name: str) -> Turn:
    said = str(first_given(raw, "role", "from", default=""))
    role = ROLES.get(said.lower())
    if role is None:
        near = difflib.get_close_matches(said, ROLES, n=1)
        raise LayoutError(
            f"row {name!r} has a turn of role {said!r}; known roles are {sorted(ROLES)}"
            + (f" (did you mean {near[0]!r}?)" if near else ""),
            reason="unknown role",
        )
    content = first_given(raw, "content", "value", "text", default=None)
    calls = given(raw, "tool_calls") or None
    calls = json.loads(calls) if isinstance(calls, str) else calls
    if role == "function_call":
        role, content, calls = "assistant", None, _calls(content)
    if isinstance(content, int | float) and not isinstance(content, bool):
        content = str(content)
    if isinstance(content, str):
        content = content.lstrip("\ufeff")
    content = content or ""
    if not isinstance(content, str | Sequence) or isinstance(content, bytes):
        raise LayoutError(
            f"row {name!r} has a turn whose content is {kind_of(content)}; it must be a text or a "
            "list of parts",
            reason="unknown content",
        )
    return Turn(role, content, _weight(raw, name), calls)


def _weight(raw: Mapping[str, Any], name: str) -> bool | None:
    stated = {key: value for key in _WEIGHTS if (value := given(raw, key)) is not None}
    wrong = {key: value for key, value in stated.items() if value not in (0, 1)}
    if wrong or len({bool(value) for value in stated.values()}) > 1:
        key, value = next(iter((wrong or stated).items()))
        raise LayoutError(
            f"row {name!r} has a turn with {key}={value!r}; a turn is trained on (1) or not (0)",
            reason="unknown weight",
        )
    return bool(next(iter(stated.values()))) if stated else None


def _calls(content: Any) -> list[dict[str, Any]]:
    try:
        call = json.loads(content) if isinstance(content, str) else content
    except json.JSONDecodeError:
        call = {"name": str(content)}
    calls = call if isinstance(call, list) else [call]
    return [{"type": "function", "function": one} for one in calls]


def _messages(key: str) -> Callable[[Mapping[str, Any]], list[dict[str, Any]]]:
    def turns(record: Mapping[str, Any]) -> list[dict[str, Any]]:
        value = listed(record[key])
        out: list[dict[str, Any]] = []
        for turn in value:
            if "human" in turn and "assistant" in turn:  # ms-swift's `conversation`
                out += _exchange(turn["human"], turn["assistant"])
            else:
                out.append(turn)
        return out

    return turns


def _exchange(question: Any, answer: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **more}]


def _prompt_completion(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    prompt, completion = record["prompt"], record["completion"]
    asked = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    said = (
        [{"role": "assistant", "content": completion}]
        if isinstance(completion, str)
        else list(completion)
    )
    # What an assistant says inside a prompt is given, not learned (TRL's completion_only_loss).
    return [{**turn, "weight": 0, "loss": None, "train": None} for turn in asked] + said


def _query_response(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    past = listed(given(record, "history")) or []
    turns = [turn for question, answer in past for turn in _exchange(question, answer)]
    return turns + _exchange(record["query"], _one_answer(record["response"]))


def _instruction(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    past = listed(given(record, "history")) or []
    turns = [turn for question, answer in past for turn in _exchange(question, answer)]
    asked = "\n".join(filter(None, [record["instruction"], given(record, "input")]))
    return turns + _exchange(asked, _one_answer(record["output"]))


def _prefix_suffix(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _exchange(record["prefix"], record["suffix"])


def _video_chat2(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    turns = []
    for pair in listed(record["QA"]):
        asked = "\n".join(t for key in ("i", "q") if (t := str(given(pair, key) or "").strip()))
        turns += _exchange(asked, given(pair, "a"))
    return turns


def _video_r1(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines = [record["problem"], *_options(given(record, "options"))]
    answer = "\n".join(filter(None, [given(record, "process"), record["solution"]]))
    return _exchange("\n".join(map(str, lines)), answer)


def _question_answer(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = record["answer"]
    lines = [given(record, "context"), record["question"], *_options(given(record, "options"))]
    asked = "\n".join(str(line) for line in lines if line not in (None, ""))
    if isinstance(answer, list | tuple):  # several wordings of one answer
        answer = next((one for one in answer if not is_missing(one)), None)
    return _exchange(asked, _chosen(answer, given(record, "options")))


def _chosen(answer: Any, options: Any) -> Any:
    """Give the letter where an answer is the place of an option, counted from 0."""
    if not isinstance(answer, int) or isinstance(answer, bool):
        return answer
    if not isinstance(options, list | tuple) or not options or str(answer) in map(str, options):
        return answer
    if not 0 <= answer < len(options):
        raise LayoutError(
            f"answer {answer} is no place among {len(options)} options, which count from 0",
            reason="no such option",
        )
    own = re.match(r"\W?([A-Z])[.):]", str(options[answer]))
    return own[1] if own else chr(65 + answer)


def _options(options: Any) -> list[str]:
    """Write the options of a question a line each, with letters unless they have them."""
    if isinstance(options, Mapping):
        return [f"{letter}. {text}" for letter, text in options.items()]
    if not isinstance(options, list | tuple):
        return [str(options)] if options else []
    texts = [str(text) for text in options]
    lettered = all(re.match(r"\W?[A-Z][.):]", text) for text in texts)
    return texts if lettered else [f"{chr(65 + i)}. {text}" for i, text in enumerate(texts)]


def _captions(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    # The caption of the whole video has the number -1; the others are of single keyframes.
    whole: Mapping[str, Any] = {}
    for caption in listed(record["captions"]):
        whole = caption if str(caption["idx"]) == "-1" else whole
    return _exchange(given(record, "question") or DESCRIBE, given(whole, "content"))


def _finevideo(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    about = record["json"]
    about = json.loads(about) if isinstance(about, str) else about
    pairs = about["content_metadata"]["qAndA"]
    return [turn for pair in pairs for turn in _exchange(pair["question"], pair["answer"])]


# In the order in which they are tried: the first whose keys are all there.
LAYOUTS = {
    "messages": _Layout(("messages",), _messages("messages")),
    "conversations": _Layout(("conversations",), _messages("conversations")),
    "conversation": _Layout(("conversation",), _messages("conversation")),
    "prompt-completion": _Layout(("prompt", "completion"), _prompt_completion),
    "query-response": _Layout(("query", "response"), _query_response),
    "instruction-output": _Layout(("instruction", "output"), _instruction),
    "prefix-suffix": _Layout(("prefix", "suffix"), _prefix_suffix),
    "videochat2": _Layout(("QA",), _video_chat2),
    "video-r1": _Layout(("problem", "solution"), _video_r1),
    "sharegpt4video": _Layout(("captions", "video_path"), _captions, {"video_path": "video"}),
    "finevideo": _Layout(("mp4", "json"), _finevideo, {"mp4": "video"}),
    "question-answer": _Layout(("question", "answer"), _question_answer),
}
_LABELLED = ("messages", "trl", "conversations", "conversation", "prompt-completion")
# What `columns=` of a source or a builder may name.
ROW_KEYS = sorted(
    {"id", "source", "system", "tools", "history", "input", "images", "videos"}
    | {key for layout in LAYOUTS.values() for key in (*layout.needs, *layout.media)}
)
