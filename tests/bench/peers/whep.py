"""Relays that are joined by WHEP: Pion and stock aiortc here, Lagebild in lagebild.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urljoin

import aiohttp

from . import BUILD, AnswerTo, Joined, MissingPeerError, PeerError
from .place import Place
from .process import RelayProcess

PION = BUILD / "pion-relay"
_SDP = {"Content-Type": "application/sdp"}


class WhepPeer:
    """A relay whose command line is made of its two ports, RTP and HTTP."""

    offers = False

    def __init__(self, name: str, place: Place, path: str) -> None:
        self.name = name
        self.place = place
        self.rtp_port, self.http_port = place.free_port(), place.free_port()
        self.url = f"http://{place.relay_address}:{self.http_port}{path}"
        self._process = RelayProcess(name)
        self._http: aiohttp.ClientSession | None = None

    @property
    def rtp_target(self) -> tuple[str, int]:
        return self.place.relay_address, self.rtp_port

    @property
    def pids(self) -> list[int]:
        return self._process.pids

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        raise NotImplementedError

    async def start(self, core: int) -> None:
        self._http = aiohttp.ClientSession()
        try:
            await self._process.start(self.place.command(core, *self.command()), self._answers)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()
        await self._process.stop()

    async def join(self, offer_sdp: str) -> Joined:
        async with self._session.post(self.url, data=offer_sdp, headers=_SDP) as reply:
            text = await reply.text()
            if reply.status != 201:
                raise PeerError(f"{self.name} refuses a viewer: {reply.status} {text.strip()[:200]}")
            session = urljoin(self.url, reply.headers["Location"])

        async def leave() -> None:
            async with self._session.delete(session):
                pass

        return Joined(text, leave)

    async def join_reversed(self, answer_to: AnswerTo) -> Joined:
        raise PeerError(f"{self.name} answers; it does not offer")

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise PeerError(f"{self.name} is not running")
        return self._http

    async def _answers(self) -> bool:
        """Whether anything is heard at the HTTP port, be it an error."""
        try:
            async with self._session.get(self.url):
                return True
        except aiohttp.ClientError:
            return False


def pion_version(relay: Path = PION) -> str:
    """Which Pion `relay` is built on, where that came from, and the Go that built it.

    Raises MissingPeerError where there is no such relay, or none that says it.
    """
    advice = "run scripts/bench-relay-setup (Go with Pion's modules, or Debian's packages of both)"
    try:
        said = subprocess.run([relay.resolve(), "-version"], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise MissingPeerError(f"{relay} is not built; {advice}") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingPeerError(f"{relay} does not say its version ({error}); {advice}") from error
    return said.stdout.strip()


class PionPeer(WhepPeer):
    """tests/bench/peers/pion/main.go, built by scripts/bench-relay-setup."""

    def __init__(self, place: Place) -> None:
        self.version = pion_version()
        super().__init__("pion", place, "/whep")
        self._webrtc_port = place.free_port()

    def command(self) -> Sequence[str]:
        ports = {"rtp": self.rtp_port, "http": self.http_port, "webrtc": self._webrtc_port}
        options = [text for name, port in ports.items() for text in (f"-{name}", str(port))]
        return str(PION.resolve()), "-address", self.place.relay_address, *options


class StockPeer(WhepPeer):
    """Unmodified aiortc (tests/bench/peers/stock.py)."""

    def __init__(self, place: Place) -> None:
        super().__init__("stock", place, "/whep")

    def command(self) -> Sequence[str]:
        place, ports = self.place, (str(self.rtp_port), str(self.http_port))
        script = "tests.bench.peers.stock"
        return sys.executable, "-m", script, place.relay_address, *ports, place.viewer_address
