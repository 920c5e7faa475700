"""A conversation as token ids: the chat template, the answers in it, and words that stay words.

>>> from t2vid.models.tiny import tiny_idefics3
>>> processor = tiny_idefics3(["Why? So."])[1]
>>> turn = {"role": "user", "content": [{"type": "text", "text": "<end_of_utterance>"}]}
>>> found = tokenise(processor, training_template(processor), [turn])
>>> processor.tokenizer.decode(found.ids).count("<end_of_utterance>")  # the word, and the end
2
>>> end = processor.tokenizer.convert_tokens_to_ids("<end_of_utterance>")
>>> int((found.ids == end).sum())
1
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from t2vid.errors import InputError, LayoutError, require
from t2vid.models import templates

# Private-use characters: one that a conversation does not hold marks where a word is cut.
_CUTS = [chr(code) for code in range(0xE000, 0xE100)]
# transformers keeps one compiled template for all threads, and its marks of answers with it
_RENDERING = threading.Lock()


class Tokenised(NamedTuple):
    """A conversation as the model reads it.

    Attributes:
        ids: `(tokens,)`.
        answers: for each assistant turn `(tokens,)`, True in its words and its end token.
    """

    ids: np.ndarray[Any, Any]
    answers: list[np.ndarray[Any, Any]]


def tokenise(
    processor: Any, template: str, turns: Sequence[Mapping[str, Any]], *, cue: bool = False
) -> Tokenised:
    """Write a conversation by its template and cut it into tokens.

    A special token that a text spells, such as `<image>` in a paper about models, stays a word.

    Args:
        processor: the model's.
        template: chat template that marks the answers by `{% generation %}`.
        turns: `{role, content}`, every content a list of parts.
        cue: end with what asks the model for an answer.

    Raises:
        LayoutError: for turns that call tools or are a tool's, where the template knows none.
    """
    for turn in turns:
        for key, there in (
            ("tool_calls", turn.get("tool_calls")),
            ("tool", turn["role"] == "tool"),
        ):
            if there and key not in template:
                raise LayoutError(
                    f"the row has a turn with {key}, and this model's chat template writes none; "
                    "leave such rows out, or pass chat_template= with one that does",
                    reason="tool turns",
                )
    tokenizer = processor.tokenizer
    special = _special_words(processor)
    cut = _free_character(turns)
    safe = [_cut_words(turn, special, cut) for turn in turns]
    render = require("transformers.utils.chat_template_utils", extra="train")
    with _RENDERING:
        (text,), (spans,) = render.render_jinja_template(
            [safe],
            chat_template=template,
            return_assistant_tokens_mask=True,
            add_generation_prompt=cue,
            **tokenizer.special_tokens_map,
        )
    ids, at = [], []
    start = 0
    for piece in text.split(cut):
        out = tokenizer(
            piece,
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
        )
        ids.append(np.asarray(out["input_ids"], dtype=np.int64))
        at.append(np.asarray(out["offset_mapping"], dtype=np.int64).reshape(-1, 2) + start)
        start += len(piece) + len(cut)
    offsets = np.concatenate(at)
    ends = tuple(t.content for t in tokenizer.added_tokens_decoder.values() if t.special)
    answers = []
    for first, last in spans:
        first, last = _trim(text, first, last, ends)
        answers.append((offsets[:, 1] > first) & (offsets[:, 0] < last))
    return Tokenised(np.concatenate(ids), answers)


def training_template(processor: Any) -> str:
    """Give a chat template that marks the answers: the processor's own, TRL's variant of it, or ours.

    Raises:
        InputError: when the template has no marks and nobody knows a variant with marks.
    """
    own = getattr(processor, "chat_template", None) or processor.tokenizer.chat_template
    if own is None:
        raise InputError(f"{type(processor).__name__} has no chat template; pass chat_template=")
    if re.search(r"\{%-?\s*generation\s*-?%\}", own):
        return str(own)
    trl = require("trl.chat_template_utils", extra="train")
    try:
        marked = trl.get_training_chat_template(processor)
    except ValueError as error:
        known = templates.marked(str(own), processor.tokenizer.special_tokens_map)
        if known is not None:
            return known
        raise InputError(
            "the chat template does not mark the answers; pass chat_template= with "
            "{% generation %} and {% endgeneration %} around them"
        ) from error
    return str(marked or own)


def _special_words(processor: Any) -> re.Pattern[str]:
    added = processor.tokenizer.added_tokens_decoder.values()
    words = {token.content for token in added if token.special} | {str(processor.image_token)}
    longest_first = sorted((word for word in words if len(word) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _free_character(turns: Sequence[Mapping[str, Any]]) -> str:
    said = "".join(part.get("text") or "" for turn in turns for part in turn["content"])
    free = next((char for char in _CUTS if char not in said), None)
    if free is None:
        raise InputError(f"a row holds all of the {len(_CUTS)} private-use characters from U+E000")
    return free


def _cut_words(turn: Mapping[str, Any], special: re.Pattern[str], cut: str) -> dict[str, Any]:
    content = [
        {**part, "text": special.sub(lambda m: m[0][0] + cut + m[0][1:], part["text"])}
        if part["type"] == "text"
        else part
        for part in turn["content"]
    ]
    return {**turn, "content": content}


def _trim(text: str, start: int, end: int, ends: tuple[str, ...]) -> tuple[int, int]:
    # Templates put a newline after the end token inside the mark; generation stops before it.
    inner = text[start:end].rstrip()
    if inner.endswith(ends):
        return start, start + len(inner)
    for mark in ends:  # or leave the end token outside the mark, which would never be learned
        if text.startswith(mark, end):
            return start, end + len(mark)
    return start, end
