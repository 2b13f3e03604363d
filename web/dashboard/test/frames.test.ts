import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FrameWatch, type DisplayedFrame } from "../src/frames";

/** As much of a video element as the watch touches. */
class Video {
  private callback: VideoFrameRequestCallback | null = null;

  requestVideoFrameCallback = (callback: VideoFrameRequestCallback): number => {
    this.callback = callback;
    return 1;
  };
  cancelVideoFrameCallback = (): void => void (this.callback = null);

  display(rtpTimestamp?: number): void {
    const metadata = rtpTimestamp === undefined ? {} : { rtpTimestamp };
    this.callback?.(100, { expectedDisplayTime: 108, ...metadata } as VideoFrameCallbackMetadata);
  }
}

const receiving = {
  getSynchronizationSources: () => [{ rtpTimestamp: 7000 }],
} as unknown as RTCRtpReceiver;
let receiver: RTCRtpReceiver | null;
let video: Video;
let frames: DisplayedFrame[];
let watch: FrameWatch;

beforeEach(() => {
  vi.stubGlobal("window", globalThis);
  [receiver, video, frames] = [receiving, new Video(), []];
  watch = new FrameWatch(
    video as unknown as HTMLVideoElement,
    () => receiver,
    (frame) => frames.push(frame),
  );
});

afterEach(() => {
  watch.close();
  vi.unstubAllGlobals();
});

describe("displayed pictures", () => {
  it("are those whose RTP timestamps the browser names", () => {
    video.display(3000);
    expect(frames).toEqual([{ now: 100, displayAt: 108, rtpTimestamp: 3000, estimated: false }]);
  });

  it("have the newest delivered timestamp where a browser names none", () => {
    video.display();
    expect(frames).toEqual([{ now: 100, displayAt: 108, rtpTimestamp: 7000, estimated: true }]);
  });

  it("are not the black one that a browser shows when the connection ends", () => {
    video.display(3000);
    video.display();
    expect(frames).toHaveLength(1);
    video.display(6000);
    expect(frames.at(-1)?.rtpTimestamp).toBe(6000);
  });

  it("are none without a connection, also where a browser names no timestamps", () => {
    video.display();
    receiver = null;
    video.display();
    expect(frames).toHaveLength(1);
  });
});
