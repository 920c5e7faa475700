"""What people write around an option letter, as patterns: cues, denials, hedges, conditions, joins, entities.

>>> bool(CUE_BEFORE.search("I would say the answer is ")), bool(DENIED_BEFORE.search("It is not "))
(True, True)

A pattern `*_BEFORE` ends where the letter starts; a pattern `*_AFTER` starts where the letter ends. Every list is
closed on purpose: what is not in it is no evidence, and an answer without evidence goes to the judge.
"""

from __future__ import annotations

import re

from t2vid.judging import languages as lang

OPEN = r"[\s\"'“”‘’«»„(\[{<【「『《:=>→⇒➜|.·•\-–—✅✔☑👉]*"
CLOSE = r"[\"'“”‘’«»)\]}>】」』》]*"
FLAGS = re.IGNORECASE

# Letters that touch no Latin, Greek or Cyrillic letter and no digit. Chinese, Japanese, Korean, Thai, Arabic and
# Devanagari do not put a blank beside a Latin letter, so a touch with these scripts is no word.
_WORD = r"A-Za-z0-9_\u00c0-\u024f\u0370-\u04ff"
LETTER = re.compile(
    rf"(?<![{_WORD}])(?<![{_WORD}][-'’.@])"
    r"(?!I(?:\s+(?!is\b|because\b|fits\b|seems\b|matches\b|holds\b|works\b|describes\b|gets\b|wins\b|stands\b|applies\b|(?:and|or) [A-J]\b|(?:est|ist|es)\b)[a-z]|['’]\w))(?:[A-Z]|[a-j](?=\s*[)\].:,;!\"'”’}>]|\s*$)|[b-hj](?=\s[a-z])|(?<=[(\[])[a-j](?=[)\]]))"
    rf"(?![{_WORD}]|['’][A-Za-z]|-[A-Za-z0-9]|[+#°%]|\.[A-Z](?![a-z])|\.\d)"
)

_ADVERB = (
    r"(?:clearly|definitely|therefore|thus|indeed|still|actually|likely|probably|most likely|certainly|obviously|"
    r"simply|just|then|surely|undoubtedly|evidently|really|again|hence|quite|absolutely|plainly|by far|of course|"
    r"in fact|\d+ ?%|very|always|also|apparently|presumably|now|ultimately|without (?:a |any )?(?:shadow of a )?doubt|no doubt|beyond (?:any )?doubt|going to be)"
)
_BE = (
    r"(?:is|was|are|be|would be|should be|must be|has to be|have to be|had to be|will be|ought to be|needs to be|"
    r"can only be|remains|seems to be|appears to be|seems|looks like|got to be|gotta be|being|stays|falls on|rests (?:on|with)|landed on|becomes|equals|"
    r"'s|’s|reads|comes out as|turns out to be|lies with|lands on|goes to|corresponds to|as)"
)
_RIGHT = (
    r"(?:final|correct|right|best|true|proper|ultimate|accurate|appropriate|suitable|fitting|chosen|selected|only|"
    r"likely|overall|single|valid|matching|intended|expected|predicted|definitive|own)"
)
_NOUN = r"(?:answer|ans|truth|reality|response|selection|solution|verdict|conclusion|guess|vote|bet|pick|prediction|decision|judg(?:e)?ment|result|output|key)"
_LABEL = r"(?:options?|choices?|letters?|alternatives?|candidates?|items?|statements?|descriptions?|captions?|possibilit(?:y|ies)|answers?)"
_FILL = rf"(?:\s+(?:{_ADVERB}|the|that|it|it'?s|it is|this is|a|an|my|as|one|letter|labell?ed|marked|{_RIGHT}|{_BE}|{_LABEL}|{_NOUN}))*"

# Answer words of other languages; the part that may follow the noun (a copula, an article, the word "option").
_UNSPACED = ("zh", "ja", "ko", "th")  # scripts in which a cue may start within a run of letters
_SPACED_CUE = "|".join(cue for name, cue in lang.CUES.items() if name not in _UNSPACED)
_UNSPACED_CUE = "|".join(lang.CUES[name] for name in _UNSPACED)

