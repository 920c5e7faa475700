"""A second set of answers nobody tuned `extract_choice` to: natural and adversarial replies, labelled.

    python benchmarks/heldout_second.py                # the tables
    python benchmarks/heldout_second.py --failures     # and every failing template with an example

The replies stand in heldout_second.txt. How they came about: written in one sitting by an author who had
seen neither the rules, nor their tests, nor the earlier sets, and committed before the first run. A row is
a template filled in for one of sixteen questions; its label is the letter careful people would read out of
the reply, or None where the reply settles on no option. Phrasings on which they could differ ("I'd guess
C") were left out. `natural` draws rows by how often a group occurs in model output (an estimate),
`adversarial` crosses every tricky template with several questions. Intervals resample templates, since the
rows of one template stand and fall together.
"""

import argparse
import random
import re
from collections import defaultdict, namedtuple
from pathlib import Path

from t2vid import extract_choice

DATA = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
Asked = namedtuple("Asked", "tags question options said words scenes off")


def blank(field):
    return "" if field == "-" else field


def questions():
    for paragraph in DATA.split("\n\n")[2].removeprefix("# ").split("\n# "):
        fields = map(blank, paragraph.replace("\n", " ").split(" | "))
        tags, question, options, said, words, scenes, off = fields
        options, words, scenes = (part.split(" / ") for part in (options, words or options, scenes))
        yield Asked(tags, question, options, said, words, scenes, off)


def blocks():
    for block in re.split(r"^## (?=\d)", DATA, flags=re.M)[1:]:
        header, body = block.split("\n", 1)
        weight, group, settled, tags = map(blank, header.split(" | "))
        templates = [part.strip() for line in body.split("\n") for part in line.split(" || ")]
        yield int(weight), group, settled == "settled", tags, list(filter(None, templates))


def misspelt(text):
    word = max(text.split(), key=len)
    middle = len(word) // 2
    if len(word) < 5:
        return ""
    swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    return text.replace(word, swapped)


