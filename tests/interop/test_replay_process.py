"""The replay as its own process, heard by our receiver and by ffmpeg."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest

from flow.codec.annexb import join_nal_units, split_nal_units
from flow.codec.h264 import Depacketizer, Picture
from flow.codec.rtp import is_rtcp, parse_rtp, parse_sender_reports
from flow.codec.tlog import write_record
from recordings.footage import open_video
from tests.unit.recordings.flights import Aircraft, decode, encode_film

DEADLINE_S = 20.0
UNIX_2015_US = 1_436_056_003_000_000


@contextmanager
def replay(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "recordings.replay", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def port() -> Iterator[tuple[socket.socket, str]]:
    """A UDP socket on loopback and its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.5)
        yield receiver, f"127.0.0.1:{receiver.getsockname()[1]}"


def everything(receiver: socket.socket, process: subprocess.Popen[str]) -> list[tuple[int, bytes]]:
    """(time of arrival, datagram) of all that comes until the process has ended."""
    arrivals: list[tuple[int, bytes]] = []
    ends_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends_s:
        try:
            datagram = receiver.recv(65_536)
            arrivals.append((time.time_ns(), datagram))
        except TimeoutError:
            if process.poll() is not None:
                return arrivals
    raise AssertionError("the replay does not end")


def put_together(datagrams: list[bytes]) -> list[Picture]:
    depacketizer = Depacketizer()
    packets = [parse_rtp(datagram) for datagram in datagrams if not is_rtcp(datagram)]
    return [picture for packet in packets for picture in depacketizer.push(packet)]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return encode_film(tmp_path / "flight.mp4", count=50)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten seconds of attitude at 10 Hz and system time at 1 Hz."""
    path = tmp_path / "flight.tlog"
    aircraft = Aircraft()
    with path.open("wb") as file:
        for ms in range(0, 10_000, 100):
            file.write(write_record(UNIX_2015_US + ms * 1000, aircraft.attitude(60_000 + ms)))
            if ms % 1000 == 0:
                system_time = aircraft.system_time(UNIX_2015_US + ms * 1000, 60_000 + ms)
                file.write(write_record(UNIX_2015_US + ms * 1000, system_time))
    return path


def test_pictures_and_messages_arrive_as_if_live(film: Path, log: Path) -> None:
    with (
        port() as (video, rtp),
        port() as (telemetry, mavlink),
        replay("--video", film, "--rtp", rtp, "--telemetry", log, "--mavlink", mavlink) as process,
    ):
        datagrams = everything(video, process)
        messages = everything(telemetry, process)
        assert process.wait(DEADLINE_S) == 0
        assert process.stderr is not None
        report = process.stderr.read().splitlines()[-1]
    pictures = put_together([datagram for _, datagram in datagrams])
    originals = open_video(film, Fraction(25)).pictures()
    assert [picture.data for picture in pictures] == [
        join_nal_units(split_nal_units(original.data)) for original in originals
    ]
    assert len(pictures) == 50
    for arrived_ns, datagram in datagrams:
        for sent in parse_sender_reports(datagram) if is_rtcp(datagram) else []:
            assert -5e6 < arrived_ns - sent.ntp_ns < 2e9
    decoded = [decode(datagram) for _, datagram in messages]
    boot_ms = [message.time_boot_ms for message in decoded if message.get_type() == "ATTITUDE"]
    assert boot_ms == [60_000 + 100 * number for number in range(20)]
    for (arrived_ns, _), message in zip(messages, decoded, strict=True):
        if message.get_type() == "SYSTEM_TIME":
            assert -5e6 < arrived_ns - message.time_unix_usec * 1000 < 4e9
    assert f"{len(datagrams) + len(messages)} datagrams, 0 refused by the network, late by p50" in report


def test_two_videos_go_to_two_ports(film: Path, tmp_path: Path) -> None:
    second = encode_film(tmp_path / "thermal.ts", b_frames=2, count=25)
    with (
        port() as (first_port, first_rtp),
        port() as (second_port, second_rtp),
        replay(
            "--video", film, "--rtp", first_rtp, "--video", second, "--rtp", second_rtp, "--speed", 2
        ) as process,
    ):
        first, other = everything(first_port, process), everything(second_port, process)
    assert len(put_together([datagram for _, datagram in first])) == 50
    assert len(put_together([datagram for _, datagram in other])) == 25


def test_ffmpeg_understands_it(film: Path, tmp_path: Path) -> None:
    with port() as (_, address):
        number = address.rpartition(":")[2]
    sdp = tmp_path / "replay.sdp"
    sdp.write_text(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {number} RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1\n"
    )
    listen = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-protocol_whitelist",
        "file,udp,rtp",
        "-i",
        sdp,
    ]
    decode_30 = ["-frames:v", "30", "-f", "framecrc", "-"]
    with (
        replay("--video", film, "--rtp", address, "--loop"),
        subprocess.Popen([*listen, *decode_30], stdout=subprocess.PIPE, text=True) as ffmpeg,
    ):
        try:
            output, _ = ffmpeg.communicate(timeout=DEADLINE_S)
        finally:
            ffmpeg.kill()
    assert ffmpeg.returncode == 0
    assert len([line for line in output.splitlines() if not line.startswith("#")]) == 30


def test_a_loop_ends_on_sigterm_and_tells_its_lateness(film: Path) -> None:
    with port() as (receiver, rtp), replay("--video", film, "--rtp", rtp, "--loop") as process:
        receiver.settimeout(DEADLINE_S)
        receiver.recv(65_536)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
        assert process.stderr is not None
        assert "late by p50" in process.stderr.read()


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is of Linux")
def test_it_ends_with_its_parent(film: Path) -> None:
    start = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); sys.stdin.read()"
    with port() as (receiver, rtp):
        command = [sys.executable, "-m", "recordings.replay", "--video", str(film), "--rtp", rtp, "--loop"]
        with subprocess.Popen(
            [sys.executable, "-c", start, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            receiver.settimeout(DEADLINE_S)
            receiver.recv(65_536)
            parent.kill()
            parent.wait()
        ends_s = time.monotonic() + DEADLINE_S
        while _runs(child):
            assert time.monotonic() < ends_s, "the replay outlives its parent"
            time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether the process is there and no zombie (nobody may be left to reap it)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_one_line_says_what_is_wrong(film: Path) -> None:
    with replay("--video", film, "--telemetry", "missing.tlog") as process:
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert errors == "replay: missing.tlog: No such file or directory\n"


@pytest.mark.feeds
def test_a_real_flight_arrives_whole(feeds: Path) -> None:
    """The first seconds of a real camera's stream and of a real aircraft's telemetry, at life speed."""
    video_file = feeds / "derived/seashore_h264_720p30_live.mp4"
    log_file = feeds / "telemetry/copter_real_cmac_2015.tlog"
    with (
        port() as (video, rtp),
        port() as (telemetry, mavlink),
        replay("--video", video_file, "--rtp", rtp, "--telemetry", log_file, "--mavlink", mavlink) as process,
    ):
        video.settimeout(DEADLINE_S)
        datagrams = [video.recv(65_536)]
        while len(pictures := put_together(datagrams)) < 90:
            datagrams += [video.recv(65_536) for _ in range(50)]
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE_S)
        messages = [datagram for _, datagram in everything(telemetry, process)]
    originals = open_video(video_file, Fraction(30)).pictures()
    for picture, original in zip(pictures, originals, strict=False):
        assert picture.data == join_nal_units(split_nal_units(original.data))
        assert not picture.damaged
    aircraft = [decode(message) for message in messages if message[3] == 1 and message[5] == 30]
    assert aircraft[0].time_boot_ms == 44_918
