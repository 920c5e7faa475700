"""What English says in `phrases` and `stance`, in the other languages that models answer in.

>>> bool(GUESS_BEFORE.search("Il se peut que ce soit ")), bool(QUOTED.search("Mein Lehrer sagt "))
(True, True)
"""

from __future__ import annotations

import re

FLAGS = re.IGNORECASE

# Words that present an answer; the part that may follow the noun (a copula, an article, the word "option").
CUES = {
    "zh": r"(?:答案|答|选项|選項|选择|選擇|选|選|回答|结论|只有|(?:应该|应当|显然|一定|肯定|必定|当然|就|只能|确实|一定)(?:是|选|選)|消去法で)(?:应该|應該|应当|应|就|只能|便|者|的)*(?:是|为|為|选|選|:)*(?:选项|選項)?|(?:改|换|改选|更正)(?:为|成|选|選)?|而是|(?:其实|实际上|事实上)(?:是|应该是|应是)|剩下?(?:的)?(?:是)?|不如选|最(?:合适|符合|接近|恰当)的(?:选项)?是?|正确的?(?:选项)?(?:应该)?是",
    "ja": r"(?:正解|答え|答|回答|解答|選択肢|正答)(?:は|が|として|:)*",
    "ko": r"(?:정답|답변|답|선택|선택지|보기|옵션)(?:은|는|이|가|으로|:)*",
    "es": r"(?:respuesta|opci[oó]n|alternativa|elecci[oó]n|soluci[oó]n|elijo|escojo|selecciono|opto por|ser[ií]a|dir[ií]a(?: que)?|sin (?:ninguna )?duda(?: alguna)?,?|(?:solo|s[oó]lo|[uú]nicamente|solamente)(?: queda)?|queda|digo(?: que)?|marco|marcar[ií]a|me quedo con|voto (?:por|a)|en mi opini[oó]n,?|me inclino por|seg[uú]n yo,?|claramente,?|pienso que|creo que)(?:\s+(?:correct[ao]|final|es|ser[ií]a|la|el|m[aá]s|adecuad[ao]|opci[oó]n|letra|debe ser))*",
    "fr": r"(?:r[eé]ponse|(?:bonne|l['’])\s*option|choix|choisis|solution|opte pour|dirais|sans (?:aucun )?doute,?|[aà] mon avis,?|selon moi,?|pour moi,?|je prends|je vote pour|je coche|ne reste que|reste|seule?|c['’]est(?: bien| donc)?|clairement,?|pense que)(?:\s+(?:correcte?|finale|est|serait|la|le|l'option|l’option|bonne|option|lettre|exacte|doit [eê]tre))*",
    "de": r"(?:antwort|l[oö]sung|wahl|auswahl|w[aä]hle|nehme|richtig|tippe auf|entscheide mich f[uü]r|stimme f[uü]r|bin f[uü]r|(?:meiner )?meinung nach|eindeutig|zweifellos|ohne zweifel|ganz klar|(?:es )?bleib(?:t|e)(?: nur| noch| also| bei)*|nur|übrig bleibt|sicher|bestimmt|definitiv|ich sage)(?:\s+(?:ist|lautet|w[aä]re|die|der|das|richtige|korrekte|option|antwort|buchstabe|hier|daher|also|muss))*",
    "it": r"(?:risposta|opzione|scelta|scelgo|soluzione|direi|senza (?:alcun )?dubbio,?|secondo me,?|voto (?:per)?|prendo|opto per|(?:resta|rimane)(?: solo)?|solo|bensì|chiaramente,?|penso che|credo che)(?:\s+(?:corretta|giusta|finale|[eèé]|sarebbe|la|lettera|opzione|l'opzione))*",
    "pt": r"(?:resposta|op[cç][aã]o|alternativa|escolha|escolho|gabarito|marc(?:o|aria|e)|com certeza,?|sem d[uú]vida,?|fico com|diria|opto por|na minha opini[aã]o,?|s[oó](?: sobra| resta)?|(?:sobra|resta)(?: apenas)?|mas sim|acho que|claramente,?)(?:\s+(?:corret[ao]|cert[ao]|final|[eé]|seria|a|letra|op[cç][aã]o|alternativa))*",
    "nl": r"(?:antwoord|keuze|optie|kies|volgens mij|denk dat|alleen|blijft(?: alleen)?|ga voor|duidelijk)(?:\s+(?:is|zou|zijn|het|de|juiste|optie|voor))*",
    "ru": r"(?:ответ(?:ом)?|вариант|выбираю|выбор|буква|думаю,?|считаю,?|по-моему,?|оста[её]тся(?: только)?|подходит(?: только)?|только|однозначно,?|очевидно,?|конечно,?|несомненно,?|сказал бы,?|выбрал бы)(?:\s+что)?(?:\s+(?:правильный|верный|это|является|будет|вариант|буква))*",
    "pl": r"(?:odpowied[zź]|opcja|wybieram|wyb[oó]r|myślę, że|sądzę, że|moim zdaniem|zdecydowanie|oczywiście|zostaje(?: tylko)?|tylko|stawiam na)(?:\s+(?:to|jest|poprawna|prawid[lł]owa|brzmi|opcja))*",
    "tr": r"(?:cevap|yan[iı]t|se[cç]enek|[sş][iı]k|bence|kesinlikle|sadece|yaln[ıi]zca|değil,?|se[cç]iyorum)(?:\s+(?:do[gğ]ru|olarak))*",
    "vi": r"(?:đáp án|câu trả lời|lựa chọn|chỉ (?:có|còn)|mà là|chọn|phương án)(?:\s+(?:đúng|là|chính xác|phương án|đáp án|của tôi))*",
    "id": r"(?:jawaban(?:nya)?|pilihan(?:nya)?|opsi|memilih|pilih|menurut saya|tentu saja|hanya|melainkan|jelas)(?:\s+(?:yang|benar|tepat|adalah|ialah|opsi|saya))*",
    "ar": r"(?:الإجابة|الاجابة|الجواب|الخيار|الإجابه|أختار|بل|فقط|يبقى)(?:\s+(?:الصحيحة|الصحيح|هي|هو|النهائية|الخيار))*",
    "hi": r"(?:उत्तर|जवाब|विकल्प|केवल|सिर्फ|बल्कि|नहीं,)(?:\s+(?:सही|है|विकल्प))*",
    "th": r"(?:คำตอบ|ตอบ|ตัวเลือก|เลือก|ข้อ|แต่เป็น|เหลือ(?:แค่|เพียง)?)(?:ที่ถูกต้อง|คือ|ข้อ|เป็น|\s)*",
    "nordic": r"(?:svaret|svar|vastaus|alternativet?|v[aä]ljer|velger|v[aæ]lger|(?:tror|tycker|mener|synes)(?: att| at)?|valitsen|mielestäni|det (?:är|er)|bara|endast|kun|utan tvekan|uten tvil|uden tvivl)(?:\s+(?:det|se|[aä]r|er|on|blir|r[aä]tt|oikea|riktige?))*",
    "other": r"(?:απάντηση|odpov[eě][dď]|správn[aá]|v[aá]lasz|r[aă]spunsul|відповідь|תשובה|התשובה|پاسخ|جواب|گزینه|উত্তর|விடை|பதில்|సమాధానం|jibu|sagot|vastus|atbilde|atsakymas|odgovor|отговор|адказ)(?:\s+(?:είναι|σωστή|je|este|corect|це|правильна|היא|הנכונה|נכונה|درست|صحیح|نہیں|হল|হলো|হচ্ছে|সঠিক|es|ni|ang|on|õige|ir|yra|е|točan))*",
}

