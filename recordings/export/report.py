"""The report of an export, twice: report.html to look at and search in, report.pdf for the files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

from .report_facts import facts_of
from .report_form import Form
from .report_html import html_of
from .report_pdf import write_pdf
from .report_text import document_of
from .source import ExportSource, Progress


def make_report(
    source: ExportSource,
    stills: Sequence[Path],
    folder: Path,
    progress: Progress,
    *,
    made_ns: int | None = None,
    zone: tzinfo | None = None,
) -> list[Path]:
    """Two files in `folder`, in the language of the order. `stills` are JPEGs whose EXIF says when they were
    taken. `zone` None: local time is the machine's. Blocking. Raises OSError."""
    progress(0.0)
    facts = facts_of(source, stills)
    progress(0.5)
    document = document_of(facts, Form(source.order.language, zone), made_ns)
    html, pdf = folder / "report.html", folder / "report.pdf"
    html.write_bytes(html_of(document))
    progress(0.6)
    write_pdf(document, pdf, source.order.to_ns if made_ns is None else made_ns)
    progress(1.0)
    return [html, pdf]
