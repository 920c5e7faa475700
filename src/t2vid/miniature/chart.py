"""The arms as one small picture: a bar and an interval each, and where guessing stands.

    Path("arms.png").write_bytes(chart(results))

>>> from t2vid.miniature.results import ArmResult
>>> one = ArmResult("hybrid", 1, 9, 1, 1.0, 1.0, ["a-last", "b-last"], [True, False], [], {})
>>> chart([one])[1:4]
b'PNG'
"""

from __future__ import annotations

from collections.abc import Sequence

from t2vid.insight.plotting import COLOURS, PictureKind, new_figure, tidy, to_bytes
from t2vid.miniature.arms import ARMS
from t2vid.miniature.questions import LETTERS, UNSEEN_KINDS
from t2vid.miniature.results import ArmResult
from t2vid.miniature.verdicts import accuracy

_WIDTH_IN, _ARM_IN, _FRAME_IN = 6.4, 0.27, 0.75
_CONTROLS = "#8b919c"


def chart(results: Sequence[ArmResult], *, kind: PictureKind = "png") -> bytes:
    """Draw the accuracy of every arm on the kinds of question that no row about a clip asks.

    Args:
        results: of all arms and seeds.
        kind: of file.
    """
    arms = [name for name in ARMS if any(result.arm == name for result in results)]
    figure = new_figure(_WIDTH_IN, _FRAME_IN + _ARM_IN * len(arms))
    axes = figure.add_subplot()
    for place, name in enumerate(arms):
        found = accuracy([r for r in results if r.arm == name], UNSEEN_KINDS)
        mean, low, high = (100 * v for v in (found.mean, found.interval.low, found.interval.high))
        colour = (
            COLOURS[1] if name == "hybrid" else COLOURS[0] if ARMS[name].in_paper else _CONTROLS
        )
        axes.barh(place, mean, color=colour, height=0.7)
        axes.plot([low, high], [place, place], color="black", linewidth=1.2)
        axes.annotate(f"{mean:.0f}", (high, place), (4, 0), textcoords="offset points", fontsize=8)
        axes.texts[-1].set_verticalalignment("center")
    axes.axvline(100 / len(LETTERS), color="black", linewidth=1, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(arms)), [f"{name}: {ARMS[name].title}" for name in arms])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    tidy(axes)
    label = "right answers to kinds of question that no row about a clip asks, %; dashes: guessing"
    axes.set_xlabel(label, fontsize=8, loc="right")
    return to_bytes(figure, kind)