_VERB = (
    r"(?:choos(?:e|es|ing)|chose|chosen|select(?:s|ing|ed)?|pick(?:s|ing|ed)?|go(?:es|ing)? (?:for|with)|went (?:for|with)|opt(?:s|ing|ed)? for|"
    r"vot(?:e|es|ing|ed) (?:for|goes to)|voting|settl(?:e|es|ing|ed) (?:on|for)|lock(?:ing|ed)? in|conclud(?:e|es|ing)|decid(?:e|ed|ing) (?:on|for)|"
    r"say(?:ing)?|answer(?:s|ing|ed)?|submit(?:ting)?|stick(?:ing)? (?:with|to)|stay(?:ing)? with|"
    r"lean(?:s|ing)?(?: (?:toward|towards|to))?|(?<!take )(?<!took )(?<!taking )back(?:s|ing|ed)?(?: up)?|(?:speak|argue|call)s? (?:\w+ )?for|side(?:s|d)? with|(?:in|to the) favou?r of|on the side of|bears? out|yields?|scream(?:s|ing)?|shouts?|spells? out|prefer(?:red)?|keep(?:ing)?|retain(?:ing)?|enter(?:ing)?|"
    r"i['’]d go|sold on|plump(?:ing)? for|in for|wager(?:ing)?(?: (?:it|that it))?(?: is|['’]s)?|(?:bet|stak|put|risk)\w*(?: \w+){1,4} on|confidence in|tips?(?: \w+){1,4} (?:to|towards?)|rank(?:ing)?|rat(?:e|ing)|narrows? to|clinch(?:es)?|consistent with|compatible with|in line with|described by|captured by|ended up (?:with|at)|fall(?:s|ing)? on|"
    r"point(?:s|ed|ing)? (?:to|towards?|at)|indicat(?:e|es|ing|ed)|"
    r"suggest(?:s|ing)?|favou?rs?|support(?:s|ing)?|lead(?:s|ing)? (?:me |us )?to|leav(?:e|es|ing)(?: us| me)?(?: only| with)*|"
    r"mark(?:ing|ed)?|tick(?:s|ing|ed)?(?: off)?(?: the)?(?: box)?|want|bet(?:ting)? on|put(?:ting)? (?:everything|it all|all my chips|my (?:money|chips)|my name) (?:on|down for|behind)|money (?:is|goes|would be) on|case of|mean|meant|correspond(?:s|ing)? to|match(?:es|ing)?|agree(?:s|ing)? with|respond(?:ing)? with|"
    r"put(?:ting)?(?: me)? down(?: for| as)?|circl(?:e|ing)|reply(?:ing)? with|(?:chang|switch|revis|correct|amend|updat|alter)(?:e|ed|ing|es|s)?(?: (?!from\b)\w+){0,3} to|replac\w+ (?:it|that|this) (?:by|with)|(?:revise|correct|change|fix|amend|rephrase|restate)(?: (?:that|it|this|myself|my answer))?|erratum|corrigendum|amendment|"
    r""
    r"switch(?:ing)? to|revis(?:e|ing) (?:it |my answer )?to|resolv(?:e|es) to|boils down to|comes down to|narrows? (?:it )?down to|arrive at|end up with|tak(?:e|ing)|tapping)"
)
_THEREFORE = r"(?:therefore|thus|hence|so|consequently|accordingly|ergo|in conclusion|in short|in summary|overall|finally|final|to conclude|all in all|as a result|verdict|conclusion|i\.e\.|ie|namely|that is|tl;?dr)"
_CORRECTION = (
    r"(?:actually|wait|correction|scratch that|i mean|i meant|make (?:that|it)|sorry|oops|my (?:mistake|bad)|on second thoughts?|"
    r"on reflection|or rather|rather|but rather|edit|update|hold on|hmm|instead|strike that|let me correct that|no|nope)"
)

# The look-aheads spare the engine a hundred alternatives at every place where no word starts.
CUE_BEFORE = re.compile(
    rf"(?:\b(?=[^\W\d_])(?:"
    rf"\b{_NOUN}\b(?:\s+(?:here|{_LABEL}|(?:to|for|of) (?:this|the|my) \w+(?: \w+)?))?(?:,[^,.;!?\n]{{1,40}},)?(?:\s*[:=]|\s*['’]s\b|{_FILL})?"
    rf"|\b{_RIGHT}\s+(?:\w+\s+)?{_LABEL}\b(?:\s+(?:here|(?:to|for|of|in) (?:this|the|my) \w+(?: \w+)?))?(?:,[^,.;!?\n]{{1,40}},)?{_FILL}"
    rf"|\b(?:{_LABEL}|choice)\s*(?:\s{_BE}|[:=]){_FILL}"
    rf"|\b{_VERB}\b{_FILL}(?:\s+(?:option|choice))?"
    rf"|\b{_THEREFORE}\b\s*[,:]?{_FILL}"
    rf"|\b{_CORRECTION}\b\s*[,:;.!…—–-]+{_FILL}"
    rf"|\b(?:i mean|i meant|make (?:that|it)|or rather|rather|actually|instead){_FILL}"
    rf"|\b(?:video|clip|end(?:ing)?|footage|scene|evidence|frames?|everything|recording|film|details?|context|this|that|which|it)\s+(?:{_ADVERB}\s+)*(?:shows?|reveals?|confirms?|proves?|demonstrates?){_FILL}"
    rf"|\b(?:what(?:['’]s| is)|all that(?:['’]s| is)|that|this|which|there(?:['’]s| is)|one)? ?(?:only )?(?:left(?: over| standing)?|remaining)(?: (?:one|option|choice|candidate))? (?:is|are)\b{_FILL}|\b(?:pictures?|images?|shots?|seconds?|moments?|timing|order|lighting|sound|audio|track|clues?|facts?|movement|motion|sequence|beginning|start|action|visuals?|detail|angle|camera|part)\s+(?:itself |themselves |alone )?(?:say|show|tell|suggest|confirm|prove|mean|fit|match|demand)s?(?: (?:me|us))?{_FILL}|\b(?:(?:this|that|it|which|everything|all|scene|clip|video|best) fits?|tells? (?:me|us)|everything says)\b{_FILL}"
    rf"|(?:(?<![^\n])|(?<=[,;.:!?] )|(?<=\band )|(?<=\bbut ))(?:now|finally|only|just|by now)(?: (?:i|we) (?:now )?(?:say|have|choose|pick|think|take))?,?\s+(?:it['’]s )?(?=[\"'“(\[]*$)|\b(?:my|the) first(?: choice| pick)?(?: is|:)|\bi now (?:have|say)|\bshould (?:read|say)\b{_FILL}"
    rf"|\b(?:analysis|gut|instincts?|intuition|reasoning|logic|eyes?)\s+(?:says?|tells? me|suggests?){_FILL}"
    rf"|(?:{_SPACED_CUE}))|(?=[^\x00-\x7f])(?:{_UNSPACED_CUE})"
    rf"|(?:=>|→|⇒|➜|✅|✔|☑|👉|\[x\])"
    rf"){OPEN}$",
    FLAGS,
)
WEAK_BEFORE = re.compile(
    rf"(?:\b(?:{_LABEL}|choice)|\b(?:it|that|this|which|there|video|clip|one)\b\s*{_BE}|\b(?:it'?s|that'?s|must be|has to be|should be|would be|gotta be|got to be|"
    rf"looks like|seems like|think|believe|guess|reckon|vote|only|for|like|with|as|to|by|than|es|c['’]est|ist|este|letra|lettre|lettera|buchstabe|è|é|это|là|adalah|(?:without|beyond|no)\b[^,.;!?\n]{{0,20}}\bdoubt|(?:likelihood|probability|certainty|hesitation)|sure|of course|sondern|sino|mais|mas|ma|а)\b(?:\s+(?:la|el|a|die|le)\b)?|\b\w+(?:ly|mente)\b,?|\d ?%|s['’]agit (?:de|du)|se trata de|si tratta di|trata-se de|handelt (?:es )?sich (?:hier )?um|par élimination,?|por eliminaci[oó]n,?){_FILL}{OPEN}$",
    FLAGS,
)

