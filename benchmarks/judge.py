"""Compare the extraction rules with re-stated rules of five published scorers.

python benchmarks/judge.py --rounds 3

Every answer is made here: 12 questions times the phrasings below, of which the rules have seen
none of the group "fresh" before its first measurement (see RESULTS.md). An answer labelled None
names no single option; a letter for it is false-certain. The peers are re-stated from their
described behaviour, on the same rows in the same run; CPU time is the median of interleaved rounds.
Where `../shared/data/judging` exists its labelled answers are a second table.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from t2vid.scoring.extract import extract_choice

QUESTIONS = [
    ("What does the woman do first?", ["opens a window", "lights a candle", "waters a plant"]),
    ("In which direction does the tram move?", ["To the left", "To the right", "It stands still"]),
    ("How many boats are in the harbour at the end?", ["4", "7", "2", "9"]),
    ("Is there a dog in the yard?", ["yes", "no", "not sure"]),
    ("How fast does the film run?", ["normal speed", "slow motion", "time-lapse"]),
    ("What colour is the last kite?", ["red", "dark red", "green", "pale green", "white"]),
    (
        "Why does the cook leave the kitchen?",
        [
            "He burned his hand.",
            "She forgot the salt.",
            "A guest called him.",
            "The oven caught fire.",
            "It is not shown.",
        ],
    ),
    (
        "What happens after the bell rings?",
        [
            "The children run outside.",
            "The teacher closes the book.",
            "A boy drops his cup.",
            "The lights go out.",
        ],
    ),
    (
        "Which tool is used?",
        ["A hammer.", "A saw.", "A drill.", "A file.", "A wrench.", "A plane."],
    ),
    ("How does the flower change?", ["it opens", "it wilts", "it changes colour", "it falls"]),
    (
        "Which city is named on the sign?",
        ["Oslo", "Porto", "Lima", "Cairo", "Hanoi", "Quito", "Dakar", "Osaka", "Riga", "Perth"],
    ),
    ("Who enters last?", ["the man in the hat", "the girl with the drum", "a cat", "nobody"]),
]

# {L} the right letter, {T} its text; {W} and {V} another letter and its text; {ALL} the list.
GIVEN: dict[str, list[str]] = {
    "letter": ["{L}", "({L})", "{L}.", "**{L}**", "[{L}]", "{l})", "\\boxed{{{L}}}", "{L}</s>"],
    "letter and text": ["{L}. {T}", "({L}) {T}", "{L}: {T}", "Option {L}", "{T} ({L})"],
    "phrase": ["The answer is {L}.", "Answer: {L}", "I'd pick {L}.", "{L} is correct."],
    "reasoning": [
        "<think>{W}? No.</think>{L}",
        "{ALL}\n\nCorrect answer: {L}",
        "It isn't {W}, it is {L}.",
        "The answer is {W}. Sorry, I mean {L}.",
        "{L}\n\nQuestion: Next?\nAnswer: {W}",
    ],
    "text": ["{T}", "{t}", "The answer is {t}.", "As far as I can see: {t}"],
    "languages": ["答案是{L}", "La respuesta es {L}", "Die Antwort ist {L}.", "正解は{L}です"],
    "fresh": [
        "After weighing every clue, my verdict lands on {L}.",
        "{L} would be my pick here.",
        "Lock in {L} for me.",
        "Ticking box {L}.",
        "Put me down for {L}, please.",
        "Everything points to {L}.",
        "It boils down to {L}.",
        "The clip leaves little room for doubt: {L}",
        "All evidence favours {L}.",
        "You want {L} here.",
        "Let's go with {L}, as the ending shows.",
        "This one is {L}, hands down.",
        "Clear case of {L}.",
        "I'm going to have to say {L}.",
        "If I had to bet, I would bet on {L}.",
        "Having watched it twice, I settle on ({L}).",
        "The only choice consistent with the frames is {L}.",
        "Of the given options, {L} is the closest.",
        "Response: {L}",
        "Result = {L}",
        "My response to this question: **{L}**",
        "> **{L}) {T}**",
        "1. Watch the start.\n2. Watch the end.\n3. Conclude.\n\n{L}",
        "- {W}: ruled out\n- {L}: confirmed",
        "{W} ✗\n{L} ✓",
        "{W}? Unlikely. {L}? Yes.",
        "Many would say {W}, but the truth is {L}.",
        "I nearly chose {W}; the right one is {L}.",
        "Ruling out {W}, I am left with {L}.",
        "{L} (I considered {W} too, but it never happens)",
        "Answer: {L}. Had it been otherwise, {W} would fit.",
        "{L}, though {W} was close.",
        "Don't choose {W}. Choose {L}.",
        "{W} describes the opposite, whereas {L} describes what happens.",
        "Final answer → {L} ({t})",
        '{{"id": 7, "final": "{L}"}}',
        '{{"thought": "{W} fails", "answer": {{"option": "{L}", "text": "{t}"}}}}',
        "```\nanswer: {L}\n```",
        "<output>{L}</output>",
        "<answer>The correct option is {L}</answer>",
        "$\\text{{Answer: }} \\boxed{{\\textbf{{{L}}}}}$",
        "Alright.\n</think>\n\nThe best option is **{L}**.",
        "{Q}\n{ALL}\nAnswer with the option's letter from the given choices directly.\n{L}",
        "Your options were {ALL}\nMine is {L}.",
        "a man enters; the answer is {l}.",
        "Ich denke, {L} ist richtig.",
        "Creo que la opción correcta es la {L}.",
        "Je pense que c'est {L}.",
        "Secondo me la risposta giusta è {L}.",
        "Acho que a resposta certa é {L}.",
        "Думаю, правильный ответ {L}.",
        "我认为正确答案应该是{L}。",
        "综上所述，选择{L}。",
        "したがって、答えは{L}になります。",
        "따라서 정답은 {L}입니다.",
        "Vậy đáp án đúng là {L}.",
        "Dus het juiste antwoord is {L}.",
        "Ｆｉｎａｌ ａｎｓｗｅｒ： {L}",
        'It is clearly "{t}".',
        "My answer: {t}",
        "Watching closely one sees this: {t}",
    ],
    "fresh, second": [
        "Option {L} stands out as the most accurate.",
        "My money is on {L}.",
        "Based on the visual evidence, I would select option {L}.",
        "From what is visible, the correct response is ({L}).",
        "{L} — {t}",
        "I am confident that {L} is the right choice.",
        "The most plausible option is {L}.",
        "Given the sequence of events, option {L} is the best fit.",
        "The question asks about the ending. The ending shows it plainly. Answer is {L}",
        "Correct: {L}",
        "Therefore, the final answer is \\boxed{{{L}}}.",
        "Step 1: look. Step 2: compare.\n\nConclusion: {L}",
        "Looking at {W}, it does not match. Looking at {L}, it matches.",
        "{W} is close, but {L} is better.",
        "Rather than {W}, I would go with {L}.",
        "At first I picked {W}, then I noticed the detail and changed to {L}.",
        "The answer is {L}; {W} is a distractor.",
        "The answer is {L} and definitely not {W}.",
        "Although option {W} sounds right, option {L} is correct.",
        "I can exclude {W}. The answer must be {L}.",
        "The answer isn't {W}; it's {L}.",
        "Sure! The answer is {L}.",
        "Great question! I believe it's {L}.",
        "Okay, so the correct option here is {L}: {T}",
        "Hmm, {L}.",
        "That would be {L}.",
        "I'd answer: {L}",
        "Should be {L}.",
        "{L} (high confidence)",
        "{L}, I guess.",
        "{L}\n{T}",
        "({L})\n\nBecause the clip shows it.",
        "Answer ({L})",
        "[Answer] {L}",
        "# Answer: {L}",
        "<answer>({L}) {T}</answer>",
        "<think>First {W}. Wait, {V}.</think>\n<answer>{L}</answer>",
        '{{"prediction": "({L})", "score": 0.7}}',
        '[{{"answer": "{L}"}}]',
        "Option {l}",
        "the answer is {l}",
        "The video clearly shows this: {t}.",
        "I would say {t}.",
        "It must be {t}",
        "Most likely {t}.",
        "{T} is the correct answer.",
        "选项{L}是最合适的。",
        "这道题选{L}。",
        "答案应为{L}",
        "答え：{L}",
        "{L}가 정답입니다.",
        "Opción correcta: {L}",
        "C'est la réponse {L}.",
        "Antwort {L} ist korrekt.",
        "L'opzione corretta è {L}.",
        "A letra {L} é a correta.",
        "Верный ответ: {L}",
        "Doğru seçenek {L}",
        "الجواب الصحيح هو {L}",
        "सही विकल्प {L} है।",
    ],
    "held out": [
        "The correct answer here would have to be {L}.",
        "I'd lean towards {L}.",
        "Pretty clearly {L}.",
        "The footage supports option {L}.",
        "Option {L} is the most consistent with what is shown.",
        "The answer choice is {L}.",
        "Given all this, {L} it is.",
        "My answer remains {L}.",
        "So the right letter is {L}.",
        "The video depicts {t}.",
        "The scene shows {t}, so the answer is {L}.",
        "In the clip we can see that {t}.",
        "I'm choosing ({L}) {T}",
        "{L}. This is because the motion is visible throughout.",
        "{L}: the frames show it clearly.",
        "Selected answer: **{L}**",
        "Choice: {L}.",
        "*{L}*",
        "__{L}__",
        '"{L}. {T}"',
        "{L} is what the video shows.",
        "{L} appears to be the correct choice.",
        "We can rule out {W}, which leaves {L}.",
        "{W} does not occur. {L} does.",
        "It's not {W} because that never happens; it's {L}.",
        "Between {W} and {L}, {L} makes more sense.",
        "The best match is {L}, while {W} is only partially right.",
        "I initially considered {W}. However, the correct answer is {L}.",
        "<think>\nLet me see. {W}? {V}? Hmm.\n</think>\n\n**{L}**",
        "Explanation: the scene shows it.\nAnswer: {L}",
        "{L}<|im_end|>\n<|im_start|>user\nWhy not {W}?",
        '{{"explanation": "It is not {W}.", "answer": "{L}"}}',
        "答案选{L}",
        "正确的是{L}",
        "La réponse exacte est {L}",
        "Die korrekte Option ist {L}",
        "La opción {L} es la correcta",
        "A opção correta é {L}",
        "Ответ — {L}",
        "답은 {L}입니다",
    ],
}
WITHHELD: dict[str, list[str]] = {
    "none": [
        "",
        "The answer is",
        "A tram arrives.",
        "It is not {L}.",
        "{L} or {W}",
        "Answer: {L}, {W}",
        "Vitamin C",
        "{ALL}",
        "I cannot see the video.",
        "<think>{L} maybe",
    ],
    "none, fresh": [
        "Hard to choose between {L} and {W}.",
        "I lean neither to {L} nor to {W}.",
        "{L} and {W} look equally good.",
        "{L}/{W}, cannot decide",
        "Not {L}, that much is sure.",
        "Whatever it is, it is not {L}.",
        "Everything but {L}.",
        "{L} never happens.",
        "{L} contradicts the first frame.",
        "I would strike out {L}.",
        "Had the light been on, it would be {L}.",
        "If the first half counts, {L}; if the second, {W}.",
        "Should the clip be reversed, then {L}.",
        "Possibly {L}, possibly {W}.",
        "Could well be {L}, who knows.",
        "A child waves at the camera.",
        "Dancers bow before a crowd.",
        "An engine starts. Doors close.",
        "Every scene shows rain.",
        "The band plays in E minor.",
        "He boards at Gate D.",
        "She parks on Level B.",
        "An A-list actor arrives.",
        "The DJ scratches a CD.",
        "I was unable to load the frames.",
        "The provided frames do not contain the needed information.",
        "As a language model I have no access to videos.",
        "My answer is:",
        "The best choice here is (",
        "<answer></answer>",
        '{{"answer": null}}',
        "<think>The man moves left, so {L} looks right, but",
        "Please pick one of {ALL}",
        "选A还是选B，无法判断。",
        "La respuesta podría ser {L} o {W}.",
        "Weder {L} noch {W}.",
        "Ни {L}, ни {W}.",
        "{L}ではないと思います。",
    ],
    "none, second": [
        "I'd hesitate between {L} and {W}.",
        "{L} seems wrong to me.",
        "{L} does not fit.",
        "I do not agree with {L}.",
        "Nothing suggests {L}.",
        "There is no evidence for {L}.",
        "{L} cannot be right.",
        "Options {L} and {W} both apply.",
        "Possible answers: {L}, {W}.",
        "In case the man returns, {L}.",
        "Maybe it's {L}, maybe not.",
        "It may be {L}.",
        "The answer depends on the angle: {L} or {W}.",
        "It is neither {L} nor {W}.",
        "More than one option is correct.",
        "No option is correct.",
        "Could you provide the video?",
        "I need more context to answer.",
        "A cat.",
        "Birds fly over a bridge.",
        "An old man reads a book at a desk.",
        "Class B license",
        "Dolby B tape",
        "He scored a C on the exam.",
        "Section D of the stadium is empty.",
        "Bus C leaves.",
        "Wi-Fi channel D",
        "Type A personality",
        "The note is a C sharp.",
        "Video starts. Audio ends.",
        "Answer: none",
        "Answer: unclear",
        "Final answer:",
        "The correct option is (",
        "<answer>unknown</answer>",
        "\\boxed{{}}",
        '{{"answer": "N/A"}}',
        "<thinking>{L} fits best",
        "既不是{L}也不是{W}。",
        "Ni {L} ni {W}.",
        "Es könnte {L} oder {W} sein.",
        "Probablemente {L} o {W}.",
    ],
    "none, held out": [
        "I'm not certain; {L} and {W} are both candidates.",
        "{L} is ruled out.",
        "I wouldn't choose {L}.",
        "The answer cannot be {L}.",
        "It might be either {L} or {W}.",
        "There's a chance it's {L}.",
        "Unless I missed something, neither {L} nor {W} applies.",
        "We see a person and an object.",
        "A group of people stands outside.",
        "Due to low quality, I can't determine the answer.",
        "The video ends before this can be seen.",
        "Sorry, but I can't assist with that.",
        "If the camera pans left, {L}.",
        "{L}, {W}, or something else",
        "Both {L} and {W} happen.",
        "Could it be {L}?",
        "The player wears jersey C.",
        "Grade B film",
        "He takes bus line D.",
        "I",
        "Answer: X",
        "The best option is",
        "{L}. {T}\n{W}. {V}",
        "不能确定是{L}还是{W}",
        "Ce n'est pas {L}.",
    ],
}


class Row(NamedTuple):
    """One labelled answer."""

    group: str
    prediction: str
    options: dict[str, str]
    question: str
    accept: tuple[str | None, ...]


def class_forms() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Phrasings by which the rules for whole classes of answers were developed: guesses, quotations, questions."""
    forms: dict[str, list[str]] = {"given": [], "withheld": []}
    for line in Path(__file__).with_name("judge_classes.tsv").read_text("utf-8").splitlines():
        kind, form = line.split("\t")
        forms[kind].append(json.loads(form))
    return {"classes": forms["given"]}, {"none, classes": forms["withheld"]}


