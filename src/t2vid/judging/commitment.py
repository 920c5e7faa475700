"""Rule 6: answers that name a letter and settle on none: guesswork, both of two, somebody's words, a broken-off one.

>>> uncommitted(Answer("I flipped a coin: B")), uncommitted(Answer("First, B. Then"))
(Choice(letter=None, rule='guesswork'), Choice(letter=None, rule='unfinished'))
"""

from __future__ import annotations

import re

from t2vid.judging.answer import Answer, Choice

FLAGS = re.IGNORECASE
_CHANCE = re.compile(
    r"\b(?:at random|random(?:ly)? (?:\w+ )?(?:pick|guess|choice|letter|number|select\w*|cho\w+|pick\w*|guess\w*|say\w*|go\w*)\w*|(?:pick|choos|guess|select|chos)\w* (?:\w+ )?(?:random|blind|arbitrar|wild)\w*|coin[- ]?(?:flip|toss)\w*|(?:flip|toss)\w* (?:a|the|my) coin|"
    r"(?:roll|throw|threw|cast)\w* (?:a |the |some )?(?:dice?|dart)\b|the dic?e (?:say|said|cho|pick|land)\w*|(?:out of|from) (?:a|the|my) hat\b|shot in the dark|stab in the dark|(?:blind|wild|pure|random|arbitrary|uninformed|complete|total|sheer) (?:guess\w*|pick|chance|luck)|guesswork|"
    r"eeny|eenie|arbitrarily|(?:closed|shut|closing|shutting) my eyes|no basis(?: \w+)?|lucky dip|(?:drew|draw|drawn|drawing) (?:a |the )?(?:straws?|lots?|letter)|spun (?:a|the) (?:wheel|bottle)|heads or tails|"
    r"al azar|al tunt[uú]n|au hasard|au pif|aufs geratewohl|(?:rate|geraten|tippe) (?:\w+ ){0,2}(?:blind|mal|ins blaue)\w*|blind geraten|zuf[aä]llig gew[aä]hlt|на ?угад|наобум|a caso|a casaccio|ao acaso|no chute|rastgele|losowo|na chybi[lł]|willekeurig|op de gok|slumpm[aä]ssigt|asal|secara acak)\b"
    r"|随便(?:猜|选|選|挑|说)|瞎(?:猜|蒙|选)|乱猜|盲猜|随机|隨機|蒙(?:一个|的)|抛硬币|掷骰|当てずっぽう|適当に(?:選|答)|ランダム|無作為|아무거나|무작위|찍(?:었|어|겠|으)",
    FLAGS,
)
_CHANCE_STEMS = (
    "random coin dice die dart hat blind wild guess arbitrar eyes basis chance luck straw lots letter wheel bottle heads eeny eenie dip dark pure "
    "azar hasard pif geratewohl rate tippe caso acaso chute rastgele losowo chybi willekeurig gok asal acak gew"
).split()
_NO_CHANCE = re.compile(
    r"(?:\b(?:no|not|isn['’]t|never|than|nothing|without|instead of|hardly)\b(?: \w+){0,3}|不是|并非)\s*$",
    FLAGS,
)
_WRITER = re.compile(
    r"\b(?:i|i['’]\w+|my|me|we|just|this is|that['’]s|pick\w*|guess\w*|chos\w+|choos\w+)\b", FLAGS
)
_DISCLAIMED = re.compile(
    r"\bi (?:really |honestly |just |still )?(?:have no|hold no|don['’]t have (?:an?|any)|do not have (?:an?|any)) (?:opinion|view|idea|preference|answer|clue|position)\b"
    r"|\bi(?:['’]m| am)? (?:can['’]?t|cannot|can not|could not|couldn['’]t|won['’]t|unable to|not able to|not in a position to) (?:\w+ )?(?:answer|judge|vouch|confirm|check|verify|say|tell)\b(?! (?:what|why|how|when|where|the|for sure|for certain|much|more|exactly|you))"
    r"|\bi (?:have not|haven['’]t|never|didn['’]t|did not|could not|couldn['’]t) (?:\w+ )?(?:seen|watch(?:ed)?|see|open(?:ed)?|view(?:ed)?|verif\w+|check(?:ed)?) (?:it|the (?:video|clip|film|footage)|this|any|a thing|that)\b"
    r"|\bwhether (?:he|she|they|that|this|it)(?: or not)? (?:is|are|was|were)? ?(?:right|so|true|correct|wrong)\b|\bnothing to do with (?:your|the|this|my) (?:question|answer)\b"
    r"|\bdo(?:n['’]t| not) (?:take|treat|read|count|use) (?:that|it|this) (?:as|for)\b|\b(?:that|this|it)(?:['’]s| is) not (?:my|an|the) answer\b|\bnot my (?:own )?(?:answer|opinion|view)\b|\bdon['’]t (?:quote|trust|hold) me\b",
    FLAGS,
)

