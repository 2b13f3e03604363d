"""Two UDP ports beside each other, as RTP and its RTCP have them."""

from __future__ import annotations

from flow.errors import PortInUseError

from .udp import Endpoint, UdpPort

_TRIES = 32


class UdpPair:
    """RTP on an even port, RTCP on the odd one above (RFC 3550 11), both heard from `peer` alone.

    Raises ConfigError or PortInUseError where there are none to be had.
    """

    def __init__(self, host: str, peer: str) -> None:
        for _ in range(_TRIES):
            first = UdpPort(Endpoint(host, 0, (peer,)))
            try:
                second = UdpPort(Endpoint(host, first.port ^ 1, (peer,)))
            except PortInUseError:
                first.close()
                continue
            self.rtp, self.rtcp = (second, first) if first.port % 2 else (first, second)
            return
        raise PortInUseError(f"no two neighbouring UDP ports of {host} are free")

    @property
    def ports(self) -> tuple[int, int]:
        return self.rtp.port, self.rtcp.port

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()