def make_rows(
    given_forms: dict[str, list[str]] | None = None, withheld: dict[str, list[str]] | None = None
) -> list[Row]:
    rows = []
    for n, (question, texts) in enumerate(QUESTIONS):
        options = dict(zip("ABCDEFGHIJ", texts, strict=False))
        letters = list(options)
        for table, given in ((given_forms or GIVEN, True), (withheld or WITHHELD, False)):
            for group, forms in table.items():
                for k, form in enumerate(forms):
                    right = letters[(n + k) % len(letters)]
                    wrong = letters[(n + k + 1) % len(letters)]
                    text = form.format(
                        L=right,
                        l=right.lower(),
                        T=options[right],
                        t=options[right].rstrip("."),
                        W=wrong,
                        V=options[wrong],
                        Q=question,
                        ALL="\n".join(f"{a}. {t}" for a, t in options.items()),
                    )
                    rows.append(Row(group, text, options, question, (right if given else None,)))
    return rows


def shared_rows() -> list[Row]:
    path = Path(__file__).parents[2] / "shared" / "data" / "judging" / "mcq_public.jsonl"
    if not path.exists():
        return []
    rows = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        accept = tuple(None if a == "NONE" else a for a in row["accept"])
        where = row["prediction"], row["options"], row["question"]
        rows.append(Row("none" if row["label"] == "NONE" else row["group"], *where, accept))
    return rows


