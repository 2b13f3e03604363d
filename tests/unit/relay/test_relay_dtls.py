"""The DTLS server of one viewer, against stock aiortc, pyOpenSSL and the openssl program."""

from __future__ import annotations

import asyncio
import gc
import random
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import pytest
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTPProtectionProfile,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from flow.errors import LagebildError, RemoteError
from relay import aiortc_seam, dtls_records
from relay.aiortc_seam import DtlsServer, SrtpKeys
from relay.dtls_records import MAX_DATAGRAM_BYTES, MAX_WAITING_RECORDS
from relay.srtp import KEY_BYTES, SrtpIn, SrtpOut

GCM, CM80 = SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80
WITHIN_S = 20.0
Datagrams = Callable[[int, bytes], bool]
"""Whether the datagram of this number (from 0, in one direction) arrives."""


def everything_arrives(number: int, datagram: bytes) -> bool:
    return True


class Wire:
    """A path between the two, each way with losses of its own. The client's end is what aiortc expects."""

    role = "controlling"

    def __init__(self, to_server: Datagrams, to_client: Datagrams) -> None:
        self._to_server, self._to_client = to_server, to_client
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent_to_server: list[bytes] = []
        self.sent_to_client: list[bytes] = []
        self.server: DtlsServer | None = None

    async def _recv(self) -> bytes:
        return await self._inbox.get()

    async def _send(self, data: bytes) -> None:
        self.sent_to_server.append(data)
        if self.server is not None and self._to_server(len(self.sent_to_server) - 1, data):
            self.server.receive(data)

    def send_to_client(self, data: bytes) -> None:
        self.sent_to_client.append(data)
        if self._to_client(len(self.sent_to_client) - 1, data):
            self._inbox.put_nowait(data)


class Pair:
    """A server of ours and a stock aiortc client."""

    def __init__(
        self,
        profiles: tuple[SRTPProtectionProfile, ...] = (GCM,),
        to_server: Datagrams = everything_arrives,
        to_client: Datagrams = everything_arrives,
    ) -> None:
        certificate = RTCCertificate.generateCertificate()
        self.wire = Wire(to_server, to_client)
        self.client = RTCDtlsTransport(self.wire, [certificate])  # type: ignore[arg-type]
        self.client._set_role("client")
        self.client._srtp_profiles = list(profiles)
        self.server = DtlsServer(self.wire.send_to_client, fingerprints(certificate))
        self.wire.server = self.server

    async def start_client(self) -> None:
        algorithm, value = self.server.fingerprint.split()
        await self.client.start(RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value)], "server"))

    async def connect(self) -> SrtpKeys:
        async with asyncio.timeout(WITHIN_S):
            keys, _ = await asyncio.gather(self.server.handshake(), self.start_client())
        return keys


def fingerprints(certificate: RTCCertificate) -> list[tuple[str, str]]:
    return [(f.algorithm, f.value) for f in certificate.getFingerprints()]


@asynccontextmanager
async def pair(profiles: tuple[SRTPProtectionProfile, ...] = (GCM,)) -> AsyncIterator[Pair]:
    """A pair that is closed, and has left no task, at the end."""
    before = asyncio.all_tasks()
    both = Pair(profiles)
    try:
        yield both
    finally:
        await both.client.stop()
        await both.server.close()
    async with asyncio.timeout(WITHIN_S):
        while asyncio.all_tasks() - before:  # aiortc's client cancels its task and does not wait for it
            await asyncio.sleep(0)


def crosses(keys: SrtpKeys, client: RTCDtlsTransport) -> bool:
    """Whether aiortc's client opens what is protected with our key, and the other way round."""
    report = struct.pack("!BBHI", 0x80, 201, 1, 7)
    ours = SrtpOut(keys.profile, keys.ours).protect_rtcp(report)
    theirs = client._tx_srtp.protect_rtcp(report)
    opened = client._rx_srtp.unprotect_rtcp(ours), SrtpIn(keys.profile, keys.theirs).unprotect_rtcp(theirs)
    return opened == (report, report)


