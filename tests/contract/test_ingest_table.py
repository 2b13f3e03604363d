"""docs/ingest.md tells of every reason why no picture comes what it means and what is to be done."""

from __future__ import annotations

import re

from tests.contract.test_reason_codes import ROOT, reasons, sentences

INGEST = ROOT / "docs" / "ingest.md"


def told() -> set[str]:
    """The codes in the rows of the table; what to do stands in the last cell of each."""
    _, _, after = INGEST.read_text(encoding="utf-8").partition("## When no picture comes")
    rows = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    assert [row for row in rows if len(row.split(" | ")) != 3] == []
    return {code for row in rows for code in re.findall(r"`(\w+)`", row.rpartition(" | ")[0])}


def test_every_reason_is_in_the_table() -> None:
    codes = reasons("ingest") | sentences("reason")
    assert {"srt_missing", "key_withdrawn", "encoder_failed", "not_connected"} <= codes
    assert codes - told() == set()
