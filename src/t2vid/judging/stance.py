"""Does a sentence commit to the option it names, or does it guess, ask, quote, imagine or exemplify?

>>> stance("There is a chance that it is ", ".")
'maybe'
>>> stance("My neighbour would go with ", "."), stance("Is it ", "?"), stance("Had it rained, it would be ", ".")
('quoted', 'asked', 'if')
>>> stance("It may rain, but the answer is ", ".")

The whole sentence is read, not the words beside the letter: hedges count in their own clause, quotations and
conditions up to the next "but" or "so". Each kind has a set of trigger words, so that most answers cost one look-up.
"""

from __future__ import annotations

import re

from t2vid.judging import languages as lang

FLAGS = re.IGNORECASE
_WORDS = re.compile(r"[^\W\d_]+")

# Where a clause ends; a hedge in another clause ("I may be wrong, but B") is none of the letter's.
_CLAUSE = re.compile(
    r",(?!\s*(?:dass|daß|что|dat|że|ob|hogy|že|att|czy|jestli|zda|чи|onko)\b)|[;:()\"“”«»，；：、…]|\.\.|\s[-–—]+\s|—|\b(?:but|yet|however|still|(?<!non )so|thus|hence|therefore|because|since|as|while|whereas|although|though|and then|"
    r"pero|sino|porque|mais|car|donc|aber|sondern|weil|also|ma|perché|quindi|mas|então|но|поэтому|maar|ale|fakat|ama|tapi|nhưng)\b|"
    r"但|不过|所以|因此|因为|しかし|だが|ので|から|하지만|그러나|그래서|므로",
    FLAGS,
)
# Where a statement turns: what was quoted or imagined before it no longer governs what follows.
_TURN = re.compile(
    r";|；|\b(?:but|yet|however|still|so|thus|hence|therefore|nonetheless|nevertheless|pero|sino|mais|donc|aber|sondern|ma|quindi|mas|portanto|но|поэтому|maar|ale|fakat|ama|"
    r"tapi|nhưng)\b|,\s*(?=(?:i|we)\s+(?!['’]?d\b|would\b|might\b|could\b)|(?:the|my)\s+(?:real |actual |right |correct |best |final |own )?(?:answer|choice|pick|option)\s+(?:is|remains|stays)\b)"
    r"|但|不过|所以|因此|しかし|だが|したがって|よって|하지만|그러나|그래서|따라서",
    FLAGS,
)

# ------------------------------------------------------------------------------------------------- guesses