# ------------------------------------------------------------------- the peers, re-stated


def ours(prediction: str, options: dict[str, str], question: str) -> str | None:
    return extract_choice(prediction, options, question).letter


def paper(prediction: str, options: dict[str, str], question: str) -> str | None:
    return extract_choice(prediction, options, question, scheme="paper").letter


def video_mme(prediction: str, options: dict[str, str], question: str) -> str | None:
    """Take known prefixes out, then the first capital A to D anywhere."""
    text = prediction.strip()
    for prefix in (
        "The best answer is",
        "The correct answer is",
        "The answer is",
        "The answer",
        "The best option isThe correct option is",
        "Best answer:Best option:",
    ):
        text = text.replace(prefix, "")
    found = re.search("[ABCD]", text)
    return found[0] if found else None


def vlmevalkit(prediction: str, options: dict[str, str], question: str) -> str | None:
    """Take the only option letter among the words, unless an A might be an article; else a text."""
    words = re.sub(r"[.()\[\],:;!*#{}]", " ", prediction).split()
    letters = [letter for letter in options if letter in words]
    if len(letters) == 1:
        return None if "A" in words and len(words) > 3 else letters[0]
    if letters:
        return None
    said = prediction.lower()
    if len(said) > 2 * sum(map(len, options.values())):
        return None
    texts = [letter for letter, text in options.items() if text.lower() in said]
    return texts[0] if len(texts) == 1 else None


