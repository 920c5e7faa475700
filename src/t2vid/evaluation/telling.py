r"""What a rule means, and what the rules saw in an answer: each place that names an option, and what is said of it.

>>> meaning_of("text contained")
'the text of one option, and of no other, is asserted'
>>> for line in told("It is (A) a dog. Hmm, no, not C.", ["a dog", "a cat", "a bird"]):
...     print(line.split(", by ")[0])
"(A) a dog" names A: cue (presented as the answer)
    but what follows takes it back
"C" names C: denial (said not to be it)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from t2vid.scoring.answer import as_text
from t2vid.scoring.clean import clean
from t2vid.scoring.lexicon import Phrase, load
from t2vid.scoring.mentions import Mentions
from t2vid.scoring.options import read_options
from t2vid.scoring.turns import turns

_MEANINGS = {
    "letter alone": "the answer is a letter and nothing else",
    "option text": "the answer is the text of that option and nothing else",
    "statement": "the last place that says which option is taken",
    "letter": "one letter that stands as a sentence of its own",
    "text contained": "the text of one option, and of no other, is asserted",
    "undecided": "nothing says which option is taken",
    "two answers": "more than one option is taken",
    "denied": "options are named only to deny them",
    "taken back": "what was said is taken back",
    "hedge": "an option is named with doubt only",
    "condition": "an option is named under a condition only",
    "question": "an option is only asked about",
    "quotation": "an option is only quoted",
    "example": "an option is named as an example only",
    "no such option": "the letter that is named is none of the options",
    "empty": "nothing is said",
    "echo": "the question is repeated and nothing else is said",
    "unfinished thought": "the answer ends before its thought does",
    "judge": "the rules left it open, and the judge decided",
    "judge: none": "the rules left it open, and so did the judge",
    "judge_error": "the rules left it open, and the judge failed",
    "official": "as the scorer of the benchmark's authors reads it",
    "official: none": "the scorer of the benchmark's authors reads no letter",
    "paper: letter and dot": "a letter and a dot, which the paper's script looks for first",
    "paper: any capital": "the first capital letter anywhere, as the paper's script takes it",
}
_KINDS = {
    "cue": "presented as the answer",
    "firm": "presented as the answer",
    "alone": "stands alone",
    "denial": "said not to be it",
    "pair": "named beside another one",
    "hedge": "with doubt",
    "condition": "under a condition",
    "question": "asked about",
    "quotation": "quoted",
    "example": "an example",
}
_PHRASES = 2  # shown of those that matched
_CHARS = 90  # shown of a phrase; enough to find it in the lexicon


def meaning_of(rule: str) -> str:
    """Say in words what a rule, or a reason for leaving an answer open, means; "" for an unknown one."""
    return _MEANINGS.get(rule, "")


def told(
    prediction: object,
    options: Sequence[str] | Mapping[str, str] | str | None,
    question: str = "",
) -> Iterator[str]:
    """Give a line for each option that an answer names, with what is said of it and by which phrase.

    The kinds are those of `t2vid.scoring.saying.Said`; a phrase stands in a file of `scoring/lexicon/`
    under its kind, word for word.

    Args:
        prediction: the answer, as `extract_choice` takes it.
        options: the options.
        question: the question.
    """
    cleaned = clean(as_text(prediction))
    text = "" if cleaned.reason else next(iter(turns(cleaned.text, question)), "")
    mentions, lexicon = Mentions(text, read_options(options), question), load()
    named = {(m.at, m.letter): m for m in [*mentions.texts(), *mentions.letters]}
    for _, mention in sorted(named.items()):
        said = mentions.said(mention)
        matched = lexicon.matching(lexicon.frame(said.frame))
        gloss = _KINDS.get(said.kind, "")
        kind = f"{said.kind} ({gloss})" if gloss else said.kind or "nothing said of it"
        by = _written(phrase for phrase in matched if phrase.category == said.kind)
        yield f'"{text[mention.start : mention.end]}" names {mention.letter}: {kind}{by}'
        if said.kind in ("cue", "firm"):
            after = lexicon.frame(text[mention.end :])
            if by := _written(lexicon.matching(after, "retraction")):
                yield f"    but what follows takes it back{by}"


def _written(phrases: Iterable[Phrase]) -> str:
    shown = [f'"{_cut(phrase.text)}"' for phrase in phrases][:_PHRASES]
    return f", by {' and '.join(shown)}" if shown else ""


def _cut(phrase: str) -> str:
    return phrase if len(phrase) <= _CHARS else phrase[:_CHARS] + "…"