_GUESS_WORDS = frozenset(
    "chance chances odds possible possibly possibility possibilities conceivable conceivably plausible plausibly potential potentially "
    "candidate candidates contender contenders perhaps maybe might may could whether wonder wondering wondered unsure uncertain "
    "unclear undecided hesitant hesitate hesitating tempted tempting inclined torn toss coin speculate speculating speculation "
    "surprised rule exclude excluded ruled dismissed dismiss table running play contention impossible question know sure certain convinced "
    "confident confirm determine decide tell say verify prove imagine conjecture hypothesis hypothetically theoretically arguably "
    "guarantee thinkable imaginable suspicion hunch inkling enough sufficient insufficient lack lacks lacking information evidence context details basis implausible inconceivable unlikely unthinkable depends depending theory worth merit merits good case argument arguments said".split()
)
_GUESS_BEFORE = re.compile(
    r"(?<!no )\b(?:chances?|odds)\b(?! (?:are|is)\b(?! (?:slim|low|small|even|fifty|equal|50|not|about)))"
    r"|\b(?<!only )(?<!best )(?<!most )(?<!sole )(?<!no other )(?<!more )(?<!strongest )(?:possib\w+|conceivabl\w+|plausibl\w+|potential\w*|candidates?|contenders?|thinkable|imaginable|hypothesis|conjecture)\b(?! to (?:see|tell|say|conclude|determine|observe))|\bin theory\b"
    r"|\b(?<!strong )(?<!strongest )(?<!best )(?<!clear )(?:case|arguments?|something to be said)\s+(?:(?:can|could) be made )?(?:for|in favou?r of)\b|\b(?:hunch|suspicion|inkling)\b|\bnot (?:\w+ )?(?:impossible|inconceivable|implausible|unlikely|unthinkable|out of the question)\b|\bdepend(?:s|ing)\b"
    r"|\b(?:not|\w+n['’]t|no|insufficient|lack\w*|without|too little)\s+(?:\w+ ){0,3}?(?:enough|sufficient|information|evidence|context|details?|basis|grounds|proof|data)\b[^,;]*\b(?:to|for|in favou?r of)\b"
    r"|\b(?:perhaps|maybe|whether|unsure|uncertain|unclear|undecided|wonder\w*|hesita\w+|tempt\w+|torn|toss|specula\w+|hypothetically|theoretically|arguably)\b"
    r"|\b(?:might|may|could)(?!n['’]t)(?!\s+(?:not|only|clearly|plainly|see|hear|tell|observe|notice)\b)"
    r"|\bsurprised if\b|\b(?:not|never|\w+n['’]t|cannot|hard to|difficult to|impossible to|unable to|without being able to)\s+(?:\w+ ){0,2}?(?:sure|certain|convinced|confident|know|confirm|determine|decide|tell|say|verify|prove|guarantee|rule out|exclude|dismiss)\b",
    FLAGS,
)
_GUESS_AFTER = re.compile(
    r"\b(?:might|may|could)\b(?!n['’]t| not)|(?<!only )(?<!best )(?<!most )(?<!strongest )\b(?:possib\w+|conceivabl\w+|plausibl\w+|potential\w*|candidates?|contenders?|thinkable|imaginable)\b(?! (?:because|since)\b)|"
    r"\b(?:perhaps|maybe|hypothetically|theoretically|arguably)\b(?! (?:because|since|as)\b)|\bas good as\b|\bin (?:the running|play|contention|question)\b|\bon the table\b|\bworth (?:considering|checking|a (?:try|thought|look|shot))\b|\b(?:some|its) merits?\b|\bamong the (?:options|possib\w+|candidates)\b|"
    r"\b(?:cannot|can['’]t|can not|should not|shouldn['’]t|must not) (?:\w+ )?be (?:\w+ )?(?:ruled out|excluded|dismissed|discounted|ignored|eliminated|rejected)\b|"
    r"\bnot (?:\w+ )?(?:impossible|inconceivable|out of the question|ruled out|excluded|certain|sure|guaranteed|confirmed|proven)\b|\b(?:a|my|some) (?:suspicion|hunch)\b",
    FLAGS,
)

# --------------------------------------------------------------------------------------------- other people