def lmms_eval(prediction: str, options: dict[str, str], question: str) -> str | None:
    """Read the last answer tag or box; there the last declaration; else the only labelled letter."""
    text = prediction.strip()
    scopes = re.findall(r"(?s)<answer[^<>]*>(.*?)(?:</answer>|$)|\\boxed\{([^{}]*)\}", text)
    if scopes:
        text = (scopes[-1][0] or scopes[-1][1]).strip()
    letters = "".join(options)
    shape = (
        rf"[\s:：=\"'*(\[{{$]*(?:option\s+)?[(\[*]*([{letters}{letters.lower()}])(?![A-Za-z0-9])"
    )
    declared = re.findall(
        r"(?i)(?:(?:answer|option|choice)\s*(?:is\b|[:：=])|\bi\s+(?:choose|select|pick)\b"
        rf"|答案是|选|정답은|答えは){shape}",
        text,
    )
    if declared:
        return str(declared[-1]).upper()
    labels = {
        a or b for a, b in re.findall(rf"\(([{letters}])\)|(?<!\w)([{letters}])[.):](?=\s|$)", text)
    }
    labels |= set(re.findall(rf"(?m)^[\s*\"'(\[]*([{letters}])[\s.*\"')\]]*$", text))
    return labels.pop() if len(labels) == 1 else None


