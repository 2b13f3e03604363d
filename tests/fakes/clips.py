"""Short clips made by the system's ffmpeg when a test first asks for them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

X264 = ["-c:v", "libx264", "-preset", "veryfast"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params"]

ENCODERS = {
    "h264 zerolatency, four slices": [*X264, "-tune", "zerolatency", "-g", "20", "-x264-params", "slices=4"],
    "h264 baseline": [*X264, "-profile:v", "baseline", "-g", "15"],
    "h264 with B-frames": [*X264, "-bf", "3", "-g", "25"],
    "h264 intra refresh": [*X264, "-tune", "zerolatency", "-x264-params", "intra-refresh=1:keyint=20"],
    "h264 interlaced": [*X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-bf", "0", "-g", "20"],
    "h264 4:4:4": [*X264, "-pix_fmt", "yuv444p", "-bf", "0", "-g", "20"],
    "h264 4:2:2 10 bit": [*X264, "-pix_fmt", "yuv422p10le", "-bf", "2", "-g", "20"],
    "h264 grey": [*X264, "-pix_fmt", "gray", "-bf", "0"],
    "h265": [*X265, "bframes=0:keyint=20:repeat-headers=1:log-level=none"],
    "h265 with B-frames, slices": [*X265, "bframes=3:keyint=24:slices=2:log-level=none"],
    "h265 4:4:4 10 bit": [*X265, "bframes=0:log-level=none", "-pix_fmt", "yuv444p10le"],
}


PICTURES = 50


class Clips:
    """Makes each clip once: 50 pictures of 322x184, whose edges need cropping, 25 a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, encoder: str, suffix: str, *muxer_options: str) -> Path:
        """The clip of one of ENCODERS in the container that `suffix` names."""
        name = "".join(c if c.isalnum() else "_" for c in " ".join((encoder, *muxer_options)))
        path = self._folder / f"{name}.{suffix}"
        if not path.exists():
            source = ["-f", "lavfi", "-i", "testsrc2=size=322x184:rate=25:duration=2"]
            command = [_ffmpeg(), "-v", "error", *source, "-threads", "1", *ENCODERS[encoder]]
            subprocess.run([*command, *muxer_options, str(path)], check=True, timeout=60)
        return path


def _ffmpeg() -> str:
    path = shutil.which("ffmpeg")
    assert path is not None, "ffmpeg is not installed; `make setup-test` does that"
    return path
