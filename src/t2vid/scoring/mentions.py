"""Where an answer names an option, by letter or by text, and what it says about it there.

>>> from t2vid.scoring.options import read_options
>>> found = Mentions("It isn't B, it is C.", read_options(["cat", "dog", "bee"]))
>>> [(m.letter, found.said(m).kind) for m in found.letters]
[('B', 'denial'), ('C', 'cue')]
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cache, lru_cache
from typing import NamedTuple

from t2vid.scoring.lexicon import OPTION, Frame, load
from t2vid.scoring.options import Options

BEFORE_CHARS, AFTER_CHARS = 160, 120  # of its sentence: what is further off is about something else
END_CHARS = 600  # of a long answer, in which option texts are looked for
MAX_LETTERS = 120  # of a text with more, such as a proof about points A to F, both ends are read


class Mention(NamedTuple):
    """An option in a text.

    Attributes:
        letter: the option's letter.
        at: place of the letter or the text itself.
        start: where the whole naming starts, "option (B) a dog" with all of it.
        end: where it ends.
        form: `letter`, `text`, or `item` for a letter that heads a line of several.
        joined: letters that are named with it, "A or B", its own among them.
        wrapped: whether brackets or quotes stand around the letter, or a word such as "option" before it.
        own: whether the option's own text follows the letter.
    """

    letter: str
    at: int
    start: int
    end: int
    form: str = "letter"
    joined: frozenset[str] = frozenset()
    wrapped: bool = False
    own: bool = False


class Said(NamedTuple):
    """What a text says about an option where it names it.

    Attributes:
        kind: `firm` or `cue`: presented as the answer; `alone`: a sentence of its own; `pair`: named together with
            another; `denial`, `hedge`, `condition`, `question`, `quotation`, `example`; or empty.
        cued: whether a cue presents it all the same.
        frame: its sentence with the option left out.
    """

    kind: str
    cued: bool
    frame: str


_BREAK = re.compile(
    r"[.!?;\n。！？；।؟](?:(?<=[\n。！？；।؟])|(?<=;)(?=\s)|(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\b[DM]r\.)"
    r"(?<!\bMrs\.)(?<!\bvs\.)(?=[\s\"'”’)\]}]|$)(?![\"'”’]\s+[a-z]))"
)
_CLAUSE = re.compile(r"[,，、(（]|\s[—–-]{1,2}\s|—|\.(?=\s)")
_JOINED = re.compile(r"^[\s,;/&+、，.)\]\"'”|-]*$")
_BETWEEN_ITEMS = re.compile(r"^[\s.,;:|/•*\-–()\[\]\"'`and]*$")
_OPENING = "([{\"'“‘「『【《<«"
_CLOSING = ")]}\"'”’」』】》>»"
_VERBS = frozenset(
    "is isn't was wasn't seems appears looks would fits matches describes does doesn't did because since as and or but "
    "instead rather must should can can't cannot has will best correctly makes shows remains it for over if though "
    "although given which states says who when due also gets only wins not never contradicts fails alone then survives stands works stimmt passt holds obviously please both apply fit are each all too also that's it's here , "
    "captures aligns reflects represents corresponds stands sounds feels might may could won't hands ist es est è é".split()
)
_AFTER_I = frozenset(
    "is isn't seems appears fits matches because since as and or wins not describes rather".split()
)
_EQUATION = re.compile(r"(?:\b\w{1,2}|[)\]}\d])\s*=\s*$|[+*/^−·×∠△°√]\s?$|[-–]$")
_CALCULATION = re.compile(r"\s?[=<>^≤≥≈∥⊥]|\s?[+*/·×−]\s?\w|\(|-[A-Za-z]|\s-\s\w\b|['’]?[\d_]")
_HEADER = re.compile(
    r"(?:answer|response|conclusion|choice|option|result|solution|答案|答え|정답|respuesta|réponse|antwort|risposta|resposta|ответ)$",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"\s+(?:is|isn't|was|does|doesn't|seems|has|would|cannot|can't|fits|matches|never|happens|it is)\b",
    re.I,
)
_TICKED = re.compile(r"[✓✔✅☑👉]\W*$")
_PLACE = re.compile(
    r"\b(?:(first|second|third|fourth|fifth|sixth) (?:option|choice|caption|sentence|statement|description)"
    r"|(?:option|choice|caption|sentence)\s#?([1-9]))\b(?!\s*(?:%|/))",
    re.IGNORECASE,
)
_PLACE_NOUNS = ("option", "choice", "caption", "sentence", "statement", "description")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_NAME_AFTER = re.compile(
    r"\s+(?:minor|major|sharp|flat|string|section|movie|team|personality|battery|cells?)\b", re.I
)


@cache
def _letters(last: str) -> re.Pattern[str]:
    return re.compile(
        # the letter first: a scan for one of a few characters is many times faster than a look behind each place
        rf"[A-{last}](?<![A-Za-z0-9À-ɏ_\\&'’.@#].)(?![A-Za-z0-9À-ɏ_&'’@]|\.[a-z]|\.[A-Z](?![a-z]))"
    )


@cache
def _small(last: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=[\s(\[\"':])[a-{last}](?=[\s)\]\".,;:!]|$)")


class Mentions:
    """The options that a text names.

    Args:
        text: the cleaned answer.
        options: the options.
        question: the question, whose own conditions and words are none of the answer.
    """

    def __init__(self, text: str, options: Options, question: str = "") -> None:
        self.text, self.options, self.lexicon = text, options, load()
        self.question = question.casefold()
        self.cut = -1  # place of the last letter before some were left out
        self.breaks = [b.end() for b in _BREAK.finditer(text)]
        self.first_break = next((b for b in self.breaks if text[:b].strip()), len(text))
        self.last_break = max((b for b in self.breaks if text[b:].strip(" .\n\"')*")), default=0)
        self._said: dict[Mention, Said] = {}
        found = self._unlisted(self._letters())
        self.letters = self._grouped(sorted(found + self._places(found), key=lambda m: m.at))

    # ------------------------------------------------------------------ where

    def _letters(self) -> list[Mention]:
        last = max("J", self.options.letters[-1:] or "J")
        places = [found.start() for found in _letters(last).finditer(self.text)]
        if len(places) > MAX_LETTERS:
            places = places[: MAX_LETTERS // 2] + places[-MAX_LETTERS // 2 :]
            self.cut = places[MAX_LETTERS // 2 - 1]
        if len(self.text) < 2_000:
            places += [f.start() for f in _small(last.lower()).finditer(self.text)]
        inside = self.options.named(self.text) if self.options.lettered else []
        places = [p for p in places if not any(a < p < b for _, a, b in inside)]  # "Flask A"
        found, reached = [], 0
        for place in sorted(places):
            if place >= reached and (mention := self._letter(place)):
                found.append(mention)
                reached = mention.end
        return found

    def _places(self, letters: list[Mention]) -> list[Mention]:
        """Find options named by their place: "the second option", "Option 2"."""
        low = self.text.casefold()
        if not any(noun in low for noun in _PLACE_NOUNS):
            return []
        found = []
        for place in _PLACE.finditer(self.text):
            i = _ORDINALS.index(place[1].lower()) if place[1] else int(place[2]) - 1
            if i < len(self.options.letters) and not any(
                m.start < place.end() < m.end for m in letters
            ):
                letter, end = self.options.letters[i], place.end()
                end = self._own_text(letter, end) or end
                found.append(
                    Mention(letter, place.start(), place.start(), end, "place", wrapped=True)
                )
        return found

    def _letter(self, at: int) -> Mention | None:
        """Take in the noun and the brackets before a letter, and its option's text after it."""
        text, letter = self.text, self.text[at].upper()
        start, end, wrapped = at, at + 1, False
        while start and text[start - 1] in _OPENING:
            start -= 1
        while end < len(text) and text[end] in _CLOSING:
            end += 1
            wrapped = wrapped or start < at
        if start < at and text[start] == "(" and re.match(r"[A-Za-z0-9]", text[start - 1 : start]):
            return None  # f(A)
        noun = self._noun(start)
        own = self._own_text(letter, end)
        small, follows = text[at].islower(), text[end : end + 12]
        if own:
            end = own
        elif (
            not wrapped
            and letter == "A"
            and text[at - 1 : at] in tuple("\"'“‘")
            and self._is_word(letter, end, small)
        ):
            return None  # option "A dog"
        elif not wrapped and noun == start:
            if _CALCULATION.match(follows) or _NAME_AFTER.match(follows):
                return None
            if _EQUATION.search(text[max(0, start - 6) : start]):
                return None
            if letter in "AI" and end == at + 1 and self._is_word(letter, end, small):
                return None
            if (
                letter == "I"
                and re.match(r"\.\s+[a-z]|$", follows)
                and not text[:start].rstrip().endswith((":", "=", "is"))
            ):
                return None  # "Well, I"
            if small and not re.match(r"[\s.!,]*(?:$|\n|\bi think)", text[end : end + 12]):
                return None
        if small and not wrapped and letter not in self.options.letters:
            return None
        if wrapped and self.options.keys[letter]:
            start = min(start, self._own_text_before(letter, start))
        return Mention(
            letter,
            at,
            min(start, noun),
            end,
            wrapped=wrapped or noun < start or bool(own),
            own=bool(own),
        )

    def _is_word(self, letter: str, end: int, small: bool) -> bool:
        """Say whether an A is the article, or an I the writer."""
        word = re.match(r"(\s+|,\s*)([^\W\d_]+(?:['’][^\W\d_]+)?)", self.text[end : end + 24])
        if not word or "\n" in word[1] or (word[1][0] == "," and letter == "A"):
            return False
        follows = word[2].replace("’", "'")
        if letter == "I":
            return follows not in (_AFTER_I - {"is", "and"} if word[1][0] == "," else _AFTER_I)
        if not follows.isascii():
            return False
        if len(follows) == 1 and follows.isupper() and letter == "A":
            return False
        return small or follows.casefold() not in _VERBS

    def _noun(self, start: int) -> int:
        """Return where "option", "choice (" or the like begins before a letter."""
        before = self.text[max(0, start - 24) : start]
        word = re.search(
            r"(?:\b(the|la|el|die|l)\s+)?(\w+)(?:['’#]|\s#)?\s?[-(\[\"'“]*$", before, re.IGNORECASE
        )
        if word and word[2].casefold() in self.lexicon.words["noun"]:
            return start - len(before) + word.start()
        if before and not before.isascii():
            stripped = before.rstrip(" :(")
            for noun in self.lexicon.words["noun"]:
                if not noun.isascii() and stripped.endswith(noun):
                    return start - len(before) + len(stripped) - len(noun)
        return start

    def _own_text(self, letter: str, end: int) -> int:
        """Return where an option's text after its letter ends, 0 where it does not follow."""
        if not self.options.keys[letter]:
            return 0
        gap = re.match(
            r"\s*(?:[.):,、\]|>=→-]|[—–]|i\.e\.,?|namely)*\s*[\"'(“‘「]*", self.text[end : end + 14]
        )
        start = end + (gap.end() if gap else 0)
        if letter == "A" and not self.text[end:start].strip() and self.text[end - 1] in "Aa":
            return 0  # "A dog" is an article and a noun
        length = self.options.starts(
            self.text[start : start + 2 * self.options.longest + 20], letter
        )
        if not length:
            return 0
        end = start + length
        while end < len(self.text) and self.text[end] in "\"')”’」":
            end += 1
        return end

    def _own_text_before(self, letter: str, start: int) -> int:
        key = self.options.keys[letter]
        low = max(0, start - 2 * len(self.options.raw[letter]) - 10)
        last = key[-1]
        if last.isascii() and last.isalpha() and len(last) > 1:
            if last not in self.text[max(low, start - len(last) - 8) : start].casefold():
                return start
        for name, begin, end in reversed(self.options.named(self.text[low:start])):
            if name == letter and not self.text[low + end : start].strip(" .,\"'”-–—:|"):
                return low + begin
        return start if key else start

    def _unlisted(self, found: list[Mention]) -> list[Mention]:
        """Leave out options that are only listed, and mark the letters that head lines of their own."""
        listed: set[int] = set()
        run: list[int] = []
        for i, mention in enumerate(found):
            own = (
                bool(self._own_text(mention.letter, mention.at + 1)) or mention.end - mention.at > 4
            )
            fits = run and _BETWEEN_ITEMS.match(self.text[found[run[-1]].end : mention.start])
            if not own or not fits or mention.letter in {found[k].letter for k in run}:
                listed.update(run if len(run) > 1 else ())
                run = []
            if own and not _TICKED.search(self.text[max(0, mention.start - 4) : mention.start]):
                run.append(i)
        listed.update(run if len(run) > 1 else ())
        self.listed = [(found[i].start, found[i].end) for i in sorted(listed)]
        kept = [mention for i, mention in enumerate(found) if i not in listed]
        heads = [i for i, m in enumerate(kept) if self._heads_line(m)]
        if len({kept[i].letter for i in heads}) > 1:
            for i in heads:
                kept[i] = kept[i]._replace(form="item")
        return kept

    def _heads_line(self, mention: Mention) -> bool:
        if not re.search(
            r"(?:^|[\n,;.])[\s•|>–-]*$", self.text[max(0, mention.start - 12) : mention.start]
        ):
            return False
        return bool(
            re.match(r"(?:[.):|]|\s[|–—=-])\s*\w", self.text[mention.end : mention.end + 8])
        )

    def _grouped(self, found: list[Mention]) -> list[Mention]:
        """Join what is named together: "A or B", "A, B and C", "A/B"."""
        out: list[Mention] = []
        for mention in found:
            last = out[-1] if out else None
            if (
                last
                and mention.letter not in (last.joined or {last.letter})
                and self._joins(last, mention)
            ):
                joined = (last.joined or frozenset(last.letter)) | {mention.letter}
                out[-1] = last._replace(end=mention.end, joined=joined)
            else:
                out.append(mention)
        return out

    def _joins(self, left: Mention, right: Mention) -> bool:
        between = self.text[left.end : right.start]
        if len(between) > 24 or "\n" in between.strip(" ") or left.form == "item":
            return False
        if _JOINED.match(between):
            if between.strip() in ("-", "."):
                return False
            comma_only = between.strip() in (",", "，", ";", "")
            if comma_only and not left.joined and _ONE.match(self.text, right.end):
                return False  # "A, B is right"
            if comma_only and self.said(left).kind == "denial":
                return False  # "not A, B"
            return bool(between.strip()) or self.text[right.start - 1 : right.start].isspace()
        bare = re.sub(r"[\W_]+", " ", between).strip().casefold()
        return bare in self.lexicon.words["join"] or between.strip() in self.lexicon.words["join"]

    def texts(self) -> list[Mention]:
        """Find options named by their texts, outside of the letters' own."""
        taken = [(m.start, m.end) for m in self.letters] + self.listed
        found = []
        for letter, start, end in self._named():
            if not any(a <= start < b for a, b in taken):
                found.append(Mention(letter, start, start, end, "text"))
        if self.options.lettered or len(found) < 2:
            return found
        out: list[Mention] = []
        for mention in found:  # "cat or dog"
            last = out[-1] if out else None
            between = (
                self.text[last.end : mention.start].strip(" ,;\"'”“").casefold() if last else "-"
            )
            if last and between in self.lexicon.words["join"] and mention.letter != last.letter:
                joined = (last.joined or frozenset(last.letter)) | {mention.letter}
                out[-1] = last._replace(end=mention.end, joined=joined)
            else:
                out.append(mention)
        return out

    def _named(self) -> list[tuple[str, int, int]]:
        """Look for option texts at both ends of an answer, where they are asserted."""
        cut = len(self.text) - END_CHARS
        if cut <= END_CHARS:
            return self.options.named(self.text)
        tail = self.options.named(self.text[cut:])
        head = self.options.named(self.text[:END_CHARS])
        return head + [(letter, cut + start, cut + end) for letter, start, end in tail]

    # ------------------------------------------------------------------ what

    def sentence(self, mention: Mention) -> tuple[int, int]:
        """Return the places between which the sentence of a mention stands."""
        text = self.text
        i = bisect_right(self.breaks, mention.start)
        left = self.breaks[i - 1] if i else 0
        while i and not text[left : mention.start].strip(" \t\r\n\"'-•|*>([{#="):
            before = text[:left].rstrip()[-60:]
            line = before.rpartition("\n")[2]
            leads = before.endswith((":", "：", "is", "=")) or (
                len(line) < 24 and _HEADER.search(line)
            )
            if not leads:
                break
            i -= 1
            left = self.breaks[i - 1] if i else 0
        head = not text[left : mention.start].strip()
        end = mention.end
        if head and text[end : end + 1] in tuple(".:)") and text[end : end + 1]:
            end += 1  # "B. This is …"
        if head and text[end - 1] == ")" and re.match(r"\s+[A-Z]", text[end : end + 3]):
            return left, end  # "(B) Please tell me …"
        j = bisect_left(self.breaks, end)
        right = self.breaks[j] if j < len(self.breaks) else len(text)
        if text[right - 1 : right] in ("?", "？") and j + 1 < len(self.breaks):
            right = self.breaks[j + 1]  # "Is it B? Yes."
        return max(left, mention.start - BEFORE_CHARS), min(right, mention.end + AFTER_CHARS)

    def said(self, mention: Mention) -> Said:
        """Return what the text says about an option where it names it."""
        known = self._said.get(mention)
        if known is None:
            known = self._said[mention] = self._read(mention)
        return known

    def _read(self, mention: Mention) -> Said:
        left, right = self.sentence(mention)
        before, after = self.text[left : mention.start], self.text[mention.end : right]
        before = self._since_turn(before)
        frame = before + OPTION + after
        asks = re.search(r"[?？؟]", after) and not self._asks_itself(mention)
        found = _categories(frame, self.question, asks=bool(asks))
        cued = "cue" in found or "firm" in found
        if "firm" in found:
            return Said("firm", True, frame)
        for kind in ("denial", "hedge", "condition", "question", "quotation", "example"):
            if kind in found:
                return Said(kind, cued, frame)
        if mention.joined:
            return Said("pair", cued, frame)
        if cued:
            return Said("cue", True, frame)
        alone = not re.search(r"\w", before) and not re.search(r"\w", after)
        return Said("alone" if alone else "", False, frame)

    def _asks_itself(self, mention: Mention) -> bool:
        return self.options.raw.get(mention.letter, "").rstrip().endswith(("?", "？"))

    def _since_turn(self, before: str) -> str:
        """Leave out what stands before a "but" or "so", which is about something else."""
        words = self.lexicon.words
        first = _FIRST_WORDS.match(before)
        comma = _COMMA.search(before) if first and _begins(first[1], words["concede"]) else None
        last = comma.end() if comma else 0
        for mark in _AFTER_MARK.finditer(before, last):
            if _begins(mark[1], words["turn"]):
                last = mark.start() + 1
        if not before.isascii():
            last = max(last, *(before.rfind(w) for w in words["turn"] if w[0] > "\u0e00"))
        return before[last:]


