"""What training on a mix costs in GPU hours, beside what the paper's runs cost.

>>> a_mix = Amount(rows=30_000, frames=600_000, text_tokens=3_000_000)
>>> round(gpu_hours(a_mix, PAPER_FAMILIES[1], tokens_per_s=1_000.0), 1)
29.0

A throughput is measured (`tokens_per_s` in a run's log, `benchmarks/gpu.sh`) and stated, or else
assumed: a share of an A800's peak, over the operations that the family's weights take.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from t2vid.catalog import PAPER_FAMILIES, Family
from t2vid.errors import InputError

# T2Vid, section 5.3: InternVL-4B on 8 A800, 200K videos against the hybrid of 30K.
PAPER_FULL_HOURS, PAPER_HYBRID_HOURS = 276.8, 33.6
PAPER_FULL_ROWS = 200_000
A800_TFLOPS = 312.0  # dense bfloat16; NVIDIA's data sheet
ASSUMED_MFU = 0.35
PATCH_PX = 14  # of the vision encoders of all three
FROZEN_VISION = ("internvl",)  # paper, 5.2.1; then it runs forward alone


class Amount(NamedTuple):
    """What is trained on: rows, their frames, and the tokens of their words."""

    rows: int
    frames: int
    text_tokens: int

    def times(self, share: float) -> Amount:
        """Give as many rows like these as a share says."""
        return Amount(*(round(share * value) for value in self))


def seconds_assumed(amount: Amount, family: Family, *, mfu: float = ASSUMED_MFU) -> float:
    """Give the seconds of one epoch on one A800, from the operations of the family's weights.

    Args:
        amount: what is trained on.
        family: of the paper; 6 operations a weight and token (Kaplan et al. 2020, arXiv 2001.08361).
        mfu: share of the peak that is reached.
    """
    language, vision = (1e9 * size for size in family.billions)
    tokens = amount.text_tokens + amount.frames * family.tokens_per_frame
    patches = amount.frames * (family.frame_px // PATCH_PX) ** 2
    passes = 2 if family.name in FROZEN_VISION else 6
    return (6 * language * tokens + passes * vision * patches) / (mfu * A800_TFLOPS * 1e12)


def gpu_hours(amount: Amount, family: Family, *, tokens_per_s: float | None = None) -> float:
    """Give the GPU hours of one epoch.

    Args:
        amount: what is trained on.
        family: of the paper.
        tokens_per_s: tokens of words and frames that one GPU takes in a second; None assumes it.
    """
    if tokens_per_s is None:
        return seconds_assumed(amount, family) / 3600
    return (amount.text_tokens + amount.frames * family.tokens_per_frame) / tokens_per_s / 3600


def hours_table(
    mix: Amount, videos: Amount, throughput: Mapping[str, str | float] | None = None
) -> list[str]:
    """Say the GPU hours of a mix, and of as many videos as the paper compares its own with.

    Args:
        mix: all rows.
        videos: those of them that are videos; 200,000 like them are compared.
        throughput: tokens a second of one GPU, by family, where they were measured.

    Raises:
        InputError: for a family that the paper does not have, or a throughput that is none.
    """
    stated = {name: _rate(name, value) for name, value in (throughput or {}).items()}
    known = [family.name for family in PAPER_FAMILIES]
    if unknown := sorted(set(stated) - set(known)):
        raise InputError(f"throughput names {unknown[0]!r}; the families are {', '.join(known)}")
    full = videos.times(PAPER_FULL_ROWS / videos.rows) if videos.rows else None
    lines = [f"{'GPU hours of an epoch':<40}" + "".join(f"{name:>11}" for name in known)]
    for title, amount in (("this mix", mix), ("200,000 videos like its own", full)):
        if amount is not None:
            hours = [gpu_hours(amount, f, tokens_per_s=stated.get(f.name)) for f in PAPER_FAMILIES]
            lines.append(f"  {title:<38}" + "".join(f"{n:>11,.1f}" for n in hours))
    said = [
        f"{name} at {stated[name]:,.0f} tokens/s, as stated" for name in known if name in stated
    ]
    if len(stated) < len(known):
        said.append(
            f"{'others' if stated else 'all'} assumed at {ASSUMED_MFU:.0%} of an A800's "
            f"{A800_TFLOPS:g} TFLOP/s; state what a run's log says with throughput internvl=TOKENS_PER_S"
        )
    return [*lines, f"  {'; '.join(said)}", f"  {paper_line()}"]


def paper_line() -> str:
    """Say what the paper's runs cost.

    >>> paper_line()
    'the paper: InternVL on 8 A800, 33.6 for its hybrid of 30K, 276.8 for 200K videos (8.2x)'
    """
    ratio = PAPER_FULL_HOURS / PAPER_HYBRID_HOURS
    return (
        f"the paper: InternVL on 8 A800, {PAPER_HYBRID_HOURS} for its hybrid of 30K, "
        f"{PAPER_FULL_HOURS} for 200K videos ({ratio:.1f}x)"
    )


def _rate(name: str, value: str | float) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise InputError(f"throughput {name}={value!r} must be a number of tokens a second, > 0")
    return rate
