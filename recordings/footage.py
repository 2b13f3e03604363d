"""Recorded files read lazily: coded pictures of a video, messages of a telemetry log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import count
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from flow.codec.annexb import (
    AccessUnitSplitter,
    AvcConfig,
    HevcConfig,
    avcc_to_annexb,
    join_nal_units,
    split_nal_units,
)
from flow.codec.nal import RULES
from flow.codec.tlog import read_tlog, write_record
from flow.errors import ConfigError, MalformedError
from flow.units import Codec

from .protocol.mavlink_frames import is_intact, parse_header, split_stream
from .protocol.telemetry_track import LoggedMessage, timed_by_boot
from .protocol.timing import NS_PER_S
from .protocol.video_track import CodedPicture, timed

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
_HEAD_BYTES = 256
_OF_A_FILM = (
    "what a film says of its aircraft is no MAVLink; play it in step with its pictures instead: "
    'source = "file:FILM" of a feed, telemetry = "feed:FEED" of its aircraft'
)

_CODECS = {"h264": Codec.H264, "hevc": Codec.H265}
_RAW_FORMATS = frozenset(_CODECS)
_DELIMITERS = {Codec.H264: 9, Codec.H265: 35}
_CONFIGS: dict[Codec, type[AvcConfig] | type[HevcConfig]] = {Codec.H264: AvcConfig, Codec.H265: HevcConfig}


@dataclass(frozen=True, slots=True)
class Footage:
    """A recorded video that can be read again and again; each `pictures()` opens the file anew."""

    codec: Codec
    pictures: Callable[[], Iterator[CodedPicture]]
    zero_ns: None = None

    def pictures_near(self, elapsed_ns: int) -> Callable[[], Iterator[CodedPicture]]:
        """From the front: times in such files are known only by reading."""
        return self.pictures

    def keyframe_before(self, elapsed_ns: int) -> int | None:
        found: int | None = None
        for dts_ns, _, picture in timed(self.pictures()):
            if dts_ns > elapsed_ns:
                break
            if picture.is_keyframe:
                found = dts_ns
        return found


def open_video(path: Path, raw_fps: Fraction) -> Footage:
    """Look into an MP4, MPEG-TS or raw H.264/H.265 file, the last paced at `raw_fps`.

    Raises ConfigError if it is not there, is no video, or its codec cannot travel over RTP.
    """
    with _opened(path) as container:
        codec = _codec(path, _video_stream(path, container))
        raw = container.format.name in _RAW_FORMATS
    pictures = partial(_raw_pictures, path, codec, raw_fps) if raw else partial(_demuxed, path, codec)
    try:
        first = next(pictures(), None)
    except MalformedError as error:
        raise ConfigError(f"{path}: {error}") from None
    if first is None:
        raise ConfigError(f"{path}: no picture in it")
    return Footage(codec, pictures)


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path), metadata_errors="replace")  # not everybody writes UTF-8
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except av.error.FFmpegError:
        raise ConfigError(f"{path}: no video in it (not a file format that is known here)") from None


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise ConfigError(f"{path}: no video in it")
    return stream


def _codec(path: Path, stream: VideoStream) -> Codec:
    context: av.VideoCodecContext | None = stream.codec_context  # None where libav knows no such codec
    name = "of an unknown codec" if context is None else context.codec.canonical_name
    if name not in _CODECS:
        raise ConfigError(f"{path}: its video is {name}; only h264 and hevc can be replayed over RTP")
    return _CODECS[name]


def _raw_pictures(path: Path, codec: Codec, fps: Fraction) -> Iterator[CodedPicture]:
    splitter = AccessUnitSplitter(codec)
    numbers = count()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            for unit in splitter.push(chunk):
                yield _evenly_paced(next(numbers), fps, unit, codec)
    for unit in splitter.flush():
        yield _evenly_paced(next(numbers), fps, unit, codec)


def _evenly_paced(number: int, fps: Fraction, data: bytes, codec: Codec) -> CodedPicture:
    time_ns = int(number * NS_PER_S / fps)
    return CodedPicture(time_ns, time_ns, int((number + 1) * NS_PER_S / fps) - time_ns, data, codec)


def _demuxed(path: Path, codec: Codec) -> Iterator[CodedPicture]:
    """The pictures of a container. One that breaks off ends there; a damaged sample is a picture less."""
    with _opened(path) as container:
        stream = _video_stream(path, container)
        annexb = _to_annexb(codec, bytes(stream.codec_context.extradata or b""))
        times = _Times(int(NS_PER_S / (stream.average_rate or 30)), codec)
        damaged = 0
        try:
            for packet in container.demux(stream):
                try:
                    if packet.size:
                        yield times.picture(packet, annexb(bytes(packet)))
                except MalformedError:
                    damaged += 1
        except IndexError:
            pass  # the end of a file in which a stream began half-way: PyAV 18 stumbles over flushing it
        except av.error.FFmpegError as error:
            logger.warning("%s: breaks off after %.1f s: %s", path, times.expected_ns / NS_PER_S, error)
        if damaged:
            logger.warning("%s: %d damaged pictures left out", path, damaged)


class _Times:
    """The times of a container's packets in ns; where one is not told, the next is a picture later."""

    def __init__(self, interval_ns: int, codec: Codec) -> None:
        self.expected_ns = 0
        self._interval_ns, self._codec = interval_ns, codec

    def picture(self, packet: av.Packet[VideoStream], data: bytes) -> CodedPicture:
        tick_ns = NS_PER_S * packet.time_base
        dts_ns = self.expected_ns if packet.dts is None else int(packet.dts * tick_ns)
        pts_ns = dts_ns if packet.pts is None else int(packet.pts * tick_ns)
        duration_ns = int((packet.duration or 0) * tick_ns) or self._interval_ns
        self.expected_ns = dts_ns + duration_ns
        return CodedPicture(dts_ns, pts_ns, duration_ns, data, self._codec)


