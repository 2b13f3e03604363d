"""By which protocols publishers can come just now, where to, and why not by the others."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from flow.errors import LagebildError

from .protocol.events import Awaited, Gone


class Ways:
    """Of the whole installation. A protocol of which nothing was told yet is taken for open."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._off: dict[str, tuple[str, str]] = {}

    def open(self, protocol: str, address: str) -> None:
        """Publishers can come by `protocol`, to `address`."""
        self._off.pop(protocol, None)
        self._open[protocol] = address

    def close(self, protocol: str, error: LagebildError) -> bool:
        """Nobody can come by `protocol`, for this reason; whether that is news."""
        before, why = self._off.get(protocol), (error.code, str(error))
        self._open.pop(protocol, None)
        self._off[protocol] = why
        return before != why

    def off(self, protocols: AbstractSet[str]) -> dict[str, str]:
        """Those that nobody can come by, each with its reason code."""
        return {protocol: self._off[protocol][0] for protocol in sorted(protocols & self._off.keys())}

    def waiting(self, protocols: AbstractSet[str]) -> Awaited | Gone:
        """What a feed tells that is pushed by these and that nobody sends to."""
        off = {protocol: self._off[protocol] for protocol in sorted(protocols & self._off.keys())}
        if off.keys() == protocols:
            code, _ = next(iter(off.values()))
            return Gone(code, "; ".join(line for _, line in off.values()))
        known = [self._open[protocol] for protocol in sorted(protocols & self._open.keys())]
        unknown = sorted(protocols - self._open.keys() - off.keys())
        parts = [f"on {', '.join(known)}"] * bool(known) + [f"by {', '.join(unknown)}"] * bool(unknown)
        closed = "".join(f"; not by {protocol}: {line}" for protocol, (_, line) in off.items())
        return Awaited(f"waiting for a publisher {' or '.join(parts)}{closed}")
