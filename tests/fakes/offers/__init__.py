"""Offers as text.

RECORDED are of those who watch: recorded from Chromium 156 and GStreamer 1.22, and written by hand in
Firefox's manner. PUBLISHED are of those who send: recorded from ffmpeg 9, and written by hand in the manner
of OBS 30, which has its transport for the whole session and offers audio first.

The one of Firefox has what the others lack: the fingerprint for the whole session, and a video section that
is bundle-only and has no transport of its own (RFC 9143 7.1.3).
"""

from __future__ import annotations

from pathlib import Path

RECORDED = (
    "chromium_video",
    "chromium_audio_videos_data",
    "gstreamer_video",
    "gstreamer_audio_video",
    "firefox_audio_video",
)
PUBLISHED = ("ffmpeg_publish", "obs_publish")


def recorded(name: str) -> str:
    """One of RECORDED or PUBLISHED, with the line ends that SDP asks for (RFC 8866 9)."""
    lines = (Path(__file__).parent / f"{name}.sdp").read_text(encoding="ascii").splitlines()
    return "\r\n".join(lines) + "\r\n"
