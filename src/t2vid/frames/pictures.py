"""Decoded frames as upright RGB pictures of one size, in the colours that ffmpeg writes to PNG.

>>> turns((0, -1, 1, 0))  # a quarter turn to the left
['transpose=dir=cclock_flip', 'vflip']

Filters of libav do the work, in the order of the ffmpeg program: it turns pictures before it
converts them, and only its `scale` filter places the colour samples of high bit depths as it does.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import Type as SideDataType

from t2vid.frames.hdr import NAMES, Tonemap, displayed

Matrix = tuple[int, int, int, int]
Array = np.ndarray[Any, Any]
_UPRIGHT: Matrix = (1, 0, 0, 1)
_TKHD_MATRIX = 44  # bytes from the box's name to its matrix; ISO/IEC 14496-12, 8.3.2, version 0
_SAME_ASPECT = 0.02  # of a pixel; correcting less would only blur the picture
_MAX_ASPECT = 16  # of a pixel; what is beyond is damage, and would make pictures of any width
# Of ffmpeg's PNG, by whether a value has more than 8 bits and whether pixels may be transparent.
_FORMATS = {
    (False, False): "rgb24",
    (True, False): "rgb48le",
    (False, True): "rgba",
    (True, True): "rgba64le",
}
_MAX_GRAPHS = 4  # a stream whose resolution flips to and fro keeps so many set up
_UNSPECIFIED = 2  # of AVColorPrimaries, AVColorTransferCharacteristic and AVColorSpace
_BT2020, _BT2020_CL = 9, 10  # of AVColorSpace; one matrix for both
_MATRICES = (0, 1, 2, 4, 5, 6, 7, _BT2020)  # of AVColorSpace: those that swscale knows


def _unheard_of(cls: type[SideDataType], value: object) -> SideDataType:
    """Name a kind of side data that libav knows and PyAV does not."""
    kind: Any = object.__new__(cls)
    kind._name_, kind._value_ = f"UNKNOWN_{value}", value
    return kind  # type: ignore[no-any-return]


# Without it a frame with one such (EXIF, the view of a stereo film) tells nothing: it raises.
SideDataType._missing_ = classmethod(_unheard_of)  # type: ignore[assignment]


class FrameConverter:
    """Turns decoded frames into upright RGB pictures of one size.

    Args:
        shape: gives a picture's width and height for those of the upright frame.
        aspect: width of a pixel over its height, as the container says.
        tonemap: as in `SampleSpec`; None leaves the values of HDR video as they are.

    Attributes:
        flat: the curve, PQ or HLG, of HDR frames whose values were left as they are.
    """

    def __init__(
        self,
        shape: Callable[[int, int], tuple[int, int]],
        aspect: Fraction = Fraction(1),
        *,
        tonemap: Tonemap | None = None,
    ) -> None:
        self._shape, self._aspect, self._tonemap = shape, aspect, tonemap
        self.flat: str | None = None
        self._fixed: tuple[int, int] | None = None
        self._graphs: dict[tuple[Any, ...], Graph] = {}

    def array(self, frame: Any) -> Array:
        """Give a frame as a contiguous array of shape (height, width, 3), uint8, set upright."""
        matrix = display_matrix(frame)
        if self._fixed is None:  # the resolution may change on the way; the first one stays
            upright = (max(1, round(frame.width * self._aspect)), frame.height)
            self._fixed = self._shape(*(upright[::-1] if matrix[0] == 0 else upright))
        return np.ascontiguousarray(self._convert(frame, matrix))

    def _convert(self, frame: Any, matrix: Matrix) -> Array:
        transfer, side_data = frame.color_trc, frame.side_data
        # Where these say something unheard of, libav would refuse the frame; they change no value.
        frame.color_trc = frame.color_primaries = _UNSPECIFIED
        if frame.colorspace == _BT2020_CL:
            frame.colorspace = _BT2020
        elif frame.colorspace not in _MATRICES:
            frame.colorspace = _UNSPECIFIED  # players take it for BT.601
        deep = frame.format.components[0].bits > 8
        # ffmpeg's PNG keeps what is transparent; without it libav would round colours otherwise.
        clear = any(part.is_alpha for part in frame.format.components)
        graph = self._graph(frame, matrix, _FORMATS[deep, clear])
        graph.push(frame)
        array: Array = graph.pull().to_ndarray()[..., :3]
        if not deep:
            return array
        array = np.ascontiguousarray(array)
        if self._tonemap is None:
            self.flat = self.flat or NAMES.get(transfer)
        else:
            array = displayed(array, transfer, side_data, tonemap=self._tonemap)
            if array.dtype == np.uint8:
                return array
        # The upper byte of each value is what any reader makes of ffmpeg's PNG of 16 bits.
        return array.view(np.uint8)[..., 1::2]

    def _graph(self, frame: Any, matrix: Matrix, pix_fmt: str) -> Graph:
        look = frame.format.name, frame.colorspace, frame.color_range
        key = frame.width, frame.height, look, matrix
        if key not in self._graphs:
            assert self._fixed is not None
            if len(self._graphs) >= _MAX_GRAPHS:
                self._graphs.clear()
            graph = Graph()
            graph.threads = 1
            source = graph.add_buffer(
                width=frame.width,
                height=frame.height,
                format=frame.format,
                time_base=Fraction(1, 1000),
            )
            scale = "scale=w={}:h={}".format(*self._fixed)
            steps = [step.partition("=") for step in (*turns(matrix), scale, f"format={pix_fmt}")]
            filters = [graph.add(name, options or None) for name, _, options in steps]
            graph.link_nodes(source, *filters, graph.add("buffersink"))
            graph.configure()
            self._graphs[key] = graph
        return self._graphs[key]


def square_pixels(stream: Any) -> Fraction:
    """Give what a stream's width is multiplied by for its pixels to be square."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    plain = abs(aspect - 1) < _SAME_ASPECT or not 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT
    return Fraction(1) if plain else aspect


