"""A small RTSP camera (RFC 2326): one caller at a time, RTP over UDP or inside the connection."""

from __future__ import annotations

import base64
import re
import select
import socket
import struct
import time

from flow.codec.annexb import split_nal_units
from flow.codec.h264 import NalType
from tests.bench import clip

from . import Target
from .rtp import PAYLOAD_TYPE, Packetizer, udp_socket, write_all

_REQUEST = re.compile(rb"(\w+) \S+ RTSP/1\.0\r\n(.*?)\r\n\r\n", re.DOTALL)
_CSEQ = re.compile(rb"^CSeq: *(\d+)", re.IGNORECASE | re.MULTILINE)
_CLIENT_PORTS = re.compile(rb"client_port=(\d+)")
_TCP = b"RTP/AVP/TCP"
_SESSION = "Session: 4c414745"
_METHODS = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"


class RtspSender:
    """See Sender: it is connected once somebody has asked it to play."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._listener: socket.socket | None = None
        self._caller: socket.socket | None = None
        self._heard = b""
        self._playing = False
        self._stream = Packetizer(target.codec)
        self._rtp = udp_socket()
        self._to: tuple[str, int] | None = None  # None: inside the connection

    def connect(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server((self._target.host, self._target.port))
        self._caller, (host, _) = self._listener.accept()
        self._caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rtp.close()
        self._rtp = udp_socket()
        self._rtp.bind((self._target.host, 0))
        self._to, self._heard, self._playing = None, b"", False
        while not self._playing:
            self._hear(host)

    def send(self, picture: bytes, pts_90k: int) -> int:
        assert self._caller is not None
        while select.select([self._caller], [], [], 0)[0]:
            self._hear(self._target.host)
        packets = self._stream.packets(picture, pts_90k)
        if self._to is not None:
            to = self._to
            return write_all(packets, lambda data: self._rtp.sendto(data, to))
        interleaved = b"".join(struct.pack("!cBH", b"$", 0, len(p)) + p for p in packets)
        at_ns = time.monotonic_ns()
        self._caller.sendall(interleaved)
        return at_ns

    def close(self) -> None:
        if self._caller is not None:
            self._caller.close()

    def _hear(self, host: str) -> None:
        """Answer what has been asked. Raises ConnectionError where the caller has gone."""
        assert self._caller is not None
        data = self._caller.recv(65_536)
        if not data:
            raise ConnectionResetError("the caller has gone")
        self._heard += data
        while found := _REQUEST.search(self._heard):  # reports inside the connection lie between requests
            self._heard = self._heard[found.end() :]
            self._caller.sendall(self._answer(found[1], found[2], host))

    def _answer(self, method: bytes, headers: bytes, host: str) -> bytes:
        more, body = [_METHODS], b""
        if method == b"DESCRIBE":
            body = self._description()
            more = ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == b"SETUP":
            more = [_SESSION, f"Transport: {self._transport(headers, host)}"]
        elif method == b"PLAY":
            more, self._playing = [_SESSION, "Range: npt=0-"], True
        elif method == b"TEARDOWN":
            raise ConnectionResetError("the caller takes leave")
        sequence = _CSEQ.search(headers)
        number = sequence[1].decode() if sequence else "0"
        return "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {number}", *more, "", ""]).encode() + body

    def _transport(self, headers: bytes, host: str) -> str:
        if _TCP in headers:
            return "RTP/AVP/TCP;unicast;interleaved=0-1"
        found = _CLIENT_PORTS.search(headers)
        first = int(found[1]) if found else 0
        self._to = (host, first)
        own = self._rtp.getsockname()[1]
        return f"RTP/AVP;unicast;client_port={first}-{first + 1};server_port={own}-{own + 1}"

    def _description(self) -> bytes:
        nals = split_nal_units(clip.access_units()[0])
        sets = [n for n in nals if n[0] & 0x1F in (NalType.SPS, NalType.PPS)]
        told = ",".join(base64.b64encode(n).decode() for n in sets)
        lines = [
            "v=0", f"o=- 1 1 IN IP4 {self._target.host}", "s=bench", f"c=IN IP4 {self._target.host}", "t=0 0",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}", f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
            f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;sprop-parameter-sets={told}", "a=control:track1",
        ]  # fmt: skip
        return "".join(f"{line}\r\n" for line in lines).encode()
