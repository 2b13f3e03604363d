"""Cameras with a link-local IPv6 address (fe80::…%eth0), as they have without a router and without DHCP."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from flow.clock import SystemClock
from flow.errors import ConfigError
from ingest.addresses import shown, unzoned, zoned
from ingest.open import open_source
from ingest.protocol.events import Opened
from ingest.protocol.rtsp_messages import Interleaved
from ingest.protocol.rtsp_url import RtspUrl
from ingest.protocol.srt_address import SrtUrl
from ingest.settings import FeedSource
from ingest.sources.udp import Batch, Endpoint, UdpPort
from ingest.sources.udp_pair import UdpPair

from .test_ingest_rtsp_source import PICTURES, Caller, Watched, datagrams, stay


@pytest.fixture
def link_local() -> str:
    """An address of this machine, with its interface."""
    with suppress(FileNotFoundError):
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            digits, *_, name = line.split()
            if digits.startswith("fe80"):
                return f"{socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))}%{name}"
    pytest.skip("this machine has no link-local IPv6 address")


def rtsp_ports(setup: str) -> tuple[int, int]:
    wanted = re.search(r"client_port=(\d+)-(\d+)", setup)
    assert wanted is not None
    return int(wanted[1]), int(wanted[2])


@pytest.mark.parametrize("escaped", ["%", "%25"])
@pytest.mark.parametrize("transport", ["auto", "udp", "tcp"])
async def test_a_camera_on_the_link_is_called_and_heard(
    link_local: str, transport: str, escaped: str
) -> None:
    host, _, name = link_local.partition("%")
    scope = socket.if_nametoindex(name)
    asked: list[str] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = Caller(reader, writer)
        with (
            suppress(ConnectionError, asyncio.IncompleteReadError),
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as rtp,
        ):
            rtp.bind((host, 0, 0, scope))
            rtp.settimeout(5)
            at = rtp.getsockname()[1]
            by_tcp, by_udp = "RTP/AVP/TCP;interleaved=0-1", f"RTP/AVP;unicast;server_port={at}-{at}"
            setup = await caller.play(by_tcp if transport == "tcp" else by_udp)
            asked.extend(caller.asked)
            if transport == "tcp":
                for datagram in datagrams():
                    writer.write(Interleaved(0, datagram).serialize())
            else:
                assert len(rtp.recv(100)) > 0  # ours, which opens the way
                for datagram in datagrams():
                    rtp.sendto(datagram, (host, rtsp_ports(setup)[0], 0, scope))
            await stay(caller)
        writer.close()

    server = await asyncio.start_server(meet, link_local, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        watched = Watched(f"rtsp://[{host}{escaped}{name}]:{port}/main", transport)
        await watched.until(lambda: watched.pictures == len(PICTURES))
        await watched.stop()
    assert watched.events[0] == Opened(f"rtsp://[{host}]:{port}/main", 32)
    assert all(name not in head for head in asked), "the name of our interface is nobody's business"


async def test_pictures_can_be_waited_for_on_a_link_local_address(link_local: str) -> None:
    host, _, name = link_local.partition("%")
    with UdpPort(Endpoint(link_local, 0, (host,))) as port:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
            sender.bind((host, 0, 0, socket.if_nametoindex(name)))
            sender.sendto(b"packet", (host, port.port, 0, socket.if_nametoindex(name)))
            batch = await _first(port)
        assert [(data, who.allowed) for data, who in batch] == [(b"packet", True)]
    pair = UdpPair(f"{host}%{socket.if_nametoindex(name)}", host)
    assert pair.ports[1] == pair.ports[0] + 1
    pair.close()
    with pytest.raises(ConfigError, match="no interface"):
        UdpPort(Endpoint(f"{host}%nowhere", 0, (host,)))


async def _first(port: UdpPort) -> Batch:
    """What arrives first."""
    got: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()

    def take(batch: Batch) -> None:
        if not got.done():
            got.set_result(batch)

    serving = asyncio.ensure_future(port.serve(take))
    try:
        return await asyncio.wait_for(got, 10)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@pytest.mark.parametrize("written", ["fe80::1%eth0", "fe80::1%25eth0"])
def test_the_interface_is_read_from_addresses_and_told_to_nobody(written: str) -> None:
    url = RtspUrl.parse(f"rtsp://otto:geheim@[{written}]:8554/main")
    assert (url.host, url.port) == ("fe80::1%eth0", 8554)
    assert url.request == "rtsp://[fe80::1]:8554/main"
    assert SrtUrl.parse(f"srt://[{written}]:9000").host == "fe80::1%eth0"
    source = open_source(FeedSource("f", f"rtp://[{written}]:5600", allow_from=("fe80::2",)), SystemClock())
    assert source.endpoint == Endpoint("fe80::1%eth0", 5600, ("fe80::2",))  # type: ignore[attr-defined]
    assert "geheim" not in shown(f"rtsp://otto:geheim@[{written}]:8554/main")


def test_a_redirect_on_the_link_stays_on_it_and_keeps_the_password() -> None:
    url = RtspUrl.parse("rtsp://otto:geheim@[fe80::1%eth0]/main")
    for location in ("/other", "rtsp://[fe80::1]/other"):
        moved = url.moved(location)
        assert (moved.host, moved.credentials) == ("fe80::1%eth0", url.credentials)
        assert moved.request == "rtsp://[fe80::1]/other"
    other = url.moved("rtsp://[fe80::2]/other")
    assert (other.host, other.credentials) == ("fe80::2%eth0", None)
    assert url.moved("rtsp://[2001:db8::1]/other").host == "2001:db8::1"


def test_what_is_no_zone_stays() -> None:
    assert zoned("kamera%25.example") == "kamera%25.example"
    assert zoned("fe80::1%25") == "fe80::1%25"
    assert unzoned("[::1]:554") == "[::1]:554"
    assert unzoned("192.0.2.7") == "192.0.2.7"
