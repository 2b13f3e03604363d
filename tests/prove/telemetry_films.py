"""The parsers of what films say of their aircraft, as parsers.py has those of ingest."""

from __future__ import annotations

import dataclasses
import io
import math
from collections import Counter
from itertools import count

from flow.clock import NS_PER_S
from flow.codec.subrip import cues
from flow.errors import LagebildError
from flow.samples import Metadata, MetadataKind, TelemetrySample
from telemetry.protocol.track_dji import DjiTrack
from telemetry.protocol.track_gpmf import GpmfTrack
from tests.fakes.gpmf import attd, device, glpi, gps5, position

from .mutation import Mutator
from .parsers import MakeParser

START_NS = 1_795_330_000 * NS_PER_S
PAYLOAD_MOST_NS = 7 * NS_PER_S

CUES = (
    '<font size="36">FrameCnt : 1, DiffTime : 16ms\n2020-04-02 15:19:58,720,764\n'
    "[iso : 120] [latitude : 31.452012] [longtitude : 74.398751] [altitude: 213.983002] </font>",
    "[latitude: 59.302335] [longitude: 18.203059] [rel_alt: 1.300 abs_alt: 132.860] "
    "[gb_yaw: -1.5 gb_pitch: 0 gb_roll: 0.0]",
    "F/2.8, SS 30.15, GPS (-121.7458, 48.0771, 17), D 221.21m, H 200.70m, H.S n/a, V.S n/a",
    "2022.06.21 16:06:17\nGPS(36.6146,-6.1120,0.0M) BAROMETER:0.3M",
    "F/5.6, GPS (-58.85, -34.23, 15), HOME (-58.84, -34.23, -57.98m), D 697.41m, H 85.83m, H.S 2.88m/s, "
    "V.S 0.00m/s, F.PRY (3.0°, -19.9°, 110.3°), G.PRY (-24.4°, 0.0°, 110.5°)",
    "HOME(149.0251,-20.2532) 2017.08.05 14:11:51\nGPS(149.0251,-20.2533,16) BAROMETER:1.9",
)  # fmt: skip


class GpmfPayloads:
    """GPMF, payload after payload of one film, through to samples."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        rows = [position(1000 + 250 * index, 49.4, 7.7) for index in range(4)]
        row = (490000000, 75000000, 300000, 1500, 200)
        self._genuine = [
            device(glpi(*rows[:2]), attd((1000, 0.1, -0.2, 0.3))),
            device(gps5(3, row, row)),
            device(attd((1000, 0.1, -0.2, 0.3), (1250, 0.1, -0.2, 0.3))),
        ]
        self._tracks = count()

    def one(self, mutator: Mutator) -> None:
        number = next(self._tracks)
        if number % 500 == 0:
            self._track = GpmfTrack("prove")
        at = Metadata("film", MetadataKind.GPMF, START_NS + number * NS_PER_S, b"", number * 90_000)
        for data in (mutator.next(self._genuine), self._genuine[number % len(self._genuine)]):
            try:
                samples = self._track.take(dataclasses.replace(at, data=data))
            except LagebildError:
                self.reached["refused"] += 1
                continue
            self.reached["taken"] += len(samples)
            for sample in samples:
                check(sample, at.utc_ns)


class Subtitles:
    """A whole file of DJI's subtitles gone wrong, through to samples."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        times = "{}\n00:00:0{},000 --> 00:00:0{},500\n{}\n\n"
        self._genuine = [
            "".join(
                times.format(number, number, number, CUES[(number + kind) % len(CUES)]) for number in range(3)
            ).encode()
            for kind in range(len(CUES))
        ]

    def one(self, mutator: Mutator) -> None:
        text, track = mutator.next(self._genuine).decode("utf-8", errors="replace"), DjiTrack("prove")
        for cue in cues(io.StringIO(text, newline="")):
            utc_ns = START_NS + cue.start_ms * 1_000_000
            samples = track.take(Metadata("film", MetadataKind.DJI, utc_ns, cue.text.encode()))
            self.reached["taken" if samples else "refused"] += 1
            for sample in samples:
                check(sample, utc_ns)


def check(sample: TelemetrySample, utc_ns: int) -> None:
    """What every sample keeps, whatever it was made of."""
    numbers = [value for value in dataclasses.astuple(sample) if isinstance(value, float)]
    if not all(map(math.isfinite, numbers)):
        raise AssertionError(f"a number that is none: {sample}")
    if (sample.lat_deg is None) != (sample.lon_deg is None):
        raise AssertionError(f"half a position: {sample}")
    if (
        abs(sample.lat_deg or 0) > 90
        or abs(sample.lon_deg or 0) > 180
        or not 0 <= (sample.yaw_deg or 0) < 360
    ):
        raise AssertionError(f"a place or direction that is none: {sample}")
    if abs(sample.utc_ns - utc_ns) > PAYLOAD_MOST_NS:
        raise AssertionError(f"a sample of another time: {sample}")


FILMS: dict[str, tuple[int, MakeParser]] = {
    "GPMF": (200_000, GpmfPayloads),
    "DJI subtitles": (100_000, Subtitles),
}
"""By name: how many inputs, and the parser."""