@pytest.mark.parametrize(
    ("profiles", "chosen"),
    [
        ((SRTP_AEAD_AES_256_GCM, GCM, CM80), "gcm"),  # as stock aiortc offers
        ((CM80, GCM), "gcm"),  # we choose, whatever the client prefers
        ((CM80,), "cm80"),
    ],
)
async def test_handshake_with_a_stock_client_agrees_on_keys(
    profiles: tuple[SRTPProtectionProfile, ...], chosen: str
) -> None:
    async with pair(profiles=profiles) as both:
        keys = await both.connect()
        assert (keys.profile, len(keys.ours), len(keys.theirs)) == (chosen, *[KEY_BYTES[keys.profile]] * 2)
        assert crosses(keys, both.client)
        assert both.server.refused == 0
        assert max(map(len, both.wire.sent_to_client)) < 1200


def all_but(*lost: int) -> Datagrams:
    return lambda number, _: number not in lost


@pytest.mark.parametrize("twice", [False, True])
async def test_a_lossy_path_delays_the_handshake_and_no_more(twice: bool) -> None:
    """Each datagram of each flight is lost once, or its repetition too; OpenSSL's timer is one second."""
    lost = [(n, n + 1) if twice and n == 0 else (n,) for n in range(3)]
    pairs = [Pair(to_server=all_but(*numbers)) for numbers in lost]
    pairs += [Pair(to_client=all_but(*numbers)) for numbers in lost]
    pairs.append(Pair(to_server=all_but(1), to_client=all_but(1)))
    try:
        for both, keys in zip(pairs, await asyncio.gather(*(p.connect() for p in pairs)), strict=True):
            assert crosses(keys, both.client)
    finally:
        for both in pairs:
            await both.client.stop()
            await both.server.close()


async def test_every_datagram_twice_and_records_out_of_order_do_no_harm() -> None:
    async with pair() as both:
        receive = both.server.receive

        def disordered(datagram: bytes) -> None:
            for record in reversed(list(dtls_records.records_of(datagram))):
                if record is not None:
                    receive(record)
            receive(datagram)

        both.server.receive = disordered  # type: ignore[method-assign]
        assert crosses(await both.connect(), both.client)


async def test_a_certificate_that_the_offer_does_not_name_is_refused() -> None:
    async with pair() as both:
        both.server = DtlsServer(both.wire.send_to_client, fingerprints(RTCCertificate.generateCertificate()))
        both.wire.server = both.server
        with pytest.raises(RemoteError, match="not the one that the offer's 'a=fingerprint' names"):
            await both.connect()
        assert both.server._dtls._ssl is None


@pytest.mark.parametrize("named", [[("sha-1", "AA:BB")], [("sha-256", "")]])
async def test_without_a_fingerprint_that_can_be_checked_nobody_is_let_in(
    named: list[tuple[str, str]],
) -> None:
    async with pair() as both:
        both.server = DtlsServer(both.wire.send_to_client, named)
        both.wire.server = both.server
        with pytest.raises(RemoteError, match="a=fingerprint"):
            await both.connect()


async def test_without_a_common_srtp_profile_there_is_no_connection() -> None:
    async with pair(profiles=(SRTP_AEAD_AES_256_GCM,)) as both:
        with pytest.raises(RemoteError, match="no SRTP profile of ours"):
            await both.connect()


async def test_a_client_that_breaks_off_is_an_error_that_says_so() -> None:
    async with pair() as both:
        shaking = asyncio.ensure_future(both.server.handshake())
        alert = struct.pack(
            "!BHHHIHBB", 21, 0xFEFD, 0, 0, 0, 2, 2, 40
        )  # fatal handshake_failure (RFC 5246 7.2)
        both.server.receive(alert)
        with pytest.raises(RemoteError, match="broken off"):
            async with asyncio.timeout(WITHIN_S):
                await shaking


