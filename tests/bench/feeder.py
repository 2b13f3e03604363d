"""The feeder: the clip in real time as RTP, with sender reports, to every relay under test alike.

    async with feeding([relay.rtp_target], core=1) as fed:
        fed.captured_ms(strip_ms, shown_ms)     # when that picture was taken, on this machine's clock

A process of its own, pinned to a core. The packets of a picture leave in one go, as from an encoder beside
the relay; the sender reports carry the capture time. With `times` it writes, for every picture and target,
when the first and the last packet left. With `telemetry` an aircraft of system 1 tells its attitude and
position ten times a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import math
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from flow.clock import NS_PER_S
from flow.codec.h264 import packetize
from flow.codec.rtp import RtpPacket, SenderReport
from flow.units import CLOCK_RATE_HZ
from tests.bench import clip
from tests.fakes.rtp_camera import MavlinkAircraft

PAYLOAD_TYPE = 96
STEP_90K = CLOCK_RATE_HZ // clip.FPS
TELEMETRY_HZ = 10
STARTS_WITHIN_S = 120.0
"""The clip may have to be encoded first."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fed:
    """What the feeder said of its stream: when the clip's first picture was taken first, and what it is."""

    epoch_ms: float
    clip_ms: int
    bitrate_bps: int
    packets_per_s: float
    ssrc: int

    def captured_ms(self, strip_ms: int, near_ms: float) -> float:
        """When the picture was taken whose strip says `strip_ms`: the last time before `near_ms`.

        Both in ms since the Unix epoch. The clip repeats: good for ages below its length.
        """
        first = self.epoch_ms + strip_ms
        return first + (near_ms - first) // self.clip_ms * self.clip_ms


@contextlib.asynccontextmanager
async def feeding(
    targets: Sequence[Address],
    core: int,
    *,
    group_s: int = clip.GROUP_S,
    clip_s: int = clip.SECONDS,
    times: Path | None = None,
    telemetry: Address | None = None,
) -> AsyncIterator[Fed]:
    """Feed `targets` for as long as the context is open; it opens as the first picture leaves."""
    options = [text for host, port in targets for text in ("--to", f"{host}:{port}")]
    options += ["--group-s", str(group_s), "--clip-s", str(clip_s)]
    options += ["--times", str(times)] if times else []
    options += ["--mavlink", f"{telemetry[0]}:{telemetry[1]}"] if telemetry else []
    process = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core),
        sys.executable, "-m", "tests.bench.feeder", *options,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), STARTS_WITHIN_S)
        if not line:
            raise RuntimeError(f"the feeder ended with {await process.wait()}")
        yield Fed(**json.loads(line))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


class Feeder:
    """Sends the clip again and again; `run` ends with the process."""

    def __init__(
        self,
        targets: Sequence[Address],
        group_s: int,
        times: io.TextIOBase | None,
        aircraft: MavlinkAircraft | None,
        clip_s: int = clip.SECONDS,
    ) -> None:
        self._targets = targets
        self._times = times
        self._aircraft = aircraft
        units = clip.access_units(group_s, clip_s)
        self._clip_s = clip_s
        self._pictures = [packetize(unit) for unit in units]
        self._bits = 8 * sum(map(len, units))
        chance = random.Random()
        self._ssrc = chance.getrandbits(32)
        self._offset = chance.getrandbits(32)  # RFC 3550 5.1: the timestamp starts at a random value
        self._sequence = chance.getrandbits(15)
        self._packets = self._octets = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def run(self) -> None:
        """Never returns. Pictures are due at fixed times; one that is late does not shift the others."""
        epoch_ns, began_ns = time.time_ns(), time.monotonic_ns()
        print(json.dumps(asdict(self._about(epoch_ns))), flush=True)
        number = 0
        while True:
            due_ns = number * NS_PER_S // clip.FPS
            time.sleep(max(0, began_ns + due_ns - time.monotonic_ns()) / NS_PER_S)
            if number % clip.FPS == 0:
                self._report(number, epoch_ns + due_ns)
            self._send(number)
            if self._aircraft is not None and number % (clip.FPS // TELEMETRY_HZ) == 0:
                _tell(self._aircraft, number)
            number += 1

    def _about(self, epoch_ns: int) -> Fed:
        packets = sum(map(len, self._pictures)) / self._clip_s
        return Fed(epoch_ns / 1e6, self._clip_s * 1000, self._bits // self._clip_s, packets, self._ssrc)

    def _send(self, number: int) -> None:
        payloads = self._pictures[number % len(self._pictures)]
        timestamp, last = self._timestamp(number), len(payloads) - 1
        datagrams = [
            RtpPacket(
                PAYLOAD_TYPE, i == last, (self._sequence + i) & 0xFFFF, timestamp, self._ssrc, payload
            ).serialize()
            for i, payload in enumerate(payloads)
        ]
        self._sequence += len(payloads)
        self._packets += len(payloads)
        self._octets += sum(map(len, payloads))
        send = self._socket.sendto
        for target in self._targets:
            first_ns = time.monotonic_ns()
            for datagram in datagrams:
                send(datagram, target)
            if self._times is not None:
                line = f"{target[1]} {number} {timestamp} {first_ns} {time.monotonic_ns()}\n"
                self._times.write(line)

    def _report(self, number: int, captured_ns: int) -> None:
        report = SenderReport(
            self._ssrc, captured_ns, self._timestamp(number), self._packets, self._octets
        ).serialize(cname="feeder@bench")
        for target in self._targets:
            self._socket.sendto(report, target)

    def _timestamp(self, number: int) -> int:
        return (self._offset + number * STEP_90K) & 0xFFFF_FFFF


def _tell(aircraft: MavlinkAircraft, number: int) -> None:
    """What an autopilot sends ten times a second, and its heartbeat once."""
    boot_ms = number * 1000 // clip.FPS
    turned = number / 300
    north, east = round(9000 * math.sin(turned)), round(9000 * math.cos(turned))  # 1e-7 degrees: a circle
    if number % clip.FPS == 0:
        aircraft.heartbeat()
    aircraft.attitude(boot_ms, turned % math.tau - math.pi)
    aircraft.send(
        mavlink.MAVLink_global_position_int_message(
            boot_ms, 494_400_000 + north, 77_490_000 + east, 412_300, 84_200, 100, 100, 0, 9000
        )
    )


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    parser = argparse.ArgumentParser(description="Feed relays with the clip, until ended.")
    parser.add_argument("--to", type=_address, action="append", required=True, metavar="HOST:PORT")
    parser.add_argument("--group-s", type=int, default=clip.GROUP_S, help="seconds between keyframes")
    parser.add_argument("--clip-s", type=int, default=clip.SECONDS, help="length of the clip in seconds")
    about_times = "a line a picture: port, number, RTP timestamp, first and last packet in monotonic ns"
    parser.add_argument("--times", type=Path, metavar="FILE", help=about_times)
    parser.add_argument("--mavlink", metavar="HOST:PORT", help="send telemetry there")
    options = parser.parse_args()
    aircraft = MavlinkAircraft(f"udp:{options.mavlink}") if options.mavlink else None
    with contextlib.ExitStack() as files:
        times = files.enter_context(options.times.open("w", buffering=1)) if options.times else None
        Feeder(options.to, options.group_s, times, aircraft, options.clip_s).run()


if __name__ == "__main__":
    main()
