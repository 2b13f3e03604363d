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
from dataclasses import replace
from typing import Any, BinaryIO

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
from .protocol.data_track import DataTrack, Played, SubtitleTrack, Track, in_time, sparse
from .protocol.events import StreamInfo
from .protocol.reader_pipe import (
    Begin,
    BeginForeign,
    Beside,
    End,
    Failure,
    Message,
    Remark,
    Sample,
    encode,
)
from .sidecar import sidecar_of, why_unread, with_cues

_CODECS = {"h264": Codec.H264, "hevc": Codec.H265}
_CONFIGS: dict[Codec, type[AvcConfig] | type[HevcConfig]] = {Codec.H264: AvcConfig, Codec.H265: HevcConfig}
_WITHOUT_TIMES = frozenset({"h264", "hevc"})  # libav's names of the raw stream formats
_COUNTED_TEXT, _PLAIN_TEXT = "mov_text", frozenset({"subrip", "text", "srt"})  # its names of subtitles
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
                if not container.streams.subtitles and (beside := sidecar_of(path)):
                    if turn == 0 and (why := why_unread(beside)):
                        yield Remark(why)
                    samples = with_cues(samples, beside)
                length = yield from shifted(sparse(samples), offset)
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
) -> tuple[Begin | BeginForeign, Iterator[Played]]:
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
        return BeginForeign(info), timed(container, stream, bytes, path)
    to_annexb, parameter_sets = conversion(_CODECS[name], context.extradata or b"")
    begin = Begin(_CODECS[name], parameter_sets)
    if container.format.name in _WITHOUT_TIMES:
        if fps is None:
            raise SourceError(f"{path} has no timestamps: state its fps", code="no_fps")
        return begin, counted(demuxed(container, [stream.index], path), fps)
    return begin, timed(container, stream, to_annexb, path)


def conversion(codec: Codec, extradata: bytes) -> tuple[Callable[[bytes], bytes], bytes]:
    """What turns the stream's samples into Annex B, and its parameter sets from beside them."""
    try:
        config = _CONFIGS[codec].parse(extradata)
    except MalformedError:
        return bytes, extradata  # Annex B already, as in MPEG-TS
    return lambda data: avcc_to_annexb(data, config.length_size), join_nal_units(config.parameter_sets)


def tracks_beside(container: InputContainer) -> dict[int, Track]:
    """What may hold telemetry, by the stream's index."""
    tracks: dict[int, Track] = {stream.index: DataTrack() for stream in container.streams.data}
    for stream in container.streams.subtitles:
        name = stream.codec_context.name if stream.codec_context is not None else ""
        if name == _COUNTED_TEXT or name in _PLAIN_TEXT:
            tracks[stream.index] = SubtitleTrack(counted=name == _COUNTED_TEXT)
    return tracks


def demuxed(container: InputContainer, streams: list[int], path: str) -> Iterator[av.Packet[Any]]:
    """The packets of these streams; the empty ones that mark a file's end are left out."""
    try:
        for packet in container.demux(streams):
            if 0 < packet.size <= ACCESS_UNIT_LIMIT_BYTES:
                yield packet
    except IndexError:
        return  # the end of a file in which a stream began half-way: PyAV 18 stumbles over flushing it
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path} is broken: {error.strerror or error}") from None


def counted(packets: Iterator[av.Packet[Any]], fps: float) -> Iterator[Sample]:
    """Samples of a stream without timestamps, as far apart as `fps` says."""
    for index, packet in enumerate(packets):
        ticks = round(index * CLOCK_RATE_HZ / fps)
        yield Sample(ticks, ticks, bytes(packet))


def timed(
    container: InputContainer, stream: VideoStream, to_annexb: Callable[[bytes], bytes], path: str
) -> Iterator[Played]:
    """Samples with the timestamps of their container, and what goes beside them in its other tracks."""
    tracks = tracks_beside(container)
    packets = demuxed(container, [stream.index, *tracks], path)
    played = stamped(packets, tracks, to_annexb, path)
    return in_time(played) if tracks else played


def stamped(
    packets: Iterator[av.Packet[Any]],
    tracks: dict[int, Track],
    to_annexb: Callable[[bytes], bytes],
    path: str,
) -> Iterator[Played]:
    """What packets become, in their order."""
    for packet in packets:
        pts = ticks_of(packet.dts if packet.pts is None else packet.pts, packet)
        if (track := tracks.get(packet.stream_index)) is not None:
            yield from track.take(pts, bytes(packet))
        elif pts is not None:
            dts = ticks_of(packet.dts, packet)
            try:
                yield Sample(pts, pts if dts is None else dts, to_annexb(bytes(packet)))
            except MalformedError as error:
                raise SourceError(f"{path} is broken: {error}") from None


def ticks_of(time: int | None, packet: av.Packet[Any]) -> int | None:
    """A time of a packet in 90 kHz."""
    if time is None or packet.time_base is None:
        return None
    return int(time * packet.time_base * CLOCK_RATE_HZ)


def shifted(played: Iterator[Played], offset: int) -> Generator[Played, None, int | None]:
    """The same `offset` ticks later; returns how long the pictures are, so that the next pass follows on.

    None where there are none, 0 where nobody can tell.
    """
    first: int | None = None
    last = step = 0
    for each in played:
        if isinstance(each, Beside):
            yield replace(each, pts=None if each.pts is None else each.pts + offset)
            continue
        first = each.dts if first is None else first
        step = each.dts - last if each.dts > last else step
        last = each.dts
        yield Sample(each.pts + offset, each.dts + offset, each.data)
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
