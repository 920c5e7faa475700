"""Pictures: ticks that do not collide, the same bytes each time."""

from __future__ import annotations

import itertools

import pytest

from t2vid.insight.plotting import (
    dot_area,
    few_ticks,
    legend_above,
    log_ticks,
    logarithmic,
    new_figure,
    tidy,
    to_bytes,
)


def drawn(low: float, high: float, *, log: bool):
    figure = new_figure(4.2, 3.3)
    axes = figure.add_subplot()
    axes.stairs([1, 3, 2], [low, (low + high) / 2, (low + 3 * high) / 4, high], label="texts")
    if log:
        logarithmic(axes, low, high)
    else:
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(few_ticks())
    tidy(axes, x="frames", y="rows, %")
    legend_above(figure)
    return figure, axes


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("low", "high"),
    [(1, 24), (1, 2), (7, 7.1), (3, 400), (96, 1_600_000), (0.04, 3), (900, 1300), (1, 1e12)],
)
def test_no_label_of_an_axis_touches_the_next(low, high, log):
    figure, axes = drawn(low, high, log=log)
    figure.canvas.draw()
    boxes = [
        label.get_window_extent()
        for label in axes.get_xticklabels(which="both")
        if label.get_text() and low <= label.get_position()[0] <= high
    ]
    assert len(boxes) >= 2
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(sorted(boxes, key=lambda box: box.x0)))


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_figure_is_the_same_file(kind):
    files = {to_bytes(drawn(1, 100, log=True)[0], kind) for _ in range(2)}
    assert len(files) == 1


def test_ticks_are_round_and_within():
    for low, high in [(1, 24), (3, 400), (96, 1_600_000)]:
        found = log_ticks(low, high)
        assert all(low <= value <= high for value in found) and len(found) <= 7


def test_few_points_are_large_and_many_are_small():
    assert dot_area(46) == 36 and dot_area(5_000) == 3 and dot_area(0) == 36
