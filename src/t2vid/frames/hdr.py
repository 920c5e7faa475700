"""High dynamic range: what PQ and HLG values look like on an ordinary screen.

>>> levels = np.full((1, 1, 3), 0.58 * 65535, np.uint16)  # PQ: about 200 of 10,000 nits
>>> displayed(levels, PQ, (), tonemap="clip").tolist()
[[[255, 255, 255]]]

Light is decoded to linear values of which 1 is 100 nits, taken from BT.2020 to BT.709 primaries, and
brought under 1 by a curve; the steps and curves of ffmpeg's
`zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

Tonemap = Literal["hable", "reinhard", "clip"]
TONEMAPS: tuple[str, ...] = get_args(Tonemap)
PQ, HLG = 16, 18  # of AVColorTransferCharacteristic: SMPTE ST 2084 and ARIB STD-B67
NAMES = {PQ: "PQ", HLG: "HLG"}

Array = np.ndarray[Any, Any]
_WHITE_NITS = 100.0  # REFERENCE_WHITE in FFmpeg's libavfilter/colorspace.h
_PEAK_NITS = 1000.0  # of a film that does not say, as FFmpeg's tonemap filter takes it
# ITU-R BT.2087-0, 2.2: linear BT.2020 to linear BT.709
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_ROWS = 64  # converted at once, so that the linear values of a 4K frame take little memory


def displayed(levels: Array, transfer: int, side_data: Iterable[Any], *, tonemap: Tonemap) -> Array:
    """Bring a frame of HDR video to the range of an ordinary screen.

    Args:
        levels: of shape (height, width, 3), uint16, as decoded.
        transfer: libav's number of the transfer characteristic.
        side_data: of the frame, which may tell how bright the film gets.
        tonemap: the curve.

    Returns:
        An array of the same shape, uint8, for a screen of gamma 2.4; `levels` itself where the
        frame is neither PQ nor HLG.
    """
    if transfer not in NAMES:
        return levels
    peak = _peak_nits(side_data) / _WHITE_NITS
    curve = _CURVES[tonemap]
    out = np.empty(levels.shape, np.uint8)
    for row in range(0, len(levels), _ROWS):
        light = _linear(transfer)[levels[row : row + _ROWS]]
        if transfer == HLG:
            # The screen's part of the curve at 1,000 nits. BT.2100 has it follow the luminance of
            # the pixel, zscale each colour alone; the same as ffmpeg's was wanted.
            light = light ** np.float32(1.2) * np.float32(_PEAK_NITS / _WHITE_NITS)
        light = np.maximum(light @ _TO_709.T, 0)
        most = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
        light *= curve(most, peak) / most
        out[row : row + _ROWS] = _encoded()[
            np.clip(light * 65535 + 0.5, 0, 65535).astype(np.uint16)
        ]
    return out


def _hable(light: Array, peak: float) -> Array:
    def curve(x: Any) -> Any:
        return (x * (0.15 * x + 0.05) + 0.004) / (x * (0.15 * x + 0.5) + 0.06) - 0.02 / 0.3

    return curve(light) / curve(peak)  # type: ignore[no-any-return]


def _reinhard(light: Array, peak: float) -> Array:
    return light / (light + 1.0) * ((peak + 1.0) / peak)


def _clip(light: Array, peak: float) -> Array:
    return np.minimum(light, 1.0)


_CURVES: dict[str, Callable[[Array, float], Array]] = {
    "hable": _hable,
    "reinhard": _reinhard,
    "clip": _clip,
}


@lru_cache(maxsize=2)
def _linear(transfer: int) -> Array:
    """Give the light of each of 65,536 levels: PQ in units of 100 nits, HLG as the camera saw it."""
    level = np.linspace(0, 1, 65536)
    if transfer == PQ:  # SMPTE ST 2084, equation 4.1
        root = level ** (32 / 2523)
        light = (np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)) ** (
            8192 / 1305
        )
        return (light * 10_000 / _WHITE_NITS).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073  # ITU-R BT.2100, table 5
    light = np.where(level <= 0.5, level**2 / 3, (np.exp((level - c) / a) + b) / 12)
    return light.astype(np.float32)


@lru_cache(maxsize=1)
def _encoded() -> Array:
    """Give the value from 0 to 255 of each of 65,536 steps of light on a screen; ITU-R BT.1886."""
    return np.round(255 * np.linspace(0, 1, 65536) ** (1 / 2.4)).astype(np.uint8)


def _peak_nits(side_data: Iterable[Any]) -> float:
    """Read how bright a film gets: its brightest pixel, else the screen that it was made on."""
    found = {data.type.name: bytes(data) for data in side_data}
    light = found.get("CONTENT_LIGHT_LEVEL")
    if light and (brightest := struct.unpack_from("I", light)[0]):
        return float(brightest)
    screen = found.get("MASTERING_DISPLAY_METADATA")
    if screen and len(screen) >= 88:  # 8 chromaticities and 2 luminances, fractions of 2 ints
        top, bottom, _, known = struct.unpack_from("2i2i", screen, 72)
        if known and bottom and top / bottom > _WHITE_NITS:
            return float(top / bottom)
    return _PEAK_NITS