def tempcompass(prediction: str, options: dict[str, str], question: str) -> str | None:
    """Take an exact option, a bare letter, or a letter with a dot or bracket at the start."""
    text = prediction.strip()
    for letter, option in options.items():
        if text in (letter, option, f"{letter}. {option}", f"{letter}) {option}"):
            return letter
        if text.startswith((f"{letter}.", f"{letter})")):
            return letter
    return None


EXTRACTORS: dict[str, Callable[[str, dict[str, str], str], str | None]] = {
    "t2vid": ours,
    "T2Vid script": paper,
    "Video-MME official": video_mme,
    "VLMEvalKit can_infer": vlmevalkit,
    "lmms-eval": lmms_eval,
    "TempCompass": tempcompass,
}


def table(rows: list[Row], rounds: int, show: int) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in EXTRACTORS}
    answers: dict[str, list[str | None]] = {}
    for _ in range(rounds):
        for name, extract in EXTRACTORS.items():
            start = time.process_time()
            answers[name] = [extract(r.prediction, r.options, r.question) for r in rows]
            seconds[name].append(time.process_time() - start)
    groups = list(dict.fromkeys(r.group for r in rows))
    print(
        f"{len(rows):,} answers, of them {sum(None in r.accept for r in rows):,} without a letter\n"
    )
    print("| extractor | accuracy | FC | FC on none | needless deferral | answers/CPU-s |")
    print("|---|---|---|---|---|---|")
    for name, out in answers.items():
        ok = [a in r.accept for a, r in zip(out, rows, strict=True)]
        wrong = [not right and a is not None for right, a in zip(ok, out, strict=True)]
        none = [None in r.accept for r in rows]
        rate = len(rows) / median(seconds[name])
        on_none = share(wrong, none)
        deferred = [not right and a is None for right, a in zip(ok, out, strict=True)]
        defer = share(deferred, [not n for n in none])
        print(
            f"| {name} | {100 * sum(ok) / len(ok):.1f} | {100 * sum(wrong) / len(wrong):.1f} | "
            f"{on_none:.1f} | {defer:.1f} | {rate:,.0f} |"
        )
    print("\naccuracy by group\n\n| extractor | " + " | ".join(groups) + " |")
    print("|---" * (len(groups) + 1) + "|")
    for name, out in answers.items():
        ok = [a in r.accept for a, r in zip(out, rows, strict=True)]
        parts = [f"{share(ok, [r.group == g for r in rows]):.1f}" for g in groups]
        print(f"| {name} | " + " | ".join(parts) + " |")
    for row, letter in zip(rows, answers["t2vid"], strict=True):
        if letter not in row.accept and show:
            show -= 1
            print(repr(row.prediction), list(row.options.values()), "->", letter, "not", row.accept)


