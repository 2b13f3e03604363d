"""A report as PDF, with the font that it needs inside: it looks the same everywhere.

Source Sans Pro has the letters of the European languages, Greek and Cyrillic among them. What it has not
reads "?"; the HTML has all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Literal

from fpdf import FPDF, XPos, YPos
from fpdf.fonts import CoreFont, TTFFont
from PIL import Image, UnidentifiedImageError

from flow.clock import NS_PER_S

from .document import Block, Document, Heading, MapFigure, Pairs, Paragraph, Still, Stills, Table
from .report_words import word
from .track_map import DOTS, HEIGHT_MM, LINES, WIDTH_MM, Dot, Label, TrackMap

_FONTS = files("font_source_sans_pro") / "files"
_FONT, _NOT_IN_THE_FONT = "source", "?"
_MARGIN_MM, _FOOT_MM, _BODY_MM = 17.0, 18.0, 176.0
_LINE_MM = 4.7
_PT = 9.5
_LINES_MOST, _CHARACTERS_MOST = 48, 2400  # of a cell: a row must fit a page
_PAIRS = (0.4, 0.6)
_COLUMN_MM, _BETWEEN_MM = 85.0, 6.0  # stills stand two by two
_STILL_HIGH_MM = 80.0
_MAP_SCALE = 0.92
_CAPTION_MM = 22.0
_MAP_LEFT_MM = 12.0
_GREY, _BLACK = 90, 17


def write_pdf(document: Document, path: Path, made_ns: int) -> None:
    """`made_ns` is the file's date. Raises OSError."""
    paper = _Paper(document)
    paper.set_creation_date(datetime.fromtimestamp(made_ns // NS_PER_S, UTC))
    paper.begin()
    for block, following in pairwise((*document.blocks, None)):
        paper.block(block, following)
    paper.output(str(path))


class _Paper(FPDF):
    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self._document = document
        self.set_margins(_MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(True, _FOOT_MM)
        self.c_margin = 0  # text begins where lines and pictures do
        self.add_font(_FONT, "", str(_FONTS / "SourceSansPro-Regular.ttf"))
        self.add_font(_FONT, "B", str(_FONTS / "SourceSansPro-Bold.ttf"))
        self._letters = frozenset(_letters(self.fonts[_FONT]))
        self.set_lang(document.language)
        self.set_title(self._known(f"{document.title} · {document.subtitle}"))
        self.set_creator("Lagebild")

    def begin(self) -> None:
        self.add_page()
        if self._document.banner:
            self._write(self._document.banner, 13, bold=True, align="C", border=1)
            self.ln(3)
        self._write(self._document.title, 17, bold=True)
        self._write(self._document.subtitle, 10, grey=_GREY)
        self.ln(2)

    def footer(self) -> None:
        self.set_y(-_FOOT_MM + 5)
        self.set_font(_FONT, "", 7.5)
        self.set_text_color(_GREY)
        pages = word("page", self._document.language, page=self.page_no(), pages="{nb}")
        self.cell(_BODY_MM / 2, 5, self._known(self._document.footer))
        self.cell(_BODY_MM / 2, 5, pages, align="R")

    def block(self, block: Block | None, following: Block | None) -> None:
        match block:
            case Heading(text):
                self._heading(text, _begins_with_mm(following))
            case Paragraph(text):
                self._write(text, _PT)
                self.ln(1)
            case Pairs(rows):
                for name, value in rows:
                    self._row((name, value), _PAIRS, first_grey=True)
                self.ln(2)
            case Table(head, table_rows, shares):
                self._row(head, shares, bold=True)
                for row in table_rows:
                    self._row(row, shares, head=head)
            case MapFigure(drawn, caption):
                self._map(drawn, caption)
            case Stills(stills):
                self._stills(stills)

    def _known(self, text: str) -> str:
        return "".join(c if c == "\n" or ord(c) in self._letters else _NOT_IN_THE_FONT for c in text)

    def _write(
        self,
        text: str,
        size: float,
        *,
        bold: bool = False,
        grey: int = _BLACK,
        align: str = "L",
        border: Literal[0, 1] = 0,
    ) -> None:
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(grey)
        high = size * 0.5
        self.multi_cell(
            _BODY_MM, high, self._known(text[:_CHARACTERS_MOST]), align=align, border=border,
            new_x=XPos.LMARGIN, new_y=YPos.NEXT,
        )  # fmt: skip

    def _heading(self, text: str, needs_mm: float) -> None:
        """Never the last on a page: what it is of needs so much below it."""
        if self.will_page_break(12 + needs_mm):
            self.add_page()
        else:
            self.ln(5)
        self._write(text, 12, bold=True)
        self.ln(1)

    def _row(
        self,
        cells: Sequence[str],
        shares: Sequence[float],
        *,
        bold: bool = False,
        first_grey: bool = False,
        head: Sequence[str] = (),
    ) -> None:
        """A line below it; it stays on one page, and a new page has the head of the table again."""
        self.set_font(_FONT, "B" if bold else "", _PT)
        widths = [share * _BODY_MM for share in shares]
        told = [self._wrapped(cell, width - 3) for cell, width in zip(cells, widths, strict=True)]
        high = max(map(len, told)) * _LINE_MM + 1.6
        if self.will_page_break(high):
            self.add_page()
            if head:
                self._row(head, shares, bold=True)
                self.set_font(_FONT, "", _PT)
        top, left = self.y, self.l_margin
        for number, (lines, width) in enumerate(zip(told, widths, strict=True)):
            self.set_text_color(_GREY if first_grey and number == 0 else _BLACK)
            for at, line in enumerate(lines):
                self.set_xy(left, top + 0.8 + at * _LINE_MM)
                self.cell(width, _LINE_MM, line)
            left += width
        self.set_draw_color(_BLACK if bold else 205)
        self.set_line_width(0.2)
        self.line(self.l_margin, top + high, self.l_margin + _BODY_MM, top + high)
        self.set_xy(self.l_margin, top + high)

    def _wrapped(self, text: str, width: float) -> list[str]:
        whole = self._known(text.rstrip())
        lines = self.multi_cell(
            width,
            _LINE_MM,
            whole[:_CHARACTERS_MOST] or " ",
            align="L",
            dry_run=True,
            output="LINES",
            padding=0,
        )
        assert isinstance(lines, list)
        if len(lines) > _LINES_MOST or len(whole) > _CHARACTERS_MOST:
            return [*lines[:_LINES_MOST], "… (report.html)"]
        return lines

    def _map(self, drawn: TrackMap, caption: str) -> None:
        high = HEIGHT_MM * _MAP_SCALE
        if self.will_page_break(high + _CAPTION_MM):
            self.add_page()
        left, top = self.l_margin + _MAP_LEFT_MM, self.y + 2
        for line in drawn.lines:
            colour, width = LINES[line.ink]
            self.set_draw_color(colour)
            self.set_line_width(width)
            self.polyline([(left + x * _MAP_SCALE, top + y * _MAP_SCALE) for x, y in line.points])
        self.set_font(_FONT, "", 7.5)
        self.set_text_color(51)
        for label in drawn.labels:
            self._label(label, left, top)
        for dot in drawn.dots:
            self._dot(dot, left, top)
        self.set_xy(self.l_margin, top + high + 6)
        self._write(caption, 8, grey=_GREY)

    def _label(self, label: Label, left: float, top: float) -> None:
        wide = self.get_string_width(label.text)
        back = {"left": 0.0, "right": wide}.get(label.align, wide / 2)
        self.text(left + label.at[0] * _MAP_SCALE - back, top + label.at[1] * _MAP_SCALE, label.text)

    def _dot(self, dot: Dot, left: float, top: float) -> None:
        """Its label stands on white, where lines run beneath it."""
        x, y = left + dot.at[0] * _MAP_SCALE, top + dot.at[1] * _MAP_SCALE
        self.set_font(_FONT, "B", 7.5)
        wide = self.get_string_width(dot.label)
        start = x + 1.8 if dot.at[0] < WIDTH_MM - 25 else x - 1.8 - wide
        self.set_fill_color(255)
        self.rect(start - 0.4, y - 1.6, wide + 0.8, 3.2, style="F")
        self.set_fill_color(DOTS[dot.ink])
        self.circle(x, y, 1.2, style="F")
        self.set_text_color(DOTS[dot.ink])
        self.text(start, y + 1.0, dot.label)

    def _stills(self, stills: Sequence[Still]) -> None:
        for at in range(0, len(stills), 2):
            pair = [(still, _shown_mm(still.path)) for still in stills[at : at + 2]]
            self.set_font(_FONT, "", 7.5)
            captions = [self._wrapped(still.caption, _COLUMN_MM) for still, _ in pair]
            high = max(size[1] for _, size in pair)
            if self.will_page_break(high + 3.8 * max(map(len, captions)) + 5):
                self.add_page()
            top = self.y
            for column, ((still, size), lines) in enumerate(zip(pair, captions, strict=True)):
                left = self.l_margin + column * (_COLUMN_MM + _BETWEEN_MM)
                if size[0]:
                    self.image(str(still.path), left, top, *size, alt_text=self._known(still.caption))
                self.set_font(_FONT, "", 7.5)
                self.set_text_color(_BLACK)
                for number, line in enumerate(lines):
                    self.set_xy(left, top + high + 1 + number * 3.8)
                    self.cell(_COLUMN_MM, 3.8, line)
            self.set_xy(self.l_margin, top + high + 3.8 * max(map(len, captions)) + 5)


def _begins_with_mm(block: Block | None) -> float:
    """How much of the paper the part of it takes that cannot be parted."""
    match block:
        case MapFigure():
            return HEIGHT_MM * _MAP_SCALE + _CAPTION_MM
        case Stills(stills):
            return max(_shown_mm(still.path)[1] for still in stills[:2]) + 20
    return 20.0


def _letters(font: CoreFont | TTFFont) -> Iterable[int]:
    return font.cmap if isinstance(font, TTFFont) else ()


def _shown_mm(path: Path) -> tuple[float, float]:
    """Width and height on paper; (0, 0) for what is no picture."""
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, UnidentifiedImageError):
        return 0.0, 0.0
    scale = min(_COLUMN_MM / width, _STILL_HIGH_MM / height)
    return width * scale, height * scale
