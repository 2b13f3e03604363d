"""`python -m tests.bench.senders WAY TARGET TIMES`: says "ready", waits for a line, and sends until killed.

TARGET is the JSON of a Target. It ends, too, when its standard input closes.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from flow.clock import NS_PER_S
from flow.units import CLOCK_RATE_HZ
from tests.bench import clip, hevc
from tests.bench.ingest_marks import marked

from . import Sender, Target, complaint_file

STEP_90K = CLOCK_RATE_HZ // clip.FPS
AGAIN_S = 0.25

WAYS = {
    "rtp": "rtp.RtpSender",
    "mpegts": "mpegts.TsSender",
    "rtmp": "rtmp.RtmpSender",
    "rtsp-udp": "rtsp.RtspSender",
    "rtsp-tcp": "rtsp.RtspSender",
    "srt": "srt.SrtSender",
    "whip": "whip.WhipSender",
}


class Pace:
    """Sends the clip again and again."""

    def __init__(self, sender: Sender, codec: str, times: TextIO, complaints: Path) -> None:
        self._sender, self._codec, self._times, self._complaints = sender, codec, times, complaints
        self._units = hevc.access_units() if codec == "h265" else clip.access_units()
        self._number = 0

    def run(self) -> None:
        """Until standard input closes."""
        while not _told_to_end(0.0):
            try:
                self._sender.connect()
                self._send_all()
            except OSError as error:
                self._complaints.write_text(str(error), encoding="utf-8")
                self._sender.close()
                time.sleep(AGAIN_S)

    def _send_all(self) -> None:
        """Pictures are due at fixed times; one that is late does not shift the others."""
        began_ns, first = time.monotonic_ns(), self._number
        while True:
            sent = self._number - first
            due_ns = began_ns + sent * NS_PER_S // clip.FPS
            if _told_to_end(max(0, due_ns - time.monotonic_ns()) / NS_PER_S):
                raise SystemExit
            picture = marked(self._units[sent % len(self._units)], self._number, self._codec)
            written_ns = self._sender.send(picture, sent * STEP_90K)
            self._times.write(f"{self._number} {written_ns}\n")
            self._number += 1


def _told_to_end(wait_s: float) -> bool:
    return bool(select.select([sys.stdin], [], [], wait_s)[0])


def main(way: str, told: str, times: str) -> None:
    target = Target(**json.loads(told))
    module, _, name = WAYS[way].partition(".")
    make: Callable[[Target], Sender] = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    with Path(times).open("w", buffering=1, encoding="ascii") as log:
        pace = Pace(make(target), target.codec, log, complaint_file(Path(times)))
        print("ready", flush=True)
        os.read(sys.stdin.fileno(), 1)
        pace.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
