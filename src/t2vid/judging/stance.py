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
_GUESS_FOREIGN_BEFORE = re.compile(
    r"\b(?:quiz[aá]s?|tal vez|a lo mejor|acaso|puede (?:que|ser)|podr[ií]a\w*|es posible|posiblemente|cabe la posibilidad|no s[eé]|no estoy segur\w*|no se puede (?:descartar|excluir)|"
    r"peut[- ][eê]tre|il se peut|pourrait|possible que|possiblement|[eé]ventuellement|je ne (?:sais|suis) pas|j['’]h[eé]site|on ne peut (?:pas )?exclure|il est possible|"
    r"vielleicht|womöglich|möglich\w*|eventuell|könnte\w*|unter umständen|unsicher|nicht (?:sicher|auszuschließen)|weiß (?:ich )?nicht|ob|kann(?:\s+(?:auch|durchaus|sehr wohl))?(?:\s+sein|\s*$)|denkbar|"
    r"forse|può (?:darsi|essere)|potrebbe\w*|magari|[eè] possibile|possibilmente|non (?:so|sono sicur\w+)|non si può escludere|"
    r"talvez|pode (?:ser|que)|poderia|[eé] poss[ií]vel|possivelmente|porventura|n[aã]o (?:sei|tenho certeza)|"
    r"возможно|может(?: быть)?|мог(?:ло|ла)? бы|вероятность|не (?:знаю|уверен\w*)|нельзя исключить|ли|"
    r"misschien|wellicht|mogelijk\w*|het zou|kan (?:zijn|het|ook)|weet (?:het )?niet|niet (?:zeker|uit te sluiten)|"
    r"być może|może|możliwe|nie (?:wiem|jestem pew\w+)|niewykluczone|"
    r"belki|olabilir|emin değilim|có thể|có lẽ|không (?:chắc|biết)|mungkin\w*|bisa jadi|barangkali|boleh jadi|tidak (?:tahu|yakin)|"
    r"kanske|möjligen|kanskje|måske|muligens|muligvis|kan (?:være|vara)|ehkä|mahdollisesti|možná|možno|snad|ίσως|μπορεί|можливо|poate|s-ar putea|talán|lehet|esetleg|"
    r"galbūt|varbūt|võib-olla|mozda|možda|nadhani|labda|nu (?:știu|sunt sigur\w*)|nev[ií]m|nejsem si|nem tudom|en tiedä|(?:vet|ved) i[kn][kt]e|bilmiyorum|δεν (?:ξέρω|είμαι σίγουρ\w+)|voi(?:si)? olla|saattaa olla|kan (?:det )?vara)\b"
    r"|لا أعرف|لا أدري|لست متأكد|نمی.?دانم|مطمئن نیست|לא (?:יודע|בטוח)|पता नहीं|नहीं पता|ไม่(?:แน่ใจ|รู้|ทราบ)|ربما|قد (?:يكون|تكون)|لعل|من الممكن|يمكن أن|شاید|ممکن|אולי|ייתכן|יכול להיות|शायद|संभव|हो सकता|হয়তো|সম্ভবত|อาจ|บางที|ஒருவேளை|"
    r"可能|也许|也許|或许|或許|说不定|說不定|不排除|不能排除|无法|無法|不确定|不確定|不知道|难说|難說|不好说|恐怕|大概|没准|莫非|难道|是否|"
    r"もしかし|ひょっと|かどうか|かも|わから|分から|可能性|아마|어쩌면|혹시|모르|확실하지|가능성",
    FLAGS,
)
_GUESS_FOREIGN_AFTER = re.compile(
    r"^.{0,3}\b(?:es posible|puede ser|podría|est possible|pourrait|n['’]est pas (?:exclu|impossible)|ist (?:möglich|denkbar|nicht ausgeschlossen|nicht auszuschließen)|wäre (?:möglich|denkbar)|könnte|[eè] possibile|potrebbe|"
    r"[eé] poss[ií]vel|pode|poderia|возможен|возможна|возможно|может|мог|вероят|is mogelijk|kan|zou|jest możliw\w+|może|olabilir|có thể|mungkin|bisa jadi|möjlig\w*|är möjlig\w*|er mulig\w*|on mahdollinen|je možn\w+|lehet|e posibil\w*)\b"
    r"|^.{0,12}(?:हो सकता|হতে পারে|ممکن|قد تكون|ممكن|עשוי|可能|有可能|的可能|也说得通|也行|说不定|没准|不能排除|かも|可能性|とは限|とは言え|とは断定|でしょうか|ではないか|だろうか|ですか|ますか|일 수|일지|을 수도|ㄹ 수도|가능성|것 같기도|인가|일까|입니까|맞나|맞습니까|吗|嗎|吧[?？]|呢[?？])"
    r"|^.{0,6}\b(?:m[iıuü]|m[iıuü]d[iıuü]r|midir)\b",
    FLAGS,
)

