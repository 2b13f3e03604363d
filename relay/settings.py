"""Settings of the relay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where viewers reach the relay, and how many of them there may be.

    `addresses` are the local IP addresses offered to browsers; empty means every address of the host. All
    viewers share one `port`, UDP and (with `tcp`) TCP; 0 lets the kernel choose. `public_host` is an address
    or a name that is offered beside the local ones: the port is forwarded from there.

    A viewer that has not connected after `connect_within_s` is dropped. `viewers_per_feed` bounds each feed,
    `connecting_per_feed` those of them that have not connected yet: whoever only makes offers cannot take
    the places of those who watch. `viewers_per_address` bounds the sessions of one address on all feeds,
    `connecting_per_address` those of them that have not connected yet. `connecting_…` bound the publishers'
    sessions, too, counted apart.

    `pace_fixed_bps` holds every viewer's pacing at one rate, for measuring only.
    """

    addresses: tuple[str, ...] = ("127.0.0.1",)
    port: int = 0
    public_host: str = ""
    tcp: bool = True
    connect_within_s: float = 15.0
    viewers_per_feed: int = 400
    viewers_per_address: int = 100
    connecting_per_feed: int = 64
    connecting_per_address: int = 32
    pace_fixed_bps: float | None = None
