"""Whether an encoder works on this machine: `python -m ingest.encoder_trial ENCODER PRESET` makes a picture.

A process of its own, as for every encoder: what crashes libav takes down that and nothing else.
"""

from __future__ import annotations

import subprocess
import sys

from av.video.frame import VideoFrame

from flow.units import Rendition

from .child import EncoderError, environment
from .recoding import Encoder
from .settings import EncodeSettings

TRIAL_MOST_S = 20.0
_SIZE_PX = (640, 360)
_GREY = 128
_FPS = 30.0


def try_encoder(settings: EncodeSettings) -> None:
    """Let the encoder of the settings make a picture. Raises EncoderError."""
    name = settings.encoder
    command = [sys.executable, "-m", "ingest.encoder_trial", name, settings.preset]
    try:
        done = subprocess.run(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TRIAL_MOST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EncoderError(f"{name} makes no picture within {TRIAL_MOST_S:g} s") from None
    if done.returncode:
        told = done.stdout.decode(errors="replace").strip()
        raise EncoderError(told or f"{name} crashes (exit code {done.returncode})")


def main() -> None:
    """Make a grey picture; what keeps us from it is written to standard output."""
    name, preset = sys.argv[1:]
    picture = VideoFrame(*_SIZE_PX, "yuv420p")
    for plane in picture.planes:
        plane.update(bytes([_GREY]) * plane.buffer_size)
    try:
        Encoder(name, preset, Rendition.WEB).encode(picture, 0, _FPS, keyframe=True)
    except EncoderError as error:
        print(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
