"""What is told of the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True, slots=True)
class AuditEntryView:
    """Who did what, when. Of guests the log keeps the id; the name is shown as long as it is kept."""

    seq: Annotated[int, Meta(description="Rises by one with every entry, over months and restarts")]
    utc_ms: Annotated[float, Meta(description="Milliseconds since the Unix epoch")]
    utc: Annotated[str, Meta(description="The same, to the nanosecond")]
    kind: Annotated[str, Meta(description="nobody, person, guest, machine or local")]
    id: Annotated[str, Meta(description="Of the account, guest or token")]
    name: str
    address: str
    action: str
    about: Annotated[str, Meta(description="A path of the interface, or a word")]
    named: Annotated[dict[str, str], Meta(description="Ids: of the feed, the flight, the incident, …")]
    detail: dict[str, str | int | float | bool | None]
    hash: Annotated[str, Meta(description="Of this line of the chain: SHA-256")]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first. `before` asks for the next page; null: there is none."""

    entries: list[AuditEntryView]
    before: int | None
    waiting: Annotated[int, Meta(description="Entries that are not on the disk yet")]
    lost: Annotated[int, Meta(description="Since the start; the log itself says from when to when")]
    failed: Annotated[bool, Meta(description="Nothing can be written just now: the disk is full")]


@dataclass(frozen=True, slots=True)
class FindingView:
    """What is wrong; `seq` 0: with no entry of its own."""

    found: Annotated[
        str,
        Meta(
            description="damaged, broken, beginning, half_line, cut_off, rewritten, no_anchor, anchor, noted"
        ),
    ]
    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Whether the log is as it was written, and all there."""

    intact: bool
    entries: int
    first_seq: int
    last_seq: int
    last_hash: Annotated[str, Meta(description="Noted elsewhere, it can be asked for again: --seen SEQ:HASH")]
    anchored_seq: Annotated[
        int, Meta(description="So far the signed anchor vouches for it; 0: there is none")
    ]
    anchored_utc: str
    fingerprint: Annotated[str, Meta(description="Of the key that has signed the anchor")]
    lost: Annotated[int, Meta(description="Entries that the disk did not take, as the log says itself")]
    findings: list[FindingView]
