/**
 * Tells which picture is on the screen, for every displayed picture.
 *
 * requestVideoFrameCallback names its RTP timestamp. Where a browser does not, the receiver's newest delivered
 * timestamp is the nearest there is (`estimated`). A hidden tab gets no callbacks; decoded pictures count there.
 * Where a connection ends, the browser shows one black picture more, which came from no packet: it does not count.
 */

export interface DisplayedFrame {
  now: number; // performance.now()
  displayAt: number; // when it is on the screen, same clock; may lie a few milliseconds ahead
  rtpTimestamp: number | null;
  estimated: boolean;
}

const HIDDEN_POLL_MS = 250;

/** What lib.dom leaves out. */
interface RtpVideoFrameMetadata extends VideoFrameCallbackMetadata {
  rtpTimestamp?: number;
}

export class FrameWatch {
  private handle = 0;
  private readonly timer: number;
  private count: number | null = null; // of shown or decoded pictures; null: not counting yet
  private readonly hasCallback: boolean;
  private namesTimestamps = false; // this browser has done so once

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly receiver: () => RTCRtpReceiver | null,
    private readonly onFrame: (frame: DisplayedFrame) => void,
  ) {
    this.hasCallback = "requestVideoFrameCallback" in video;
    if (this.hasCallback) this.handle = video.requestVideoFrameCallback(this.frame);
    else this.handle = requestAnimationFrame(this.poll);
    this.timer = window.setInterval(() => void this.countWhileHidden(), HIDDEN_POLL_MS);
  }

  close(): void {
    window.clearInterval(this.timer);
    if (this.hasCallback) this.video.cancelVideoFrameCallback(this.handle);
    else cancelAnimationFrame(this.handle);
  }

  private readonly frame = (now: number, metadata: RtpVideoFrameMetadata): void => {
    this.handle = this.video.requestVideoFrameCallback(this.frame);
    const estimated = metadata.rtpTimestamp === undefined;
    this.namesTimestamps ||= !estimated;
    if (estimated && (this.namesTimestamps || !this.receiver())) return;
    const displayAt = Math.max(now, metadata.expectedDisplayTime);
    const rtpTimestamp = metadata.rtpTimestamp ?? this.delivered();
    this.onFrame({ now, displayAt, rtpTimestamp, estimated });
  };

  private readonly poll = (now: number): void => {
    this.handle = requestAnimationFrame(this.poll);
    const shown = this.video.getVideoPlaybackQuality().totalVideoFrames;
    this.counted(now, shown);
  };

  private async countWhileHidden(): Promise<void> {
    const receiver = this.receiver();
    if (!document.hidden || !receiver) {
      if (this.hasCallback) this.count = null;
      return;
    }
    for (const entry of (await receiver.getStats()).values()) {
      const { type, framesDecoded } = entry as { type: string; framesDecoded?: number };
      if (type === "inbound-rtp" && framesDecoded !== undefined)
        this.counted(performance.now(), framesDecoded);
    }
  }

  private counted(now: number, count: number): void {
    const isNew = this.count !== null && count !== this.count;
    this.count = count;
    if (isNew) this.onFrame({ now, displayAt: now, rtpTimestamp: this.delivered(), estimated: true });
  }

  /** RTP timestamp of the picture the receiver delivered last. */
  private delivered(): number | null {
    return this.receiver()?.getSynchronizationSources()[0]?.rtpTimestamp ?? null;
  }
}
