"""Settings of the relay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """`addresses` are the local IP addresses offered to browsers; empty means every address of the host.

    A viewer that has not connected after `connect_within_s` is dropped. `viewers_per_feed` bounds each feed,
    `connecting_per_feed` those of them that have not connected yet: whoever only makes offers cannot take
    the places of those who watch.
    """

    addresses: tuple[str, ...] = ("127.0.0.1",)
    connect_within_s: float = 15.0
    viewers_per_feed: int = 50
    connecting_per_feed: int = 16