def fill(template, asked, gold, rng):
    """Return the reply, or None where this question lacks something the template needs."""
    texts, count = asked.options, len(asked.options)
    letters = "ABCDEFGHIJ"[:count]
    right = letters[gold]
    wrong = rng.sample([i for i in range(count) if i != gold], count - 1)
    scenes = rng.sample(asked.scenes, 2)
    low = [t[0].lower() + t[1:] for t in texts]
    pairs = list(zip(letters, texts, strict=True))
    said = asked.said.format(asked.words[gold])
    values = {
        "L": right, "l": right.lower(), "T": texts[gold], "t": low[gold], "U": texts[gold].upper(),
        "fw": chr(ord(right) + 0xFEE0),  # full width
        "ord": "first second third fourth fifth sixth seventh eighth ninth tenth".split()[gold],
        "cut": texts[gold][: max(1, len(texts[gold]) * 2 // 3)], "typo": misspelt(texts[gold]),
        "said": said[0].upper() + said[1:], "scene": scenes[0], "scene2": scenes[1],
        "Q": asked.question, "off": asked.off, "letters": ", ".join(letters),
        "list": "\n".join(f"{a}. {t}" for a, t in pairs),
        "verdicts": "\n".join(f"{a}: {'correct' if a == right else 'incorrect'}" for a in letters),
        "ticks": "\n".join(f"{a}. {t} {'✓' if a == right else '✗'}" for a, t in pairs),
        "crosses": "\n".join(f"{a}. {t} - no" for a, t in pairs if a != right),
        "bolded": "\n".join(f"**{a}. {t}**" if a == right else f"{a}. {t}" for a, t in pairs),
        "odds": ", ".join(f"{a}: {100 // count}%" for a in letters),
    }  # fmt: skip
    for name, i in zip("WV", wrong, strict=False):
        values |= {name: letters[i], name + "T": texts[i], name.lower() + "t": low[i]}
    names = r"\{(" + "|".join([*values, "W", "WT", "wt", "V", "VT"]) + r")\}"
    if not all(values.get(name) for name in re.findall(names, template)):
        return None
    text = re.sub(names, lambda found: values[found[1]], template)
    return text.replace("\\n", "\n").replace("␣", " ")


def suits(asked, tags):
    has = set(asked.tags.split()) | ({"many"} if len(asked.options) > 2 else set())
    has |= {"off"} if asked.off else set()
    return all((tag[1:] not in has) if tag[0] == "!" else (tag in has) for tag in tags.split())


def rows(seed=20):
    """Return (weighting, group, template, question, reply, label) rows."""
    rng, made, natural, every = random.Random(seed), [], defaultdict(list), list(questions())

    def one(where, group, template, settled, fitting):
        for asked in rng.sample(fitting, len(fitting)):
            gold = rng.randrange(len(asked.options))
            reply = fill(template, asked, gold, rng)
            if reply is not None:
                yield where, group, template, asked, reply, "ABCDEFGHIJ"[gold] if settled else None

    for weight, group, settled, tags, templates in blocks():
        fitting = [asked for asked in every if suits(asked, tags)]
        for template in templates:
            if weight:
                natural[group, weight].append((template, settled, fitting))
            else:
                found = {}
                for _ in range(4):  # where few questions fit, again with other right answers
                    for row in one("adversarial", group, template, settled, fitting):
                        found.setdefault((row[3].question, row[4]), row)
                made += list(found.values())[:8]
    for (group, weight), choices in natural.items():
        for i in range(weight * 25):
            template, settled, fitting = choices[i % len(choices)]
            made.append(next(one("natural", group, template, settled, fitting)))
    return made


def measured(judged):
    """Return accuracy, false-certain, false-certain among unanswerable, needless deferral, in per cent."""
    clear = sum(label is not None for label, _ in judged)
    right = sum(label == given for label, given in judged)
    wrong = sum(given is not None and given != label for label, given in judged)
    invented = sum(given is not None and label is None for label, given in judged)
    deferred = sum(given is None and label is not None for label, given in judged)
    parts = (
        (right, len(judged)),
        (wrong, len(judged)),
        (invented, len(judged) - clear),
        (deferred, clear),
    )
    return [100 * part / whole if whole else float("nan") for part, whole in parts]


def interval(by_template, rounds=1000):
    rng, drawn, keys = random.Random(1), [], list(by_template)
    for _ in range(rounds):
        drawn.append(
            measured([row for key in rng.choices(keys, k=len(keys)) for row in by_template[key]])
        )
    ordered = [sorted(column) for column in zip(*drawn, strict=True)]
    return [(column[int(rounds * 0.025)], column[int(rounds * 0.975)]) for column in ordered]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--failures", action="store_true", help="print failing templates")
    parser.add_argument("--count", action="store_true", help="count rows, judge nothing")
    options = parser.parse_args()
    made = rows()
    for settled in (True, False):
        distinct = {(row[1], row[2]) for row in made if (row[5] is not None) == settled}
        count = sum((row[5] is not None) == settled for row in made)
        print(
            f"{'answerable' if settled else 'unanswerable'}: {len(distinct)} templates, {count} rows"
        )
    if options.count:
        return
    groups, failing = defaultdict(lambda: defaultdict(list)), defaultdict(list)
    for where, group, template, asked, reply, label in made:
        choice = extract_choice(reply, asked.options, question=asked.question)
        for name in (
            "0 together",
            f"1 {where}",
            f"2 {where}: {group}" + " (open)" * (label is None),
        ):
            groups[name][group, template].append((label, choice.letter))
        if choice.letter != label:
            failing[where, group, template].append((label, choice, reply, asked.options))
    print(f"{'':55}  rows  right  false-certain  on open  deferred")
    for name, by_template in sorted(groups.items()):
        judged = [row for rows_ in by_template.values() for row in rows_]
        a, b, c, d = measured(judged)
        print(f"{name[2:]:55} {len(judged):5} {a:6.2f} {b:10.2f} {c:12.2f} {d:8.2f}")
        if name[0] in "01":
            print(
                "    95 %: "
                + "  ".join(f"{low:.2f}-{high:.2f}" for low, high in interval(by_template))
            )
    total = defaultdict(int)
    for row in made:
        total[row[0], row[1], row[2]] += 1
    for key, found in sorted(failing.items()) if options.failures else ():
        label, choice, reply, texts = found[0]
        wrong = sum(choice.letter is not None for _, choice, _, _ in found)
        print(
            f"\n{key[0]} / {key[1]}: {len(found)} of {total[key]}, {wrong} false-certain: {key[2]!r}"
        )
        print(f"    {reply!r}\n    wanted {label}, got {choice.letter} by {choice.rule!r}; {texts}")


if __name__ == "__main__":
    main()