_OPTION = r"(?:(?:the|is|option|choice|answer|letter|does|also)\s+)*[\"'“(\[*]*"
_ALSO = re.compile(
    rf"(?:\b(?:so|as) (?:does|is|do|are|would|did|was|can|could)|\blikewise,?|\bequally,?|\balternatively,?|\b(?:along|together|coupled) with|\balongside|\b(?:the )?same (?:goes|holds|applies|is true|can be said) (?:for|of|to)|\bin addition(?: to)?,?|\bbut also|\balso,?|\(or|\bnot to mention|\band,? (?:to a \w+ (?:extent|degree)|maybe|perhaps|possibly|also|probably),)\s+?{_OPTION}([A-J])(?![\w'’])"
    rf"|\(or\s+{_OPTION}([A-J])\b",
    FLAGS,
)
_TOO = re.compile(
    r"(?<![\w'’])([A-J])(?![\w'’])[\"')\]*]*,?(?: (?!but\b|yet\b|though\b)[\w'’]+){0,4}? (?:too\b(?! \w)|as well\b(?! as)|also\b(?! (?:wrong|false|out|incorrect|impossible|excluded|ruled|not|mentioned|listed|named|tempting|close|discussed))|likewise|equally (?:well|good|right|valid|likely)|just as (?:well|good|likely|right|plausible|valid))"
)
_TWICE = re.compile(
    r"(?<![\w'’])([A-J])(?: option)? ((?:is|are|looks?|seems?|works|fits|holds|也?对|正确)(?: \w+)?)\s*[,;.，；]?\s*(?:and |but |而 ?)?(?!\1)([A-J])(?: option)? \2\b"
)
_TOGETHER = re.compile(
    rf"(?<![A-Za-z])[A-J],? (?:(?:along|together) with|alongside|and,? to a \w+ (?:extent|degree),) {_OPTION}[A-J]\b"
)
_CAPITAL = re.compile(r"(?<![A-Za-z])[A-J](?![A-Za-z])")
_NOT_ONLY = re.compile(
    rf"\bnot (?:only|just|merely) {_OPTION}[A-J]\b[^.;!?\n]{{0,12}}\bbut\b (?:also )?{_OPTION}[A-J]\b",
    FLAGS,
)
_SETTLED = ("cue", "weak", "plain", "pair")

_LAST_WORD = frozenset(
    "and but or then that is the a an of to with while option choice next first second third he she they it we i would should could can must will has have had was were are "
    "because which if for in on at from as so however although though since whether when where who whose says said mentions this these those his her its their not there "
    "und aber dann y pero et mais e ma mas и но".split()
)
_BROKEN_OFF = re.compile(r"[,–—(\[&]$|\s-$|\n\s*\d+[.)]$|(?:然后|接着|但是|因为|所以|而|但|，|、)$")
_STUB = re.compile(
    r"[.!?。][\"'”’»)]*\s+(?:The|It|This|That|He|She|We|I|However|Then|Next|But|And|So|Now|Option|Second|Also|In|On|Meanwhile|Let)(?:\s+[\w'’]+){0,2}$"
)
_STRONG = re.compile(
    r"(?:answer|choos\w*|chose|pick|select\w*|correct|right|best|going with|go with|final|答案|正确|选|選|정답|正解|respuesta|r[eé]ponse|antwort|risposta|resposta|ответ)[^.!?\n]{0,40}$",
    FLAGS,
)
_LEADS = re.compile(r"^[\W_]*(?:(?:option|answer|choice)\W+)?$", FLAGS)


