"""STATUSTEXT: joins the chunks of MAVLink 2 and drops echoes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flow.samples import Severity

CHUNK_CHARS = 50
MOST_CHUNKS = 20
CHUNKS_WAIT_NS = 2_000_000_000
ECHO_NS = 1_000_000_000
MISSING = "…"

_SEVERITIES = tuple(Severity)  # in the order of MAV_SEVERITY, 0 to 7


@dataclass(slots=True)
class _Chunks:
    text_id: int
    severity: Severity
    began_ns: int
    parts: dict[int, str] = field(default_factory=dict)
    last: int | None = None  # number of the chunk that ends the text

    @property
    def complete(self) -> bool:
        return self.last is not None and len(self.parts) > self.last

    @property
    def text(self) -> str:
        end = self.last if self.last is not None else max(self.parts)
        joined = "".join(self.parts.get(number, MISSING) for number in range(end + 1))
        return joined if self.last is not None else joined + MISSING


class TextJoiner:
    """Messages in, whole (severity, text) out; a text with missing chunks comes with "…" in their place."""

    def __init__(self) -> None:
        self._open: dict[int, _Chunks] = {}  # by component, one text at a time
        self._recent: dict[tuple[Severity, str], int] = {}

    def push(self, component_id: int, message: Any, now_ns: int) -> list[tuple[Severity, str]]:
        """Take in a STATUSTEXT; return the texts that are whole now, or given up for a newer one."""
        severity = _SEVERITIES[min(message.severity, 7)]
        if not message.id:
            return self._fresh([(severity, message.text)], now_ns)
        done = []
        chunks = self._open.get(component_id)
        if chunks and chunks.text_id != message.id:
            done.append((chunks.severity, chunks.text))
            chunks = None
        if chunks is None:
            chunks = self._open[component_id] = _Chunks(message.id, severity, now_ns)
        self._add(chunks, message)
        if chunks.complete:
            del self._open[component_id]
            done.append((chunks.severity, chunks.text))
        return self._fresh(done, now_ns)

    def overdue(self, now_ns: int) -> list[tuple[Severity, str]]:
        """Texts whose missing chunks will not come any more."""
        late = [number for number, chunks in self._open.items() if now_ns - chunks.began_ns > CHUNKS_WAIT_NS]
        return self._fresh([(chunks.severity, chunks.text) for chunks in map(self._open.pop, late)], now_ns)

    @staticmethod
    def _add(chunks: _Chunks, message: Any) -> None:
        number = min(message.chunk_seq, MOST_CHUNKS - 1)
        chunks.parts[number] = message.text
        if len(message.text) < CHUNK_CHARS or number == MOST_CHUNKS - 1:
            chunks.last = number

    def _fresh(self, texts: list[tuple[Severity, str]], now_ns: int) -> list[tuple[Severity, str]]:
        """`texts` without the empty ones and without echoes: ArduPilot says everything once per channel."""
        self._recent = {text: ns for text, ns in self._recent.items() if now_ns - ns < ECHO_NS}
        fresh = [text for text in texts if text[1].strip() and text not in self._recent]
        self._recent |= dict.fromkeys(fresh, now_ns)
        return fresh
