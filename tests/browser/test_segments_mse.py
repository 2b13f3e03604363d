"""Recorded segments in Chromium's Media Source Extensions: what rewinding is made of."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from recordings.segment_file import read_index
from tests.fakes.clips import Clips
from tests.unit.recordings.segments import filmed, segment

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(60)]

PLAY = """async ({mime, parts, seekTo}) => {
  const video = document.createElement("video");
  const source = new MediaSource();
  video.muted = true;
  video.src = URL.createObjectURL(source);
  await new Promise(done => source.addEventListener("sourceopen", done, {once: true}));
  const buffer = source.addSourceBuffer(mime);
  for (const part of parts) {
    buffer.appendBuffer(Uint8Array.from(atob(part), c => c.charCodeAt(0)));
    await new Promise(done => buffer.addEventListener("updateend", done, {once: true}));
  }
  const ranges = [...Array(buffer.buffered.length).keys()]
    .map(i => [buffer.buffered.start(i), buffer.buffered.end(i)]);
  if (!ranges.length) return {ranges};
  const shown = new Promise((done, failed) => {
    video.requestVideoFrameCallback((now, frame) => done(frame.mediaTime));
    video.addEventListener("error", () => failed(new Error(video.error.message)));
  });
  video.currentTime = seekTo ?? ranges[0][0];
  const mediaTime = await shown;
  source.endOfStream();
  await new Promise(done => { video.addEventListener("ended", done); video.playbackRate = 8; video.play(); });
  const {totalVideoFrames, corruptedVideoFrames} = video.getVideoPlaybackQuality();
  return {ranges, mediaTime, width: video.videoWidth, totalVideoFrames, corruptedVideoFrames};
}"""


async def test_fragments_from_the_middle_play(browser: Browser, tmp_path: Path) -> None:
    """Header, then fragments one by one from a keyframe on; with B-frames too, which need the edit list."""
    page = await browser.new_page()
    for name in ("h264 zerolatency, four slices", "h264 with B-frames"):
        units = filmed(Clips(tmp_path).make(name, "mp4"))
        path = tmp_path / "fritz-tag.0001.mp4"
        path.write_bytes(segment(units))
        index, data = read_index(path), path.read_bytes()
        begin = next(n for n, f in enumerate(index.fragments) if n and f.keyframe)
        chosen = index.fragments[begin:]
        parts = [data[: index.init_bytes], *(data[f.offset : f.offset + f.size] for f in chosen)]
        played: dict[str, Any] = await page.evaluate(
            PLAY,
            {
                "mime": index.mime,
                "parts": [base64.b64encode(part).decode() for part in parts],
                "seekTo": None,
            },
        )
        first_s = (chosen[0].pts_90k - index.fragments[0].pts_90k) / 90_000
        assert len(played["ranges"]) == 1
        assert played["ranges"][0] == pytest.approx([first_s, 2.0], abs=0.001)
        assert played["mediaTime"] == pytest.approx(first_s, abs=0.001)
        assert (played["width"], played["corruptedVideoFrames"]) == (322, 0)
        assert played["totalVideoFrames"] >= 1
