"""What training costs: from a stated throughput, or one that is assumed and says so."""

from __future__ import annotations

import pytest

from t2vid.catalog import PAPER_FAMILIES
from t2vid.errors import InputError
from t2vid.mixing.gpu_hours import Amount, gpu_hours, hours_table

MIX = Amount(rows=30_000, frames=900_000, text_tokens=6_000_000)
VIDEOS = Amount(rows=20_000, frames=480_000, text_tokens=4_000_000)


def test_hours_follow_from_a_stated_throughput():
    internvl = next(f for f in PAPER_FAMILIES if f.name == "internvl")
    tokens = 900_000 * 256 + 6_000_000
    assert gpu_hours(MIX, internvl, tokens_per_s=2_000) == pytest.approx(tokens / 2_000 / 3_600)
    lines = hours_table(MIX, VIDEOS, {"internvl": 2_000})
    mine, full = (float(line.split()[-1].replace(",", "")) for line in lines[1:3])
    assert mine == pytest.approx(tokens / 2_000 / 3_600, abs=0.1)
    # 200,000 videos are ten times those of the mix
    assert full == pytest.approx(10 * (480_000 * 256 + 4_000_000) / 2_000 / 3_600, abs=0.1)
    assert "internvl at 2,000 tokens/s, as stated; others assumed" in lines[3]
    assert "33.6" in lines[4] and "276.8" in lines[4] and "(8.2x)" in lines[4]


def test_an_assumed_throughput_is_of_the_papers_size():
    """The paper's own hybrid, at most 64 frames a row, took 33.6 hours of InternVL."""
    internvl = next(f for f in PAPER_FAMILIES if f.name == "internvl")
    assert 33.6 / 2 < gpu_hours(Amount(30_000, 30_000 * 64, 6_000_000), internvl) < 33.6 * 2
    larger = [gpu_hours(MIX, f) for f in PAPER_FAMILIES if f.name != "internvl"]
    assert all(hours > 0 for hours in larger)


def test_a_mix_without_videos_compares_with_none():
    lines = hours_table(MIX, Amount(0, 0, 0))
    assert not any("200,000 videos" in line for line in lines)


def test_what_is_stated_wrongly_is_refused():
    with pytest.raises(InputError, match="throughput names 'internvi'; the families are minicpm"):
        hours_table(MIX, VIDEOS, {"internvi": 3})
    for value in (0, "fast", "-3", "nan", "inf"):
        with pytest.raises(InputError, match="internvl=.* must be a number of tokens a second"):
            hours_table(MIX, VIDEOS, {"internvl": value})
