"""A report as one HTML file that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape

from flow.codec.xml_text import xml_text

from .document import Block, Document, Heading, MapFigure, Pairs, Paragraph, Stills, Table
from .track_map import DOTS, HEIGHT_MM, LINES, WIDTH_MM, Dot, Label, Line, TrackMap

_TEXT_MOST = 20_000
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; color: #111; background: #fff;
  max-width: 52rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; break-after: avoid; }
.subtitle { color: #444; margin: .2rem 0 1.2rem; }
.banner { border: 3px solid #111; font-weight: 700; letter-spacing: .2em;
  text-align: center; padding: .3rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .28rem .8rem .28rem 0; border-bottom: 1px solid #ccc;
  white-space: pre-line; overflow-wrap: anywhere; }
.pairs th { width: 34%; font-weight: 400; color: #444; }
thead th { border-bottom: 1.5px solid #111; }
tr { break-inside: avoid; }
figure { margin: 1rem 0; break-inside: avoid; }
figcaption { color: #333; font-size: .87rem; margin-top: .3rem; white-space: pre-line; }
img { display: block; max-width: 100%; max-height: 80vh; } svg { width: 100%; height: auto; }
footer { margin: 2.5rem 0 1rem; color: #555; font-size: .8rem; border-top: 1px solid #ccc;
  padding-top: .4rem; }
@media print { body { margin: 0; max-width: none; font-size: 10.5pt; } img { max-height: 11cm; } }
@page { size: A4; margin: 17mm; }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def html_of(document: Document) -> bytes:
    banner = f'<p class="banner">{_text(document.banner)}</p>' if document.banner else ""
    return "\n".join(
        (
            f'<!doctype html>\n<html lang="{_text(document.language)}">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(document.title)} · {_text(document.subtitle)}</title>",
            f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>{banner}",
            f'<h1>{_text(document.title)}</h1>\n<p class="subtitle">{_text(document.subtitle)}</p>',
            *(part for block in document.blocks for part in _block(block)),
            f"</main>\n<footer>{_text(document.footer)}</footer>\n</body>\n</html>\n",
        )
    ).encode()


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"<h2>{_text(text)}</h2>"
        case Paragraph(text):
            yield f"<p>{_text(text)}</p>"
        case Pairs(rows):
            yield '<table class="pairs">'
            for name, value in rows:
                yield f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>'
            yield "</table>"
        case Table():
            yield from _table(block)
        case MapFigure(drawn, caption):
            yield f"<figure>{_svg(drawn, caption)}<figcaption>{_text(caption)}</figcaption></figure>"
        case Stills(stills):
            for still in stills:
                data = base64.b64encode(still.path.read_bytes()).decode("ascii")
                caption = _text(still.caption)
                picture = f'<img src="data:image/jpeg;base64,{data}" alt="{caption}">'
                yield f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _table(table: Table) -> Iterator[str]:
    yield "<table>"
    yield "".join(f'<col style="width:{share:.0%}">' for share in table.shares)
    yield (
        "<thead><tr>"
        + "".join(f'<th scope="col">{_text(name)}</th>' for name in table.head)
        + "</tr></thead>"
    )
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>"
    yield "</table>"


def _svg(drawn: TrackMap, title: str) -> str:
    view = f"-14 -3 {WIDTH_MM + 17} {HEIGHT_MM + 9}"
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" role="img" font-size="3.2" ',
            f'font-family="sans-serif"><title>{_text(title)}</title>',
            *map(_line, drawn.lines),
            *map(_label, drawn.labels),
            *map(_dot, drawn.dots),
            "</svg>",
        )
    )


def _line(line: Line) -> str:
    colour, width = LINES[line.ink]
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in line.points)
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linejoin="round"/>'
    )


def _label(label: Label) -> str:
    (x, y), anchor = label.at, {"left": "start", "right": "end"}.get(label.align, "middle")
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}" fill="#333">{_text(label.text)}</text>'


def _dot(dot: Dot) -> str:
    (x, y), colour = dot.at, DOTS[dot.ink]
    at_right = x < WIDTH_MM - 25
    anchor, beside = ("start", 2.0) if at_right else ("end", -2.0)
    return (
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="1.3" fill="{colour}" stroke="#fff" stroke-width="0.3"/>'
        f'<text x="{x + beside:.2f}" y="{y + 1.1:.2f}" text-anchor="{anchor}" font-weight="bold" '
        f'fill="{colour}" stroke="#fff" stroke-width="0.8" paint-order="stroke">{_text(dot.label)}</text>'
    )


def _text(text: str) -> str:
    return escape(xml_text(text, most=_TEXT_MOST))
