"""Lays marked-up text out: blocks to lines of several fonts, lines to pages.

>>> from t2vid.frames.render_spec import RenderSpec
>>> layout = StyledLayout(RenderSpec(markup="markdown"), 408, 408, "")
>>> [len(page.lines) for page in layout.pages("# One\\n\\n- two\\n- *three*")]
[3]
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from t2vid.errors import InputError
from t2vid.frames.blocks import Block, StyledText
from t2vid.frames.direction import needs_bidi, reads_rtl, visual_order
from t2vid.frames.fonts import FAMILIES
from t2vid.frames.markup import blocks
from t2vid.frames.page import Fill, PlacedStrip, Span, StyledLine, StyledPage, repeated
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.runs import LineEnd, StripRun
from t2vid.frames.segmentation import line_pieces, safe_text
from t2vid.frames.shaping import BLANKS, NEWLINES, TABS, Shaper, shaper_for
from t2vid.frames.styles import (
    BAR_TONE,
    CODE_SCALE,
    CODE_TONE,
    HEADING_SCALE,
    RULE_TONE,
)

_FROM_RIGHT = {"align": "right", "rtl": True}  # of a paragraph in a list or table that begins there
NO_NEWLINES = str.maketrans(NEWLINES, " " * len(NEWLINES))


class Look(NamedTuple):
    """How a part is drawn, and what it was made from."""

    shaper: Shaper
    kind: str
    lines: str  # `u`, `s`
    code: bool
    span: Span = (0, 0)


class StyledLayout:
    """Fills lines and pages with marked-up text.

    Args:
        spec: how it is drawn.
        room_px: width of a line.
        tall_px: height of a page's text.
        lang: language as a BCP 47 tag, or `""`.
    """

    def __init__(self, spec: RenderSpec, room_px: int, tall_px: int, lang: str) -> None:
        self.spec, self.room, self.tall, self.lang = spec, room_px, tall_px, lang
        self.em = spec.font_px
        self.base = self._shaper(1.0, "")
        self.max_words = spec.words_per_frame or 2**60
        self._tables: dict[int, list[int]] = {}
        self._looks: dict[tuple[str, str, float], Look] = {}
        if self.base.line_px > tall_px:
            raise InputError(
                f"a line of font {spec.font[:200]!r} at font_px ({spec.font_px}) is {self.base.line_px} px "
                f"high, more than the {tall_px} px between the margins; make it smaller, or the frame "
                "higher"
            )

    def pages(self, text: str) -> Iterator[StyledPage]:
        """Give the pages; each begins where its first line does."""
        spec, lines, start, n_kept = self.spec, list[StyledLine](), 0, 0
        height = n_words = 0
        last: StyledPage | None = None
        for line in self._lines(text):
            needed = line.height_px + (line.before_px if lines else 0)
            full = height + needed > self.tall or n_words + line.n_words > self.max_words
            if len(lines) > n_kept and full:
                end = min(max(line.start, start + 1), len(text) - 1)
                if last:
                    yield last
                last = StyledPage(start, end, lines, n_kept)
                kept: list[StyledLine] = []
                if spec.overlap_lines or spec.scroll_lines:
                    heights = [each.height_px + each.before_px for each in lines]
                    room = self.tall - needed
                    kept = repeated(
                        lines, heights, room, last=spec.overlap_lines, scroll=spec.scroll_lines or 0
                    )
                lines, start, n_kept = kept, kept[0].start if kept else end, len(kept)
                height, n_words = StyledPage(0, 0, kept).height_px, 0
            if start and len(lines) == n_kept and not (line.pieces or line.fills):
                continue  # blank lines between two pages need no room
            needed = line.height_px + (line.before_px if lines else 0)
            lines.append(line)
            height, n_words = height + needed, n_words + line.n_words
        if len(lines) > n_kept or last is None:
            if last:
                yield last
            last = StyledPage(start, len(text), lines, n_kept)
        yield last._replace(end=len(text))

    def _lines(self, text: str) -> Iterator[StyledLine]:
        nested, mirrored, first = "", False, True
        for block in blocks(text, self.spec.markup, self.spec.code_language):
            before = 0
            if not first:
                before = round(self.em * (0.1 if block.tight else 0.8 if block.level else 0.5))
            if block.kind == "code" and block.tight:
                before = 0
            if not (block.nest and nested):  # a list stands where its first item does
                mirrored = _mirrored(block)
            first, nested = False, block.nest
            for n, line in enumerate(self._block(block, mirrored)):
                yield line._replace(before_px=0 if n else before)

    def _block(self, block: Block, mirrored: bool) -> Iterator[StyledLine]:
        """Lay out a block between the marks of the quotes and lists around it."""
        if not block.nest:
            yield from self._inside(block, self.room)
            return
        steps = [round(self.em * (0.9 if each == "q" else 1.5)) for each in block.nest]
        edges = list(accumulate(steps, initial=0))
        if edges[-1] > self.room // 2:
            edges = [edge * (self.room // 2) // edges[-1] for edge in edges]
        depth_px, bar_px = edges[-1], max(2, self.em // 8)
        listed = mirrored and "l" in block.nest
        for n, line in enumerate(self._inside(block, self.room - depth_px, listed)):
            shift = 0 if mirrored else depth_px
            pieces = [piece._replace(x_px=piece.x_px + shift) for piece in line.pieces]
            fills = [fill._replace(x_px=fill.x_px + shift) for fill in line.fills]
            for each, edge in zip(block.nest, edges, strict=False):
                if each == "q":
                    x = self.room - edge - bar_px if mirrored else edge
                    fills.append(Fill(x, 0, bar_px, line.height_px, BAR_TONE))
            for marker in () if n else block.markers:
                shown = marker.part.text
                strip = self.base.strip(shown[-1] + shown[:-1] if mirrored else shown)
                edge = edges[min(marker.depth, len(edges) - 1)] - self.em // 3
                x = self.room - edge if mirrored else max(0, edge - strip.full_px)
                y = max(0, line.base_px - self.base.ascent_px - strip.up_px)
                span = (marker.part.start, marker.part.end)
                pieces.append(PlacedStrip(strip, x, y, span, "", shown))
            yield line._replace(pieces=pieces, fills=fills)

    def _inside(self, block: Block, room: int, mirrored: bool = False) -> Iterator[StyledLine]:
        if block.kind == "rule":
            tall = self.base.line_px
            fill = Fill(0, tall // 2, room, 1, RULE_TONE)
            yield StyledLine(block.start, tall, self.base.ascent_px, [], [fill])
        elif block.kind == "row":
            yield from self._row(block, room)
        else:
            boxed = block.kind == "code" and self.spec.markup != "code"
            pad = self.em // 2 if boxed else 0
            scale = HEADING_SCALE[block.level - 1] if block.level else 1.0
            way: dict[str, Any] = _FROM_RIGHT if mirrored else {}
            way = {"rtl": False} if block.kind == "code" else way
            for line in self._filled(block.parts, room - 2 * pad, scale, block.start, **way):
                if boxed:
                    pieces = [piece._replace(x_px=piece.x_px + pad) for piece in line.pieces]
                    fill = Fill(0, 0, room, line.height_px, CODE_TONE)
                    line = line._replace(pieces=pieces, fills=[fill, *line.fills])
                yield line

    def _row(self, block: Block, room: int) -> Iterator[StyledLine]:
        """Lay out a row of a table; one that its columns cannot hold has its cells in a line."""
        gap = self.em
        widths, mirrored = self._widths(block, room, gap), _mirrored(block)
        way: dict[str, Any] = _FROM_RIGHT if mirrored else {}
        ways = [{**way, "align": align} if align else way for align in block.aligns]
        columns = [
            list(self._filled(cell, width, 1.0, block.start, **way)) if any(cell) else []
            for cell, width, way in zip(block.cells, widths, ways, strict=False)
        ]
        firsts = [lines[0].base_px if lines else 0 for lines in columns]
        base = max(firsts, default=0) or self.base.ascent_px  # the cells' first lines share it
        heights = [
            base - first + sum(line.height_px for line in lines)
            for lines, first in zip(columns, firsts, strict=True)
        ]
        tall = max(heights, default=0) + gap // 4
        n_words = sum(line.n_words for lines in columns for line in lines)
        if not widths or tall > self.tall or n_words > self.max_words:
            bar = StyledText(" | ", block.start, block.start)
            flat = [part for n, cell in enumerate(block.cells) for part in ([bar] * (n > 0) + cell)]
            yield from self._filled(flat, room, 1.0, block.start, **way)
            return
        pieces: list[PlacedStrip] = []
        fills = [Fill(0, tall - 1, room, 1, RULE_TONE if block.level else CODE_TONE * 2)]
        edge = 0
        for lines, first, width in zip(columns, firsts, widths, strict=False):
            left, top = room - edge - width if mirrored else edge, base - first
            for line in lines:
                pieces += [p._replace(x_px=p.x_px + left, y_px=p.y_px + top) for p in line.pieces]
                fills += [f._replace(x_px=f.x_px + left, y_px=f.y_px + top) for f in line.fills]
                top += line.height_px
            edge += width + gap
        yield StyledLine(block.start, max(tall, self.base.line_px), base, pieces, fills, 0, n_words)

    def _widths(self, block: Block, room: int, gap: int) -> list[int]:
        """Give the widths of a table's columns; none where they have no room."""
        table = block.table
        if id(table) not in self._tables:
            n = max(map(len, table))
            whole, least = [1] * n, [1] * n
            for cells in table:
                for i, cell in enumerate(cells):
                    if not any(part.text.strip() for part in cell):
                        continue
                    run, _ = self._run(cell, "".join(part.text for part in cell), 1.0)
                    whole[i] = max(whole[i], run.rights[-1])
                    edges = run.breaks or []
                    words = [run.rights[b - 1] - run.ends[a] for a, b in pairwise(edges)]
                    least[i] = max([least[i], *words])
            free = room - gap * (n - 1)
            self._tables.clear()
            self._tables[id(table)] = _shared(whole, least, free)
        return self._tables[id(table)]

    def _shaper(self, scale: float, style: str) -> Shaper:
        font, px = self.spec.font, max(4, min(round(self.em * scale), max(self.em, self.tall // 3)))
        if "m" in style and font in FAMILIES:
            font = "mono"
        bold = "".join(each for each in "bi" if each in style)
        missing = self.spec.on_missing
        return shaper_for(font, px, missing, self.room, self.tall, self.lang, bold)

    def _look(self, part: StyledText, scale: float) -> Look:
        key = (part.style, part.kind, scale)
        if key not in self._looks:
            self._looks[key] = self._new_look(part, scale)
        return self._looks[key]

    def _new_look(self, part: StyledText, scale: float) -> Look:
        inline = "m" in part.style and self.spec.markup != "code"
        small = CODE_SCALE if inline and self.spec.font != "mono" else 1.0
        lines = "".join(each for each in "us" if each in part.style)
        lines += "u" if part.kind == "link" else ""
        return Look(self._shaper(scale * small, part.style), part.kind, lines, inline)

    def _run(
        self, parts: list[StyledText], text: str, scale: float, rtl: bool | None = None
    ) -> tuple[StripRun, list[Look]]:
        """Cut a paragraph where a line may break and where its style or direction changes."""
        breaks = list(accumulate(map(len, line_pieces(text)), initial=0))
        offsets = list(accumulate((len(part.text) for part in parts), initial=0))
        bounds = {*breaks, *offsets}
        for match in TABS.finditer(text):
            bounds |= {match.start(), match.end()}
        visual = None
        if needs_bidi(text):
            # a newline inside would end the paragraph for the algorithm
            visual = visual_order(safe_text(text.translate(NO_NEWLINES)), base_rtl=rtl)
            bounds |= set(np.flatnonzero(visual.cuts()).tolist())
        edges = sorted(bounds)
        looks_of = [self._look(part, scale) for part in parts]
        strips, starts, keys, looks, ways = [], [], [], [], []
        at = p = 0
        for a, b in pairwise(edges):
            while offsets[p + 1] <= a:
                p += 1
            part, key = parts[p], text[a:b]
            backward = bool(visual is not None and visual.rtl[a])
            literal = part.end - part.start == len(part.text)
            at = max(at, part.start + (a - offsets[p] if literal else 0))
            strips.append(looks_of[p].shaper.strip(key, rtl=backward))
            starts.append(at)
            keys.append(key)
            shift = part.start - offsets[p]
            span = (a + shift, b + shift) if literal else (part.start, part.end)
            looks.append(looks_of[p]._replace(span=span))
            ways.append(backward)
        number = {edge: n for n, edge in enumerate(edges)}
        counts = [0] * len(edges)
        for a, b in pairwise(breaks):
            if text[a:b].strip() and (text[b - 1] in BLANKS + NEWLINES or b == len(text)):
                counts[number[b]] = 1
        run = StripRun(
            strips,
            [*starts, max(at, parts[-1].end)],
            keys,
            breaks=[number[edge] for edge in breaks],
            words=list(accumulate(counts)),
            ranks=None if visual is None else visual.rank[edges[:-1]].tolist(),
            ways=ways,
            base_rtl=visual is not None and visual.base_rtl,
        )
        return run, looks

    def _filled(
        self,
        parts: list[StyledText],
        room: int,
        scale: float,
        start: int,
        *,
        align: str = "",
        rtl: bool | None = None,
    ) -> Iterator[StyledLine]:
        """Fill lines with a paragraph; `rtl` says where it begins, None leaves that to its text."""
        text = "".join(part.text for part in parts)
        if not text.strip(NEWLINES + BLANKS):
            shaper = self._look(parts[0], scale).shaper if parts else self.base
            yield StyledLine(start, shaper.line_px, shaper.ascent_px, [], [])
            return
        run, looks = self._run(parts, text, scale, rtl)
        i, n, begin = 0, len(run.strips), min(start, run.starts[0])
        while i < n:
            line = run.line_end(i, room, self.max_words, looks[i].shaper.after_tabs)
            if line.end > i:
                yield self._line(run, looks, i, line, room, begin, align)
                i = line.end
                begin = run.starts[i]
                continue
            cut = list(
                looks[i].shaper.cut(run.keys[i], rtl=bool(run.ways and run.ways[i]), room_px=room)
            )
            at, (first, last) = run.starts[i], looks[i].span
            for shown, strip in cut[:-1]:
                end = min(last, first + len(shown))
                alone = StripRun([strip], [at, at], [shown], ways=[False])
                look = looks[i]._replace(span=(first, end))
                yield self._line(alone, [look], 0, LineEnd(1, {}, False), room, begin, align)
                first, at = end, min(run.starts[i + 1], at + len(shown))
                begin = at
            looks[i] = looks[i]._replace(span=(first, last))
            run.replace(i, at, *cut[-1])

    def _line(
        self,
        run: StripRun,
        looks: list[Look],
        i: int,
        line: LineEnd,
        room: int,
        start: int,
        align: str,
    ) -> StyledLine:
        """Put the parts of a line in their places."""
        parts = list(range(i, line.end))
        strips = {k: run.strips[k] for k in parts}
        for k, gap in line.gaps.items():
            if k in strips:
                strips[k] = looks[k].shaper.blank(gap)
        while parts and not strips[parts[-1]].fit_px:
            parts.pop()
        if parts:
            strips[parts[-1]] = strips[parts[-1]].bare()
        n_words = run.words[line.end] - run.words[i]
        if run.ranks is not None:
            parts = [i + k for k in run.part_order(i, len(parts))]
        seen = parts or [i]
        up = max(looks[k].shaper.ascent_px + strips[k].up_px for k in seen)
        down = max(looks[k].shaper.descent_px + strips[k].down_px for k in seen)
        tall = max(up + down, round((up + down) * self.spec.line_spacing))
        width = sum(strips[k].full_px for k in parts)
        align = align or ("right" if run.base_rtl else self.spec.align)
        spare = max(0, room - width)
        x = {"left": 0, "center": spare // 2, "right": spare}[align]
        pieces: list[PlacedStrip] = []
        fills: list[Fill] = []
        for k in parts:
            strip, look = strips[k], looks[k]
            y = up - look.shaper.ascent_px - strip.up_px
            pieces.append(PlacedStrip(strip, x, y, look.span, look.kind, run.keys[k]))
            if look.code:
                fills.append(Fill(x, 0, strip.full_px, up + down, CODE_TONE))
            thick = max(1, self.em // 16)
            for each in look.lines:
                line_y = up + thick + 1 if each == "u" else up - round(0.3 * look.shaper.ascent_px)
                fills.append(Fill(x, line_y, strip.full_px, thick, 0.8))
            x += strip.full_px
        return StyledLine(start, tall, up, pieces, fills, 0, n_words)


def _mirrored(block: Block) -> bool:
    """Say whether a block begins at the right: by its first strong letter, a row by its table's."""
    cells = [cell for row in block.table for cell in row] or [block.parts]
    return reads_rtl(char for cell in cells for part in cell for char in part.text)


def _shared(whole: list[int], least: list[int], free: int) -> list[int]:
    """Share a width among columns: what they ask for, or in proportion to it, or nothing."""
    if sum(whole) <= free:
        return whole
    if sum(least) > free:
        return []
    spare = free - sum(least)
    more = [a - b for a, b in zip(whole, least, strict=True)]
    return [b + spare * m // max(1, sum(more)) for b, m in zip(least, more, strict=True)]