_NOT_FOREIGN_BEFORE = r"[别勿](?:选|選)|不(?:是|选|選|应|應|该|該|能|会|會|可|宜|要|太)+(?:选|選|是|以选)?|排除|并非|而非|而不是|除了|없|no es(?: la)?|no ser[ií]a|n[aã]o [eé](?: a)?|n'est pas(?: la)?|n’est pas(?: la)?|\bpas\b|\bnicht\b|\bkein(?:e|esfalls)?\b|\bне\b|\bnon [eè]\b|\bnon\b|\bniet\b|\bnie\b|\binte\b|\bikke\b|\bbukan\b|không phải|ليس(?:ت)?|ไม่ใช่(?:ข้อ)?|\bdeğil\b"
_CANT = r"(?:not|never|nor|neither|(?:is|are|was|were|do|does|did|would|should|could|must|have|has|ca|wo)n['’]?t|cannot|can ?not|hardly|scarcely)"
_THINK = r"(?:(?:going|about|willing|able|ready|inclined|prepared) to|think|believe|say|agree|claim|consider|choose|pick|select|go with|go for|be|been|being|see|call|support|want|possible|likely|true|the case|to|for|with|towards?|necessarily|possibly|really|even|only|suggest|mean|match|matches|correspond|indicate|show|shows|answer|opt for|pointing? to)"
DENIED_BEFORE = re.compile(
    rf"(?:\b(?:no|little) (?:\w+ )?(?:evidence|support|sign|reason|indication|basis|proof|trace|hint)s?\b(?: \w+){{0,3}}\s+|\bnothing(?: \w+){{0,3}}\s+|\b(?:{_CANT}|(?<!no )(?<!little )(?<!without )(?<!for )(?<! a )(?<!any )doubt(?!\s*:)|deny|denies|reject(?:s|ed|ing)?|eliminat(?:e|es|ed|ing)|exclud(?:e|es|ed|ing)|rul(?:e|es|ed|ing)[ -]?out|discard(?:s|ed|ing)?|"
    rf"dismiss(?:es|ed|ing)?|discount(?:s|ed|ing)?|cross(?:ed|ing)? out|avoid(?:s|ed|ing)?|instead of|rather than|over|unlike|except(?: for)?|anything but|all but|everything but|nothing but the|"
    rf"other than|apart from|aside from|besides|without|(?:chang\w+|switch\w*|mov\w+|revis\w+)(?: \w+){{0,3}} from|against|versus|vs|none of|as opposed to|not to|wrong(?:ly)?|incorrect|false|no|contradict(?:s|ed|ing)?|"
    rf"drop(?:s|ped|ping)?|remov(?:e|es|ed|ing)|str(?:ik|uck)\w*(?: out| off)?|cross(?:ed|ing)? off|scrap(?:ped|ping)?|thr(?:ow|ew|own)\w* out|leav(?:e|ing) out|beats?|outranks?|trumps?|edges? out|outperforms?|compared (?:with|to)|(?<!more )than|(?:second|third|next|backup|fallback|worst)[- ](?:choice|pick|guess|best)(?:\s*(?:is|was|would be|:))?|"
    rf"(?:wrong|incorrect|bad|worst|false|distractor|distracting) (?:answer|option|choice|one)s?)\b\.?(?:\s+(?:{_THINK}|so|that|either))*{_FILL}"
    rf"|{_NOT_FOREIGN_BEFORE}|❌|✗|✘|🚫|≠|¬|!=|\[ ?\])(?:\s*(?:选项|選項|opci[oó]n|option|la|le|die|вариант))*{OPEN}$",
    FLAGS,
)
RETRACTED_BEFORE = re.compile(
    r"^\s*(?:although|though|even though|while)\s+(?:\w+ ){0,3}$|\b(?:at first|initially|originally|previously|i first|first i|first thought|first guess|first instinct|almost(?! certainly| surely)|nearly|tempted|"
    r"was going to|was leaning|had thought|i thought|thought about|considered|considering|would have|at a glance|one might|some might|some may|"
    r"people (?:might|would|will)|many (?:would|might|may|will|people)|most (?:would|might|people)|wanted to say|first i had|primero pens[eé]|al principio|d['’]abord|au d[eé]but|zuerst|anfangs|erst dachte|dapprima|all['’]inizio|no in[ií]cio|сначала|najpierw|eerst|others (?:would|might|may)|you might|people may|someone might|a (?:careless|casual|hasty))\b[^,;.!?\n]*$|(?:一开始|起初|起先|最初|本来|原本|原先|原来以为|先前|刚开始|最初は|初めは|처음에는?)[^，。,；;]{0,12}$",
    FLAGS,
)

