"""What telemetry makes of each recorded flight: `python -m tests.bench.telemetry_logs FEEDS` prints a table.

All of it is told by what comes out of a Fleet that adopts whom it hears: the messages it lets through, events
and samples. A test counts the same with pymavlink alone.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.codec.tlog import read_tlog
from flow.flights import Armed, Disarmed
from flow.samples import Group, RawTelemetry, StatusText, TelemetrySample
from telemetry.protocol.fleet import Fleet, Heard, Out
from telemetry.protocol.parser import Decoder, Parser

NS_PER_S = 1_000_000_000
GAP_S = 2.0
"""So long without a word of the aircraft is a gap."""
CHUNK_BYTES = 3101
"""Of a log without times: it is read in pieces that stand for a second each, and has no gaps to speak of."""
UNTIMED_START_NS = 1_500_000_000 * NS_PER_S


@dataclass
class Log:
    """One flight, as it came out. Times of a log that has none are None."""

    name: str
    system_id: int | None = None
    vehicle: str = ""
    messages: int = 0
    duplicates: int = 0
    bad_bytes: int = 0
    armings: int = 0
    disarmings: int = 0
    reboots: int = 0
    fixes: list[str] = field(default_factory=list)  # one after the other, as they changed
    held_back: int = 0
    texts: int = 0
    samples: int = 0
    span_s: float | None = None
    gaps: int | None = None
    longest_gap_s: float | None = None
    uptime_s: float = 0.0  # all that its clock has counted, over reboots

    @property
    def clock_speed(self) -> float | None:
        """How many seconds its clock counts in one of the log's."""
        return self.uptime_s / self.span_s if self.span_s else None


def read_log(path: Path) -> Log:
    """Fly it once more."""
    timed = path.suffix == ".tlog"
    fleet = Fleet("file", [("log", None)])
    log, out, now_ns = Log(path.stem), [], 0
    for now_ns, data in _pieces(path, timed):
        out += fleet.receive(data, "file", now_ns, datagram=timed)
        out += fleet.poll(now_ns)
    out += fleet.poll(now_ns + 10 * NS_PER_S)
    _note_heard(log, fleet.heard("log", now_ns))
    _note_events(log, out)
    _note_messages(log, [item for item in out if isinstance(item, RawTelemetry)], timed)
    return log


def _pieces(path: Path, timed: bool) -> Iterator[tuple[int, bytes]]:
    data = path.read_bytes()
    if timed:
        return ((utc_us * 1000, message) for utc_us, message in read_tlog(data))
    starts = range(0, len(data), CHUNK_BYTES)
    return (
        (UNTIMED_START_NS + second * NS_PER_S, data[start : start + CHUNK_BYTES])
        for second, start in enumerate(starts)
    )


def _note_heard(log: Log, heard: Heard) -> None:
    log.system_id, log.messages, log.duplicates = heard.system_id, heard.messages, heard.duplicates
    log.bad_bytes, log.held_back = heard.bad_bytes, heard.implausible


def _note_events(log: Log, out: list[Out]) -> None:
    kinds = Counter(type(item) for item in out)
    log.armings, log.disarmings = kinds[Armed], kinds[Disarmed]
    log.texts, log.samples = kinds[StatusText], kinds[TelemetrySample]
    samples = (item for item in out if isinstance(item, TelemetrySample))
    # A reboot forgets the fix as well, which is no change of it.
    log.fixes = [
        fix
        for fix, _ in itertools.groupby(each.fix for each in samples if Group.FIX in each.received_ns)
        if fix
    ]


def _note_messages(log: Log, raw: list[RawTelemetry], timed: bool) -> None:
    """Vehicle, gaps and clock, by the messages themselves."""
    parser, decoder = Parser(), Decoder()
    newest_ms: int | None = None
    for frame in (frame for item in raw for frame in parser.push(item.data)):
        if frame.message_id == dialect.MAVLINK_MSG_ID_HEARTBEAT and not log.vehicle:
            log.vehicle = _vehicle(decoder.decode(frame).type)  # type: ignore[union-attr]
        elif frame.message_id == dialect.MAVLINK_MSG_ID_ATTITUDE:
            boot_ms = decoder.decode(frame).time_boot_ms  # type: ignore[union-attr]
            step_ms = 0 if newest_ms is None else boot_ms - newest_ms
            log.reboots += step_ms < -3000
            log.uptime_s += max(0, step_ms) / 1000
            newest_ms = boot_ms if newest_ms is None or step_ms < -3000 else max(newest_ms, boot_ms)
    if timed:
        times_ns = [item.utc_ns for item in raw]
        pauses = [(after - before) / NS_PER_S for before, after in itertools.pairwise(times_ns)]
        log.span_s = (times_ns[-1] - times_ns[0]) / NS_PER_S
        log.gaps, log.longest_gap_s = sum(pause > GAP_S for pause in pauses), max(pauses)


def _vehicle(number: int) -> str:
    name: str = dialect.enums["MAV_TYPE"][number].name
    return name.removeprefix("MAV_TYPE_").lower()


COLUMNS = (
    *("log", "vehicle", "SysID", "messages", "doubles", "bad bytes", "armed", "disarmed", "reboots", "fixes"),
    *("gaps", "longest", "log lasts", "clock counts", "clock speed", "places held back"),
)


def row(log: Log) -> list[str]:
    return [
        log.name,
        log.vehicle,
        str(log.system_id),
        *map(str, (log.messages, log.duplicates, log.bad_bytes, log.armings, log.disarmings, log.reboots)),
        " → ".join(log.fixes),
        "" if log.gaps is None else str(log.gaps),
        "" if log.longest_gap_s is None else f"{log.longest_gap_s:.1f} s",
        "" if log.span_s is None else f"{log.span_s:.0f} s",
        f"{log.uptime_s:.0f} s",
        "" if log.clock_speed is None else f"{log.clock_speed:.2f}",
        str(log.held_back),
    ]


def table(logs: Iterable[Log]) -> str:
    """In Markdown."""
    rows = [list(COLUMNS), ["---"] * len(COLUMNS), *map(row, logs)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def logs_of(feeds: Path) -> list[Log]:
    """All recorded flights of the feeds."""
    return [read_log(path) for path in sorted((feeds / "telemetry").iterdir())]


if __name__ == "__main__":
    print(table(logs_of(Path(sys.argv[1]))))
