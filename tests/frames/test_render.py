"""What a drawn text promises."""

from __future__ import annotations

import numpy as np
import pytest

from t2vid.errors import InputError
from t2vid.frames.render import count_frames, render_text
from t2vid.frames.spec import RenderSpec

TEXT = 'He said "no"; she didn\'t.\n\n    Indented, and so on. ' * 40


@pytest.mark.parametrize("spec", [RenderSpec(), RenderSpec.paper()])
def test_frames_are_gray_and_inside_the_margins(spec: RenderSpec) -> None:
    frames = render_text(TEXT, spec)
    assert len(frames) == count_frames(TEXT, spec) == frames.n_total > 1
    for frame in frames:
        assert frame.mode == "L" and frame.size == (448, 448)
        ink = np.argwhere(np.asarray(frame) < 255)
        assert ink.min() >= spec.margin_px and ink.max() < 448 - spec.margin_px


def test_a_frame_budget_keeps_the_leading_frames() -> None:
    whole, cut = render_text(TEXT), render_text(TEXT, max_frames=2)
    assert len(cut) == 2 and cut.n_total == len(whole)
    assert [a.tobytes() for a in cut] == [b.tobytes() for b in whole[:2]]
    with pytest.raises(InputError, match="max_frames"):
        render_text(TEXT, max_frames=0)
