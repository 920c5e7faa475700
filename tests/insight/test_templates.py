"""Numbers, quotes and names make no other template, in any script; other words do."""

from __future__ import annotations

import pytest

from t2vid.insight.templates import repeated, template_of

# one template a line, in six scripts, with running numbers as each script writes them
RUNNING = {
    "latin": ("Describe clip {} in detail.", "0123456789"),
    "cyrillic": ("Опишите фрагмент {} подробно.", "0123456789"),
    "arabic": ("صف المقطع {} بالتفصيل.", "٠١٢٣٤٥٦٧٨٩"),
    "devanagari": ("क्लिप {} का वर्णन करें।", "०१२३४५६७८९"),
    "thai": ("อธิบายคลิปที่{}โดยละเอียด", "๐๑๒๓๔๕๖๗๘๙"),
    "chinese": ("请描述第{}个视频的内容。", "〇一二三四五六七八九"),
}


def running(name: str, n: int) -> str:
    text, digits = RUNNING[name]
    return text.format("".join(digits[int(digit)] for digit in str(n)))


def test_six_scripts_with_a_running_number_are_six_templates():
    rows = [running(name, n) for n in range(1, 21) for name in RUNNING]
    assert len(rows) == 120
    assert [n for _, n in repeated(rows)] == [20] * 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What happens at 0:12?", "What happens at 10:30?"),
        ("Describe clip_07.mp4.", "Describe clip_1234.mp4."),
        ("What is 1,234.5 m away?", "What is 7 m away?"),
        ("片段３：描述视频。", "片段１２：描述视频。"),
        ('What does "stop" mean?', 'What does "go on" mean?'),
        ("Why is it called “the bridge”?", "Why is it called «the tower»?"),
        ("他为什么说「你好」？", "他为什么说『再见』？"),
        ("What does Anna do?", "What does Peter do?"),
        ("Where does Ian McKellen stand?", "Where does Ada stand?"),
        ("Что делает Анна?", "Что делает Пётр?"),
        ("DESCRIBE it.", "Describe  it."),
    ],
)
def test_what_differs_in_a_number_a_quote_or_a_name_is_one_template(one, other):
    assert template_of(one) == template_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is red?", "What is blue?"),
        ("Describe the video.", "Describe the sound."),
        ("Beschreibe das Video.", "Beschreibe das Bild."),  # German writes nouns with a capital
        ("Why don't they run?", "Why don't they sing?"),
        ("描述视频。", "描述声音。"),
        ("12", "Why?"),
        ("!", "?"),
    ],
)
def test_other_words_are_other_templates(one, other):
    assert template_of(one) != template_of(other)


def test_only_what_repeats_is_counted():
    assert repeated(["a b", "c d"]) == []
