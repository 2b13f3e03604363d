"""What a share has given and what its stations have said: counted, and now and then written to the log."""

from __future__ import annotations

import logging
from collections import OrderedDict

from flow.clock import NS_PER_S, Clock
from telemetry.protocol.station import Said, Speech

log = logging.getLogger(__name__)

LINE_EVERY_NS = 10 * NS_PER_S
LINES_MOST = 16
"""Written in that time, whoever speaks: by UDP one program can speak from as many ports as there are."""
_CLIENTS_KEPT = 64


class Ledger:
    """Of one aircraft; all its ports write to it."""

    def __init__(self, aircraft_id: str, clock: Clock) -> None:
        self._aircraft_id, self._clock = aircraft_id, clock
        self.messages = self.lost = self.requests = self.commands = 0
        self.last_command = ""
        self._lines: OrderedDict[str, tuple[int, int]] = OrderedDict()  # client: next line due, left out
        self._began_ns = self._written = 0  # lines, and since when they are counted

    def note(self, client: str, said: Said) -> None:
        """A station has said something; nothing comes of it."""
        if said.speech is Speech.REQUEST:
            self.requests += 1
        elif said.speech is Speech.COMMAND:
            self.commands += 1
            self.last_command = f"{said.name} from {client}"
            self._write(client, said.name)

    def _write(self, client: str, name: str) -> None:
        now_ns = self._clock.now_ns()
        due_ns, left_out = self._lines.pop(client, (now_ns, 0))
        if now_ns < due_ns or not self._may_write(now_ns):
            self._lines[client] = due_ns, left_out + 1
        else:
            self._lines[client] = now_ns + LINE_EVERY_NS, 0
            more = f" (and {left_out} more since the last such line)" if left_out else ""
            text = "share of %s: %s sent %s%s: dropped; nothing goes to an aircraft from here"
            log.warning(text, self._aircraft_id, client, name, more)
        if len(self._lines) > _CLIENTS_KEPT:
            self._lines.popitem(last=False)

    def _may_write(self, now_ns: int) -> bool:
        if now_ns - self._began_ns >= LINE_EVERY_NS:
            self._began_ns, self._written = now_ns, 0
        self._written += 1
        return self._written <= LINES_MOST