_COMMA = re.compile("[,，]")
_FIRST_WORDS = re.compile(r"\W*(\w+(?:['’]\w+)?(?: \w+){0,2})")
_AFTER_MARK = re.compile(r"[,;.—–-](?=\s*(\w+(?: \w+){0,2}))")


def _begins(words: str, known: frozenset[str]) -> bool:
    """Say whether up to three words begin with a known word, or are one of several words."""
    said = words.casefold().split(" ")
    return any(" ".join(said[:n]) in known for n in range(1, len(said) + 1)) or any(
        word[0] > "\u0e00" and words.startswith(word) for word in known if not word.isascii()
    )


def _categories(sentence: str, question: str, *, asks: bool) -> set[str]:
    """Return the categories of the phrases that match a sentence around an option."""
    found, answered = _matched(sentence)
    if asks and not answered:
        found = found | {"question"}
    if "condition" in found and _asked(sentence, question):
        found = found - {"condition"}
    return set(found)


@lru_cache(maxsize=4096)  # models say the same few sentences again and again
def _matched(sentence: str) -> tuple[frozenset[str], bool]:
    """Return the categories of what matches, and whether a phrase was among them that answers a question."""
    lexicon = load()
    found: set[str] = set()
    answered = False
    frame = lexicon.frame(sentence)
    clause: Frame | None = None
    for phrase in lexicon.near(frame):
        if phrase.category in found:
            continue
        looked = frame
        if not phrase.placed and phrase.category == "hedge":
            looked = clause = clause or lexicon.frame(clause_of(sentence))
        if lexicon.match(phrase, looked):
            found.add(phrase.category)
            answered = answered or "?" in phrase.text
    return frozenset(found), answered


