from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from flow.clock import NS_PER_MS, NS_PER_S, SystemClock
from flow.codec.annexb import split_nal_units
from flow.errors import MalformedError, SourceError
from flow.units import Codec
from ingest import av_reader, child
from ingest.protocol.events import Opened, ParameterSets, SourceEvent, SourcePicture
from ingest.protocol.pacing import Pacing
from ingest.protocol.reader_pipe import (
    PREFIX,
    Begin,
    BeginForeign,
    End,
    Failure,
    Message,
    Sample,
    body_length,
    decode,
    encode,
)
from ingest.settings import FeedSource
from ingest.sources import file as file_source
from ingest.sources.file import FileSource, play
from tests.fakes.clock import START_NS, FakeClock
from tests.interop.ingest_rig import running

from .material import LIVE, WITH_B_FRAMES, coded, decoded, written


def samples(told: Iterable[Message]) -> list[Sample]:
    return [message for message in told if isinstance(message, Sample)]


def read(path: Path, fps: float | None = None) -> list[Message]:
    return list(av_reader.messages(str(path), fps, loop=False))


# --- what the reader tells ------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_containers_give_annex_b_with_their_times(tmp_path: Path, suffix: str) -> None:
    told = read(written(tmp_path / f"live.{suffix}", coded(30)))
    begin = told[0]
    assert isinstance(begin, Begin)
    assert begin.codec is Codec.H264
    assert {nal[0] & 31 for nal in split_nal_units(begin.parameter_sets)} >= {7, 8}
    assert decoded(begin.parameter_sets + b"".join(sample.data for sample in samples(told))) == 30
    steps = [after.dts - before.dts for before, after in pairwise(samples(told))]
    assert all(abs(step - 3000) <= 60 for step in steps)  # Matroska counts in milliseconds
    assert told[-1] == End()


def test_b_frames_of_a_file_keep_both_times(tmp_path: Path) -> None:
    told = samples(read(written(tmp_path / "b.mp4", coded(30, options=WITH_B_FRAMES))))
    assert [sample.dts for sample in told] == sorted(sample.dts for sample in told)
    assert any(after.pts < before.pts for before, after in pairwise(told))
    assert all(sample.pts >= sample.dts for sample in told)


def test_h265_in_mp4_is_read(tmp_path: Path) -> None:
    pictures = coded(10, codec="libx265")
    told = read(written(tmp_path / "h265.mp4", pictures, codec="hevc"))
    assert isinstance(told[0], Begin)
    assert told[0].codec is Codec.H265
    assert decoded(b"".join(sample.data for sample in samples(told)), "hevc") == 10


def test_a_raw_stream_is_timed_by_its_stated_fps(tmp_path: Path) -> None:
    path = tmp_path / "raw.h264"
    path.write_bytes(b"".join(picture.data for picture in coded(30)))
    told = samples(read(path, fps=25))
    assert [sample.dts for sample in told] == [3600 * index for index in range(30)]
    (failure,) = read(path)
    assert failure == Failure("no_fps", f"{path} has no timestamps: state its fps")


def test_a_looped_file_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = written(tmp_path / "live.mp4", coded(10))
    told = av_reader.messages(str(path), None, loop=True)
    first = [next(told) for _ in range(32)]
    assert {after.dts - before.dts for before, after in pairwise(samples(first))} == {3000}
    assert not any(isinstance(message, End) for message in first)


