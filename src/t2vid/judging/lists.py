"""Find the options where an answer repeats them as a list with their letters.

>>> OptionList("AB", ["cat", "dog"]).taken_out("A. cat B. dog So B.")
'\\nSo B.'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LIST_HEAD = re.compile(r"(?<![A-Za-z])([A-Za-z])\s*[.):\]、-]")


class OptionList:
    """The options of a question as they look in a list.

    Args:
        letters: the letters, one an option.
        texts: the option texts.
    """

    def __init__(self, letters: str, texts: Sequence[str]) -> None:
        self.items = [
            re.compile(
                rf"(?:^|(?<=[\s:(\[{{\"'.,;]))[\[(]?{letter}\s*[.):\]、-]\s*"
                + _flexible(text)
                + r"[\s.;,]*",
                re.IGNORECASE,
            )
            for letter, text in zip(letters, texts, strict=True)
            if text.strip()
        ]

    def taken_out(self, text: str) -> str:
        """Give the text without the runs of two or more listed options."""
        runs: list[tuple[int, int]] = []
        at = 0
        while True:
            run = self._next_run(text, at)
            if run is None:
                break
            runs.append(run)
            at = run[1]
        for start, end in reversed(runs):
            text = text[:start] + "\n" + text[end:]
        return text

    def _next_run(self, text: str, at: int) -> tuple[int, int] | None:
        """Find the next run of two or more different options, in any order; a repeat ends it."""
        starts = [(m.start(), i) for i, p in enumerate(self.items) for m in p.finditer(text, at)]
        for start, i in sorted(starts):
            seen, end = {i}, self._end(i, text, start)
            while True:
                new = [k for k in range(len(self.items)) if k not in seen]
                found = next(((k, e) for k in new if (e := self._end(k, text, end)) >= 0), None)
                if found is None:
                    break
                seen.add(found[0])
                end = found[1]
            if len(seen) > 1:
                return start, end
        return None

    def _end(self, item: int, text: str, at: int) -> int:
        match = self.items[item].match(text, at)
        return match.end() if match else -1


def _flexible(raw: str) -> str:
    words = raw.strip().rstrip(".").split()
    return r"\s+".join(map(re.escape, words))