def uncommitted(answer: Answer) -> Choice | None:
    """Stop where a letter was drawn by lot, is one of two that both hold, or the answer broke off before it settled.

    >>> uncommitted(Answer("B fits, and so does C.")), uncommitted(Answer("B is wrong, and so is C; it is D."))
    (Choice(letter=None, rule='two answers'), None)
    >>> uncommitted(Answer("This is no coin flip: B.")), uncommitted(Answer("The answer is B, because the man"))
    (None, None)
    """
    text = answer.text
    if len(text) < 4 or not answer.mentions():
        return None
    if _by_chance(answer):
        return Choice(None, "guesswork")
    if _disclaimed(answer):
        return Choice(None, "taken back")
    if _both(answer):
        return Choice(None, "two answers")
    ended = answer.mentions()[-1].end == len(text.rstrip())
    if not ended and unfinished(text) and not _settled_before(answer):
        return Choice(None, "unfinished")
    return None


def unfinished(text: str) -> bool:
    """Say whether a text breaks off within a sentence.

    >>> unfinished("First, B. Then"), unfinished("C because it fits"), unfinished("D, as")
    (True, False, True)
    """
    text = text.rstrip()
    if _BROKEN_OFF.search(text[-12:]) or _STUB.search(text[-60:]):
        return True
    last = re.search(r"(?:^|[\s,(])([^\W\d_]+)$", text[-24:])
    if last is None or len(last[1]) == 1 and last[1].isupper():
        return False
    if last[1].casefold() == "then" and text[: -len(last[1])].rstrip()[-1:].isalnum():
        return False  # "so B then"
    return last[1].casefold() in _LAST_WORD


def _settled_before(answer: Answer) -> bool:
    for mention in answer.mentions():
        before = answer.text[: mention.start]
        if _LEADS.match(before) or mention.kind == "cue" and _STRONG.search(before[-90:]):
            return True
    return False


def _by_chance(answer: Answer) -> bool:
    said = answer.text.casefold()
    if said.isascii() and not any(stem in said for stem in _CHANCE_STEMS):
        return False
    for found in _CHANCE.finditer(answer.text):
        start = max(answer.text.rfind(mark, 0, found.start()) for mark in ".!?\n") + 1
        before = answer.text[start : found.start()]
        if _NO_CHANCE.search(before) or found[0].casefold().endswith(
            ("picks", "selects", "chooses")
        ):
            continue
        sentence = before + re.split(r"[.!?\n]", answer.text[found.start() :], maxsplit=1)[0]
        own = any(found[0].casefold() in raw.casefold() for raw in answer.options.raw)
        within = any(start <= m.start < start + len(sentence) + 3 for m in answer.mentions())
        if not own and (within or _WRITER.search(sentence)):
            return True
    return False


def _disclaimed(answer: Answer) -> bool:
    last = max(m.end for m in answer.mentions())
    return bool(_DISCLAIMED.search(answer.text, last))


def _both(answer: Answer) -> bool:
    if len(set(_CAPITAL.findall(answer.text))) < 2:
        return False
    mentions = answer.mentions()
    found = _TWICE.search(answer.text)
    if found:
        ends = (found.start(1), found.start(3))
        return all(m.kind != "no" for m in mentions if m.start in ends)
    if _NOT_ONLY.search(answer.text) or _TOGETHER.search(answer.text):
        return True
    for pattern in (_ALSO, _TOO):
        for found in pattern.finditer(answer.text):
            group = 1 if found[1] else 2
            letter, at = found[group], found.start(group)
            here = [m for m in mentions if m.start == at]
            before = [m for m in mentions if m.start < at and m.letter != letter]
            after = [m for m in mentions if m.start > at and m.kind == "cue"]
            if (
                letter not in answer.options.letters
                or not before
                or after
                or pattern is _TOO
                and not here
            ):
                continue
            if before[-1].kind in _SETTLED and not (here and here[0].kind == "no"):
                return True
    return False