def test_what_cannot_be_read_is_one_clear_failure(tmp_path: Path) -> None:
    text, empty, folder = tmp_path / "notes.txt", tmp_path / "empty.mp4", tmp_path / "folder"
    text.write_text("no video at all\n" * 500)
    empty.touch()
    folder.mkdir()
    for path in (text, empty, folder):
        (failure,) = read(path)
        assert isinstance(failure, Failure)
        assert failure.reason == "not_video"
        assert str(path) in failure.detail
    assert read(tmp_path / "gone.mp4") == [Failure("not_found", f"{tmp_path}/gone.mp4 does not exist")]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A pipe that nobody writes to would never answer."""
    pipe, bound = tmp_path / "pipe.mp4", tmp_path / "s"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bound))
        for path, kind in ((pipe, "pipe"), (bound, "socket"), (Path("/dev/null"), "device")):
            assert read(path) == [Failure("not_video", f"{path} is a {kind} and no video file")]


def test_metadata_that_is_no_utf_8_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "named.mp4"
    with (
        av.open(str(written(tmp_path / "live.mp4", coded(3)))) as source,
        av.open(str(path), "w") as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        target.metadata["title"] = "Flug ueber Koblenz"
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    content = path.read_bytes()
    assert content.count(b"Flug ueber") == 1
    path.write_bytes(content.replace(b"Flug ueber", b"Flug \xfcber "))
    with pytest.raises(UnicodeDecodeError):
        av.open(str(path))
    assert len(samples(read(path))) == 3


def test_a_stream_that_begins_half_way_does_not_spoil_the_end(tmp_path: Path) -> None:
    """PyAV 18 raises IndexError where it flushes a stream that was not there when the file was opened."""
    silent, sounding, path = tmp_path / "a.ts", tmp_path / "b.ts", tmp_path / "both.ts"
    picture = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=2"]
    x264 = ["-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([*picture, *x264, str(silent)], check=True, timeout=60)
    subprocess.run([*picture, "-f", "lavfi", "-i", "sine=d=2", *x264, str(sounding)], check=True, timeout=60)
    # libav looks 5 MB ahead for streams, and into the last 250 kB for how long they are.
    nothing = bytes((0x47, 0x1F, 0xFF, 0x10, *184 * (0xFF,)))
    parts = silent.read_bytes(), 30_000 * nothing, sounding.read_bytes(), 2000 * nothing, silent.read_bytes()
    path.write_bytes(b"".join(parts))
    with av.open(str(path)) as container, pytest.raises(IndexError):
        for _ in container.demux(container.streams.video[0]):
            pass
    told = read(path)
    assert len(samples(told)) == 150
    assert told[-1] == End()


def test_a_codec_that_nobody_knows_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "unknown.mov", coded(3))
    head, fourcc, rest = path.read_bytes().rpartition(b"avc1")
    assert fourcc
    path.write_bytes(head + b"zzz1" + rest)
    (failure,) = read(path)
    assert failure == Failure("unsupported_codec", f"{path} is of an unknown codec and cannot be shown")


@pytest.mark.parametrize(
    "content", [b"\x00\x00\x00\x08ftyp", b"RIFF\0\0\0\0AVI ", b"\x1aE\xdf\xa3", b"FLV\x01\x05"]
)
def test_a_file_that_ends_in_its_head_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "head"
    path.write_bytes(content)
    assert read(path) == [Failure("not_video", f"{path} is no video file")]


@pytest.mark.parametrize("loop", [False, True])
def test_a_file_without_a_picture_says_so(tmp_path: Path, loop: bool) -> None:
    path = tmp_path / "empty.h264"
    path.touch()
    *_, last = av_reader.messages(str(path), 30, loop)
    assert last == Failure("not_video", f"{path} has no picture in it")


def test_a_single_picture_is_looped_once_a_second(tmp_path: Path) -> None:
    path = tmp_path / "still.h264"
    path.write_bytes(coded(1)[0].data)
    told = av_reader.messages(str(path), 30, loop=True)
    shown = samples(next(told) for _ in range(4))
    assert [sample.dts for sample in shown] == [0, 90_000, 180_000]


def test_other_codecs_are_handed_on_with_what_their_decoder_needs(tmp_path: Path) -> None:
    path = tmp_path / "other.avi"
    made = coded(3, codec="mpeg4", options=(("b", "200k"),))
    written(path, made, codec="m4v")
    begin, *told = read(path)
    assert isinstance(begin, BeginForeign)
    assert (begin.info.codec, begin.info.width_px, begin.info.height_px) == ("mpeg4", 320, 240)
    assert [sample.dts for sample in samples(told)] == [0, 3000, 6000]
    wire = encode(begin)
    assert decode(wire[: PREFIX.size], wire[PREFIX.size :]) == begin


def test_a_cut_off_file_gives_what_it_has_and_then_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "live.ts", coded(30))
    path.write_bytes(path.read_bytes()[:-3000])
    told = read(path)
    assert 20 < len(samples(told)) <= 30


# --- the pipe -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        Begin(Codec.H265, b"\x00\n\x01"),
        Sample(-5, 1 << 40, b"data"),
        End(),
        Failure("not_video", "Fähre.mp4 is no video file"),
    ],
)
def test_messages_survive_the_pipe(message: Message) -> None:
    sent = encode(message)
    prefix, body = sent[: PREFIX.size], sent[PREFIX.size :]
    assert body_length(prefix) == len(body)
    assert decode(prefix, body) == message


@pytest.mark.parametrize("sent", [b"X\0\0\0\0", b"B\0\0\0\1x", b"S\0\0\0\1x", b"F\0\0\0\1\xff"])
def test_senseless_messages_are_refused(sent: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(sent[: PREFIX.size], sent[PREFIX.size :])
    with pytest.raises(MalformedError):
        body_length(b"S\xff\xff\xff\xff")


# --- playing --------------------------------------------------------------------------------------


async def played(told: list[Message], clock: FakeClock) -> list[tuple[int, SourceEvent]]:
    """Play messages while the clock jumps from one sleeper to the next; events with their time."""
    events: list[tuple[int, SourceEvent]] = []
    waiting = iter(told)

    async def next_message() -> Message | None:
        return next(waiting, None)

    task = asyncio.ensure_future(
        play(next_message, "file:x.mp4", clock, lambda event: events.append((clock.now_ns(), event)))
    )
    while not task.done():
        await asyncio.sleep(0)
        if clock.next_wake_ns is not None:
            clock.advance(clock.next_wake_ns - clock.now_ns())
    await task
    return events


async def test_pictures_are_played_at_their_own_pace() -> None:
    told: list[Message] = [Begin(Codec.H264, b"sets")]
    told += [Sample(9000 + index * 3000, 9000 + index * 3000, b"picture") for index in range(90)]
    events = await played([*told, End()], FakeClock())
    assert [event for _, event in events[:2]] == [
        Opened("file:x.mp4", 64),
        ParameterSets(Codec.H264, b"sets"),
    ]
    assert [now_ns - START_NS for now_ns, _ in events[2:]] == [
        index * 100_000_000 // 3 for index in range(90)
    ]
    assert all(event.arrival_ns == now_ns for now_ns, event in events[2:] if isinstance(event, SourcePicture))


async def test_a_failing_reader_ends_the_source_with_its_reason() -> None:
    with pytest.raises(SourceError, match="is no video") as raised:
        await played([Failure("not_video", "x.mp4 is no video file")], FakeClock())
    assert raised.value.code == "not_video"
    with pytest.raises(SourceError, match="ended in the middle"):
        await played([Begin(Codec.H264, b"")], FakeClock())


async def test_a_reader_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> Message | None:
        await asyncio.get_running_loop().create_future()
        return None

    monkeypatch.setattr(file_source, "FIRST_ANSWER_S", 0.01)
    with pytest.raises(SourceError, match=r"file:x\.mp4 could not be opened within 0\.01 s") as raised:
        async with asyncio.timeout(20):
            await play(never, "file:x.mp4", FakeClock(), lambda event: None)
    assert raised.value.code == "source_failed"


BLOCKED = """
import sys, time
from ingest import av_reader
def block(path):
    print("blocked", file=sys.stderr, flush=True)
    time.sleep(600)
