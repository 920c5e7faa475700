"""Memory of frames is used again, and never while anybody looks at it."""

from __future__ import annotations

import gc

import numpy as np

from t2vid.frames import canvas
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec

SPEC = RenderSpec(width=173, height=91, margin_px=4)  # a size that no other test draws


def test_memory_comes_back_when_the_last_view_of_a_frame_is_gone(monkeypatch) -> None:
    monkeypatch.setattr(canvas, "POOL_BYTES", canvas._n_free_bytes + 10**6)  # others may fill it
    first = canvas.blank_frame(37, 53)
    place = first.ctypes.data
    view = first[3:9, 4:20]
    del first
    gc.collect()
    assert canvas.blank_frame(37, 53).ctypes.data != place
    view[:] = 7
    del view
    gc.collect()
    again = [canvas.blank_frame(37, 53) for _ in range(2)]
    assert place in {frame.ctypes.data for frame in again}
    assert all((frame == 255).all() for frame in again)


def test_what_was_taken_from_a_frame_outlives_it() -> None:
    frame = render_text("kept", SPEC)[0]
    whole = frame.tobytes()
    array, part, same = np.asarray(frame), frame.crop((0, 0, 173, 91)), frame.copy()
    loose = np.frombuffer(frame.tobytes(), np.uint8)
    del frame
    for n in range(30):
        render_text(f"other text {n} " * 9, SPEC)
    assert array.tobytes() == part.tobytes() == same.tobytes() == loose.tobytes() == whole


def test_the_pool_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(canvas, "POOL_BYTES", 0)
    before = canvas._n_free_bytes
    frames = [canvas.blank_frame(41, 59) for _ in range(5)]
    del frames
    gc.collect()
    assert canvas._n_free_bytes == before and not canvas._free.get(41 * 59)