_LINK = rf"(?:\s*,?\s*(?:{_BE}|to be|makes?|holds?|stays?|sounds|feels))"
# After a cue only a copula denies: "The answer is B, not A" denies nothing, "Answer A is wrong" does.
COPULA_AFTER = re.compile(
    rf"^{CLOSE}\s+(?:is|was|are|seems|looks|isn|wasn|does|doesn|did|didn|can|cannot|could|es|est|ist|[eèé]|no|n[aã]o|non|ne|n['’])\b",
    FLAGS,
)
DENIED_AFTER = re.compile(
    rf"^{CLOSE},\s+it (?:does|is|did|can|could)(?: ?not|n['’]t)\b|^{CLOSE}(?:\s*[:=–—-]|\s+(?:option|choice|answer|one))?\s*(?:"
    rf"(?:(?:{_BE}|can|could|would|may|might|must|should|to)\s+)?(?:be\s+)?(?:{_ADVERB}\s+)*(?:a |an |the |my |far |too |just |only |obvious |classic |typical |usual |mere )*"
    r"(?:gone\b|red herring|comes? (?:in )?(?:second|third|last)|bait\b|not\b|never|wrong|incorrect|false|absent|unlikely|impossible|implausible|improbable|out\b(?! of the blue)|eliminated|excluded|ruled|rejected|discarded|dismissed|"
    r"inaccurate|irrelevant|unsupported|invalid|contradict\w*|missing|off\b|unrelated|untrue|mistaken|inconsistent|nowhere|"
    r"tempting|plausible|possible|attractive|close\b|similar|distractor|trap|lure|decoy|misleading|less\b|partially|partly|almost|half|unseen|"
    r"nonsense|doubtful|questionable|dubious|debatable|uncertain|unclear|unconvincing|far-fetched|absurd|refuted|disproved|weak(?:er)?|second|runner|no\b(?! doubt| other| others| question)|❌|✗|✘|x\b)"
    r"|(?:is|are|was|were|do|does|did|ca|would|could|wo|should)n['’]?t\b|cannot|can ?not"
    r"|(?:happens|occurs|appears|shows up|takes place|is (?:seen|shown|visible)) (?:in no|nowhere|never|at no)"
    r"|(?:fails|falls away|drops out|contradicts|misses|lacks|ignores|overlooks|mentions|says|states|claims|refers|conflicts|differs|requires|omits|confuses|makes no|does not|might|may|could|would need|describes the (?:opposite|wrong)|has no)"
    r")"
    r"|^[\"'”’)\]】」]*\s*(?:是|は|が|은|는|이|가|选项|項)?(?:错|錯|不对|不對|不正|不是|不符|被排除|排除|ではな|ではありません|じゃな|が不正解|誤り|間違|아니|아닙|틀|오답|잘못)"
    r"|^[\"'”’)\]]*\s*(?:no es|es (?:incorrect|fals)|n['’]est pas|est (?:faux|fausse|incorrect|erron)|ist (?:falsch|nicht|unwahr|ausgeschlossen)|n[aã]o [eé]|[eé] (?:incorret|errad|fals)|non [eè]|[eè] (?:sbagliat|errat|fals)|\s*(?:это )?(?:неверн|неправильн|не )|is (?:onjuist|fout|niet))",
    FLAGS,
)
AFFIRMED_AFTER = re.compile(
    rf"^{CLOSE} (?:says|states|mentions|claims)\b[^\n]{{1,50}}?(?:,? which|, and (?:this|that|it)) (?:matches|fits|agrees|is (?:correct|right|true|exactly|what))|"
    rf"^{CLOSE}\s*\?\s*(?:yes|correct|right|exactly|present|confirmed|true|definitely|indeed|✓|✔|✅)",
    FLAGS,
)
REFUTED_AFTER = re.compile(
    rf"^{CLOSE}\s*\?\s*(?:no\b|nope|not|never|unlikely|wrong|incorrect|false|absent|impossible|✗|✘|❌)",
    FLAGS,
)
CUE_AFTER = re.compile(
    rf"^{CLOSE}(?:\s+(?:option|choice|answer))?(?:"
    rf"{_LINK}\s+(?:{_ADVERB}\s+)*(?:the |my |our |what |a |your |an )*(?:{_ADVERB}\s+)*(?:(?:one|single|only|most|closest|clear(?:est)?|obvious|strong(?:est)?|safe(?:st)?|sound(?:est)?|more|very|really|single|logical|natural|good|perfect|better)\s+)*"
    rf"(?:{_RIGHT}|answers?|accurate|one\b|choice|option|winner|pick|match(?:es|ing)?|fit(?:s|ting)?|happen(?:s|ed|ing)?|shown|seen|better|correct|valid|supported|consistent|appropriate|solution|"
    r"logical|clear(?:est)?|obvious|strong(?:est)?|closest|safe(?:st)?|sense|present|visible|confirmed|it\b|we see|i see|you see|occurs|occurred|depicted|described|i(?:'d| would)? (?:choose|pick|say|go)|true|yes|spot on|reasonable|plausible one|we want|stands?|exact(?:ly)?)"
    r"|\s*[:=–—-]\s*(?:correct|right|true|yes|present|visible|confirmed|matches|fits|✓|✔|✅|supported)\b"
    r"|\s*[✓✔✅]"
    r"|,?\s+it (?:is|must be|has to be|matches|fits|works)\b"
    r"|\s+(?:clearly |definitely |best |really |most closely |accurately |correctly |exactly |perfectly )*(?:fits|matches|wins|works|describes|captures|reflects|agrees|aligns|holds|applies|corresponds|answers|explains|summari[sz]es|represents|stands out|checks out|survives?|remains?|stays(?: in| put)?|stands|passes|beats|outranks|trumps|edges out|outweighs|takes it|hits|nails|ticks|sums|carries|clinches|has my|gets (?:the|my)|is (?:all that['’]s |all that is |what['’]s )?left|is left standing|is still standing|covers it|does the job|happens|gets my vote|prevails|makes sense|makes (?:the )?most sense|follows from|suits)\b(?! in no)"
    r"|,?\s+(?:the|my|our) (?:\w+ )?(?:better|best|right|correct|winner|winning|strongest|stronger|likeliest|most|more|only|clear)\b|\s+(?:highest|first\b(?=\W*(?:$|[,.;]|and))|on top|more (?:likely|plausible|accurate|fitting|convincing|sensible|probable)|over\b)"
    r"|才(?:是|对|符合)|\s*(?:が|は)(?:最も|一番|最適|適切|妥当|当て)|\s*(?:이|가) ?(?:더|가장|제일)|\s+(?:encaja|correspond|convient|klopt|past|passt|конечно|подходит|doğru|yang (?:benar|tepat)|đúng)"
    r"|,?\s+(?:all the way|for sure|for certain|final answer|is my|every time|without (?:a )?doubt|no doubt|hands down|for me|obviously|definitely|clearly|certainly|obviously|by elimination)\b"
    r"|\s+(?:is|does|was)(?=\s*(?:[.!;]|$))|\s+is what\b|\s+does\b(?! not|n)|\s*(?:选项|選項)?(?:是|为)?(?:最)?(?:正确|正確|对的|對的|对|符合|合适|准确|答案|正解)|\s*(?:が|は)(?:正解|正しい|適切|答え)|\s*(?:です|だ|でしょう|となります|になります|を選|と(?:判断|考え|思い|思う|言え|結論|わか|分か)(?![^。]{0,8}(?:ない|ません)))|\s*(?:번)?(?:입니다|이다|이에요|예요|이\s*정답|가\s*정답|이\s*맞|가\s*맞|이\s*옳|가\s*옳|을\s*선택|를\s*선택|번)"
    r"|\s+(?:es|ser[ií]a) (?:la |el )?(?:m[aá]s |respuesta |opci[oó]n )?(?:correct|adecuad|respuesta|opci)|\s+est (?:la |le )?(?:bonne|correct|r[eé]ponse|juste|vrai|exact)|\s+ist (?:die |der |das )?(?:richtig|korrekt|antwort|wahr)|\s+[eè] (?:la |quella )?(?:risposta |opzione )?(?:corrett|giust|rispost)|\s+[eé] (?:a )?(?:alternativa |resposta |op[cç][aã]o )?(?:corret|cert|respost)|\s*(?:—|-|–)?\s*(?:это )?(?:верн|правильн)|\s+is (?:juist|het juiste|correct)|\s+adalah jawaban|\s+là đáp án|\s+(?:şıkkı |seçeneği )?doğru|\s+şıkkı(?:dır)?\b|\s*(?:选项|選項|项|項)[。.!！]?\s*$|\s+(?:sagen|wählen|nehmen|tippen|antworten)\b|\s+(?:stimmt|passt|trifft zu)\b|\s+(?:convient|correspond)\b|\s+es la que\b|\s+[eè] quella\b|\s+[eé] a que\b|\s+подходит\b|\s*(?:सही|সঠিক)|\s+(?:درست|صحیح|صحيح)|\s+as (?:the |being )?(?:most|best|right|correct|true|clear|obvious)"
    r")",
    FLAGS,
)

