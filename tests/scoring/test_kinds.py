"""Kinds of answers that real models give: each was read wrongly once, and stands for its brothers."""

from __future__ import annotations

import pytest

from t2vid import extract_choice

LAMPS = ["It glows", "It flickers", "It goes out", "It changes from red to green"]
MOVES = ["swimming", "jumping", "climbing", "rowing"]
ORDER = ["the first image", "the second image"]
FLASKS = ["neither; both are alike", "Flask A", "Flask B"]
ROOTS = [r"$2\sqrt{5}$", "$5$", r"$\frac{3}{4}$", r"$6\sqrt{5}$"]
PICTURES = ["A", "B", "C", "D"]
WEIGHTS = [r"$12 \mathrm{~kg}$", r"$15 \mathrm{~kg}$", r"$21 \mathrm{~kg}$"]
NEARER = ["A is nearer", "B is nearer", "Both are as near"]
POINTS = ["Point A", "Point B", "Point C", "Point D"]
SHELVES = ["the upper shelf", "the lower shelf"]
SHARED = ["a kite", "a drum", "Both A and B", "None of the above"]


MUSED = "The two lines meet, and we know how long each of them is, so we go on. " * 6


@pytest.mark.parametrize(
    ("said", "options", "letter"),
    [
        # options that contain letters
        ("(B) Flask A", FLASKS, "B"),
        ("Flask A holds more than Flask B.", FLASKS, "B"),
        ("The answer is Flask B.", FLASKS, "C"),
        # mathematics, code, and a number on the way to another one
        ("det(A) = -7 and tr(B) = 3, so the product", ["-7", "3", "21", "4"], None),
        ("We get E(X) = 40 and then", ["40", "50"], None),
        ("There are C(n, 2) ways to", ["2", "3"], None),
        ("Since AC = 8, we find", ["8", "9"], None),
        ("def f(a, b):\n    return A + B", ["1", "2"], None),
        ('draw(A--B--C);\nlabel("$D$", D, S);\nlabel("7", (1,2), C);', PICTURES, None),
        (f"{MUSED} Let M halve the chord, so that C is also the centre. {MUSED}", PICTURES, None),
        (f"{MUSED} If he is C, the sum is 7. {MUSED} So the answer is A.", PICTURES, "A"),
        ("We know that |A| = |B| and that E[C] = 4, hence", PICTURES, None),
        ("The sides grow.\n\\[ x = 3 \\]\nHence \\(A = \\frac{3}{4} \\times 8\\)", ROOTS, None),
        ("At full load it is 75 A, not 70", ["80 A, 2 V", "75 B, 3 V"], None),
        ("(i) He runs. (ii) He falls.", [*MOVES, *LAMPS, "sleeping"], None),
        # formulas are compared as formulas, whole
        (r"Thus \(x = \boxed{\dfrac{3}{4}}\).", ROOTS, "C"),
        ("3/4", ROOTS, "C"),
        (r"Thus \boxed{2 \sqrt{5}}", ROOTS, "A"),
        (r"Thus \boxed{7\sqrt{5}}", ROOTS, None),
        (r"Thus \boxed{\frac{5}{3}}", ROOTS, None),
        (r"Thus \boxed{5b - a}", ["5b", "a"], None),
        (r"\boxed{\textbf{(B)}\ 5}", ROOTS, "B"),
        (r"It weighs \boxed{15}.", WEIGHTS, "B"),
        ("21", WEIGHTS, "C"),
        (r"It weighs \boxed{16}.", WEIGHTS, None),
        ("3:2", ["2:3", "3:2"], "B"),
        # a box that holds none of the options outweighs what was said on the way to it
        (r"First he is jumping over 5 bars. In the end there are \boxed{9}.", MOVES, None),
        (r"So the answer is (B). That is \boxed{9} bars.", MOVES, "B"),
        # what is denied, excluded or only compared with
        ("There is no jumping or climbing. He is rowing.", MOVES, "D"),
        ("He stopped swimming.", MOVES, None),
        ("He is rowing, as opposed to swimming.", MOVES, "D"),
        ("Neither A nor B describes it.", MOVES, None),
        # a model that loops, and one whose heading speaks of the question it was asked
        (
            "- **Clip:** it is dark.\n- **Question:** The question asks who moves.\nThe answer is **B. a drum**.",
            SHARED,
            "B",
        ),
        ("画面很暗。\n问题：题目要求选出动作。\n答案是B", MOVES, "B"),
        ("B\n\nQuestion: What is he doing?\nAnswer: C", MOVES, "B"),
        ("The answer is B.\n\nQuestion: And the dog?\nThe answer is D.", MOVES, "B"),
        ("The answer is (B).\n\nThe answer is (D).\n\nThe answer is (A).", MOVES, "B"),
        # between marks, as LEXam asks for it
        ("Option A names only the kite, so it is out.\n\nThe final answer is ###B###", SHARED, "B"),
        ("Antwort: ###D###", MOVES, "D"),
        # the last explicit statement wins, wherever it stands
        (r"\boxed{5} is not on the list. The correct answer is D.", MOVES, "D"),
        (r"The answer is A. Checking again: \boxed{C}", MOVES, "C"),
        ("<answer>A</answer> No: the answer is B.", MOVES, "B"),
        # words of a language that hedges
        ("Possivelmente B.", MOVES, None),
        ("Bilmiyorum: B", MOVES, None),
        ("Nescio, B fortasse", MOVES, None),
        # a word that was cut off, a species, and sets are no letters
        ("B\n\nReason: the crew is climbing, and what they carry is a sign of this c", MOVES, "B"),
        ("C\n\nThe sample most likely shows B. subtilis, which forms spores.", None, "C"),
        ("Thus (A△B)△C has the parts that", None, None),
        # options that differ in their letters alone
        ("Point B is nearer.", NEARER, "B"),
        ("A is nearer to us than B. The spot labelled A shows more.", NEARER, "A"),
        ("B", NEARER, "B"),
        (
            "Point A touches point B.\nTherefore, the spot where the ball first met the wall is (C).",
            POINTS,
            "C",
        ),
        ("What follows is therefore:\n(D) Point D", POINTS, "D"),
        (
            "Box B fits the chair. It leaves nothing out, whereas Box A is too wide.",
            ["Box A", "Box B"],
            "B",
        ),
        ("So the answer is (B) B is nearer.", NEARER, "B"),
        ("A is nearer. It is darker than the plate that point B is on.", NEARER, "A"),
        # an option in contrast with the chosen one is not chosen
        (
            "It is clear that the upper shelf (A) is fuller. The lower shelf, while tidy, is not.",
            SHELVES,
            "A",
        ),
        (
            "The lower shelf (B) holds what was asked for, while the upper shelf is bare.",
            SHELVES,
            "B",
        ),
        ("B, although A is close.", MOVES, "B"),
        ("It is hard to say which of the upper or lower shelf it would be.", SHELVES, None),
        ("I do not feel comfortable talking about the lower shelf.", SHELVES, None),
        # reviews and lists that name all, or that broke off
        ("Let me check each option:\n\nA: he rows over the", PICTURES, None),
        ("A: the boat, of which more is said\n\nB (", PICTURES, None),
        ("The options are: A. a boat, B. a raft, C. a canoe.", None, None),
        (
            "Shown is C. climbing.\n\nWhy not the others:\nA. swimming: dry\nB. jumping: too slow",
            MOVES,
            "C",
        ),
        # presented by its place after a colon, with no word such as answer
        (
            "Of the spots on the far wall, the one that was touched last would be:\n\n(C) Point C",
            POINTS,
            "C",
        ),
        ("The option that best goes on with this pattern is (B) Point B.", POINTS, "B"),
        ("Here spot A appears to be nearer to us.", NEARER, "A"),
        ("Here point A appears to be nearer to us.", NEARER, "A"),
        ("The answer is ###C###", MOVES, "C"),
        ("A. jumps, as B. rows. D. is not asked.\n\n###B###\n", MOVES, "B"),
        ("{'answer': '2) jumping'}", MOVES, "B"),
        # no answer: the list that follows one, and what a cut left over
        (
            "Spot B is near. Point B goes with D.\n\nSo the answer is:\n(A) Point A\n(B) Point B",
            POINTS,
            None,
        ),
        (
            "Option A is wrong because he is dry. Option B says that he jumps. Option C...",
            MOVES,
            None,
        ),
        (
            "Swimming is not seen. Climbing (C) applies to steep walls. The last one (D) is the mo...",
            MOVES,
            None,
        ),
        (
            "It is not possible to confidently select either the upper or lower shelf.",
            SHELVES,
            None,
        ),
        ("A is wet.\nB is dry, C too.\n\nBut I must answer.\n\n###B###", MOVES, "B"),
        ("The correct order of actions performed by the man is B. He first jumps.", MOVES, "B"),
        # nothing is chosen
        ("It is not possible to confidently select either the first or second image.", ORDER, None),
        ("We are unable to make an informed decision on the first or second image.", ORDER, None),
        ("The second image is a possible match.", ORDER, None),
        ("C is likely right. Therefore I would choose either A or C.", MOVES, None),
        # the first sentence asserts an option, evidence follows
        (f"The crew is rowing. This is clear since {MUSED}", MOVES, "D"),
        (f"The question is about rowing. This is hard to say, since {MUSED}", MOVES, None),
        ("A. swimming\n\nHe is in the water. This rules out options B, C, and D.", MOVES, "A"),
        (
            "The best option is A. The others do not hold, so the other options are not correct.",
            MOVES,
            "A",
        ),
        ("The rate of what he does is C. climbing.", MOVES, "C"),
        # verdicts alone, places, and what is left
        ("A: ✗, B: ✗, C: ✓, D: ✗", MOVES, "C"),
        ("(A) wrong (B) wrong (C) right (D) wrong", MOVES, "C"),
        ("A. ❌\nB. ✅\nC. ❌", MOVES, "B"),
        ("A: yes, B: yes, C: no", MOVES, None),
        ("A. Yes\nB. No", ["Yes", "No"], None),
        ("The third one.", MOVES, "C"),
        ("I'd pick the last.", MOVES, "D"),
        ("The correct option is number 3.", MOVES, "C"),
        ("La respuesta correcta es la opción 3.", MOVES, "C"),
        ("A opção 3 está correta.", MOVES, "C"),
        ("选项3", MOVES, "C"),
        ("선택지 3", MOVES, "C"),
        ("Вариант 3", MOVES, "C"),
        ("There are 3 of them, option 12 is far.", MOVES, None),
        ("The second boat is like the first one.", MOVES, None),
        ("Not both, just A.", MOVES, "A"),
        ("B alone.", MOVES, "B"),
        ("Ответ: С", MOVES, "C"),
        # what is asked for may be what is wrong
        ("Therefore, the incorrect statement is C.", MOVES, None),
        # a verb is no retraction; a letter with a bracket heads an answer
        ("The answer is A. He has to wait for the boat.", MOVES, "A"),
        ("B) 12 rowers", None, "B"),
        ("### ANSWER\nI", list("ABCDEFGHIJ"), "I"),
        # options that stand for others
        ("Both A and B", SHARED, "C"),
        ("The answer is both A and B.", SHARED, "C"),
        ("None of the above.", SHARED, "D"),
        ("Neither the kite nor the drum.", SHARED, "D"),
        ("Both a kite and a drum are shown in the video.", SHARED, "C"),
        ("Neither happens.", ["He falls", "He sings", "Neither of them"], "C"),
        ("It would be wrong to say yes.", ["Yes", "No"], None),
        # places, tables and verdicts one by one
        ("Option 2", MOVES, "B"),
        ("The third option is right.", MOVES, "C"),
        ("| A | ✗ |\n| B | ✓ |\n| C | ✗ |", MOVES, "B"),
        ("A: incorrect\nB: incorrect\nC: correct\nD: incorrect", MOVES, "C"),
        ("- [ ] A. swimming\n- [x] B. jumping\n- [ ] C. climbing", MOVES, "B"),
        ("(A) swimming\n(B) jumping\n(C) climbing\n(D) rowing", MOVES, None),
        ("A: ✗, B: ✓, C: ✗, D: ✗", MOVES, "B"),
        ("| Option | Holds |\n|---|---|\n| A | no |\n| B | yes |\n| C | no |", MOVES, "B"),
        ("A? No. B? No. D? Yes.", MOVES, "D"),
        ("a, c\n\nただし、確かではありません。", MOVES, None),
        # a review that calls several right, one by one, decides nothing; what is stated after it does
        ("Option A is correct. Option B is also correct. Option C is incorrect.", MOVES, None),
        ("选项A是正确的。选项B也是正确的。选项C也是正确的。选项D是错误的。", MOVES, None),
        ("选项A是正确的，选项B也是正确的，选项C是错误的。\n【答案】C <eoa>", MOVES, "C"),
        ("【解析】他在跳。<eoe>\n【答案】: B <eoa>", MOVES, "B"),
        ("【解析】他在跳，所以B正确。<eoe>\n【答案】 BC <eoa>", MOVES, None),
        ("B, C", MOVES, None),
        ("A, b and c", MOVES, None),
        # a letter that no option has, beside a character that is no word
        ("E§", MOVES, None),
        ("F\x1b", None, None),
        # a word of letters is no list of them
        ("bad", ["red", "blue", "A, B and D", "green"], None),
        # what is stated holds against what sums up
        ("Neither. The correct option is (A) a kite.", SHARED, "A"),
        ("D. The answer is C or D.", MOVES, None),
        # two answers, and no reason for the second
        ("He leaps. The answer is (B).\n\nFinal answer: The answer is (D).", MOVES, None),
        ("The answer is (B). Wait, he holds an oar. The answer is (D).", MOVES, "D"),
        ("The answer is A. He sleeps\nThe answer is B. jumping", MOVES, "B"),
        # an answer that says of a longer list that none fits
        ("It shows jumping at first. So the answer is (None of the above).", MOVES, None),
        ("The subject of the second sentence is it. He jumps.", None, None),
        ("jumping were the men in red", MOVES, "B"),
        ("B\n</image1>", MOVES, "B"),
        # broken off
        ("The best option is (", MOVES, None),
        ("Let me go through them. First, swimming means that he", MOVES, None),
    ],
)
def test_kinds(said: str, options: list[str] | None, letter: str | None):
    assert extract_choice(said, options, "What is he doing?").letter == letter