_MOST = r"(?:some|others|many|most|few|several|(?:some|any|every)(?:one|body)|(?<!only )one(?! answer)|they|he|she|nobody|no one)(?: of (?:them|us|you|these|those))?"
_PERSON = (
    r"(?:people|persons?|folks|viewers?|users?|annotators?|critics?|experts?|observers?|students?|colleagues?|coworkers?|friends?|teachers?|tutors?|professors?|classmates?|brothers?|sisters?|"
    r"mother|father|mom|mum|dad|uncle|aunt|cousin|wife|husband|partner|boss|neighbou?rs?|roommate|reviewers?|raters?|labell?ers?|graders?|evaluators?|participants?|respondents?|"
    r"humans?|models?|assistants?|systems?|bots?|chatbots?|networks?|baselines?|classifiers?|crowd|majority|public|internet|forums?|audience|guy|person|kid|child|son|daughter|"
    r"chat ?gpt|gpt\S*|claude|gemini|llama\S*|qwen\S*|voters?|testers?|players?|contestants?|candidate|fans?|commenters?|readers?|team|predecessor|interviewer|examiner|speaker|caller|john|mary|bob|alice)"
)
_AUX = r"(?:(?:would|might|may|will|could|can|do|does|did|often|also|usually|typically|sometimes|always|have|has|had|just|already|once|first|even|probably|initially|commonly|wrongly|mistakenly|['’]d|['’]ll|seem(?:s|ed)? to|tend(?:s|ed)? to|be tempted to|want(?:s|ed)? to|like to|happen(?:s|ed)? to|are|is|were|was)\s+)*"
_SAID = (
    r"(?:sa(?:y|ys|id|ying)|claim\w*|chos\w+|choos\w+|pick\w*|select\w*|answer\w*|vot\w+|go(?:es|ing)? (?:for|with)|went (?:for|with)|think\w*|thought|believ\w+|guess\w*|argu\w+|suggest\w*|"
    r"prefer\w*|propos\w+|insist\w*|assum\w+|mark\w*|circl\w+|opt\w* for|favou?r\w*|like[sd]?|want\w*|recommend\w*|wrote|writ\w+|put\w*|gave|giv\w+|suspect\w*|told|tell\w*|reckon\w*|predict\w*|respond\w*|"
    r"submit\w*|settl\w+|lean\w*|swear\w*|swore|feel\w*|felt|mention\w*|conclud\w+|decid\w+|convinced|certain|sure|output\w*|return\w*|tick\w*|bet\w*|name[sd]?)"
)
_QUOTE_WORDS = frozenset(
    "some someone somebody others many most few several anyone anybody everyone everybody one they he she nobody people person persons folks viewer viewers user users "
    "annotator annotators critic critics expert experts observer observers student students colleague colleagues coworker coworkers friend friends teacher teachers tutor "
    "professor classmate classmates brother sister mother father mom mum dad uncle aunt cousin wife husband partner boss neighbour neighbor neighbours neighbors roommate "
    "reviewer reviewers rater raters labeller labelers grader graders evaluator evaluators participant participants respondents humans human model models assistant assistants "
    "system systems bot bots chatbot network baseline classifier crowd majority public internet forum forums audience guy kid child son daughter chatgpt chat gpt claude gemini llama qwen voters "
    "voter testers tester player players contestant contestants candidate fans fan commenters readers reader team predecessor interviewer examiner speaker caller john mary bob alice "
    "you according assumed believed thought said claimed rumour rumor reportedly allegedly supposedly popular common commonly widely often been suggested argued reported default wrote asserted my our his her their previous earlier prior old original initial former sample reference ask asked asking legend gossip tradition consensus told heard read informed hear".split()
)
_QUOTE_BEFORE = re.compile(
    rf"(?:\b{_MOST}(?:['’](?:d|ll|ve))?\s+{_AUX}|\b{_PERSON}(?:['’]s)?\b(?:\s+\w+){{0,3}}?\s+{_AUX}){_SAID}\b"
    rf"|\b(?:my|our|his|her|their) (?!(?:analysis|observation|answer|choice|pick|guess|conclusion|vote|view|opinion|gut|instinct|reasoning|final|best|own|judg\w+|evaluation|eyes?|bet|money|reading|understanding|assessment|interpretation|first|response|decision|selection|intuition|impression)\b)\w+ {_AUX}{_SAID}\b"
    r"|\b(?:previous|earlier|prior|last|old|original|initial|former|sample|reference|other|different) (?:\w+ )?(?:answer|response|choice|reply|solution|guess|output|pick|attempt|run) (?:was|were|had|said|gave|chose)\b|\b(?:the|a) (?:sample|example|previous|earlier) (?:answer|response|reply|output|solution)\b"
    rf"|\b{_PERSON}['’]s? (?:\w+ )?(?:answer|choice|pick|vote|guess|opinion|view|prediction|response|suggestion|favou?rite)\b"
    r"|\byou['’]d (?:pick|choose|say|go|answer|think)\b|\bask(?:ed|ing)? (?:my|the|a|an|anyone|people|him|her|them|most|around)\b"
    r"|\b(?:legend|rumou?r|gossip|tradition|consensus) (?:has it|is)\b|\b(?:i|we)(?:['’]ve| have| was| were| am| had)? (?:been )?(?:told|heard|read|informed|hear) (?:that|it|somewhere|online|from|the answer|about)\b"
    r"|\byou(?:['’](?:ve|d))?\s+(?:just |also |already |first |have |had |earlier |previously )*(?:said|say|suggested|chose|picked|told|wrote|think|thought|mentioned|claimed|gave|answered|proposed|selected|might|may|would|could)\b"
    r"|\baccording to (?!the (?:video|clip|footage|frames?|scenes?|images?|evidence|description|subtitles?|timeline|visuals?|content|film|recording|sequence|options|question|given|pictures?|order)|what|these|this|my (?:analysis|observation|view))"
    r"|\b(?:often|commonly|widely|generally|usually|sometimes|frequently|wrongly|mistakenly|been|is|was|be) (?:assumed|believed|thought|said|claimed|suggested|argued|reported|rumou?red)\b|\b(?:often|commonly|usually|frequently|been) chosen\b|\bdefault (?:choice|answer|option|guess)\b"
    r"|\b(?:reportedly|allegedly|supposedly|rumou?r has it|word is|a popular|the popular|a common|the common(?:est)?|the most (?:common|popular))\b",
    FLAGS,
)
_QUOTE_AFTER = re.compile(
    r"^\W*(?:(?:option|choice)\s+)?(?:(?:is|was|has been|would be|seems|may be|might be|['’]s)\s+)?(?:(?:an?|the|also|often|usually|commonly|typically|generally|frequently|sometimes|very|most|rather|quite)\s+)*(?:(?:popular|common|typical|frequent|usual|widespread|favou?rite)\b|"
    r"what (?:most|many|some|people|others|everyone|(?:they|you|he|she|my \w+) (?:said|chose|picked|suggested|claimed|answered|think|thought))\b|(?:chosen|picked|selected|preferred|suggested|proposed|favou?red|claimed|given|marked|submitted) (?:by (?!me\b|default)|in the (?:forum|comments)))"
    rf"|^\W{{0,4}}\s(?:he|she|they|someone|{_PERSON}|(?:my|the|a|one|another) (?:\w+ )?{_PERSON}) (?:\w+ )?(?:said|says|say|claim\w*|told|wrote|argued|insist\w*|answered|replied|asserted|thinks?|thought|believe\w*|guess\w*)\b"
    rf"|^[^.!?\n]{{0,20}}\b(?:according to (?!the (?:video|clip|footage|frames?|scenes?|images?|evidence|visuals?|subtitles?|content|film))|(?:says|said|claims|thinks|believes|argues) (?:my|the|some|a|one)\b|(?:my|the|a|another|some) (?:\w+ )?{_PERSON} {_AUX}{_SAID})",
    FLAGS,
)

