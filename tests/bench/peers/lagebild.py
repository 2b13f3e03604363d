"""Lagebild as it ships: `lagebild serve` with a configuration of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from . import BUILD
from .place import Place
from .whep import WhepPeer

FEED = "bench"
_CONFIGURATION = """\
[server]
host = {host}
port = {http_port}
log_level = "warning"

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
    """Also takes MAVLink of system 1, and tells it to whoever listens at `telemetry_url`."""

    def __init__(self, place: Place) -> None:
        super().__init__("lagebild", place, f"/live/{FEED}/whep")
        self.mavlink_target = (place.relay_address, place.free_port())
        self.telemetry_url = f"ws://{place.relay_address}:{self.http_port}/api/v1/feeds/{FEED}/telemetry"
        self._webrtc_port = place.free_port()

    def command(self) -> Sequence[str]:
        file = BUILD / "lagebild.toml"
        file.write_text(self._configuration(), encoding="utf-8")
        return sys.executable, "-m", "web", "serve", "--config", str(file)

    def _configuration(self) -> str:
        host = self.place.relay_address
        values = {
            "host": host,
            "http_port": self.http_port,
            "webrtc_port": self._webrtc_port,
            "mavlink": f"udpin:{host}:{self.mavlink_target[1]}",
            "source": f"rtp://{host}:{self.rtp_port}",
            "allowed": [self.place.viewer_address],
        }
        return _CONFIGURATION.format(**{key: json.dumps(value) for key, value in values.items()})
