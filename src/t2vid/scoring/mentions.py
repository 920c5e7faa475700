"""Where an answer names an option, by letter or by text, and what it says about it there.

>>> from t2vid.scoring.options import read_options
>>> found = Mentions("It isn't B, it is C.", read_options(["cat", "dog", "bee"]))
>>> [(m.letter, found.said(m).kind) for m in found.letters]
[('B', 'denial'), ('C', 'cue')]
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cache

from t2vid.scoring.letters import Letters, Mention
from t2vid.scoring.options import Options
from t2vid.scoring.places import places
from t2vid.scoring.saying import Said, retracts, said_of, since_turn

BEFORE_CHARS, AFTER_CHARS = 160, 120  # of its sentence: what is further off is about something else
END_CHARS = 600  # of a long answer, in which option texts are looked for
SENTENCE_CHARS = 16  # of an option that may be called a sentence or a caption
MAX_LETTERS = 120  # of a text with more, such as a proof about points A to F, both ends are read


_BREAK = re.compile(
    r"[.!?;\n。！？；।؟](?:(?<=[\n。！？；।؟])|(?<=;)(?=\s)|(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\b[DM]r\.)"
    r"(?<!\bMrs\.)(?<!\bvs\.)(?=[\s\"'”’)\]}]|$)(?![\"'”’]\s+[a-z]))"
)
_JOINED = re.compile(r"^[\s,;/&+、，.)\]\"'”|-]*$")
_BETWEEN_ITEMS = re.compile(r"^[\s.,;:|/•*\-–()\[\]\"'`and]*$")
_HEADER = re.compile(
    r"(?:answer|response|conclusion|choice|option|result|solution|答案|答え|정답|respuesta|réponse|antwort|risposta|"
    r"resposta|ответ)$",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?:[.):|]|\s[|–—=-])\s*\w")
_NEW_LINE = re.compile(r"(?:^|[\n,;.])[\s•|>–-]*$")
_ONE = re.compile(r"\s+(?:is|was|does|seems|has|would|can|fits|matches|never|happens)", re.I)
_LEADS = " \t\r\n\"'-•|*>([{#="  # what may stand before an option that a header leads to
_BELOW = re.compile(r"[^\n]*\w[^\n]*\n\s*(?:[-•]\s*)?(?:\w+ )?[(\[]?([A-J])\b")
_LIST = re.compile(
    r"\bA[.):]\s[^\n;.]{1,60}[,;]\s*B[.):]\s[^\n;.]{1,60}[,;]\s*C[.):](?:\s[^\n;.]{1,60}[,;]\s*[D-J][.):])*"
)
_UNSAID = re.compile(r"\b(?:answers?|choice|option)\b[^\n.]{0,20}[:：]\s*$", re.IGNORECASE)
_GOES_ON = re.compile(r",?\s*(?:and|or|,)\s*(?:\w+ )?[(\[]?[A-J]\b")
_TICKED = re.compile(r"[✓✔✅☑👉]\W*$")


@cache
def _letters(last: str) -> re.Pattern[str]:
    return re.compile(
        # the letter first: a scan for one of a few characters is many times faster than a look behind each place
        rf"[A-{last}](?<![A-Za-z0-9À-ɏ_\\&'’.@#].)(?![A-Za-z0-9À-ɏ_&'’@]|\.[a-z]|\.[A-Z](?![a-z]))"
    )


@cache
def _small(last: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=[\s(\[{{\"':])[a-{last}](?=[\s)\]}}\".,;:!]|$)")


class Mentions:
    """The options that a text names.

    Args:
        text: the cleaned answer.
        options: the options.
        question: the question, whose own conditions and words are none of the answer.
    """

    def __init__(self, text: str, options: Options, question: str = "") -> None:
        self.text, self.options, self.question = text, options, question.casefold()
        self.reader = Letters(text, options)
        self.unread = -1  # end of a container that holds none of the options, "\\boxed{7}"
        self.cut = -1  # place of the last letter before some were left out
        self.breaks = [b.end() for b in _BREAK.finditer(text)]
        begin, end = len(text) - len(text.lstrip()), len(text.rstrip(" .\n\"')*"))
        self.first_break = next((b for b in self.breaks if b > begin), len(text))
        self.last_break = max((b for b in self.breaks if b < end), default=0)
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
        lettered = self.options.lettered and not self.options.nouns
        inside = self.options.named(self.text) if lettered else []
        found: list[Mention] = []
        for place in sorted(places):
            if any(a < place < b for _, a, b in inside) or (found and place < found[-1].end):
                continue  # "Flask A", which is an option
            if mention := self.reader.letter(place):
                found.append(mention)
        return found

    def _places(self, letters: list[Mention]) -> list[Mention]:
        """Find options named by their place: "the second option", "Option 2"."""
        found = []
        long = self.options.longest >= SENTENCE_CHARS
        for letter, start, end in places(self.text, self.options.letters, long=long):
            if not any(m.start < end < m.end for m in letters):
                end = self.reader.own_text(letter, end) or end
                found.append(Mention(letter, start, start, end, "place", wrapped=True))
        return found

    def _unlisted(self, found: list[Mention]) -> list[Mention]:
        """Leave out options that are only listed, and mark the letters that head lines of their own."""
        runs: list[list[Mention]] = [[]]
        for mention in found:
            run = runs[-1]
            length = mention.end - mention.at
            own = length > 4 or (
                length > 1 and self.reader.own_text(mention.letter, mention.at + 1)
            )
            fits = run and _BETWEEN_ITEMS.match(self.text[run[-1].end : mention.start])
            if not own or not fits or any(mention.letter == m.letter for m in run):
                runs.append([])
            if own and not _TICKED.search(self.text, max(0, mention.start - 4), mention.start):
                runs[-1].append(mention)
        listed = {mention for run in runs if len(run) > 1 for mention in run}
        self.listed = [(mention.start, mention.end) for mention in listed]
        # "A. a dog, B. a cat, C. a bird" lists options that are not known
        lists = [] if self.options.longest else [f.span() for f in _LIST.finditer(self.text)]
        inside = {m for m in found if any(start <= m.at < end for start, end in lists)}
        kept = [m for m in found if m not in listed | inside]
        heads = {m for m in kept if self._heads_line(m)}
        if len({mention.letter for mention in heads}) < 2:
            return kept
        return [m._replace(form="item") if m in heads else m for m in kept]

    def _heads_line(self, mention: Mention) -> bool:
        before = self.text[max(0, mention.start - 12) : mention.start]
        return bool(
            _ITEM.match(self.text, mention.at + 1, mention.at + 9) and _NEW_LINE.search(before)
        )

    def _grouped(self, found: list[Mention]) -> list[Mention]:
        """Join what is named together: "A or B", "A, B and C", "A/B"."""
        out: list[Mention] = []
        for mention in found:
            last = out[-1] if out else mention
            joined = last.joined or frozenset(last.letter)
            if mention.letter not in joined and self._joins(last, mention):
                out[-1] = last._replace(end=mention.end, joined=joined | {mention.letter})
            else:
                out.append(mention)
        return out

    def _joins(self, left: Mention, right: Mention) -> bool:
        between = self.text[left.end : right.start]
        mark, join = between.strip(), self.reader.words["join"]
        if (
            len(between) > 24
            or "\n" in between.strip(" ")
            or left.form == "item"
            or mark in ("-", ".")
        ):
            return False
        if not _JOINED.match(between):
            words = re.sub(r"[\W_]+", " ", between).strip().casefold()
            return mark in join or words in join or words.removesuffix(" the") in join
        if mark in (",", "，", ";"):
            if not left.joined and _ONE.match(self.text, right.end):
                return False  # "A, B is right"
            # "not A, B" names another one, "not A, B or C" does not
            return self.said(left).kind != "denial" or bool(_GOES_ON.match(self.text, right.end))
        return bool(mark) or self.text[right.start - 1].isspace()

    def texts(self) -> list[Mention]:
        """Find options named by their texts, outside of the letters' own."""
        # "Point A" is the text of an option as well as its letter
        letters = [m for m in self.letters if not (self.options.nouns and self.options.lettered)]
        taken = [(m.start, m.end) for m in letters] + self.listed
        found = []
        for letter, start, end in self._named():
            beside = next((m for m in self.letters if m.end <= start <= m.end + 3), None)
            if beside and beside.letter != letter:
                if self.text[beside.end : start].strip() in ("", ":", ")"):
                    continue  # "(B) a cat", where a cat is A
            if start >= self.unread and not any(a <= start < b for a, b in taken):
                found.append(Mention(letter, start, start, end, "text"))
        return found if self.options.lettered else self._grouped(found)

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
        text, breaks = self.text, [0, *self.breaks, len(self.text)]
        i = bisect_right(self.breaks, mention.start)
        while i and not text[breaks[i] : mention.start].strip(_LEADS):
            before = text[: breaks[i]].rstrip()[-60:]
            line = before.rpartition("\n")[2]
            if not before.endswith((":", "：", "is", "=")):
                if len(line) >= 24 or not _HEADER.search(line):
                    break
            below = _BELOW.match(text, mention.end)
            if below and below[1] != mention.letter:
                break  # a list of the options
            i -= 1
        left, end = breaks[i], mention.end
        if not text[left : mention.start].strip():
            if text[end - 1] == ")" and re.match(r"\s+[A-Z]", text[end : end + 3]):
                return left, end  # "(B) Please tell me …"
            end += text[end : end + 1] in (".", ":", ")")  # "B. This is …"
        j = bisect_left(self.breaks, end) + 1
        if text[breaks[j] - 1] in "?？" and j + 1 < len(breaks) - 1:
            j += 1  # "Is it B? Yes."
        return max(left, mention.start - BEFORE_CHARS), min(breaks[j], mention.end + AFTER_CHARS)

    def said(self, mention: Mention) -> Said:
        """Return what the text says about an option where it names it."""
        if mention not in self._said:
            left, right = self.sentence(mention)
            before = since_turn(self.text[left : mention.start])
            after = self.text[mention.end : right]
            asks = any(mark in after for mark in "?？؟") and not self.options.asks(mention.letter)
            self._said[mention] = said_of(
                before, after, self.question, asks=asks, joined=bool(mention.joined)
            )
        return self._said[mention]

    def taken_back(self, mention: Mention) -> bool:
        """Say whether what follows an option takes it back: "B. Wait, no, …"."""
        after = self.text[mention.end :]
        after = after if len(after) < 400 else after[:200] + "\n" + after[-200:]
        return bool(after.strip(" .)\n")) and retracts(after)

    def unsaid_after(self, mention: Mention) -> bool:
        """Say whether "the answer is:" comes after an option, and then nothing or a list of all options."""
        if mention.start <= self.first_break or "answer" in self.said(mention).frame:
            return False
        text = self.text.rstrip()
        end = min((start for start, _ in self.listed if start > mention.end), default=len(text))
        return bool(_UNSAID.search(text[max(0, end - 60) : end]))
