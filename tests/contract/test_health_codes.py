"""Every finding of picture health has a sentence in the page's catalogue, and the page knows no other."""

from __future__ import annotations

from ingest.protocol.health import FINDINGS

from .test_reason_codes import sentences


def test_every_finding_has_a_sentence() -> None:
    assert set(FINDINGS) == sentences("finding")