MAYBE_BEFORE = re.compile(
    rf"(?:\b(?:maybe|perhaps|possibly|potentially|conceivably|might(?: also| well| even)? be|may(?: also| well| even)? be|could(?: also| well| even| possibly)? be|can be|can also be|could|might|may|either|whether|"
    rf"not (?:entirely |quite |really |fully )?(?:sure|certain)(?: (?:if|whether|that|but))?|unsure(?: (?:if|whether))?|wonder(?:ing)?(?: (?:if|whether))?|unclear (?:if|whether)|between|is it|was it|could it be|would it be|what about|how about|both|"
    r"say something like|quiz[aá]s?|tal vez|podr[ií]a ser|peut-[eê]tre|pourrait [eê]tre|vielleicht|k[oö]nnte|m[oö]glicherweise|forse|potrebbe essere|talvez|pode ser|poderia ser|возможно|может быть|mungkin|có thể là|misschien|ربما)\b|可能|也许|也許|或许|或者|大概|もしかして|아마도?)"
    rf"(?:\s*(?:是|选|est|es|sein|essere|ser))?{_FILL}{OPEN}$",
    FLAGS,
)
MAYBE_AFTER = re.compile(
    rf"^{CLOSE}[\s,]*(?:\?|？|(?:or )?(?:maybe|perhaps|possibly|potentially|conceivably)\b(?! (?:because|since|as)\b)|(?:i'?m )?(?:but )?(?:i'?m |i am )?not (?:entirely |quite |really |fully |at all )?(?:sure|certain)\b|(?:might|may|could)\b|is (?:a )?(?:possible|possibility)\b|is (?:just |only |merely )?(?:an?|one of the|one|among the) (?:\w+ )?(?:options?|choices?|possibilit\w+|candidates?)\b(?! (?:that|which) )|\(\s*(?:maybe|perhaps|possibly|not sure|unsure|\?|guess\w*|a guess)|(?:or|and)\s*$|or (?:something|so)\b|かも|の可能性|일 수도|일지도|可能)",
    FLAGS,
)
CONDITION_BEFORE = re.compile(
    r"(?:^\s*(?:should|were|had)\s+(?:the|it|he|she|they|this|that|we|you|there)\b|\b(?:if|unless|assuming|depending|provided|suppose|supposing|otherwise|in case|else|in the event|had the|were the|wenn|sonst|sinon|если|иначе|jika|nếu)\b|如果|若|假如|否则|要是|もし|만약)",
    FLAGS,
)
CONDITION_AFTER = re.compile(
    rf"^{CLOSE}[\s,]*(?:(?:only |but only |and )?(?:if|unless|provided|assuming|depending|in case|otherwise|when)\b|如果|なら|なら|이라면|라면)",
    FLAGS,
)
# Conditions that condition nothing: a turn of phrase around a firm answer.
NO_CONDITION = re.compile(
    r"\b(?:even if|as if|if (?:i|we|you|one) (?:had|have|must|were|was|need|am|are|should|look|watch|see|observe|consider|examine|follow|study|check|pay|replay|go by|may)|"
    r"if (?:forced|pressed|needed|anything|so|i['’]m|you ask|correct|right|memory|that (?:is|makes)|asked)|or else|nothing else|someone else|anything else|everything else|what else)\b|如果(?:仔细|認真|认真|你|我们|按|从|只|必须|要选)|よく見れば",
    FLAGS,
)

