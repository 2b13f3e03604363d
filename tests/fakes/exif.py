"""The EXIF of a JPEG as an independent program reads it: ffprobe's own parser."""

from __future__ import annotations

import json
import shutil
import subprocess


def read_exif(jpeg: bytes) -> dict[str, str]:
    """Tag names and values as ffprobe prints them, stripped."""
    program = shutil.which("ffprobe")
    assert program is not None, "ffprobe is not installed; `make setup-test` does that"
    command = [program, "-v", "error", "-f", "jpeg_pipe", "-show_frames", "-of", "json", "-"]
    done = subprocess.run(command, input=jpeg, capture_output=True, check=True, timeout=30)
    (frame,) = json.loads(done.stdout)["frames"]
    return {name: str(value).strip() for name, value in frame.get("tags", {}).items()}


def numbers(text: str) -> list[float]:
    """Rationals as ffprobe prints them: "49:1, 26:1, 123456:10000"."""
    return [int(over) / int(under) for over, under in (part.split(":") for part in text.split(","))]


def degrees(text: str) -> float:
    """Degrees, minutes, seconds as one number."""
    whole, minutes, seconds = numbers(text)
    return whole + minutes / 60 + seconds / 3600
