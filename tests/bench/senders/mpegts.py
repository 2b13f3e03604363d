"""MPEG-TS by libav's multiplexer, with PES lengths, over UDP."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from flow.units import CLOCK_RATE_HZ
from tests.bench import clip

from . import Target
from .rtp import udp_socket, write_all

DATAGRAM_BYTES = 7 * 188
_OPTIONS = {"omit_video_pes_length": "0", "flush_packets": "1"}


class LibavStream:
    """The clip's video in a container of libav's, one picture at a time."""

    def __init__(self, container: OutputContainer) -> None:
        self._container = container
        # The parameter sets that headers are made of, read as libav reads them.
        with av.open(io.BytesIO(b"".join(clip.access_units()[:2])), format="h264") as source:
            stream = container.add_stream_from_template(source.streams.video[0])
        assert isinstance(stream, VideoStream)
        self._stream = stream
        self._stream.time_base = Fraction(1, CLOCK_RATE_HZ)
        container.start_encoding()  # connects, where it writes to a server

    def put(self, picture: bytes, pts_90k: int) -> None:
        """Hand on a picture; what becomes of it has been written when this returns."""
        packet = av.Packet(picture)
        packet.stream = self._stream
        packet.time_base = Fraction(1, CLOCK_RATE_HZ)
        packet.pts = packet.dts = pts_90k
        packet.is_keyframe = pts_90k % (clip.GROUP_S * CLOCK_RATE_HZ) == 0
        self._container.mux(packet)


class TsPictures:
    """Pictures as the datagrams of a transport stream."""

    def __init__(self) -> None:
        self._written = io.BytesIO()
        self._stream = LibavStream(av.open(self._written, "w", format="mpegts", options=_OPTIONS))

    def datagrams(self, picture: bytes, pts_90k: int) -> list[bytes]:
        self._stream.put(picture, pts_90k)
        data = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return [data[at : at + DATAGRAM_BYTES] for at in range(0, len(data), DATAGRAM_BYTES)]


class TsSender:
    """See Sender."""

    def __init__(self, target: Target) -> None:
        self._to = (target.host, target.port)
        self._socket = udp_socket()
        self._pictures = TsPictures()

    def connect(self) -> None:
        """There is nobody to ask."""

    def send(self, picture: bytes, pts_90k: int) -> int:
        datagrams = self._pictures.datagrams(picture, pts_90k)
        return write_all(datagrams, lambda data: self._socket.sendto(data, self._to))

    def close(self) -> None:
        """There is nobody to tell."""
