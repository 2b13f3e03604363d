"""Carries out a schedule: each datagram at its time, and how late it really left."""

from __future__ import annotations

import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from flow.errors import ConfigError

from .protocol.timing import NS_PER_S, Send

logger = logging.getLogger(__name__)

REPORT_EVERY_NS = 10 * NS_PER_S

_BUCKET_NS = 10_000
_LAST_BUCKET = NS_PER_S // _BUCKET_NS


class Lateness:
    """How late datagrams left, to 10 µs, in bounded memory; beyond one second only the worst is kept."""

    def __init__(self) -> None:
        self.count = 0
        self.max_ns = 0
        self._buckets: Counter[int] = Counter()

    def add(self, late_ns: int) -> None:
        self.count += 1
        self.max_ns = max(self.max_ns, late_ns)
        self._buckets[min(_LAST_BUCKET, max(0, late_ns) // _BUCKET_NS)] += 1

    def percentile_ms(self, percent: float) -> float:
        """The upper edge of the bucket that holds this percentile, but never more than the worst."""
        wanted = self.count * percent / 100
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return min((bucket + 1) * _BUCKET_NS, self.max_ns) / 1e6
        return 0.0

    def __str__(self) -> str:
        p50, p99 = self.percentile_ms(50), self.percentile_ms(99)
        return f"late by p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {self.max_ns / 1e6:.2f} ms"


@dataclass(frozen=True, slots=True)
class Address:
    """A resolved UDP address, as the socket module has it."""

    family: int
    sockaddr: tuple[str | int | bytes, ...]


def resolve(text: str) -> Address:
    """Read HOST:PORT, an IPv6 host in brackets; raises ConfigError where it is none or not known."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"{text}: must be HOST:PORT")
    try:
        family, _, _, _, sockaddr = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
    except OSError as error:
        raise ConfigError(f"{text}: {error.strerror}") from None
    return Address(family, sockaddr)


class Report:
    """Writes of each datagram when it was due and when it left, as CSV; for whoever must know each."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        file.write("due_ns,sent_ns,late_ns,port,bytes\n")

    def add(self, send: Send, late_ns: int) -> None:
        due_ns = send.time_ns
        self._file.write(f"{due_ns},{due_ns + late_ns},{late_ns},{send.port},{len(send.data)}\n")


class Sender:
    """Sends a schedule to its addresses, one per port; counts what the network refused."""

    def __init__(
        self,
        addresses: Sequence[Address],
        now_ns: Callable[[], int],
        sleep: Callable[[float], None] = time.sleep,
        report: Report | None = None,
    ) -> None:
        self.lateness = Lateness()
        self.refused = 0
        self._outputs = [(socket.socket(to.family, socket.SOCK_DGRAM), to.sockaddr) for to in addresses]
        self._now_ns = now_ns
        self._sleep = sleep
        self._report = report

    def run(self, sends: Iterable[Send], is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Send everything, then return True; or False as soon as it is no longer wanted, which is asked
        before each datagram and whenever `sleep` returns."""
        recent, report_at_ns = Lateness(), self._now_ns() + REPORT_EVERY_NS
        for send in sends:
            late_ns = self._wait_until(send.time_ns, is_wanted)
            if late_ns is None:
                return False
            self._send(send)
            self.lateness.add(late_ns)
            recent.add(late_ns)
            if self._report is not None:
                self._report.add(send, late_ns)
            if send.time_ns >= report_at_ns:
                logger.debug("%d datagrams, %s", recent.count, recent)
                recent, report_at_ns = Lateness(), report_at_ns + REPORT_EVERY_NS
        return is_wanted()

    def close(self) -> None:
        for output, _ in self._outputs:
            output.close()

    def _wait_until(self, time_ns: int, is_wanted: Callable[[], bool]) -> int | None:
        """Sleep until then; return how many nanoseconds it is past, None if it is no longer wanted."""
        while is_wanted():
            late_ns = self._now_ns() - time_ns
            if late_ns >= 0:
                return late_ns
            self._sleep(-late_ns / NS_PER_S)
        return None

    def _send(self, send: Send) -> None:
        output, address = self._outputs[send.port]
        try:
            output.sendto(send.data, address)
        except OSError as error:
            if not self.refused:
                logger.warning("cannot send to %s: %s", address, error.strerror)
            self.refused += 1

    def __str__(self) -> str:
        return f"{self.lateness.count} datagrams, {self.refused} refused by the network, {self.lateness}"
