"""One flight: at every capture instant one pose, its MAVLink, and a picture from each camera."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TextIO

from flow.clock import NS_PER_MS, SystemClock
from simulator import flightpath
from simulator.aircraft import AircraftClock, Sensors, State, true_state
from simulator.arguments import Address, Arguments
from simulator.camera import DAY_HFOV_DEG, THERMAL_HFOV_DEG, Lens, View
from simulator.encoder import Encoder
from simulator.flightpath import Pose
from simulator.mavlink_out import MavlinkOut
from simulator.picture import Picture
from simulator.sender import RtpSender
from simulator.world import DayCamera, ThermalCamera, World, burn_in

THERMAL_SIZE = (640, 512)
DAY_BITRATE_BPS = 4_000_000
THERMAL_BITRATE_BPS = 1_000_000
_BOOTED_BEFORE_MS = 41_000


class Camera(Protocol):
    def draw(self, view: View, t: float, picture: Picture) -> None: ...


@dataclass(frozen=True)
class FeedSpec:
    """What distinguishes the cameras."""

    name: str
    label: str
    lens: Lens
    bitrate_bps: int


class Feed:
    """One camera with its lens, encoder and RTP stream."""

    def __init__(self, spec: FeedSpec, camera: Camera, fps: float, address: Address, seed: int) -> None:
        lens = spec.lens
        self._spec, self._camera = spec, camera
        self._encoder = Encoder(lens.width_px, lens.height_px, fps, spec.bitrate_bps)
        self._sender = RtpSender(address, seed)
        self._picture = Picture(lens.width_px, lens.height_px)

    def shoot(
        self, pose: Pose, flight_s: float, capture_ms: int, clock_ms: float, counter: int
    ) -> dict[str, object]:
        """Draw, encode and send the picture of one instant; returns what the truth says of it."""
        view = View(self._spec.lens, pose.scene_position, pose.camera_bearing_deg, pose.camera_pitch_deg)
        self._camera.draw(view, flight_s, self._picture)
        burn_in(self._picture, self._spec.label, capture_ms, counter)
        access_unit, keyframe = self._encoder.encode(self._picture.nv12, capture_ms)
        self._sender.send(access_unit, clock_ms)
        return {
            "feed": self._spec.name,
            "utc_ms": capture_ms,
            "rtp_timestamp": self._sender.rtp_timestamp(clock_ms),
            "counter": counter & 0xFFFF,
            "keyframe": keyframe,
            "k": self._spec.lens.k.tolist(),
        }

    def close(self) -> None:
        self._sender.close()


class Flight:
    """Runs in real time; where the machine is too slow, pictures are left out, and none is mislabelled."""

    def __init__(self, given: Arguments, clock: SystemClock, truth: TextIO | None) -> None:
        self._given, self._clock, self._truth = given, clock, truth
        self._feeds = _feeds(given)
        self._mavlink = MavlinkOut(given.system_id)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sensors = Sensors(given.errors, given.seed)

    def run(self, is_over: Callable[[], bool]) -> int:
        """Fly until `is_over`, asked before every picture; returns how many instants were captured."""
        errors = self._given.errors
        start_ms = self._clock.now_ns() // NS_PER_MS + 20
        camera = AircraftClock(start_ms, errors.clock + errors.camera_clock)
        autopilot = AircraftClock(start_ms, errors.clock + errors.autopilot_clock)
        slot, captured, last_ms = 0, 0, start_ms
        while not is_over():
            capture_ms = start_ms + round(slot * 1000 / self._given.fps)
            self._wait_until(capture_ms)
            self._report(capture_ms, capture_ms - last_ms, autopilot)
            self._shoot(capture_ms, capture_ms - start_ms, camera.at(capture_ms), captured)
            captured, last_ms = captured + 1, capture_ms
            slot = max(slot + 1, self._next_slot(start_ms))
        return captured

    def close(self) -> None:
        for feed in self._feeds:
            feed.close()
        self._socket.close()

    def _next_slot(self, start_ms: int) -> int:
        """The instant that is nearest now: half a period late is still drawn, more is left out."""
        since_ms = self._clock.now_ns() / NS_PER_MS - start_ms
        return int(since_ms * self._given.fps / 1000 + 0.5)

    def _wait_until(self, utc_ms: int) -> None:
        time.sleep(max(0.0, utc_ms / 1000 - self._clock.now_ns() / 1e9))

    def _report(self, capture_ms: int, elapsed_ms: int, clock: AircraftClock) -> None:
        """Send the MAVLink of one instant; `elapsed_ms` since the one before."""
        if self._given.mavlink is None:
            return
        flight_s = _flight_s(capture_ms - clock.start_ms)
        state = self._sensors.measure(true_state(flightpath.pose_at(flight_s)), elapsed_ms / 1000)
        clock_ms = clock.at(capture_ms)
        boot_ms = clock_ms - clock.at(clock.start_ms - _BOOTED_BEFORE_MS)
        for datagram in self._mavlink.messages(state, flight_s, boot_ms, clock_ms):
            try:
                self._socket.sendto(datagram, self._given.mavlink)
            except OSError:
                return  # the network is away: as lost as over the air

    def _shoot(self, capture_ms: int, since_start_ms: int, clock_ms: float, counter: int) -> None:
        """Take and send the pictures of one instant, at which the camera's clock shows `clock_ms`."""
        flight_s = _flight_s(since_start_ms)
        pose = flightpath.pose_at(flight_s)
        truth = true_state(pose)
        for feed in self._feeds:
            line = feed.shoot(pose, flight_s, capture_ms, clock_ms, counter)
            if self._truth:
                self._truth.write(json.dumps(line | _describe(pose, truth)) + "\n")


def _flight_s(since_start_ms: int) -> float:
    return flightpath.START_S + since_start_ms / 1000


def _feeds(given: Arguments) -> list[Feed]:
    world = World(given.seed)
    spec = FeedSpec("day", "TAG", Lens(*given.size, DAY_HFOV_DEG), DAY_BITRATE_BPS)
    feeds = [Feed(spec, DayCamera(world), given.fps, given.rtp, given.seed * 2)]
    if given.rtp_thermal:
        spec = FeedSpec("thermal", "IR", Lens(*THERMAL_SIZE, THERMAL_HFOV_DEG), THERMAL_BITRATE_BPS)
        camera = ThermalCamera(world, given.seed)
        feeds.append(Feed(spec, camera, given.fps, given.rtp_thermal, given.seed * 2 + 1))
    return feeds


def _describe(pose: Pose, truth: State) -> dict[str, object]:
    """The exact pose for the log: heights in true metres, bearings from true north."""
    return {
        "lat_deg": truth.lat_deg,
        "lon_deg": truth.lon_deg,
        "alt_msl_m": truth.alt_msl_m,
        "height_m": truth.height_m,
        "x_m": pose.x,
        "y_m": pose.y,
        "velocity_ned_ms": truth.velocity_ned_ms,
        "roll_deg": truth.roll_deg,
        "pitch_deg": truth.pitch_deg,
        "yaw_deg": truth.yaw_deg,
        "gimbal_roll_deg": 0.0,
        "gimbal_pitch_deg": truth.camera_pitch_deg,
        "gimbal_yaw_deg": truth.camera_yaw_deg,
        "gimbal_grid_bearing_deg": pose.camera_bearing_deg,
    }