def display_matrix(frame: Any) -> Matrix:
    """Give the upper left 2x2 of a frame's display matrix as -1, 0 and 1; upright where it has none."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return _unit(struct.unpack("5i", bytes(data)[:20]))
    return _UPRIGHT


def stored_matrix(stream: Any) -> Matrix:
    """Give the display matrix that a container stores for a stream, without decoding.

    PyAV tells it of decoded frames only, but copies it with the other parameters of a stream: the
    header of a QuickTime file in memory then shows it.
    """
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="mov", options={"movflags": "empty_moov"}) as out:
            out.add_stream_from_template(stream, opaque=True)
            out.start_encoding()
    except (av.FFmpegError, ValueError):  # a codec that QuickTime does not hold
        return _UPRIGHT
    data = header.getvalue()
    box = data.find(b"tkhd")
    return _UPRIGHT if box < 0 else _unit(struct.unpack_from(">5i", data, box + _TKHD_MATRIX))


def degrees(matrix: Matrix) -> int:
    """Give by how much a display matrix turns a picture, in degrees counter-clockwise.

    >>> degrees((0, -1, 1, 0))
    90
    """
    a, b, c, d = matrix
    if a == 0:
        return 90 if b < 0 else 270
    return 180 if a < 0 and d < 0 else 0


def _unit(values: tuple[int, ...]) -> Matrix:
    """Take a, b, u, c, d of a display matrix in 16.16 numbers down to quarter turns and mirrors."""
    a, b, c, d = (round(values[i] / 65536) for i in (0, 1, 3, 4))
    if sorted(map(abs, (a, b, c, d))) == [0, 0, 1, 1] and abs(a) == abs(d):
        return a, b, c, d
    return _UPRIGHT


def turns(matrix: Matrix) -> list[str]:
    """Give the filters that turn and mirror a picture as a display matrix says.

    Args:
        matrix: (a, b, c, d): x goes to a x + c y, and y to b x + d y.
    """
    a, b, c, d = matrix
    swapped = a == 0
    if swapped:
        a, d = c, b
    steps = {"transpose=dir=cclock_flip": swapped, "hflip": a < 0, "vflip": d < 0}
    return [step for step, is_needed in steps.items() if is_needed]