def garbage(random_: random.Random) -> bytes:
    """Of every kind: noise, noise that begins like DTLS, records with noise inside, wrong lengths."""
    noise = random_.randbytes(random_.choice((0, 1, 12, 13, 40, 300)))
    kind = random_.randrange(4)
    if kind == 0:
        return noise
    if kind == 1:
        return bytes((random_.randrange(20, 64),)) + noise
    length = len(noise) if kind == 2 else random_.randrange(0x10000)
    # Epoch 1, encrypted: OpenSSL cannot yet read it, or finds it forged.
    return (
        struct.pack("!BHHHIH", random_.randrange(20, 26), 0xFEFD, 1, 0, random_.randrange(99), length) + noise
    )


async def test_garbage_before_during_and_after_the_handshake_is_survived() -> None:
    random_ = random.Random(6347)
    async with pair() as both:
        send = both.wire.send_to_client

        def send_and_disturb(datagram: bytes) -> None:
            send(datagram)
            for _ in range(20):
                both.server.receive(garbage(random_))

        both.server._link._send_now = send_and_disturb
        for _ in range(MAX_WAITING_RECORDS // 2):
            both.server.receive(garbage(random_))
        keys = await both.connect()
        for _ in range(2000):
            both.server.receive(garbage(random_))
            await asyncio.sleep(0)
        assert crosses(keys, both.client)
        assert both.client.state == "connected"
        assert both.server.refused > 100


def record(kind: int, body: bytes, epoch: int = 0) -> bytes:
    return struct.pack("!BHHHIH", kind, 0xFEFD, epoch, 0, 0, len(body)) + body


def fragment(message_bytes: int, body: bytes) -> bytes:
    """Of a handshake message (RFC 6347 4.2.2)."""
    sizes = message_bytes.to_bytes(3, "big"), len(body).to_bytes(3, "big")
    return bytes((11,)) + sizes[0] + bytes(5) + sizes[1] + body


@pytest.mark.parametrize(
    ("datagram", "refused"),
    [
        (b"", 1),
        (b"\x16", 1),
        (record(22, bytes(20))[:-1], 1),
        (record(22, bytes(20)), 0),
        (record(22, bytes(20)) * 3, 0),
        (record(22, bytes(20)) * 2 + b"\x16", 1),
        (record(23, bytes(20), epoch=1), 1),  # application data: there is no data channel
        (record(24, bytes(20)), 1),
        (record(22, bytes(MAX_DATAGRAM_BYTES)), 1),
        (record(22, fragment(8000, bytes(9))), 0),
        (record(22, fragment(9000, bytes(9))), 1),
        (record(22, fragment(80, bytes(9)) + fragment(90_000, bytes(9))), 1),
        (record(22, fragment(90_000, bytes(9)), epoch=1), 0),  # encrypted: it only looks like one
    ],
)
async def test_what_is_no_record_that_is_wanted_is_counted(datagram: bytes, refused: int) -> None:
    server = DtlsServer(lambda _: None, [("sha-256", "AA")])
    server.receive(datagram)
    assert server.refused == refused
    await server.close()


async def test_a_flood_that_nobody_reads_is_bounded() -> None:
    server = DtlsServer(lambda _: None, [("sha-256", "AA")])
    for _ in range(MAX_WAITING_RECORDS + 300):
        server.receive(record(22, bytes(20)))
    assert server.refused == 300
    await server.close()


async def test_the_viewers_close_notify_is_noticed() -> None:
    async with pair() as both:
        await both.connect()
        closed = asyncio.ensure_future(both.server.closed())
        await asyncio.sleep(0)
        assert not closed.done()
        await both.client.stop()
        async with asyncio.timeout(WITHIN_S):
            await closed


async def test_openssl_leaves_nothing_of_a_datagram_for_the_next_one() -> None:
    async with pair() as both:
        await both.connect()
        closed = asyncio.ensure_future(both.server.closed())
        both.wire.server = None
        await both.client.stop()
        close_notify = both.wire.sent_to_server[-1]
        forged = (record(kind, bytes(25), epoch) for kind in (20, 21, 22) for epoch in (0, 1, 2, 3))
        both.server.receive(b"".join(forged) + close_notify)
        async with asyncio.timeout(WITHIN_S):
            await closed


async def test_our_close_notify_reaches_the_viewer() -> None:
    async with pair() as both:
        await both.connect()
        closed = asyncio.ensure_future(both.server.closed())
        await asyncio.sleep(0)
        await both.server.close()
        async with asyncio.timeout(WITHIN_S):
            await closed
            while both.client.state != "closed":
                await asyncio.sleep(0)
        await both.server.close()  # harmless when repeated
        before = len(both.wire.sent_to_client)
        both.server.receive(both.wire.sent_to_server[0])
        assert len(both.wire.sent_to_client) == before


async def test_a_replayed_handshake_disturbs_nobody() -> None:
    async with pair() as both:
        keys = await both.connect()
        for datagram in both.wire.sent_to_server * 20:
            both.server.receive(datagram)
            await asyncio.sleep(0)
        assert both.client.state == "connected"
        assert crosses(keys, both.client)
        assert len(both.wire.sent_to_client) < 50


async def test_cancelled_or_closed_at_any_moment_it_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    for turns in range(12):
        for close in (False, True):
            both = Pair()
            shaking = asyncio.ensure_future(both.server.handshake())
            client = asyncio.ensure_future(both.start_client())
            for _ in range(turns):
                await asyncio.sleep(0)
            if close:
                await both.server.close()
            else:
                shaking.cancel()
            with suppress(asyncio.CancelledError, RemoteError):
                async with asyncio.timeout(WITHIN_S):
                    await shaking
            if not close and shaking.cancelled():
                assert both.server._dtls._task is None or both.server._dtls._task.done()
            await both.server.close()
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)
            await both.client.stop()
    async with asyncio.timeout(WITHIN_S):
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0)