# ---------------------------------------------------------------------------------- conditions and what never was

_IMAGINED_WORDS = frozenset(
    "have ve another different other if unless provided assuming supposing otherwise had were should would imagine suppose when whenever once else".split()
)
_IMAGINED_BEFORE = re.compile(
    r"\b(?:would|['’]d|might|could|should) have\b(?! to\b)|\bwould['’]ve\b|\bin (?:an?|any|some)(?:other| (?:different|other|alternate|alternative|longer|shorter|similar|real|hypothetical|parallel|normal))\b|\bif only\b|"
    r"\b(?:imagine|pretend)\b|^\W*(?:when|whenever|once)\b.*,\s*(?:choose|pick|select|answer|say|go|use|take)\b|^\W*(?:had|were|should)\s+(?:the|it|he|she|they|this|that|we|you|there|i|an?|his|her|its|their|one|anyone|someone|\w+s?)\b(?=.*\b(?:would|could|might|['’]d)\b)",
    FLAGS,
)
_IMAGINED_AFTER = re.compile(
    r"^[^.!?\n]{0,40}[,;] (?:otherwise|or else)\b|"
    r"^\W*would (?:only )?(?:make sense|fit|work|apply|hold|be (?:right|correct|true)) (?:in|under|on|with|at|during)\b|"
    r"^[^.!?\n]{0,16}\b(?:would|could|might|should) have\b|^[^.!?\n]{0,16}\bwould['’]ve\b|^(?:(?!because|since)[^.!?\n]){0,60}?\b(?<!ask )(?<!asks )(?<!see )(?<!check )(?<!tell )(?<!know )(?<!as )(?<!even )(?<!because )(?<!since )(?:if|unless|provided(?: that)?|assuming|supposing|had (?:the|it|he|she|they)|were (?:the|it|he|she|they)|(?:a different|another|some other|any other) (?:video|clip|scene|footage|film|question|case|world|situation|version))\b",
    FLAGS,
)
# Turns of phrase that condition nothing.
_NO_CONDITION = re.compile(
    r"\b(?:even if|as if|if (?:i|we|you|one) (?:had|have|must|were|was|need|am|are|should|look|watch|see|observe|consider|examine|follow|study|check|pay|replay|go by|may|want|may)|"
    r"if (?:forced|pressed|needed|necessary|anything|so|i['’]m|you ask|correct|right|memory|that (?:is|makes|helps)|asked|not mistaken)|si (?:je|no|vous|on|tu|nous)\b|wenn (?:ich|man|sie|du|wir)\b|si (?:nos|lo|te|se)\b|se (?:não me|non)|если (?:я|вы|мы|не ошиб))|如果(?:仔细|認真|认真|你|我们|按|从|只|必须|要选)|よく見れば",
    FLAGS,
)