# --------------------------------------------------------------------------------------------- other people

_MOST = r"(?:some|others|many|most|few|several|(?:some|any|every)(?:one|body)|one|they|he|she|nobody|no one)(?: of (?:them|us|you|these|those))?"
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
_QUOTE_FOREIGN = re.compile(
    r"\b(?:algun[oa]s|much[oa]s|otr[oa]s|la gente|alguien|mi (?:amig|colega|profesor|compañer|herman|madre|padre)\w*|ell[oa]s|según (?:mi|un|el prof|algun))\b[^,;.]{0,30}?\b(?:dij|dic|dir|elig|eleg|escog|cre|piens|opin|vot|respond|prefier)\w*"
    r"|\b(?:certain[es]?s|beaucoup|d['’]autres|les gens|quelqu['’]un|mon \w+|ma \w+|ils|elles?|la plupart)\b[^,;.]{0,30}?\b(?:dit|dis|dirai\w*|diront|disent|chois\w*|pens\w*|répon\w*|préf\w*|vot\w*|opt\w*|croi\w*)"
    r"|\b(?:manche|einige|viele|andere|die meisten|leute|jemand|mein\w* (?:freund|kolleg|lehr|brud|schwest|mutter|vater|nachbar)\w*|der (?:lehrer|kollege)|die (?:lehrerin|kollegin))\b[^,;.]{0,30}?\b(?:sag|wähl|mein|denk|glaub|antwort|nehm|nahm|tipp|würde|behaupt|hielt)\w*"
    r"|\b(?:alcuni|molti|altri|la gente|qualcuno|il mio \w+|la mia \w+|un mio \w+|loro)\b[^,;.]{0,30}?\b(?:dic|dett|dir|scel|scegl|pens|cred|rispo|prefer)\w*"
    r"|\b(?:algun[sa]s?|muit[oa]s|outr[oa]s|as pessoas|alguém|(?:o )?meu \w+|(?:a )?minha \w+|eles|elas)\b[^,;.]{0,30}?\b(?:diz|diss|dir|escolh|ach|pens|respond|vot|prefer|marc)\w*"
    r"|\b(?:некотор\w+|многие|другие|люди|кто-то|мой \w+|моя \w+|учитель|он|она|они)\b[^,;.]{0,30}?\b(?:сказ|говор|выбра|выбир|выбер|дума|счита|отвеч|ответи|полага|предпоч)\w*"
    r"|\b(?:sommige\w*|veel mensen|anderen|iemand|mijn \w+|zij|hij)\b[^,;.]{0,30}?\b(?:zeg|zei|kies|koos|kiezen|denk|dacht|vind|zou|antwoord)\w*"
    r"|\b(?:niektórzy|wielu|inni|ktoś|mój \w+|moja \w+)\b[^,;.]{0,30}?\b(?:powie|mówi|wybr|wybier|myśl|sądz|uważ|odpowie)\w*"
    r"|\b(?:bazıları|birçok|herkes|arkadaşım|öğretmenim|beberapa orang|banyak orang|teman saya|guru saya|một số người|nhiều người|bạn tôi|någon|många|vissa|min (?:vän|kollega|lärare)|noen|mange|nogle)\b"
    r"|\b(?:dicen|se dice|on dit|dicono|si dice|dizem|diz-se|говорят|кажуть|man sagt|es heißt|men zegt|mówią|diyorlar|katanya|konon|người ta nói)\b|[他她](?:们)?(?:认为|觉得|选|猜|主张)|听说|据说|聽說|據說|(?:有人|有些人|很多人|许多人|大家|别人|其他人|同事|朋友|老师|老師|同学|同學|用户|网友|他们|另一个模型)[^，。；]{0,8}?(?:说|說|选|選|认为|認為|答|觉得|觉得|猜|主张)"
    r"|(?:友達|友人|同僚|先生|彼|彼女|誰か|他の人|多くの人|人によって|一部の人|ある人)[^。]{0,30}?(?:選|言|思|答え|主張|によれば)"
    r"|(?:친구|동료|선생님|누군가|다른 사람|많은 사람|어떤 사람|일부|그는|그녀는|사람들)(?:[은는이가들도]|이라면)*\s"
    r"|(?:بعض|كثير|صديقي|زميلي|يقول|قال|कुछ लोग|मेरे दोस्त|बहुत से लोग|บางคน|เพื่อน|หลายคน|برخی|دوستم|יש אומרים|חבר שלי)",
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
_IMAGINED_FOREIGN = re.compile(
    r"(?:^|[,;—–-]\s*|[，、])\W*(?:si(?! vede| tratta| nota| può| osserva| capisce| sente| intuisce)|s['’]ils?|se(?=.*(?:ss[ei]m?|ria|rebbe)\b)|wenn|falls|sofern|angenommen|jeśli|gdyby|jeżeli|eğer|hvis|om|dersom|ha|dacă|αν|εάν|якщо|якби|kdyby|pokud|jos|"
    r"если|jika|kalau|seandainya|andai|nếu|giả sử|indien|als (?:het|de|hij|zij|er|we|dit)|stel|suponiendo|supongamos|à supposer|supposons|supponendo|supondo|caso|en cas|im falle?)\s+(?=\w)"
    r"|\b(?:habr[ií]a sido|hubiera sido|aurait été|(?:wäre|hätte) .{0,12}(?:gewesen|gewählt|gesagt)|sarebbe stat\w|teria sido|seria se|был[аои]? бы|byłoby|byłaby)\b"
    r"|लेकिन अगर|अगर|यदि|যদি|ถ้า|หาก|لو |إذا|اگر|אם |אילו|只有.{1,12}才|如果|假如|假设|若|要是|要不是|除非|万一|倘若|もし|仮に|만약|만일|라면|다면|(?:오|하|이|되|었으|았으|였으|았더라|였더라|이었더라)면\s",
    FLAGS,
)
_IMAGINED_FOREIGN_AFTER = re.compile(
    r"^[^.!?\n]{0,30}?(?:\b(?:si (?!vede|tratta)|solo se|wenn|falls|s['’]il|se (?:o|a|il|la|lo|non|não)|если|als|hvis|jeśli|eğer|jika|nếu)\b|如果|なら(?!ば?ない)|ならば|だったら|라면|다면)",
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
    r"\bnothing\b[^,;]{0,30}$|\bdisagree\w*\b|\b(?:refus\w+|reluctant|hesitat\w*) to\b|\bno reasons? (?:to|for|why)\b|\bbefore (?:i |we |you )?(?:choos|pick|select|say|go|settl|commit|answer|decid)\w*",
    FLAGS,
)
_DISBELIEF_AFTER = re.compile(
    r"^\W*(?:is|was) (?:the |an? )?(?:\w+ ){0,4}(?:exclude|eliminate|reject|discard|dismiss|discount|disprove|rule out)\b",
    FLAGS,
)
_DISBELIEF_FOREIGN = re.compile(
    r"\b(?:no (?:creo|pienso|me parece|considero|dir[ií]a)|dudo (?:de )?que|je ne (?:crois|pense|dirais) pas|je doute|ich (?:glaube|denke|meine|finde) nicht|ich bezweifle|non (?:credo|penso|direi)|dubito|n[aã]o (?:acho|creio|acredito|penso|diria)|duvido|"
    r"не (?:думаю|считаю|верю|полагаю)|сомневаюсь|ik (?:denk|geloof) niet|betwijfel|nie (?:sądzę|myślę|uważam|wydaje)|wątpię|jag tror inte|jeg (?:tror|synes) ikke|en usko|nemyslím|nem hiszem|nu cred|δεν (?:νομίζω|πιστεύω)|не думаю|tidak (?:percaya|yakin|setuju)|không (?:nghĩ|tin)|sanmıyorum|düşünmüyorum)\b"
    r"|不(?:认为|認為|觉得|覺得|相信|会选|會選|同意|赞成|应该是|可能是)|لا أعتقد|لا أظن|ไม่(?:คิดว่า|น่า)|فکر نمی|לא (?:חושב|נראה|מאמין)",
    FLAGS,
)
_DISBELIEF_FOREIGN_AFTER = re.compile(
    r"^[^。.!?\n,、،A-J]{0,14}?(?:とは思い?わ|とは思いません|ではない|じゃない|ではありません|とは考え|라고 생각하지 않|아니|아닙니다|지 않|नहीं|না\b|değil|не подходит|نیست|ليست?|לא\b)"
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
_EXAMPLE_FOREIGN = re.compile(r"例如|比如|譬如|たとえば|例えば|예를 들")

# Words of other languages written in plain ASCII that any pattern above could start with.
_FOREIGN_WORDS = frozenset(
    "acaso puede podria posible posiblemente cabe no peut pourrait possible possiblement eventuellement hesite vielleicht eventuell denkbar unsicher "
    "nicht ob kann forse potrebbe magari possibilmente non talvez pode poderia porventura misschien wellicht mogelijk mogelijke zou kan weet niet "
    "nie belki olabilir emin mungkin mungkinlah bisa barangkali boleh tidak kanske kanskje muligens muligvis snad poate putea lehet esetleg "
    "mozda nadhani labda tal mejor quiza quizas es est ist jest "
    "algunos algunas muchos muchas otros otras gente alguien mi ellos ellas certains certaines beaucoup autres gens quelqu mon ma ils elle elles plupart "
    "dicen dice dicono dizem diz man men katanya konon manche einige viele andere leute jemand mein meine der alcuni molti altri qualcuno il la un loro algumas alguns muitos muitas outros outras meu minha eles elas "
    "sommige sommigen veel anderen iemand mijn zij hij wielu inni herkes beberapa banyak teman guru vissa min noen mange nogle "
    "si se wenn falls sofern angenommen gdyby hvis om dersom ha kdyby pokud jos jika kalau seandainya andai indien stel suponiendo supongamos supposer supposons supponendo supondo caso en im "
    "dudo doute ich bezweifle dubito duvido ik betwijfel jag jeg en nem nu solo als ejemplo mi mu en voisi voi saattaa vet ved nevim".split()
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
    clause, statement = _tail(_CLAUSE, before), _tail(_TURN, before)
    after_clause = _CLAUSE.split(rest, maxsplit=1)[0]
    words = set(_WORDS.findall(f"{before} {rest}".casefold()))
    kind = _english(words, clause, statement, after_clause, rest)
    if kind is None and (words & _FOREIGN_WORDS or not (before.isascii() and rest.isascii())):
        kind = _foreign(clause, statement, after_clause, rest)
    return kind


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


def _foreign(clause: str, statement: str, after_clause: str, rest: str) -> str | None:
    if _DISBELIEF_FOREIGN.search(clause) or _DISBELIEF_FOREIGN_AFTER.search(rest):
        return "no"
    if _QUOTE_FOREIGN.search(f"{statement}\ufffc{after_clause}"):
        return "quoted"
    if not _NO_CONDITION.search(statement):
        if _IMAGINED_FOREIGN.search(statement) or _IMAGINED_FOREIGN_AFTER.search(rest):
            return "if"
    if _GUESS_FOREIGN_BEFORE.search(clause) or _GUESS_FOREIGN_AFTER.search(after_clause):
        return "maybe"
    return "example" if _EXAMPLE_FOREIGN.search(statement) else None