async def test_a_cancellation_just_as_a_datagram_comes_is_not_lost() -> None:
    for turns in range(8):
        both = Pair()
        hello = asyncio.ensure_future(both.start_client())
        async with asyncio.timeout(WITHIN_S):
            while not both.wire.sent_to_server:
                await asyncio.sleep(0)
        shaking = asyncio.ensure_future(both.server.handshake())
        await asyncio.sleep(0)
        both.server.receive(both.wire.sent_to_server[0])
        for _ in range(turns):
            await asyncio.sleep(0)
        both.server.receive(record(20, b"\x01"))
        shaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(WITHIN_S):
                await shaking
        await both.server.close()
        hello.cancel()
        await asyncio.gather(hello, return_exceptions=True)
        await both.client.stop()


async def test_handshakes_that_are_never_finished_are_freed() -> None:
    before = openssl_connections()
    hello = client_hello()
    servers = [DtlsServer(lambda _: None, [("sha-256", "AA")]) for _ in range(50)]
    shaking = [asyncio.ensure_future(server.handshake()) for server in servers]
    for server in servers:
        server.receive(hello)
    for _ in range(5):
        await asyncio.sleep(0)
    assert openssl_connections() == before + 50
    for server in servers:
        await server.close()
    results = await asyncio.gather(*shaking, return_exceptions=True)
    assert all(isinstance(result, RemoteError) for result in results)
    gc.collect()  # of Python 3.11, whose asyncio.wait_for keeps an exception in a cycle
    assert openssl_connections() == before


async def test_a_viewer_that_left_is_freed_without_the_garbage_collector() -> None:
    """Which knows nothing of the 60 KB that OpenSSL holds for each."""
    gc.collect()
    before = openssl_connections()
    async with pair() as both:
        await both.connect()
        gc.collect()
        gc.disable()
        try:
            assert openssl_connections() == before + 2  # one is the client's
            await both.server.close()
            assert openssl_connections() == before + 1
        finally:
            gc.enable()


def openssl_connections() -> int:
    return sum(isinstance(thing, SSL.Connection) for thing in gc.get_objects())


def connection(profiles: list[SRTPProtectionProfile]) -> tuple[SSL.Connection, RTCCertificate]:
    certificate = RTCCertificate.generateCertificate()
    client = SSL.Connection(certificate._create_ssl_context(profiles))
    client.set_connect_state()
    return client, certificate


