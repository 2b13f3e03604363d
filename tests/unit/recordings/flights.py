"""Small recordings made at test time: MAVLink messages, pictures, files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy
from pymavlink.dialects.v20 import all as dialect

from recordings.protocol.video_track import CodedPicture

START_NS = 1_795_330_000_000_000_000
MS = 1_000_000


class Aircraft:
    """Packs messages as an aircraft sends them, one sequence number after the other."""

    def __init__(self, version: int = 2, system_id: int = 1, component_id: int = 1) -> None:
        self.version = version
        self.mav = dialect.MAVLink(None, srcSystem=system_id, srcComponent=component_id)

    def pack(self, message: Any) -> bytes:
        data = bytes(message.pack(self.mav, force_mavlink1=self.version == 1))
        self.mav.seq = (self.mav.seq + 1) % 256
        return data

    def attitude(self, boot_ms: int, roll: float = 0.25) -> bytes:
        return self.pack(dialect.MAVLink_attitude_message(boot_ms, roll, -0.5, 1.5, 0.0, 0.0, 0.0))

    def system_time(self, unix_us: int, boot_ms: int) -> bytes:
        return self.pack(dialect.MAVLink_system_time_message(unix_us, boot_ms))

    def servo_output(self, boot_us: int) -> bytes:
        return self.pack(dialect.MAVLink_servo_output_raw_message(boot_us, 0, *[1500] * 8))

    def position(self, boot_ms: int, lat: int = 494_400_000, lon: int = 77_700_000) -> bytes:
        return self.pack(
            dialect.MAVLink_global_position_int_message(boot_ms, lat, lon, 250_000, 40_000, 0, 0, 0, 9000)
        )

    def gps(self, boot_us: int, lat: int = 494_400_000, lon: int = 77_700_000) -> bytes:
        return self.pack(
            dialect.MAVLink_gps_raw_int_message(boot_us, 3, lat, lon, 250_000, 100, 100, 0, 9000, 14)
        )

    def home(self, boot_us: int = 55_000_000) -> bytes:
        return self.pack(
            dialect.MAVLink_home_position_message(
                494_400_000, 77_700_000, 210_000, 0.0, 0.0, 0.0, [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0, boot_us
            )
        )

    def heartbeat(self) -> bytes:
        return self.pack(dialect.MAVLink_heartbeat_message(2, 3, 81, 5, 4, 3))


def decode(data: bytes) -> Any:
    """What pymavlink makes of one message; raises if it is not exactly one intact message."""
    parser = dialect.MAVLink(None)
    messages = parser.parse_buffer(data)
    assert messages is not None
    assert len(messages) == 1
    assert messages[0].get_type() != "BAD_DATA"
    return messages[0]


def pictures(count: int, *, fps: float = 25.0, size: int = 3000) -> Iterator[CodedPicture]:
    """A stream without reordering; every picture is one NAL unit of `size` bytes with its number in it."""
    step_ns = int(1e9 / fps)
    for number in range(count):
        nal = b"\x65\x88" + number.to_bytes(2, "big") + b"\x11" * (size - 4)
        yield CodedPicture(number * step_ns, number * step_ns, step_ns, b"\x00\x00\x00\x01" + nal)


def reordered_pictures(groups: int) -> Iterator[CodedPicture]:
    """I P B B P B B ... at 25 fps: display order differs from decode order, as in files with B-frames."""
    step_ns = 40 * MS
    display = [0]
    for group in range(groups):
        display += [3 * group + 3, 3 * group + 1, 3 * group + 2]
    for number, shown in enumerate(display):
        nal = b"\x41\x9a" + number.to_bytes(2, "big") + b"\x22" * 96
        yield CodedPicture((number - 1) * step_ns, shown * step_ns, step_ns, b"\x00\x00\x00\x01" + nal)


def encode_film(path: Path, *, codec: str = "libx264", b_frames: int = 0, count: int = 30) -> Path:
    """A short moving picture at 25 fps with a keyframe every ten, in the container that the name asks for."""
    with av.open(str(path), "w") as container:
        options = {"bf": str(b_frames), "g": "10", "preset": "ultrafast"}
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(count):
            pixels = numpy.full((48, 64, 3), number * 8 % 256, numpy.uint8)
            pixels[:, number % 60 : number % 60 + 4] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode(None))
    return path
