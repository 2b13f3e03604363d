"""The real program, sending to sockets of the test."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.codeccontext import VideoCodecContext
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from flow.codec.h264 import Depacketizer
from flow.codec.rtp import is_rtcp, parse_rtp, parse_sender_reports
from simulator import arguments, strip

Datagrams = dict[str, list[tuple[int, bytes]]]
ROOT = Path(__file__).parents[3]


class Ears:
    """Three sockets, read by one thread each until closed; arrivals carry the wall clock in ns."""

    def __init__(self) -> None:
        self.heard: Datagrams = defaultdict(list)
        self._sockets = {}
        self._threads = []
        for name in ("day", "thermal", "mavlink"):
            ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            ear.bind(("127.0.0.1", 0))
            ear.settimeout(0.2)
            self._sockets[name] = ear
            self._threads.append(threading.Thread(target=self._listen, args=(name, ear)))
        self._closing = threading.Event()
        for thread in self._threads:
            thread.start()

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self._sockets[name].getsockname()[1]}"

    def _listen(self, name: str, ear: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                datagram = ear.recv(4096)
            except TimeoutError:
                continue
            self.heard[name].append((time.time_ns(), datagram))

    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        for ear in self._sockets.values():
            ear.close()


@pytest.fixture
def ears() -> Iterator[Ears]:
    found = Ears()
    yield found
    found.close()


def command(ears: Ears, *more: str) -> list[str]:
    addresses = ("--rtp", ears.address("day"), "--rtp-thermal", ears.address("thermal"))
    return [sys.executable, "-m", "simulator", *addresses, "--mavlink", ears.address("mavlink"), *more]


def wait_until_heard(ears: Ears, name: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(ears.heard[name]) < count:
        assert time.monotonic() < deadline, f"{name}: {len(ears.heard[name])} datagrams after a minute"
        time.sleep(0.02)


def decoded(datagrams: list[tuple[int, bytes]]) -> list[tuple[int, int, int]]:
    """(RTP timestamp, capture time in the strip, counter) of every picture of a stream that lost nothing."""
    decoder, depacketizer = av.CodecContext.create("h264", "r"), Depacketizer()
    assert isinstance(decoder, VideoCodecContext)
    found = []
    for _, datagram in datagrams:
        if is_rtcp(datagram):
            continue
        for picture in depacketizer.push(parse_rtp(datagram)):
            assert not picture.damaged
            for frame in decoder.decode(av.Packet(picture.data)):
                read = strip.read(frame.to_ndarray(format="gray"))
                assert read is not None
                found.append((picture.rtp_timestamp, *read))
    assert depacketizer.lost_packets == 0
    return found


def parsed(datagrams: list[tuple[int, bytes]]) -> dict[str, list[Any]]:
    parser, found = mavlink.MAVLink(None), defaultdict(list)
    for _, datagram in datagrams:
        for message in parser.parse_buffer(datagram) or []:
            found[message.get_type()].append(message)
    return found


def test_pictures_reports_telemetry_and_truth_are_one(ears: Ears, tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    words = command(ears, "--seconds", "3", "--truth", str(log), "--clock-offset-ms", "750", "--fps", "20")
    subprocess.run(words, cwd=ROOT, check=True, timeout=90)
    ears.close()
    truth = [json.loads(line) for line in log.read_text().splitlines()]
    by_feed = {name: [line for line in truth if line["feed"] == name] for name in ("day", "thermal")}
    for name, lines in by_feed.items():
        pictures = decoded(ears.heard[name])
        assert [(line["rtp_timestamp"], line["utc_ms"], line["counter"]) for line in lines] == pictures
        assert len(pictures) > 10
        reports = [r for _, d in ears.heard[name] if is_rtcp(d) for r in parse_sender_reports(d)]
        assert len(reports) >= 3
        for timestamp, capture_ms, _ in pictures:  # reports tell the aircraft's clock, 750 ms fast
            ticks = (timestamp - reports[0].rtp_timestamp) & 0xFFFF_FFFF
            assert reports[0].ntp_ns / 1e6 + ticks / 90 - 750 == pytest.approx(capture_ms, abs=0.02)
        assert min(arrival for arrival, _ in ears.heard[name]) / 1e6 > lines[0]["utc_ms"]
    assert [line["utc_ms"] for line in by_feed["day"]] == [line["utc_ms"] for line in by_feed["thermal"]]
    messages = parsed(ears.heard["mavlink"])
    positions = messages["GLOBAL_POSITION_INT"]
    assert len(positions) == len(messages["ATTITUDE"]) == len(by_feed["day"])
    boot_ms = messages["SYSTEM_TIME"][0].time_unix_usec / 1000 - messages["SYSTEM_TIME"][0].time_boot_ms
    for position, line in zip(positions, by_feed["day"], strict=True):
        assert boot_ms + position.time_boot_ms == pytest.approx(line["utc_ms"] + 750, abs=1)
        assert position.lat / 1e7 == pytest.approx(line["lat_deg"], abs=1e-7)
        assert position.relative_alt / 1000 == pytest.approx(line["height_m"], abs=0.001)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(ears: Ears, number: signal.Signals) -> None:
    with subprocess.Popen(command(ears), cwd=ROOT, stderr=subprocess.PIPE) as process:
        wait_until_heard(ears, "mavlink", 1)
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"CPU s/s" in said
    assert b"Traceback" not in said


def test_it_ends_with_its_parent(ears: Ears) -> None:
    words = command(ears, "--with-parent", "--size", "640x360")
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until_heard(ears, "mavlink", 1)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--rtp", "nowhere"],
        ["--rtp", "127.0.0.1:70000"],
        ["--rtp", "127.0.0.1:5600", "--size", "1281x720"],
        ["--rtp", "127.0.0.1:5600", "--fps", "0"],
        ["--rtp", "127.0.0.1:5600", "--system-id", "256"],
        [],
    ],
)
def test_wrong_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments.parse(words)
    assert "error:" in capsys.readouterr().err
