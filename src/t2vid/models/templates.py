"""Chat templates with the answers marked, to stand in for a checkpoint's own that marks none.

>>> own = CHATML.replace("{% generation %}", "").replace("{% endgeneration %}", "")
>>> marked(own, {}) == CHATML
True
>>> marked("{{ messages[0]['content'] }}", {}) is None
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t2vid.errors import require

# The answer with its end token is inside the mark, and so is whatever the model writes before it.
_TEXTS = "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}"

# InternVL2.5 and 3, as transformers converts them.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}{% generation %}" + _TEXTS + "<|im_end|>\n"
    "{% endgeneration %}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<IMG_CONTEXT>{{ '\n' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>{{ '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% endif %}"
)
# SmolVLM and SmolVLM2.
SMOLVLM = (
    "<|im_start|>{% for message in messages %}{% if message['role'] == 'assistant' %}Assistant:"
    "{% generation %} " + _TEXTS + "<end_of_utterance>\n{% endgeneration %}{% else %}"
    "{{ message['role'] | capitalize }}:"
    "{% if message['content'][0]['type'] != 'image' %} {% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}"
    "{{ part['text'] }}{% endif %}{% endfor %}<end_of_utterance>{{ '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
# LLaVA-OneVision on Qwen2: all images first, a role ends with a blank, a text begins with a line.
LLAVA_ONEVISION = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }} "
    "{% if message['role'] == 'assistant' %}{% generation %}"
    "{% for part in message['content'] %}{{ '\n' + part['text'] }}{% endfor %}<|im_end|>"
    "{% endgeneration %}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% endif %}"
    "{% endfor %}{% for part in message['content'] %}{% if part['type'] == 'text' %}"
    "{{ '\n' + part['text'] }}{% endif %}{% endfor %}<|im_end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEMPLATES = (CHATML, SMOLVLM, LLAVA_ONEVISION)


def marked(own: str, special_tokens: Mapping[str, Any]) -> str | None:
    """Find a template that marks the answers and otherwise writes what `own` writes.

    Args:
        own: a checkpoint's template.
        special_tokens: of its tokenizer, by role.

    Returns:
        None where none of them writes the same, letter by letter, for conversations of one and
        several turns, with several frames, one and none.
    """
    for template in TEMPLATES:
        if all(
            _written(own, turns, special_tokens, cue=cue)
            == _written(template, turns, special_tokens, cue=cue)
            for turns in _PROBES
            for cue in (False, True)
        ):
            return template
    return None


def _written(
    template: str, turns: list[dict[str, Any]], special_tokens: Mapping[str, Any], *, cue: bool
) -> str | None:
    render = require("transformers.utils.chat_template_utils", extra="train")
    jinja2 = require("jinja2", extra="train")
    try:
        texts, _ = render.render_jinja_template(
            [turns], chat_template=template, add_generation_prompt=cue, **special_tokens
        )
    except jinja2.TemplateError as error:
        return type(error).__name__  # a template that refuses a probe is like no other
    return str(texts[0])


def _turn(role: str, *texts: str, frames: int = 0) -> dict[str, Any]:
    content = [{"type": "image"}] * frames + [{"type": "text", "text": text} for text in texts]
    return {"role": role, "content": content}


_PROBES: tuple[list[dict[str, Any]], ...] = (
    [_turn("user", "What is it?", frames=2), _turn("assistant", "A boat."), _turn("user", "Why?")],
    [_turn("user", "Hello", frames=1), _turn("assistant", "So."), _turn("user", "a", frames=1)],
    [_turn("system", "Be brief."), _turn("user", "Hello"), _turn("assistant", "So.")],
)
