"""Telemetry as CSV (RFC 4180): a row per sample, UTF-8, point as the decimal mark, unknown is empty."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from flow.samples import TelemetrySample

from .columns import COLUMNS, Column, Value, utc_text, values
from .fixes import believable

MEDIA_TYPE = "text/csv"
_FORMULA = frozenset("=+-@\t\r")


class _Rows:
    """What csv.writer writes to: `writerow` returns what this does."""

    def write(self, row: str) -> bytes:
        return row.encode()


def csv_parts(samples: Iterable[TelemetrySample], title: str = "") -> Iterator[bytes]:
    """The file, piece by piece. A table has no place for a title."""
    row_of = csv.writer(_Rows()).writerow
    yield row_of(["time [UTC]", *(column.name for column in COLUMNS)])
    for sample in believable(samples):
        cells = map(_cell, values(sample), COLUMNS)
        yield row_of([utc_text(sample.utc_ns), *cells])


def _cell(value: Value, column: Column) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in _FORMULA else value  # what a spreadsheet would carry out
    return f"{value:.{column.decimals}f}"