def share(hits: list[bool], among: list[bool]) -> float:
    counted = [hit for hit, there in zip(hits, among, strict=True) if there]
    return 100 * sum(counted) / max(1, len(counted))


def bare_letters(n: int = 200_000) -> None:
    options = ["a red fox", "a grey heron", "a brown bear", "a white goose"]
    said = [*"ABCD"] * (n // 4)
    for _ in range(2):  # the first round warms up
        start = time.process_time()
        for letter in said:
            extract_choice(letter, options)
        seconds = time.process_time() - start
    print(f"\nbare letters: {n / seconds:,.0f} answers a CPU second")


def metric_memory(config: str, n: int = 1_000_000, batch: int = 50_000) -> None:
    """Score n bare letters and print what that took above a first small score; run in its own process."""
    import resource

    import evaluate

    import t2vid  # noqa: F401  (registers the metric)

    def rows(start: int, size: int) -> dict[str, list]:
        columns: dict[str, list] = {
            "predictions": [*"ABCD"] * (size // 4),
            "references": [*"ABDC"] * (size // 4),
        }
        if config == "full":
            places = range(start, start + size)
            columns |= {
                "options": [["a red fox", "a grey heron", "a brown bear", "a white goose"]] * size,
                "question": ["Which animal?"] * size,
                "category": ["order", "colour"] * (size // 2),
                "duration": ["short", "long"] * (size // 2),
                "id": [str(i) for i in places],
                "video": [f"video {i // 3}" for i in places],
            }
        return columns

    def peak_mb() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3

    metric = evaluate.load("t2vid/video_mcq", config)
    metric.add_batch(**rows(0, batch))
    metric.compute()
    before, start = peak_mb(), time.process_time()
    for at in range(0, n, batch):
        metric.add_batch(**rows(at, batch))
    added = time.process_time()
    scores = metric.compute()
    print(
        f"| {config} | {scores['n']:,} | {added - start:.1f} | {time.process_time() - added:.1f} | "
        f"{before:.0f} | {peak_mb() - before:.0f} |"
    )


def memory_table() -> None:
    print("\nthe metric over bare letters, videos of three questions each\n")
    print(
        "| config | rows | adding, CPU s | scoring, CPU s | MB before | MB more |\n|" + "---|" * 6
    )
    for config in ("default", "full"):  # a process each: the peak of a process never falls
        subprocess.run([sys.executable, __file__, "--memory-of", config], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--show", type=int, default=0, help="print so many of t2vid's mistakes")
    parser.add_argument("--memory-of", choices=["default", "full"], help="only this table's row")
    args = parser.parse_args()
    if args.memory_of:
        metric_memory(args.memory_of)
        return
    print("answers made here")
    table(make_rows(), args.rounds, args.show)
    print("\nclasses of answers, seen in development")
    table(make_rows(*class_forms()), args.rounds, args.show)
    if shared := shared_rows():
        print("\nlabelled answers of ../shared/data/judging")
        table(shared, args.rounds, args.show)
    bare_letters()
    sys.stdout.flush()
    memory_table()


if __name__ == "__main__":
    main()