def test_options_may_come_as_one_lettered_text():
    assert extract_choice("It flickers.", "A. It glows\nB. It flickers").letter == "B"


@pytest.mark.parametrize(
    ("said", "decided"),
    [
        ("So the answer is **B**.", "B"),
        ("ASSISTANT: <think>A?</think> It is jumping.", "jumping"),
        ("(B) jumping", "B"),
        ("答案是Ｂ。", "Ｂ"),
        (r"Hence \boxed{\text{B}}.", "B"),
        ("\u200bAnswer:\u200b B", "B"),
    ],
)
def test_the_span_holds_the_characters_that_decided(said: str, decided: str):
    found = extract_choice(said, MOVES)
    assert found.letter == "B" and found.span is not None
    assert said[slice(*found.span)].strip() == decided


def test_time_is_linear_in_the_length_of_an_answer(count_calls):
    looked_at = [
        count_calls("The point A lies on BC, and F = ma. " * n) for n in (50, 100, 200, 400)
    ]
    assert looked_at[3] <= 2.5 * looked_at[2] <= 6.5 * looked_at[1]


@pytest.fixture
def count_calls():
    """Count the function calls that reading an answer takes, which no load changes."""
    import sys

    def counted(text: str) -> int:
        calls = 0

        def trace(frame, event, arg):
            nonlocal calls
            calls += event == "call"

        extract_choice("warm up: the answer is B.", MOVES)
        sys.setprofile(trace)
        try:
            extract_choice(text, MOVES)
        finally:
            sys.setprofile(None)
        return calls

    return counted


def test_what_is_wrong_is_right_where_the_question_asks_for_it():
    said = "A holds, B holds, and D is on the list. Therefore, the incorrect statement is C."
    assert extract_choice(said, MOVES, "Which of these is NOT seen?").letter == "C"
    assert extract_choice(said, MOVES, "Which of these is seen?").letter != "C"
    assert extract_choice("A: yes, B: no, C: yes", MOVES, "Which is NOT shown?").letter is None
