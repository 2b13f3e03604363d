"""Broken recordings: whatever is in a file, a replay plays what can be played and never hangs or raises."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from flow.codec.tlog import write_record
from flow.errors import ConfigError
from recordings.footage import open_telemetry, open_video
from recordings.plan import Manner, plan
from recordings.protocol.mavlink_frames import is_intact, parse_header
from recordings.protocol.source_clocks import SourceClocks
from recordings.protocol.telemetry_track import TelemetryTrack
from recordings.protocol.timing import NS_PER_S, Lap
from recordings.recording import Recording
from tests.unit.recordings.flights import START_NS, Aircraft, encode_film

SEEDS = (*range(18), 46, 57, 307, 542)
"""The last ones once found something in a video."""


def broken(content: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat or insert a few times."""
    data = bytearray(content)
    for _ in range(rng.randrange(1, 20)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + rng.randrange(1, 50)]
            case 2:
                data[at:at] = rng.randbytes(rng.randrange(1, 50))
            case _:
                data[at:at] = data[at : at + rng.randrange(1, 500)]
        if not data:
            return b"\x00"
    return bytes(data)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("timed", [True, False])
def test_broken_telemetry(tmp_path: Path, seed: int, timed: bool) -> None:
    rng = random.Random(seed)
    aircraft = Aircraft(version=1 + seed % 2)
    content = b""
    for number in range(300):
        message = aircraft.attitude(rng.choice((number * 100, rng.getrandbits(32))))
        content += write_record(10**15 + number * 100_000, message) if timed else message
    path = tmp_path / "log.bin"
    path.write_bytes(broken(content, rng))
    track = TelemetryTrack(open_telemetry(path), SourceClocks(2.0), 0)
    sends = list(track.play(Lap(START_NS, 2.0)))
    times = [send.time_ns for send in sends]
    assert times == sorted(times)
    assert max(len(send.data) for send in sends) <= 1024
    intact = [
        header for send in sends if (header := parse_header(send.data)) and is_intact(send.data, header)
    ]
    assert len(intact) > 50


@pytest.mark.parametrize("seed", SEEDS)
def test_any_bytes_can_be_rewritten(seed: int) -> None:
    rng = random.Random(seed)
    clocks = SourceClocks(rng.choice((0.1, 1.0, 20.0)))
    aircraft = Aircraft(version=1 + seed % 2)
    for _ in range(200):
        message = aircraft.system_time(rng.getrandbits(64), rng.getrandbits(32))
        moved = clocks.rewrite(message, START_NS + rng.randrange(10**12))
        header = parse_header(moved)
        assert header is not None
        assert is_intact(moved, header)
        assert isinstance(clocks.rewrite(broken(message, rng), START_NS), bytes)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("films")
    return {name: encode_film(folder / name).read_bytes() for name in ("a.mp4", "a.ts", "a.h264")}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.h264"])
def test_broken_video(films: dict[str, bytes], tmp_path: Path, name: str, seed: int) -> None:
    path = tmp_path / name
    path.write_bytes(broken(films[name], random.Random(seed)))
    try:
        footage = open_video(path, Fraction(25))
    except ConfigError:
        return
    times = [send.time_ns for send in plan(Recording("", [footage], None), Manner(), START_NS)]
    assert times == sorted(times)
    assert times[-1] - times[0] < 3600 * NS_PER_S