def client_hello() -> bytes:
    client, _ = connection([GCM])
    with suppress(SSL.WantReadError):
        client.do_handshake()
    return client.bio_read(MAX_DATAGRAM_BYTES)


async def test_handshake_with_plain_pyopenssl_exports_the_same_keys() -> None:
    client, certificate = connection([CM80, GCM])
    server = DtlsServer(lambda datagram: void(client.bio_write(datagram)), fingerprints(certificate))
    shaking = asyncio.ensure_future(server.handshake())
    async with asyncio.timeout(WITHIN_S):
        while not shaking.done():
            with suppress(SSL.WantReadError):
                client.do_handshake()
            with suppress(SSL.WantReadError):
                server.receive(client.bio_read(MAX_DATAGRAM_BYTES))
            await asyncio.sleep(0)
    keys = shaking.result()
    assert client.get_selected_srtp_profile() == GCM.openssl_profile
    exported = client.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)
    assert (keys.theirs, keys.ours) == cut(exported)
    client.do_handshake()
    certificate_seen = client.get_peer_certificate()
    assert certificate_seen is not None
    assert certificate_seen.digest("sha256").decode() == server.fingerprint.removeprefix("sha-256 ")
    client.renegotiate()
    with suppress(SSL.WantReadError):
        client.do_handshake()
    server.receive(client.bio_read(MAX_DATAGRAM_BYTES))
    for _ in range(5):
        await asyncio.sleep(0)
    with pytest.raises(SSL.Error, match="no renegotiation"):  # RFC 5246 7.2.2
        client.recv(100)
    assert server._dtls.state == "connected"
    await server.close()


def void(_: object) -> None:
    """What a `send` has to return."""


def cut(exported: bytes) -> tuple[bytes, bytes]:
    """RFC 5764 4.2: client key, server key, client salt, server salt, for AEAD_AES_128_GCM."""
    return exported[:16] + exported[32:44], exported[16:32] + exported[44:56]


