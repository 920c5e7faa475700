"""Marked-up text as blocks of styled text that know their place in the source.

>>> (block,) = markdown_blocks("Some **bold** text.")
>>> [(part.text, part.style, part.start) for part in block.parts]
[('Some ', '', 0), ('bold', 'b', 7), (' text.', '', 13)]

Markdown is CommonMark with tables and strike-through, read by markdown-it-py. Its tokens say in which
lines a block stands, and nothing of the characters: each text is looked for in those lines, from
where the one before it ended, and markup is stepped over. HTML is shown as it is written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from t2vid.errors import InputError
from t2vid.frames.blocks import Block, Marker, StyledText
from t2vid.frames.highlighting import highlighted
from t2vid.frames.styles import BULLETS

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_MARKUP = 5_000_000  # characters: a document is read as a whole
_MAX_NESTING = 100  # of markdown-it's tokens, which drops what is deeper; a list takes two
_NEWLINE = re.compile("\r\n|\r|\n")
_MARKER = re.compile(r"[ \t]*(?:>|[-+*](?=[ \t\n]|$)|\d{1,9}[.)](?=[ \t\n]|$)|#{1,6}(?=[ \t\n]|$))")
_QUOTE = re.compile("[ \t]*>")


def blocks(text: str, markup: str, language: str | None = None) -> Iterator[Block]:
    """Read a marked-up text.

    Args:
        text: the source.
        markup: `markdown` or `code`.
        language: of code, as `RenderSpec.code_language`.

    Raises:
        InputError: for a text of more than `MAX_MARKUP` characters.
    """
    if len(text) > MAX_MARKUP:
        raise InputError(
            f"marked-up text has {len(text):,} characters, more than {MAX_MARKUP:,}; cut it, or draw it "
            "with markup 'plain'"
        )
    if markup == "code":
        yield from _whole(text, highlighted(_NEWLINE.sub("\n", text), language))
    else:
        yield from markdown_blocks(text)


def markdown_blocks(text: str) -> list[Block]:
    """Read Markdown; what shows nothing (a lone link definition) or nests too deep is shown as written."""
    found = _Reader(text).read()
    if any(block.parts or any(block.cells) for block in found):
        return found
    return [
        Block("text", at, [StyledText(line, at, at + len(line))], tight=True)
        for at, line in _lines(text)
        if line.strip()
    ]


def _whole(text: str, parts: list[Any]) -> Iterator[Block]:
    """Give the lines of a program as one block each, so that pages break between them."""
    starts = [at for at, _ in _lines(text)]
    line: list[StyledText] = []
    number, at = 0, 0
    for part in parts:
        for n, piece in enumerate(part.text.split("\n")):
            if n:
                yield Block("code", starts[number], line, tight=True)
                number, line = number + 1, []
                at = starts[number] if number < len(starts) else len(text)
            if piece:
                line.append(StyledText(piece, at, at + len(piece), "m" + part.style, part.kind))
                at += len(piece)
    if line:
        yield Block("code", starts[number], line, tight=True)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for match in _NEWLINE.finditer(text):
        yield at, text[at : match.start()]
        at = match.end()
    yield at, text[at:]


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    options = {"html": False, "maxNesting": _MAX_NESTING}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    return parser.disable("text_join")  # an escape stays a token that says how it was written


class _Reader:
    """Reads one document; `at` is a place in its text with plain newlines."""

    def __init__(self, text: str) -> None:
        lines = list(_lines(text))
        self.text = "\n".join(line for _, line in lines).replace("\0", "\ufffd")
        self.source_starts = [at for at, _ in lines]
        lengths = (len(line) + 1 for _, line in lines)
        self.starts = list(accumulate(lengths, initial=0))[:-1]
        self.n_source = len(text)
        self.at = self.limit = self.line = 0
        self.first = False  # whether the next block begins a list
        self.blocks: list[Block] = []
        self.nest: list[str] = []
        self.tight: list[bool] = []
        self.markers: list[Marker] = []

    def read(self) -> list[Block]:
        tokens = _parser().parse(self.text)
        lists: list[Token] = []
        row: list[list[StyledText]] = []
        aligns: list[str] = []
        table: list[tuple[list[StyledText], ...]] = []
        head = False
        if any(token.level > _MAX_NESTING - 3 for token in tokens):
            return []
        for n, token in enumerate(tokens):
            kind = token.type
            if kind == "blockquote_open":
                self.nest.append("q")
            elif kind in ("bullet_list_open", "ordered_list_open"):
                self.first = not lists
                lists.append(token)
                self.nest.append("l")
                self.tight.append(False)
            elif kind == "list_item_open":
                self._marker(token, lists[-1])
            elif kind == "list_item_close" and self.markers:  # an item without text
                self._add("text", self.markers[0].part.start, [], tight=True)
            elif kind in ("blockquote_close", "bullet_list_close", "ordered_list_close"):
                if self.nest.pop() == "l":
                    lists.pop()
                    self.tight.pop()
            elif kind in ("fence", "code_block"):
                self._code(token)
            elif kind == "hr":
                self._add("rule", self._source(self.starts[token.map[0] if token.map else 0]), [])
            elif kind == "table_open":
                table = []
            elif kind == "tr_open":
                row, aligns = [], []
                self._enter(token.map)
            elif kind in ("th_open", "td_open"):
                head = kind == "th_open"
                found = re.search("text-align:(\\w+)", str(token.attrs.get("style", "")))
                aligns.append(found[1] if found else "")
            elif kind == "tr_close":
                start = self._source(self.starts[self.line])
                level = 1 if head else 0
                table.append(tuple(row))
                fields = {"cells": table[-1], "aligns": tuple(aligns), "table": table}
                self._add("row", start, [], level=level, tight=not head, **fields)
            elif kind == "inline":
                before = tokens[n - 1]
                if before.type in ("th_open", "td_open"):
                    row.append(self._inline(token, "b" if head else ""))
                    continue
                self._enter(token.map, heading=before.type == "heading_open")
                start = self._source(self.starts[self.line])
                level = int(before.tag[1]) if before.type == "heading_open" else 0
                parts = self._inline(token, "b" if level else "")
                # CommonMark hides the paragraphs of a list without empty lines
                self._add("text", start, parts, level=level, tight=before.hidden)
        return self.blocks

    def _enter(self, lines: Any, *, heading: bool = False) -> None:
        """Begin to look for text in some lines, behind the marks of what is around them."""
        self.line, last = lines
        self.limit = self.starts[last] if last < len(self.starts) else len(self.text)
        marked = heading or bool(self.markers)  # elsewhere `# ` and `- ` are text, as in a table
        behind = self._behind_marks if marked else self._behind_quotes
        self.at = behind(self.starts[self.line])

    def _behind_marks(self, at: int) -> int:
        for _ in range(len(self.nest) + 1):
            match = _MARKER.match(self.text, at, self.limit)
            if match is None:
                break
            at = match.end()
        return at

    def _behind_quotes(self, at: int) -> int:
        """Step into a paragraph's next line: what looks like a list or a heading there is its text."""
        for _ in range(self.nest.count("q")):
            match = _QUOTE.match(self.text, at, self.limit)
            at = match.end() if match else at
        return self._blank(at)

    def _add(self, kind: str, start: int, parts: list[StyledText], **fields: Any) -> None:
        markers, self.markers = tuple(self.markers), []
        if markers:
            start = min(start, markers[0].part.start)
        tight = fields.pop("tight", False) and not (markers and self.first)
        self.first = False
        nest = "".join(self.nest)
        self.blocks.append(
            Block(kind, start, parts, nest=nest, markers=markers, tight=tight, **fields)
        )

    def _marker(self, item: Token, parent: Token) -> None:
        line = item.map[0] if item.map else 0
        at = self.starts[line]
        if parent.type == "bullet_list_open":
            depth = min(self.nest.count("l"), len(BULLETS))
            start = self._source(at)
            part = StyledText(BULLETS[depth - 1], start, start)
        else:
            text = item.info + item.markup
            end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
            found = self.text.find(text, at, end)
            start = self._source(found if found >= 0 else at)
            part = StyledText(text, start, start + (len(text) if found >= 0 else 0))
        self.markers.append(Marker(part, len(self.nest)))

    def _code(self, token: Token) -> None:
        first, last = token.map or (0, 0)
        first += token.type == "fence"
        language = token.info.split()[0] if token.info.split() else ""
        lines = token.content.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        parts = highlighted("\n".join(lines), language or None) if language else []
        looks = [(part.kind, part.style) for part in parts for _ in part.text]
        at = 0
        for n, line in enumerate(lines):
            place = self.starts[min(first + n, len(self.starts) - 1)]
            end = min(place + len(line) + 1000, len(self.text))
            body = line.lstrip(" \t")
            found = self.text.find(body, place, end) if body else place
            start = self._source(place)
            shown: list[StyledText] = []
            blank = len(line) - len(body)
            if blank:
                shown.append(StyledText(line[:blank], start, start, "m"))
            begin = self._source(found) if found >= 0 else start
            for i, char in enumerate(body):
                kind, style = looks[at + blank + i] if looks else ("", "")
                end = begin + i + 1 if found >= 0 else begin
                place_of = begin + i if found >= 0 else begin
                last_part = shown[-1] if shown and i else None
                if last_part and (last_part.kind, last_part.style) == (kind, "m" + style):
                    shown[-1] = last_part._replace(text=last_part.text + char, end=end)
                else:
                    shown.append(StyledText(char, place_of, end, "m" + style, kind))
            self._add("code", start, shown, tight=n > 0)
            at += len(line) + 1
        if not lines:
            self._add("code", self._source(self.starts[token.map[0] if token.map else 0]), [])

    def _inline(self, token: Token, style: str) -> list[StyledText]:
        parts: list[StyledText] = []
        self._children(token.children or [], style, "", parts)
        return parts

    def _children(
        self, tokens: list[Token], style: str, kind: str, parts: list[StyledText]
    ) -> None:
        autolink = False
        for token in tokens:
            name = token.type
            if name in ("strong_open", "em_open", "s_open"):
                self._step(token.markup)
                style += {"strong_open": "b", "em_open": "i", "s_open": "s"}[name]
            elif name in ("strong_close", "em_close", "s_close"):
                self._step(token.markup)
                mark = {"strong_close": "b", "em_close": "i", "s_close": "s"}[name]
                at = style.rfind(mark)
                style = style[:at] + style[at + 1 :]
            elif name == "link_open":
                autolink = token.markup == "autolink"
                self._step("<" if autolink else "[")
                kind = "link"
            elif name == "link_close":
                self._step(">") if token.markup == "autolink" else self._target()
                kind = ""
            elif name == "image":
                self._step("![")
                self._children(token.children or [], style + "i", kind, parts)
                self._target()
            elif name in ("softbreak", "hardbreak"):
                at = self.text.find("\n", self.at, self.limit)
                at = at if at >= 0 else self.at
                place = self._source(at)
                end = min(place + 1, self.n_source)
                parts.append(StyledText(" " if name == "softbreak" else "\n", place, end, style))
                self.at = self._behind_quotes(at + 1)
            elif name == "code_inline":
                self._step(token.markup)
                self._found(token.content, style + "m", kind, parts)
                self._step(token.markup)
            elif name == "text_special":
                at = self.text.find(token.markup, self.at, self.limit)
                at = at if at >= 0 else self.at
                self.at = at
                end = min(at + len(token.markup), self.limit)
                self._shown(token.content, end, style, kind, parts)
            elif autolink:  # an address is shown decoded
                end = self.text.find(">", self.at, self.limit)
                self._shown(token.content, max(self.at, end), style, kind, parts)
                autolink = False
            elif token.content:
                self._found(token.content, style, kind, parts)

    def _found(self, text: str, style: str, kind: str, parts: list[StyledText]) -> None:
        """Add text with its place in the source; where its blanks differ there, word by word."""
        if not text:
            return
        at = self.text.find(text, self.at, self.limit)
        if text.isspace() and at > self.at:
            at = -1  # a newline was made a blank; the next one is another's
        if at >= 0:
            start = self._source(at)
            parts.append(StyledText(text, start, start + len(text), style, kind))
            self.at = at + len(text)
            return
        pieces = re.findall(r"\s+|\S+", text)
        if len(pieces) > 1:
            for piece in pieces:
                self._found(piece, style, kind, parts)
            return
        end = self._blank(self.at) if text.isspace() else self.at
        escaped = text.replace("|", "\\|")  # as it is written in a table
        if escaped != text and (at := self.text.find(escaped, self.at, self.limit)) >= 0:
            self.at, end = at, at + len(escaped)
        self._shown(text, end, style, kind, parts)

    def _shown(self, text: str, end: int, style: str, kind: str, parts: list[StyledText]) -> None:
        """Add text that stands for what the source has up to `end`."""
        parts.append(StyledText(text, self._source(self.at), self._source(end), style, kind))
        self.at = end

    def _step(self, markup: str) -> None:
        at = self.text.find(markup, self.at, self.limit)
        if at >= 0 and not self.text[self.at : at].strip():
            self.at = at + len(markup)

    def _target(self) -> None:
        """Step over `](address "title")`, `][label]` or `]`."""
        helpers, text, end = _parser().helpers, self.text, self.limit
        if not text.startswith("]", self.at):
            return
        self.at += 1
        if text.startswith("[", self.at):
            self.at = max(self.at, text.find("]", self.at, end) + 1)
        elif text.startswith("(", self.at):
            at = self._blank(self.at + 1)
            found = helpers.parseLinkDestination(text, at, end)
            at = self._blank(found.pos if found.ok else at)
            title = helpers.parseLinkTitle(text, at, end)
            at = self._blank(title.pos if title.ok else at)
            self.at = at + 1 if text.startswith(")", at) else self.at

    def _blank(self, at: int) -> int:
        while at < self.limit and self.text[at] in " \t\n":
            at += 1
        return at

    def _source(self, at: int) -> int:
        """Give the place in the source of a place in the text with plain newlines."""
        line = bisect_right(self.starts, at) - 1
        return min(self.source_starts[line] + at - self.starts[line], self.n_source)