# ----------------------------------------------------------------------------------- disbelief and examples

_DISBELIEF_WORDS = frozenset(
    "exclude eliminate reject discard dismiss discount disprove rule nothing disagree disagrees disagreed refuse refuses hesitate reluctant reason reasons before".split()
)
_DISBELIEF = re.compile(
    r"\bnothing\b[^,;]{0,30}$|\bdisagree\w*\b|\b(?:refus\w+|reluctant|hesitat\w*) to\b|\b(?:no|not|\w+n['’]t)\b(?: \w+){0,2} reasons? (?:to|for|why)\b|\bbefore (?:i |we |you )?(?:choos|pick|select|say|go|settl|commit|answer|decid)\w*",
    FLAGS,
)
_DISBELIEF_AFTER = re.compile(
    r"^\W*(?:is|was) (?:the |an? )?(?:\w+ ){0,4}(?:exclude|eliminate|reject|discard|dismiss|discount|disprove|rule out)\b",
    FLAGS,
)
_EXAMPLE_WORDS = frozenset(
    "example instance such eg e format look looks analyze analyse analysing analyzing consider considering examine examining evaluate evaluating discuss discussing inspect compare comparing weigh assess review checking check start begin template placeholder ejemplo exemple exemplo beispiel esempio p z ex например voorbeeld przykład örneğin contoh ví".split()
)
_EXAMPLE = re.compile(
    r"\b(?:for (?:example|instance)|such as|e\. ?g\.?,?|eg\b|por ejemplo|p\. ?ej\.|par exemple|p\. ?ex\.|por exemplo|zum beispiel|z\. ?b\.|per esempio|ad esempio|например|bijvoorbeeld|na przykład|örneğin|misalnya|contohnya|ví dụ|(?:format|template|placeholder|example)\w*|looks? like (?:this|that|so))\b[^;!?\n]{0,35}$"
    r"|\b(?:analy[sz](?:e|ing)|consider(?:ing)?|examin(?:e|ing)|look(?:ing)? (?:at|into)|evaluat(?:e|ing)|check(?:ing)?|discuss(?:ing)?|inspect(?:ing)?|compar(?:e|ing)|start(?:ing)? with|begin(?:ning)? with|weigh(?:ing)?|assess(?:ing)?|review(?:ing)?)\s+(?:the\s+)?(?:option|choice|statement|answer|candidate)?\s*[\"'(\[*]*$"
    r"|(?:^|\W)(?:e\.g\.|z\.B\.|p\.ej\.)\W*$",
    FLAGS,
)


_SCREEN_WORDS = frozenset(
    "says say said reads read announces announced claims claimed states stated shouts shout yells yell whispers declares insists spells sings tells calls key".split()
)
_QUESTION_END = re.compile(r"[.!?。！？؟\n]")
_RHETORICAL = re.compile(
    r"\b(?:what|who|why|how|where) (?:else|more)\b|[,—-]\s*(?:ok|okay|got it|agreed)\s*\?", FLAGS
)


def stance(before: str, after: str) -> str | None:
    """Say how a sentence stands to the option named in it; None where it commits.

    Args:
        before: the sentence up to the option.
        after: what follows the option, beyond the end of the sentence too.

    Returns:
        `asked`, `quoted`, `if`, `maybe`, `no`, or None.

    >>> stance("Nothing here supports ", "."), stance("The only possible answer is ", ".")
    ('no', None)
    """
    end = _QUESTION_END.search(after)
    rest = after[: end.start()] if end else after
    if end and end[0] in "?？؟" and not _RHETORICAL.search(rest + "?"):
        return "asked"
    if before.lstrip().startswith("¿"):
        return "asked"
    if _SPOKEN_AFTER.match(after):
        return "quoted"
    before = _CONCEDED.sub("", before)
    clause, statement = _tail(_CLAUSE, before), _tail(_TURN, before)
    after_clause = _CLAUSE.split(rest, maxsplit=1)[0]
    words = set(_WORDS.findall(f"{before} {rest}".casefold()))
    kind = _english(words, clause, statement, after_clause, rest)
    if kind is None and (words & lang.WORDS or not (before.isascii() and rest.isascii())):
        kind = _foreign(clause, statement, after_clause, rest)
    return kind