# "Nothing but B", "all options except B are wrong": here a word of denial presents the letter.
_OTHERS = r"(?:\s+(?:of|the|other|these|remaining|one|ones|options?|choices?|answers?|candidates?|alternatives?|statements?|rest|others?|thing|them))*"
_BUT = r"(?:but|except(?:ing)?(?: for)?|other than|apart from|aside from|save(?: for)?|besides|bar|with the (?:sole |only |single )?exception of|leaving aside|not counting)"
_OUT = r"(?:ruled|wrong|incorrect|false|eliminat\w*|exclud\w*|impossible|reject\w*|discard\w*|fails?|contradict\w*|out|dismiss\w*|crossed|absent|untrue|inconsistent|never|mistaken|off|invalid|go(?:es)?|rul(?:es?|ing) out|knock\w*)"
_ALL = r"(?:all|every\w*|the (?:others?|rest)|each|any(?: of)?)"
BUT_WORD = re.compile(
    r"\b(?:but|except|other than|apart|aside|save|besides|bar|exception|leaving|counting|menos|excepto|salvo|sauf|auf|tranne|eccetto|exceto)|除|außer|excepté|кроме",
    FLAGS,
)
EXCEPT_BEFORE = re.compile(
    rf"(?:\b(?P<none>(?:none|nothing|nobody|no|not one|not a single|(?:no|not|never|\w+n['’]t|cannot|without)\b[^,.;!?\n]{{0,30}}\banything)\b[^,.;:!?\n]{{0,50}}?|{_ALL}\b[^.;:!?\n]{{0,50}}?\b{_OUT}\b[^.;:!?\n]{{0,30}}?|{_OUT}\s+(?:\w+ )?{_ALL})|(?P<rest>\b{_ALL}){_OTHERS}|(?P<start>^))\W*"
    rf"\b{_BUT}\b{_FILL}{OPEN}$|(?P<foreign>除了|除|\btod[ao]s\b[^,.]{{0,40}} (?:menos|excepto|salvo)(?: la| el)?|\btou(?:te)?s\b[^,.]{{0,40}} (?:sauf|except[eé])(?: la)?|\balle\b[^,.]{{0,40}} (?:außer|bis auf)|\btutt[ei]\b[^,.]{{0,40}} (?:tranne|eccetto)(?: la)?|\btodas\b[^,.]{{0,40}} exceto(?: a)?|\bвсе\b[^,.]{{0,40}} кроме){OPEN}$",
    FLAGS,
)
EXCEPT_AFTER = re.compile(
    rf"^{CLOSE},?\s+(?:\w+\s+){{0,4}}?{_OUT}\b|^{CLOSE},?\s+(?:none|nothing|no (?!doubt)\w+|not one|neither|nobody)\b"
    r"|^(?:之外|以外|外)?[，,]?(?:其他|其它|其余|别的)[^。]{0,8}(?:错|不|排除)|^$|^\W*$",
    FLAGS,
)
# "B is the only plausible choice": a word of doubt after a superlative is none.
SUPERLATIVE_AFTER = re.compile(
    rf"^{CLOSE}\s+(?:is|was|seems|looks|appears|remains|as)\s+(?:{_ADVERB}\s+)*(?:to be\s+)?(?:the |my |our )?(?:only|most|single|sole|best|strongest|likeliest|closest|clearest)\s+(?:\w+\s+){{0,2}}?(?:plausible|possible|likely|viable|reasonable|sensible|probable|candidate|contender|choice|option|answer|fit|match|explanation)\b"
    r"(?![^.!?\n]{0,40}\b(?:wrong|unlikely|implausible|incorrect|impossible|absurd|popular|common|frequent|exclude\w*|eliminate\w*|reject\w*|rul\w+|tempting|misleading|doubtful|not|never|n['’]t|cannot|if|least|second|fails?|contradict\w*|missing|absent|distractor|trap|decoy|until|at first|but|yet|although|though|however)\b)",
    FLAGS,
)
# "It is B." as a clause of its own.
STATED_BEFORE = re.compile(
    r"(?:^|[,;:.!?…—–-])\s*(?:(?:but|yet|so|and|then|no|instead|rather|actually|in fact|still|really)\s*,?\s*)*(?:it|that|this|i)(?:['’]s| is| was| must be| has to be|['’]s got to be| say| would say|['’]d say| choose| pick)"
    rf"\s+(?:{_ADVERB}\s+|option\s+|choice\s+|letter\s+)*[\"'“(\[*]*$",
    FLAGS,
)
# A letter that is painted, worn or spoken of.
SEEN_BEFORE = re.compile(
    r"(?:\b(?:wear\w*|shirt|sign|poster|banner|building|door|painted|printed|written|writes|engraved|embroidered|shaped like|draws?|drawn|holding|holds|carr(?:y|ies|ying)|shows|spells?|spelling|pronounces?|keyboard|key|typed?|types)\b[^,;:.!?\n]{0,30}\b(?:letters?|word|symbol|initials?|capital)"
    r"|\b(?!(?:option|choice|answer|one|item|statement|alternative|candidate|that|is)\b)[a-z]+ (?:marked|labell?ed|named|called|numbered|titled|initial(?:l?ed)?)|\bP\(|\bPr\()\s*[\"'“‘(]*$",
    FLAGS,
)
SEEN_AFTER = re.compile(
    rf"^{CLOSE}\s+(?:appears?|flashes|is (?:shown|visible|seen|displayed)) on (?:the |a )?(?:screen|wall|board|sign|shirt|door)\b|"
    rf"^{CLOSE}\s+(?:is|was|can be seen|appears)\s+(?:painted|printed|written|drawn|carved|engraved|displayed|stamped|sewn|embroidered|on (?:the|a|his|her|their) (?!clip|video|screen|money))\b",
    FLAGS,
)
# After the last letter: taken back, and nothing given in its place.
TAKEN_BACK = re.compile(
    r"(?:^|[\s.!?,;:…—–-])(?:no|nope|wait|hmm+|oh|actually|hold on|sorry|oops|but|however|though|although|on (?:second|further|reflection)(?: thoughts?)?|then again|or not|honestly|yet|well|nah)\b[\s,.…!—–-]*(?:(?!if|even)\w+[\s,.…!—–-]+){0,3}?"
    r"(?:(?:that|this|it|which)(?:['’]s| is| was)(?: (?!not)\w+)? (?:wrong|not (?:right|correct|true|it)|incorrect|a mistake|false|an error)|(?:that|this|it) (?:can['’]?t|cannot|isn['’]t|doesn['’]t|does not|wasn['’]t|couldn['’]t)(?: be)? (?:right|correct|true|it|fit|match|work)"
    r"|i (?:really |honestly |just |still )?(?:don['’]?t|do not) (?:really |actually )?know|i['’]?m (?:really |honestly |now |still )?(?:not (?:\w+ )?(?:sure|certain)|unsure|lost|confused)|i (?:can['’]?t|cannot|could not|couldn['’]t) (?:really |actually )?(?:be (?:sure|certain)|tell|say|decide|determine|commit|confirm|answer)|who knows|(?:none|neither) (?:fits?|of (?:them|these)|is right))"
    r"|\b(?:wait|hmm+|oh|actually|sorry|hold on)\b[\s,.…!—–-]*(?:no|nope)\W*$"
    r"|\b(?:never ?mind|scratch that|strike that|forget (?:it|that|what i said)|disregard (?:it|that)|ignore (?:it|that|my answer)|i take (?:it|that) back|i retract|i was wrong|my mistake)\b"
    r"|等等，?不对|不，?不对|其实我?(?:也)?不(?:确定|知道)|いや、?(?:違|ちが)|아니,? 잘 모르|\b(?:no,? espera|espera,? no|nein,? doch nicht|doch nicht|ach nein|non,? attends?|anzi,? no)\b",
    FLAGS,
)