av_reader.open_file = block
av_reader.main()
"""
PARENT = """
import os, subprocess, sys
command = [sys.executable, "-c", sys.argv[1], "--parent", str(os.getpid()), "x.mp4"]
print(subprocess.Popen(command).pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is of Linux")
def test_a_reader_that_libav_blocks_ends_with_a_killed_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, BLOCKED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        child = int(parent.stdout.readline())
        assert parent.stderr.readline() == "blocked\n"
        parent.kill()
        # The child holds the pipe as long as it lives.
        ends = select.select([parent.stderr], [], [], 10)[0]
        if not ends:
            os.kill(child, signal.SIGKILL)
        assert ends, "the reader outlives its parent"
        assert parent.stderr.read() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is of Linux")
def test_a_reader_whose_parent_is_gone_already_ends_at_once() -> None:
    command = [sys.executable, "-c", BLOCKED, "--parent", "0", "x.mp4"]
    done = subprocess.run(command, capture_output=True, timeout=20, check=True)
    assert done.stderr == b""


async def test_a_file_that_breaks_off_is_tried_again_but_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "broken.mp4", coded(3))
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    assert places[2] is not None
    content[places[2]] = 0x7F  # a NAL unit of 2 GB
    path.write_bytes(content)
    caplog.set_level(logging.INFO, "lagebild.ingest")
    async with running(FeedSource("film", str(path))) as rig:
        await rig.until(lambda: rig.state("film").restarts >= 3, "three tries")
    said = [record.message for record in caplog.records]
    assert len(said) == len(set(said)), said
    (line,) = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith(f"feed film: lost: {path} is broken: ")


def test_pacing_begins_anew_after_jumps_and_sleep_and_catches_up_small_delays() -> None:
    pacing = Pacing()
    assert pacing.due_ns(1000, 0) == 0
    assert pacing.due_ns(1000 + 9000, 0) == 100 * NS_PER_MS
    assert pacing.due_ns(1000 + 18_000, NS_PER_S) == 200 * NS_PER_MS  # late: at once, but on the old beat
    assert pacing.due_ns(1000 + 27_000, 5 * NS_PER_S) == 5 * NS_PER_S
    assert pacing.due_ns(1000 + 36_000, 5 * NS_PER_S) == 5 * NS_PER_S + 100 * NS_PER_MS
    assert pacing.due_ns(0, 6 * NS_PER_S) == 6 * NS_PER_S
    assert pacing.due_ns(90_000_000, 7 * NS_PER_S) == 7 * NS_PER_S


async def test_the_process_is_gone_when_the_source_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = child._started

    def noted(arguments: list[str], output: socket.socket) -> subprocess.Popen[bytes]:
        started.append(start(arguments, output))
        return started[-1]

    monkeypatch.setattr(child, "_started", noted)
    path = written(tmp_path / "live.mp4", coded(10, options=LIVE))
    events: list[SourceEvent] = []
    first_picture = asyncio.Event()

    def take(event: SourceEvent) -> None:
        events.append(event)
        if isinstance(event, SourcePicture):
            first_picture.set()

    task = asyncio.ensure_future(FileSource(str(path), None, True, SystemClock()).run(take))
    await asyncio.wait_for(first_picture.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert started[0].returncode == -9
    assert isinstance(events[0], Opened)