# "While A is common, B ...": what is conceded governs nothing after its comma.
_CONCEDED = re.compile(
    r"^\W*(?:while|although|though|even though|whereas|despite|much as)\b[^,;]*,\s*", FLAGS
)
_SPOKEN_AFTER = re.compile(
    r"^[^\"“”.!?\n]{0,24}[.!?,]*[\"'”’»」]\s*,?\s*(?:(?:a|an|the|my|one|some|his|her|another)\s+(?:\w+\s+){1,4}?|he |she |they |somebody |someone |\w+ )?"
    r"(?:says|said|shout\w*|yell\w*|whisper\w*|cr(?:y|ies|ied)|exclaim\w*|announc\w*|claim\w*|insist\w*|repl(?:y|ies|ied)|call\w* out|scream\w*|mutter\w*|murmur\w*|declar\w*)\b(?! i\b)"
    r"|^[”’»」\"'][^.!?。\n]{0,12}(?:说|と言|라고)",
    FLAGS,
)
# Words that a clip shows or speaks are the clip's, whoever says them.
_ON_SCREEN = (
    r"\b(?:subtitles?|captions?|overlays?|signs?|banners?|posters?|screens?|title cards?|(?:black|white)?boards?|text(?: \w+){0,3}|narrators?|voice(?:-?overs?)?|hosts?|presenters?|announcers?|commentators?|reporters?|characters?|"
    r"(?:quiz|game) ?(?:master|show)?(?: host)?|m[ae]n|wom[ae]n|boys?|girls?|teacher|somebody|someone|lyrics?|song|label|graffiti|t-?shirt|voice)\b(?:\s+(?:in|on|at|from|of|off|behind) (?:the |an? )?\w+(?: \w+)?)?\s+"
    r"(?:then |clearly |also |even )?(?:says?|said|reads?|announc\w+|claim\w*|states?|stated|shouts?|yells?|whispers?|declares?|insists?|spells?|sings?|tells?|calls? out)\b"
    r"|\b(?:screen|board|poster|sign|wall|caption|subtitles?) it (?:says|reads)\b|\bthe answer key (?:says|gives|has)\b"
)


def last_statement(before: str) -> str:
    """Give what stands after the last "but" or "so" of a sentence.

    >>> last_statement("If it rained it would be A, but the answer is ")
    ' the answer is '
    """
    return _tail(_TURN, before)


def _tail(separator: re.Pattern[str], text: str) -> str:
    at = 0
    for match in separator.finditer(text):
        # a comma right before the option belongs to a few words before it ("Perhaps, B"), not to a clause
        few = not match[0][-1].isalpha() and len(text[at : match.start()].split()) <= 3
        if text[match.end() :].strip() or not few:
            at = match.end()
    return text[at:]


def _english(
    words: set[str], clause: str, statement: str, after_clause: str, rest: str
) -> str | None:
    if words & _DISBELIEF_WORDS and (_DISBELIEF.search(clause) or _DISBELIEF_AFTER.search(rest)):
        return "no"
    if words & _SCREEN_WORDS and _SCREEN.search(statement):
        return "quoted"
    if words & _QUOTE_WORDS and (_QUOTE_BEFORE.search(statement) or _QUOTE_AFTER.search(rest)):
        return "quoted"
    if words & _IMAGINED_WORDS and not _NO_CONDITION.search(statement + rest):
        if _IMAGINED_BEFORE.search(statement) or _IMAGINED_AFTER.search(rest):
            return "if"
    if words & _GUESS_WORDS and (_GUESS_BEFORE.search(clause) or _GUESS_AFTER.search(after_clause)):
        return "maybe"
    if words & _EXAMPLE_WORDS and _EXAMPLE.search(statement):
        return "example"
    return None


_SCREEN = re.compile(_ON_SCREEN, FLAGS)


def _foreign(clause: str, statement: str, after_clause: str, rest: str) -> str | None:
    if lang.DISBELIEF_BEFORE.search(clause) or lang.DISBELIEF_AFTER.search(rest):
        return "no"
    if lang.QUOTED.search(f"{statement}\ufffc{after_clause}"):
        return "quoted"
    if not _NO_CONDITION.search(statement):
        if lang.IMAGINED_BEFORE.search(statement) or lang.IMAGINED_AFTER.search(rest):
            return "if"
    if lang.GUESS_BEFORE.search(clause) or lang.GUESS_AFTER.search(after_clause):
        return "maybe"
    return "example" if lang.EXAMPLE.search(statement) else None
