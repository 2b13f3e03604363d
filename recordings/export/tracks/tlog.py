"""The raw MAVLink of a stretch, as a .tlog: every record as it came, none with another time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flow.codec.tlog import read_tlog, write_record
from recordings.plain_files import open_plain
from recordings.protocol.mavlink_frames import parse_header

_HEARTBEAT = 0


def tlog_parts(path: Path, from_ns: int, to_ns: int) -> Iterator[bytes]:
    """The records, the end's own not; none where there is no such file.

    Before them the newest HEARTBEAT of each sender from before the stretch, of its own time: programs know by
    it who speaks.
    """
    try:
        file = open_plain(path)
    except FileNotFoundError:
        return
    heartbeats: dict[tuple[int, int], bytes] = {}
    with file:
        for utc_us, message in read_tlog(file):
            if utc_us >= to_ns // 1000:
                return
            if utc_us >= from_ns // 1000:
                yield from heartbeats.values()
                heartbeats.clear()
                yield write_record(utc_us, message)
            elif (header := parse_header(message)) and header.message_id == _HEARTBEAT:
                sender = header.system_id, header.component_id
                heartbeats.pop(sender, None)  # so that they stay in the order of time
                heartbeats[sender] = write_record(utc_us, message)