# "A or B", "A, B and C", "A/B": the text between two letters that makes them one answer.
JOIN = re.compile(
    rf"^{CLOSE}\s*(?:\.{{2,}}|…)?\s*(?:,|/|&|\+|、|>{{1,2}}|≥|≈|=|<|,?\s*(?:and|or|nor|and/or|as well as|plus|vs\.|und|oder|y|o|u|e|ou|et|en|of|og|och|eller|i|lub|и|или|dan|atau|và|hoặc|ve|veya|a|to|through|(?:and\s+)?then|first,? (?:and )?then|versus|vs\.?)\b(?:\s+(?:maybe|perhaps|possibly|also|even))?|和|或(?:者|是)?|(?:还是|還是)[选選]?|与|與|及|跟|とか?|または|や|か|나|또는|와|과|이나|하고|–|—|-|~)\s*"
    rf"(?:(?:also|maybe|perhaps|possibly|the|{_LABEL})\s+)*[\"'“‘(\[【「<]*$",
    FLAGS,
)
COMMA_ONLY = re.compile(rf"^{CLOSE}\s*[,、;–—-]\s*{OPEN}$")

# Nouns that take a letter as their name: "Vitamin C", "Gate C", "Plan B".
# Species are written with an initial: "E. coli".
SPECIES = re.compile(r"^\.\s(?:coli|elegans|diff|difficile|albicans|botulinum|faecalis)\b")
ENTITY = frozenset(
    "vitamin gate plan hepatitis terminal room building team group type section exit platform level class grade size cup "
    "bus route line row seat block channel model part wing district person player point camera box door object zone area "
    "track lane hall floor unit ward tower dock pier bay aisle apartment apt flat house studio stage court field ring car "
    "train flight bin shelf drawer slot port cell sector region street avenue lot stand stall table desk booth cabin deck "
    "side act scene chapter appendix figure fig panel column paragraph exhibit series serie season volume page rank tier "
    "league division pool phase step stage version edition mark mk category cat batch sample case test trial experiment "
    "set subset node vertex angle variable factor cable battery key note chord string scale flu influenza virus strain "
    "protein blood rh factor interleukin mr mrs ms dr prof st sir lady agent subject patient participant witness suspect prisoner "
    "student actor dancer boy girl man woman child people cardi mel jay ice big little boeing airbus gen generation "
    "generación vía puerta plan vitamina grupo equipo sala line ligne salle porte groupe gleis halle raum gruppe klasse "
    "entrance hangar pillar counter marker jersey shirt sign poster letter-sign elevator lift stairwell staircase corridor "
    "bucket jar bottle can crate container circle square triangle cube sphere ball bowl plate ladder rope ramp track "
    "country city company bank product brand star planet spectral spotify serial code drive disk disc port usb minor major "
    "維他命 维生素 ビタミン".split()
)

