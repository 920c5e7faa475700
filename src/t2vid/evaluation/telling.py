r"""What the rules saw in an answer: each place that names an option, and the phrases that spoke about it there.

>>> for line in told("It is (A) a dog. Hmm, no, not C.", ["a dog", "a cat", "a bird"]):
...     print(line.split(" [")[0])
"(A) a dog" names A: cue, by "^
    but what follows takes it back, by "^
"C" names C: denial, by "(not|never|neither|nor|without)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from t2vid.scoring.answer import as_text
from t2vid.scoring.clean import clean
from t2vid.scoring.lexicon import Phrase, load
from t2vid.scoring.mentions import Mentions
from t2vid.scoring.options import read_options
from t2vid.scoring.turns import turns

_PHRASES = 2  # shown of those that matched
_CHARS = 90  # shown of a phrase; enough to find it in the lexicon


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
        kind = said.kind or "nothing said of it"
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
