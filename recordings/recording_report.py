"""Tells the pages how the recording of one aircraft stands: its RecordingState, and the alarm if it fails."""

from __future__ import annotations

from dataclasses import replace

from flow.bus import Bus
from flow.clock import NS_PER_S
from flow.flights import Alarm, AlarmLevel
from flow.recording import EVERYTHING, RecordingState, RecordingStatus, RecordKind

from .flight_writer import FlightWriter, Trouble

EVERY_NS = NS_PER_S  # counters that only count are told so often


class RecordingReport:
    """Call `tell` after everything that may have changed something, and now and then."""

    def __init__(self, bus: Bus, aircraft_id: str) -> None:
        self._bus, self._aircraft_id = bus, aircraft_id
        self._told: RecordingState | None = None
        self._told_ns = 0
        self._alarm: Alarm | None = None

    def tell(
        self,
        writer: FlightWriter | None,
        idle_reason: str,
        now_ns: int,
        records: tuple[RecordKind, ...] = EVERYTHING,
    ) -> None:
        self._ring(None if writer is None else writer.trouble, now_ns)
        state = replace(self._state(writer, _why(idle_reason, records), now_ns, records), records=records)
        told = self._told
        is_news = told is None or (told.since_ns, told.records) != (state.since_ns, records)
        if is_news or self._is_due(state, now_ns):
            self._told, self._told_ns = state, now_ns
            self._bus.publish(state)

    def _is_due(self, state: RecordingState, now_ns: int) -> bool:
        return state != self._told and now_ns - self._told_ns >= EVERY_NS

    def _state(
        self, writer: FlightWriter | None, idle_reason: str, now_ns: int, records: tuple[RecordKind, ...]
    ) -> RecordingState:
        if writer is None or not records:  # of a flight of which nothing is kept, only that it was flown is
            flight_id = writer.flight.id if writer else ""
            since_ns = self._since_ns(RecordingStatus.OFF, idle_reason, flight_id, now_ns)
            return RecordingState(
                self._aircraft_id, RecordingStatus.OFF, since_ns, flight_id, reason=idle_reason
            )
        trouble = writer.trouble or Trouble("", "")
        status = RecordingStatus.FAILED if writer.trouble else RecordingStatus.RECORDING
        return RecordingState(
            aircraft_id=self._aircraft_id,
            status=status,
            since_ns=self._since_ns(status, trouble.reason, writer.flight.id, now_ns),
            flight_id=writer.flight.id,
            started_ns=writer.flight.started_ns,
            reason=trouble.reason,
            detail=trouble.detail,
            pictures=writer.pictures,
            written_bytes=writer.written_bytes,
            lost=writer.lost,
        )

    def _since_ns(self, status: RecordingStatus, reason: str, flight_id: str, now_ns: int) -> int:
        told = self._told
        same = told is not None and (told.status, told.reason, told.flight_id) == (status, reason, flight_id)
        return told.since_ns if told is not None and same else now_ns

    def _ring(self, trouble: Trouble | None, now_ns: int) -> None:
        """One alarm while nothing can be written, whatever the reason becomes."""
        if (trouble is None) == (self._alarm is None):
            return
        active = trouble is not None
        alarm = Alarm(
            id=f"{self._aircraft_id}-recording_failed-{now_ns}-{'on' if active else 'off'}",
            aircraft_id=self._aircraft_id,
            utc_ns=now_ns,
            code="recording_failed",
            values={"text": trouble.detail} if trouble else {},
            level=AlarmLevel.ALARM,
            active=active,
        )
        self._alarm = alarm if active else None
        self._bus.publish(alarm)


def _why(idle_reason: str, records: tuple[RecordKind, ...]) -> str:
    """That nobody wants anything kept is said before that nobody flies."""
    return "not_wanted" if not records and idle_reason == "no_flight" else idle_reason