# Words that may stand before a letter that is the answer, where no cue matched.
MAY_PRECEDE = frozenset(
    "is it's its be as with for to so thus hence therefore then like say answer only just still was that's would "
    "definitely clearly surely certainly obviously probably likely doubt here yes yeah yep ok okay well sure right "
    "alright exactly correct absolutely final mine id i'd i'll me think it and but".split()
)
# Words that may follow a letter that is the answer ("C because", "C for sure", "C, as").
MAY_FOLLOW = re.compile(
    r"^(?:\d+(?= ?%)|because|since|as|for|here|to me|to my|it|is|was|seems|fits|matches|which|given|due|based|on the basis|all|without|by|again|then|definitely|"
    r"clearly|obviously|certainly|surely|probably|please|sir|in my|i (?:think|believe|guess|say|would|am|'m|reckon|suppose)|would|must|has to|appears|looks|"
    r"but|and not|not|rather|instead|over|after|from what|according|considering|while|whereas|with|makes|describes|happens|best|although|though|when|where|so|"
    r"therefore|thus|hence|the others|i\.e|meaning|namely|final|thanks|→|=|ist|est|es|è|é|da|weil|car|parce|porque|perch[eé]|потому|karena|vì|omdat|als|denn)\b",
    FLAGS,
)

REFUSAL = re.compile(
    r"\b(?:can(?:no|['’]?)t|can not|could ?n[o'’]t|unable|not able|impossible|not possible|insufficient|not enough|unclear|unsure|uncertain|don['’]?t know|do not know|"
    r"no (?:idea|clue|information|way)|not (?:sure|certain|clear|provided|visible|available|given|mentioned|specified)|sorry|apolog\w+|hard to (?:tell|say)|difficult to (?:tell|say|determine)|"
    r"undetermined|indeterminate|inconclusive|none of (?:the|these)|neither|refuse|decline|won['’]?t|as an ai|need more|more (?:context|information))\b"
    r"|无法|不能|不知道|不确定|抱歉|わかりません|分かりません|できません|알 수 없|모르|죄송|no (?:puedo|s[eé])|je ne (?:peux|sais)|ich (?:kann|wei[sß]+) (?:es )?nicht|n[aã]o (?:posso|sei)|non (?:posso|so)|не (?:могу|знаю)",
    FLAGS,
)
