"""What the machine gives: codecs, libsrt, a clock that is right, room on the disk, buffers for bursts."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av

from flow.errors import ConfigError
from ingest.child import EncoderError
from ingest.encoder_trial import try_encoder
from ingest.libsrt import load
from ingest.settings import EncodeSettings

from .doctor_report import Finding, fail, ok, warn

DECODERS = (("h264", "decode H.264"), ("hevc", "decode H.265"))
DISK_FREE_BYTES = 2 * 1024**3
BURST_BYTES = 4 * 1024**2
"""What a large keyframe needs in a socket's buffer (docs/operations.md)."""

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_STA_UNSYNC = 0x0040
_PLAUSIBLE_ERROR_S = 1.0


def check_codecs() -> Iterator[Finding]:
    for name, use in DECODERS:
        try:
            av.codec.Codec(name, "r")
        except av.codec.codec.UnknownCodecError:
            yield fail("codec", f"cannot {use}: {name} is missing from libav", "install PyAV's own wheel")
        else:
            yield ok("codec", f"can {use} ({name})")


def check_encoder(settings: EncodeSettings) -> Finding:
    """Let the configured encoder make a picture."""
    try:
        try_encoder(settings)
    except EncoderError as error:
        todo = 'set [encode] encoder = "libx264" and preset = "superfast"'
        return fail("codec", f"cannot encode H.264 as configured: {error}", todo)
    return ok("codec", f"can encode H.264 ({settings.encoder})")


def check_libsrt(needed: bool) -> Finding:
    """`needed`: some feed has no other way than SRT."""
    try:
        found = load()
    except ConfigError:
        todo = "on Debian: apt install libsrt1.5-gnutls"
        missing = "libsrt is missing: nobody can publish by SRT, and no srt:// source can be called"
        return fail("srt", missing, todo) if needed else warn("srt", missing, todo)
    return ok("srt", f"libsrt is there ({found.name})")


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as it is read, with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # µs
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def check_clock() -> Finding:
    """Ask the kernel whether something keeps its clock right; nothing is set."""
    timex = _Timex(modes=0)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        why = os.strerror(ctypes.get_errno())
        return warn(
            "clock", f"the kernel does not tell whether the clock is right: {why}", "compare it by hand"
        )
    return judge_clock(state, timex.status, timex.maxerror / 1e6)


def judge_clock(state: int, status: int, error_s: float) -> Finding:
    """From what adjtimex(2) says: its return value, `status` and the largest error in seconds."""
    if state == _TIME_ERROR or status & _STA_UNSYNC:
        what = "nothing keeps the clock right: times on screen and in recordings may be wrong"
        return warn("clock", what, "switch time synchronisation on (chrony, systemd-timesyncd)")
    if error_s > _PLAUSIBLE_ERROR_S:
        todo = "check that the time server is reachable"
        return warn("clock", f"the clock may be wrong by {error_s:.1f} s", todo)
    return ok("clock", f"the clock is synchronised, to {error_s * 1000:.0f} ms")


def check_disk(data_dir: Path) -> Finding:
    """Whether `data_dir`, or the folder it will be made in, takes a file and has room; nothing stays."""
    folder = next(each for each in (data_dir.absolute(), *data_dir.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"lagebild")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        todo = "set server.data_dir to a folder that this user may write"
        return fail("disk", f"{data_dir} cannot be written: {error.strerror}", todo)
    text = f"{data_dir.absolute()} can be written, {free / 1024**3:.1f} GiB are free"
    return ok("disk", text) if free >= DISK_FREE_BYTES else warn("disk", text, "make room: less than 2 GiB")


def check_buffers() -> Iterator[Finding]:
    """How much a socket really gets of what the service asks for."""
    for option, name, harm in (
        (socket.SO_RCVBUF, "rmem_max", "packets of large keyframes may be lost"),
        (socket.SO_SNDBUF, "wmem_max", "large keyframes leave some milliseconds late"),
    ):
        got = buffer_bytes(option)
        text = f"net.core.{name} lets a socket have {got // 1024} KiB"
        todo = f"sysctl -w net.core.{name}={BURST_BYTES} (in a container: on its host)"
        yield ok("sockets", text) if got >= BURST_BYTES else warn("sockets", f"{text}: {harm}", todo)


def buffer_bytes(option: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, option, BURST_BYTES)
        return sock.getsockopt(socket.SOL_SOCKET, option) // 2  # socket(7): it tells twice what was given