def clause_of(frame: str) -> str:
    """Return the clause of a sentence in which the option stands.

    >>> clause_of("I could be wrong, but the answer is \\0, perhaps because he ran.")
    ' but the answer is \\x00'
    """
    at = frame.index(OPTION)
    cuts = [c.end() for c in _CLAUSE.finditer(frame, 0, at)]
    while cuts and _few_words(frame[cuts[-2] if len(cuts) > 1 else 0 : cuts[-1]]):
        cuts.pop()  # "Maybe, B"
    left = cuts[-1] if cuts else 0
    right = _CLAUSE.search(frame, at + 1)
    if right is None or _few_words(frame[right.end() :]):
        return frame[left:]  # "B, perhaps."
    return frame[left : right.start()]


def _few_words(text: str) -> bool:
    return len(re.findall(r"\w+", text)) < 3 and not re.search(r"[\u3040-\u9fff]{3}", text)


def _asked(sentence: str, question: str) -> bool:
    """Say whether a condition is the question's own: "If the ball is removed, …"."""
    if " if " not in f" {question}" and "when" not in question:
        return False
    clause = sentence.replace("\0", "").split(",")[0]
    clause = clause[max(clause.casefold().find("if "), clause.casefold().find("when "), 0) :]
    clause = " ".join(clause.casefold().split())
    return len(clause) > 8 and clause in question
