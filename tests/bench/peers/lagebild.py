"""Lagebild as it ships: `lagebild serve` with a configuration of its own.

This module starts it, for two things that no setting gives: viewers in another network namespace are let in
as if they sat at this machine, unencrypted as with the other relays; and, to measure at a fixed pace,
`python -m tests.bench.peers.lagebild BITS_PER_SECOND serve --config FILE` (0: the usual pace).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace

from relay.settings import RelaySettings
from web import cli, room_settings
from web.access.recognise import LOCAL, Gatekeeper
from web.settings import Settings

from . import BUILD
from .place import Place
from .whep import WhepPeer

FEED = "bench"
_CONFIGURATION = """\
[server]
host = {host}
port = {http_port}
log_level = "warning"
proxies = {proxies}

[webrtc]
port = {webrtc_port}

[viewers]
per_feed = 1000
per_address = 1000

[[aircraft]]
id = "bench"
mavlink = {mavlink}
system_id = 1
allow_from = {allowed}

  [[aircraft.feed]]
  id = "bench"
  source = {source}
  trust_clock = true
  allow_from = {allowed}
"""


class LagebildPeer(WhepPeer):
    """Also takes MAVLink of system 1, and tells it to whoever listens at `telemetry_url`.

    `pace_bps` holds what each viewer is sent to that rate, whatever its receiver reports. `everybody_may`:
    nobody is asked who he is.
    """

    def __init__(self, place: Place, *, pace_bps: int | None = None, everybody_may: bool = True) -> None:
        super().__init__("lagebild", place, f"/live/{FEED}/whep")
        self.mavlink_target = (place.relay_address, place.free_port())
        self.telemetry_url = f"ws://{place.relay_address}:{self.http_port}/api/v1/feeds/{FEED}/telemetry"
        self._webrtc_port = place.free_port()
        self._pace_bps, self._everybody_may = pace_bps, everybody_may

    def command(self) -> Sequence[str]:
        BUILD.mkdir(parents=True, exist_ok=True)
        file = BUILD / "lagebild.toml"
        file.write_text(self._configuration(), encoding="utf-8")
        if not self._everybody_may:
            return sys.executable, "-m", "web", "serve", "--config", str(file)
        itself = (sys.executable, "-m", "tests.bench.peers.lagebild", str(self._pace_bps or 0))
        return *itself, "serve", "--config", str(file)

    def _configuration(self) -> str:
        host = self.place.relay_address
        values = {
            "host": host,
            "http_port": self.http_port,
            "webrtc_port": self._webrtc_port,
            "mavlink": f"udpin:{host}:{self.mavlink_target[1]}",
            "source": f"rtp://{host}:{self.rtp_port}",
            "allowed": [self.place.viewer_address],
            "proxies": [self.place.viewer_address] if self._everybody_may else [],
        }
        return _CONFIGURATION.format(**{key: json.dumps(value) for key, value in values.items()})


def main(pace_bps: float, arguments: Sequence[str]) -> int:
    """`lagebild ARGUMENTS`, where everybody may come in; every viewer's pacing is fixed, unless at 0."""
    Gatekeeper.caller = lambda guard, request: LOCAL  # type: ignore[assignment,method-assign]
    if not pace_bps:
        return cli.main(arguments)
    configured = room_settings.relay_settings

    def paced(settings: Settings) -> RelaySettings:
        return replace(configured(settings), pace_fixed_bps=pace_bps)

    room_settings.relay_settings = paced
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
