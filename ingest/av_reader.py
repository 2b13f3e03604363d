"""The child process that reads a video file with libav: `python -m ingest.av_reader PATH [--fps N] [--loop]`.

It writes messages of protocol/reader_pipe.py to its standard input, a socket, waits there while nobody reads,
and ends when that does, or at once with the process `--parent` (Linux), whatever libav is waiting for. A file
that crashes libav takes down this process and nothing else.
"""

from __future__ import annotations

import argparse
import itertools
import os
import stat
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, TypeAlias

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from flow.codec.annexb import (
    ACCESS_UNIT_LIMIT_BYTES,
    AvcConfig,
    HevcConfig,
    avcc_to_annexb,
    join_nal_units,
)
from flow.errors import MalformedError, SourceError
from flow.units import CLOCK_RATE_HZ, Codec

from .child import end_with
from .protocol.events import StreamInfo
from .protocol.reader_pipe import Begin, BeginForeign, End, Failure, Message, Sample, encode

VideoPacket: TypeAlias = "av.Packet[VideoStream]"

_CODECS = {"h264": Codec.H264, "hevc": Codec.H265}
_CONFIGS: dict[Codec, type[AvcConfig] | type[HevcConfig]] = {Codec.H264: AvcConfig, Codec.H265: HevcConfig}
_WITHOUT_TIMES = frozenset({"h264", "hevc"})  # libav's names of the raw stream formats
_TEXT = frozenset({"tty", "ansi"})  # what libav takes any text for


def messages(path: str, fps: float | None, loop: bool) -> Iterator[Message]:
    """Everything to tell about the file at `path`, over and over with `loop`."""
    try:
        offset = 0
        for turn in itertools.count():
            with open_file(path) as container:
                begin, samples = read(container, path, fps)
                if turn == 0:
                    yield begin
                length = yield from shifted(samples, offset)
            if length is None:
                raise SourceError(f"{path} has no picture in it", code="not_video")
            offset += length or CLOCK_RATE_HZ  # a single picture is shown once a second
            if not loop:
                break
        yield End()
    except SourceError as error:
        yield Failure(error.code, str(error))


def open_file(path: str) -> InputContainer:
    """Raises SourceError: not_found or not_video."""
    if not os.path.exists(path):
        raise SourceError(f"{path} does not exist", code="not_found")
    if not stat.S_ISREG(kind := os.stat(path).st_mode):  # anything else may never answer, or never end
        raise SourceError(f"{path} is a {kind_of(kind)} and no video file", code="not_video")
    try:
        return av.open(path, metadata_errors="replace")  # not everybody writes UTF-8
    except PermissionError:
        raise SourceError(f"{path} may not be read by this user", code="not_found") from None
    except (av.FFmpegError, OSError):
        raise SourceError(f"{path} is no video file", code="not_video") from None


def kind_of(mode: int) -> str:
    """What a path is by its `st_mode`, other than a regular file."""
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")


def read(
    container: InputContainer, path: str, fps: float | None
) -> tuple[Begin | BeginForeign, Iterator[Sample]]:
    """What to play of an open file. Raises SourceError: not_video, unsupported_codec."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or container.format.name in _TEXT:
        raise SourceError(f"{path} has no video in it", code="not_video")
    context: av.VideoCodecContext | None = stream.codec_context  # None where libav knows no such codec
    name = "of an unknown codec" if context is None else context.codec.canonical_name
    if context is None:
        raise SourceError(f"{path} is {name} and cannot be shown", code="unsupported_codec")
    if name not in _CODECS:
        info = StreamInfo(name, bytes(context.extradata or b""), context.width, context.height)
        return BeginForeign(info), timed(pictures(container, stream, path), bytes, path)
    to_annexb, parameter_sets = conversion(_CODECS[name], context.extradata or b"")
    begin = Begin(_CODECS[name], parameter_sets)
    if container.format.name in _WITHOUT_TIMES:
        if fps is None:
            raise SourceError(f"{path} has no timestamps: state its fps", code="no_fps")
        return begin, counted(pictures(container, stream, path), fps)
    return begin, timed(pictures(container, stream, path), to_annexb, path)


def conversion(codec: Codec, extradata: bytes) -> tuple[Callable[[bytes], bytes], bytes]:
    """What turns the stream's samples into Annex B, and its parameter sets from beside them."""
    try:
        config = _CONFIGS[codec].parse(extradata)
    except MalformedError:
        return bytes, extradata  # Annex B already, as in MPEG-TS
    return lambda data: avcc_to_annexb(data, config.length_size), join_nal_units(config.parameter_sets)


def pictures(container: InputContainer, stream: VideoStream, path: str) -> Iterator[VideoPacket]:
    """The file's video packets; the empty ones that mark its end are left out."""
    try:
        for packet in container.demux(stream):
            if 0 < packet.size <= ACCESS_UNIT_LIMIT_BYTES:
                yield packet
    except IndexError:
        return  # the end of a file in which a stream began half-way: PyAV 18 stumbles over flushing it
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path} is broken: {error.strerror or error}") from None


def counted(packets: Iterator[VideoPacket], fps: float) -> Iterator[Sample]:
    """Samples of a stream without timestamps, as far apart as `fps` says."""
    for index, packet in enumerate(packets):
        ticks = round(index * CLOCK_RATE_HZ / fps)
        yield Sample(ticks, ticks, bytes(packet))


def timed(packets: Iterator[VideoPacket], to_annexb: Callable[[bytes], bytes], path: str) -> Iterator[Sample]:
    """Samples with the timestamps of their container."""
    for packet in packets:
        pts = packet.dts if packet.pts is None else packet.pts
        if pts is None or packet.time_base is None:
            continue
        dts = pts if packet.dts is None else packet.dts
        try:
            data = to_annexb(bytes(packet))
        except MalformedError as error:
            raise SourceError(f"{path} is broken: {error}") from None
        yield Sample(
            int(pts * packet.time_base * CLOCK_RATE_HZ), int(dts * packet.time_base * CLOCK_RATE_HZ), data
        )


def shifted(samples: Iterator[Sample], offset: int) -> Generator[Sample, None, int | None]:
    """The samples `offset` ticks later; returns how long they are, so that the next pass follows on.

    None where there are none, 0 where nobody can tell.
    """
    first: int | None = None
    last = step = 0
    for sample in samples:
        first = sample.dts if first is None else first
        step = sample.dts - last if sample.dts > last else step
        last = sample.dts
        yield Sample(sample.pts + offset, sample.dts + offset, sample.data)
    return None if first is None else last - first + step


def main() -> None:
    """Write the messages about one file to the parent."""
    parser = argparse.ArgumentParser(prog="ingest.av_reader")
    parser.add_argument("path")
    parser.add_argument("--fps", type=float)
    parser.add_argument("--loop", action="store_true")
    parser.add_argument("--parent", type=int, default=os.getppid())
    options = parser.parse_args()
    end_with(options.parent)
    with os.fdopen(0, "wb", buffering=0) as out:
        write_all(out, messages(options.path, options.fps, options.loop))


def write_all(out: BinaryIO, told: Iterator[Message]) -> None:
    """Write until nobody reads any more."""
    try:
        for message in told:
            out.write(encode(message))
    except ConnectionError:
        return


if __name__ == "__main__":
    main()
