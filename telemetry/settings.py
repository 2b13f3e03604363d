"""What telemetry must be told, and the links that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.errors import ConfigError
from flow.flights import Feed


@dataclass(frozen=True, slots=True)
class AircraftLink:
    """Where one aircraft's MAVLink comes from; see `sources.py` for the URLs.

    `system_id` None adopts the first aircraft heard there. `allow_from` names the senders (addresses or
    networks) that may reach a port which is open to the network. Aircraft may share a URL.
    """

    aircraft_id: str
    url: str
    system_id: int | None = None
    allow_from: tuple[str, ...] = ()
    signing_key: str = field(default="", repr=False)  # never in a log


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where ground stations read an aircraft's MAVLink along; see `share/forwarder.py` for the addresses."""

    aircraft_id: str
    to: tuple[str, ...]
    allow_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When an aircraft's telemetry is worth a warning, and when an alarm."""

    aircraft_id: str
    battery_warning_pct: float = 30.0
    battery_alarm_pct: float = 20.0
    battery_alarm_v: float | None = None
    link_warning_pct: float = 40.0
    link_alarm_pct: float = 20.0
    telemetry_age_s: float = 5.0


@dataclass(frozen=True, slots=True)
class TsOut:
    """Where a feed goes as MPEG-TS with KLV."""

    feed_id: str
    to: str


@dataclass(frozen=True, slots=True)
class CotOut:
    """Cursor on Target: to whom, how often, and by which certificates."""

    to: tuple[str, ...] = ()
    every_s: float = 1.0
    stale_s: float = 10.0
    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """All links, and how patient telemetry is with them.

    `links` are of MAVLink, `tracks` of what comes within a feed's stream or a file: url "feed:FEED" or
    "srt:FILE". `cameras` are the feeds that a look at the ground may be asked for.
    """

    links: tuple[AircraftLink, ...]
    tracks: tuple[AircraftLink, ...] = ()
    cameras: tuple[Feed, ...] = ()
    names: tuple[tuple[str, str], ...] = ()  # aircraft id and the name that people know it by
    training: tuple[str, ...] = ()  # aircraft as which recordings are played: never told to others
    mission: str = ""  # what the operation is called
    terrain: tuple[str, ...] = ()
    sharing: tuple[Sharing, ...] = ()
    thresholds: tuple[Thresholds, ...] = ()
    ts_outs: tuple[TsOut, ...] = ()
    cot: CotOut = CotOut()
    silent_after_s: float = 3.0
    retry_first_s: float = 0.5
    retry_most_s: float = 10.0

    def by_url(self) -> list[tuple[str, list[AircraftLink]]]:
        """The aircraft of each URL; one that is played for an exercise shares none.

        Raises ConfigError where messages could not be told apart.
        """
        groups: dict[tuple[str, str], list[AircraftLink]] = {}
        for link in self.links:
            own = link.aircraft_id if link.aircraft_id in self.training else ""
            groups.setdefault((link.url, own), []).append(link)
        for (url, _), group in groups.items():
            _check(url, group)
        return [(url, group) for (url, _), group in groups.items()]


def _check(url: str, group: list[AircraftLink]) -> None:
    owners: dict[int | None, str] = {}
    for link in group:
        number = link.system_id
        if number is not None and not 1 <= number <= 255:
            raise ConfigError(f"aircraft '{link.aircraft_id}': system_id is {number}, not 1 to 255")
        if number in owners:
            both = f"aircraft '{owners[number]}' and '{link.aircraft_id}'"
            raise ConfigError(f"{both} share {url}: give each a system_id of its own")
        owners[number] = link.aircraft_id
    if None in owners and len(group) > 1:
        raise ConfigError(f"aircraft '{owners[None]}' shares {url} with others: give it its system_id")