class Port(asyncio.DatagramProtocol):
    """A UDP port of 127.0.0.1 in front of a server."""

    server: DtlsServer

    def connection_made(self, transport: asyncio.transports.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.address: tuple[str, int] | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.address = addr
        self.server.receive(data)

    def send(self, data: bytes) -> None:
        self.transport.sendto(data, self.address)


async def test_the_openssl_program_exports_the_same_keys_and_says_close_notify(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    certificate = RTCCertificate.generateCertificate()
    pem = tmp_path / "client.pem"
    key = certificate._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(key + certificate._cert.public_bytes(Encoding.PEM))
    transport, port = await asyncio.get_running_loop().create_datagram_endpoint(Port, ("127.0.0.1", 0))
    port.server = DtlsServer(port.send, fingerprints(certificate))
    host, number = transport.get_extra_info("sockname")
    program = await asyncio.create_subprocess_exec(
        openssl, "s_client", "-dtls1_2", "-connect", f"{host}:{number}", "-cert", str(pem), "-key", str(pem),
        "-use_srtp", "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM",
        "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "56",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(WITHIN_S):
            keys = await port.server.handshake()
            assert program.stdin is not None
            assert program.stdout is not None
            said = await program.stdout.readuntil(b"Keying material: ") + await program.stdout.readline()
            program.stdin.write(b"Q\n")
            await port.server.closed()
    finally:
        with suppress(ProcessLookupError):
            program.kill()
        await program.communicate()
        await port.server.close()
        transport.close()
    assert b"profile=SRTP_AEAD_AES_128_GCM" in said
    exported = re.search(rb"Keying material: ([0-9A-F]{112})", said)
    assert exported is not None
    assert (keys.theirs, keys.ours) == cut(bytes.fromhex(exported[1].decode()))


async def test_viewers_of_one_day_share_a_certificate() -> None:
    one, other = (DtlsServer(lambda _: None, [("sha-256", "AA")]) for _ in range(2))
    assert one.fingerprint == other.fingerprint
    assert re.fullmatch(r"sha-256( |:)([0-9A-F]{2}(:|$)){32}", one.fingerprint)
    today = aiortc_seam._certificate(0)
    assert aiortc_seam._certificate(0) is today
    assert aiortc_seam._certificate(1) is not today
    for server in (one, other):
        await server.close()


def test_the_private_names_are_there() -> None:
    aiortc_seam.check_private_names()


@pytest.mark.parametrize(
    "gone",
    [
        "aiortc.rtcdtlstransport.RTCDtlsTransport._setup_srtp",
        "aiortc.rtcdtlstransport.RTCDtlsTransport._validate_peer_identity",
        "aiortc.rtcdtlstransport.RTCDtlsTransport._set_role",
        "aiortc.rtcdtlstransport.RTCCertificate._create_ssl_context",
        "aiortc.rtcdtlstransport.SRTP_AEAD_AES_128_GCM",
        "aiortc.sdp.DTLS_ROLE_SETUP",
        "aioice.ice.get_host_addresses",
    ],
)
def test_another_aiortc_ends_in_one_clear_error(gone: str) -> None:
    program = f"import aiortc, aiortc.sdp, aioice.ice; del {gone}; import {aiortc_seam.__name__}"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    last = run.stderr.splitlines()[-1]
    assert last.startswith("flow.errors.LagebildError: this version of aiortc or aioice lacks ")
    assert ".".join(gone.split(".")[-2:]) in last


def test_attributes_of_an_object_are_looked_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    where = "aiortc.RTCDtlsTransport()"
    [(owner, names)] = [entry[1:] for entry in aiortc_seam.PRIVATE_NAMES if entry[0] == where]
    renamed = (where, owner, (*names, "_renamed"))
    monkeypatch.setattr(aiortc_seam, "PRIVATE_NAMES", (*aiortc_seam.PRIVATE_NAMES, renamed))
    with pytest.raises(LagebildError, match=r"lacks aiortc\.RTCDtlsTransport\(\)\._renamed; 1\.16\.0 has"):
        aiortc_seam.check_private_names()


async def test_a_flight_that_nobody_answers_goes_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtls_records, "REPEAT_AFTER_S", 0.001)
    monkeypatch.setattr(dtls_records, "REPEAT_UNTIL_S", 0.002)
    sent: list[bytes] = []
    link = aiortc_seam._Link(sent.append)
    await link._send(b"hello")
    await link._send(b"done")
    async with asyncio.timeout(10):
        while len(sent) < 6:
            await asyncio.sleep(0)
    assert sent == [b"hello", b"done"] * 3
    link.push(b"their flight")
    await link._recv()
    await link._send(b"finished")  # answers it: the flight before is over
    async with asyncio.timeout(10):
        while len(sent) < 9:
            await asyncio.sleep(0)
    assert sent[6:] == [b"finished"] * 3
    link.end()


async def test_the_round_trip_is_from_a_flight_to_the_last_datagram_of_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now_s)
    link = aiortc_seam._Link(lambda datagram: None)
    link.push(b"ClientHello")
    await link._recv()
    await link._send(b"ServerHello")
    now_s += 0.01
    await link._send(b"ServerHelloDone")  # of the same flight
    assert link.rtt_ms is None
    for later_s, datagram in ((0.02, b"Certificate"), (0.01, b"Finished")):
        now_s += later_s
        link.push(datagram)
        await link._recv()
    now_s += 1.0  # our own reckoning is no part of it
    await link._send(b"Finished")
    assert link.rtt_ms == pytest.approx(40.0)
    link.end()


async def test_a_flight_that_went_twice_says_nothing_of_the_round_trip() -> None:
    link = aiortc_seam._Link(lambda datagram: None)
    link.push(b"ClientHello")
    await link._recv()
    await link._send(b"ServerHello")
    link._repeat_flight(dtls_records.REPEAT_UNTIL_S)
    link.push(b"Finished")
    await link._recv()
    await link._send(b"Finished")
    assert link.rtt_ms is None
    link.end()