def _to_annexb(codec: Codec, extradata: bytes) -> Callable[[bytes], bytes]:
    """What turns a sample of this stream into Annex B; MP4 keeps the parameter sets beside the samples."""
    if extradata[:1] != b"\x01":
        return bytes
    config = _CONFIGS[codec].parse(extradata)
    rules = RULES[codec]

    def converted(sample: bytes) -> bytes:
        data = avcc_to_annexb(sample, config.length_size)
        nals = split_nal_units(data)
        if rules.is_keyframe(nals) and not any(map(rules.is_parameter_set, nals)):
            # Behind an access unit delimiter, which must stay first (H.264 7.4.1.2.3, H.265 7.4.2.4.4).
            ahead = 1 if rules.type_of(nals[0]) == _DELIMITERS[codec] else 0
            return join_nal_units((*nals[:ahead], *config.parameter_sets, *nals[ahead:]))
        return data

    return converted


Messages = Callable[[], Iterator[LoggedMessage]]
"""A telemetry log that can be read again and again; each call opens the file anew."""


@dataclass(frozen=True, slots=True)
class Tlog:
    """A .tlog, which can be read from its middle, too."""

    path: Path

    def __call__(self) -> Iterator[LoggedMessage]:
        return self.read_from(0)

    def read_from(self, position: int) -> Iterator[LoggedMessage]:
        with self.path.open("rb") as file:
            file.seek(position)
            for utc_us, data in read_tlog(file):
                yield LoggedMessage(utc_us, data)

    @staticmethod
    def size_of(message: bytes) -> int:
        """How much of the file it takes. Junk counts for nothing: what is summed up is never too far on."""
        return len(write_record(0, message))


def open_telemetry(path: Path) -> Messages:
    """Look into a .tlog or a raw MAVLink byte stream, told apart by what is in it.

    Raises ConfigError if it is not there or holds no MAVLink message.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_HEAD_BYTES)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if start[4:8] == b"ftyp" or b" --> " in start:
        raise ConfigError(f"{path}: {_OF_A_FILM}")
    messages: Messages = Tlog(path) if _is_tlog(path, start[:9]) else partial(_raw_stream, path)
    if not any(_is_message(message.data) for message in messages()):
        raise ConfigError(f"{path}: no telemetry in it (neither a .tlog nor a MAVLink byte stream)")
    return messages


def _is_message(data: bytes) -> bool:
    """Whether it surely is one: in any large file some bytes look like a message that nobody knows."""
    header = parse_header(data)
    return header is not None and is_intact(data, header) is True


def _is_tlog(path: Path, start: bytes) -> bool:
    """Eight bytes of time come first there, of which the first is zero until the year 4253."""
    if start[:1] == b"\x00" and start[8:] in (b"\xfe", b"\xfd"):
        return True
    return path.suffix.lower() == ".tlog" and start[:1] not in (b"\xfe", b"\xfd")


def _raw_stream(path: Path) -> Iterator[LoggedMessage]:
    with path.open("rb") as file:
        yield from timed_by_boot(split_stream(iter(lambda: file.read(CHUNK_BYTES), b"")))