GUESS_BEFORE = re.compile(
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
GUESS_AFTER = re.compile(
    r"^.{0,3}\b(?:es posible|puede ser|podría|est possible|pourrait|n['’]est pas (?:exclu|impossible)|ist (?:möglich|denkbar|nicht ausgeschlossen|nicht auszuschließen)|wäre (?:möglich|denkbar)|könnte|[eè] possibile|potrebbe|"
    r"[eé] poss[ií]vel|pode|poderia|возможен|возможна|возможно|может|мог|вероят|is mogelijk|kan|zou|jest możliw\w+|może|olabilir|có thể|mungkin|bisa jadi|möjlig\w*|är möjlig\w*|er mulig\w*|on mahdollinen|je možn\w+|lehet|e posibil\w*)\b"
    r"|^.{0,12}(?:हो सकता|হতে পারে|ممکن|قد تكون|ممكن|עשוי|可能|有可能|的可能|也说得通|也行|说不定|没准|不能排除|かも|可能性|とは限|とは言え|とは断定|でしょうか|ではないか|だろうか|ですか|ますか|일 수|일지|을 수도|ㄹ 수도|가능성|것 같기도|인가|일까|입니까|맞나|맞습니까|吗|嗎|吧[?？]|呢[?？])"
    r"|^.{0,6}\b(?:m[iıuü]|m[iıuü]d[iıuü]r|midir)\b",
    FLAGS,
)
QUOTED = re.compile(
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
IMAGINED_BEFORE = re.compile(
    r"(?:^|[,;—–-]\s*|[，、])\W*(?:si(?! vede| tratta| nota| può| osserva| capisce| sente| intuisce)|s['’]ils?|se(?=.*(?:ss[ei]m?|ria|rebbe)\b)|wenn|falls|sofern|angenommen|jeśli|gdyby|jeżeli|eğer|hvis|om|dersom|ha|dacă|αν|εάν|якщо|якби|kdyby|pokud|jos|"
    r"если|jika|kalau|seandainya|andai|nếu|giả sử|indien|als (?:het|de|hij|zij|er|we|dit)|stel|suponiendo|supongamos|à supposer|supposons|supponendo|supondo|caso|en cas|im falle?)\s+(?=\w)"
    r"|\b(?:habr[ií]a sido|hubiera sido|aurait été|(?:wäre|hätte) .{0,12}(?:gewesen|gewählt|gesagt)|sarebbe stat\w|teria sido|seria se|был[аои]? бы|byłoby|byłaby)\b"
    r"|लेकिन अगर|अगर|यदि|যদি|ถ้า|หาก|لو |إذا|اگر|אם |אילו|只有.{1,12}才|如果|假如|假设|若|要是|要不是|除非|万一|倘若|もし|仮に|만약|만일|라면|다면|(?:오|하|이|되|었으|았으|였으|았더라|였더라|이었더라)면\s",
    FLAGS,
)
IMAGINED_AFTER = re.compile(
    r"^[^.!?\n]{0,30}?(?:\b(?:si (?!vede|tratta)|solo se|wenn|falls|s['’]il|se (?:o|a|il|la|lo|non|não)|если|als|hvis|jeśli|eğer|jika|nếu)\b|如果|なら(?!ば?ない)|ならば|だったら|라면|다면)",
    FLAGS,
)
DISBELIEF_BEFORE = re.compile(
    r"\b(?:no (?:creo|pienso|me parece|considero|dir[ií]a)|dudo (?:de )?que|je ne (?:crois|pense|dirais) pas|je doute|ich (?:glaube|denke|meine|finde) nicht|ich bezweifle|non (?:credo|penso|direi)|dubito|n[aã]o (?:acho|creio|acredito|penso|diria)|duvido|"
    r"не (?:думаю|считаю|верю|полагаю)|сомневаюсь|ik (?:denk|geloof) niet|betwijfel|nie (?:sądzę|myślę|uważam|wydaje)|wątpię|jag tror inte|jeg (?:tror|synes) ikke|en usko|nemyslím|nem hiszem|nu cred|δεν (?:νομίζω|πιστεύω)|не думаю|tidak (?:percaya|yakin|setuju)|không (?:nghĩ|tin)|sanmıyorum|düşünmüyorum)\b"
    r"|不(?:认为|認為|觉得|覺得|相信|会选|會選|同意|赞成|应该是|可能是)|لا أعتقد|لا أظن|ไม่(?:คิดว่า|น่า)|فکر نمی|לא (?:חושב|נראה|מאמין)",
    FLAGS,
)
DISBELIEF_AFTER = re.compile(
    r"^[^。.!?\n,、،A-J]{0,14}?(?:とは思い?わ|とは思いません|ではない|じゃない|ではありません|とは考え|라고 생각하지 않|아니|아닙니다|지 않|नहीं|না\b|değil|не подходит|نیست|ليست?|לא\b)"
)
EXAMPLE = re.compile(r"例如|比如|譬如|たとえば|例えば|예를 들")
# Words of Latin script that any pattern above could start with: without one of them none is tried.
WORDS = frozenset(
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
