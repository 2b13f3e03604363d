/**
 * A <video> that is fed by hand: fragments of the recording in, displayed moments of media time out.
 *
 * Media Source Extensions: segments say where on the common media time they begin (`timestampOffset`), so gaps
 * have their true length; one append at a time; what is far from the shown moment is removed again.
 */

import { expendable, placeAfter, type Range, type Run } from "./plan";
import type { Fragment, Segment } from "./timeline";

const LONGEST_S = 30 * 86_400; // seeking beyond the duration would be cut off; no flight is longer

type Source = typeof MediaSource;

/** Safari on the iPhone has only the managed one. */
const sourceOf = (): Source | undefined =>
  (window as { ManagedMediaSource?: Source }).ManagedMediaSource ?? window.MediaSource;

export const canPlay = (mime: string): boolean => sourceOf()?.isTypeSupported(mime) ?? false;

/** What was recorded cannot be decoded. */
export class Unreadable extends Error {}

export class Player {
  readonly video = document.createElement("video");
  /** The place after what was appended last; null: the next must begin with a keyframe. */
  after: string | null = null;
  /** Media time of the picture that came on the screen last. */
  displayedMs: number | null = null;
  private buffer: SourceBuffer | null = null;
  private mime = "";
  private begunWith = 0; // number of the segment whose header was appended last
  private readonly source: MediaSource;
  private readonly opened: Promise<void>;
  private handle: number;

  /**
   * `shown`: a picture is on the screen, of that media time. `found`: a seek is over. Throws where the browser cannot play from memory.
   */
  constructor(
    private readonly shown: (mediaMs: number) => void,
    found: () => void = () => undefined,
  ) {
    const Made = sourceOf();
    if (!Made) throw new Error("no media source");
    this.source = new Made();
    this.opened = new Promise((resolve) => {
      this.source.addEventListener("sourceopen", () => resolve(), { once: true });
    });
    Object.assign(this.video, {
      muted: true,
      playsInline: true,
      disableRemotePlayback: true,
      preload: "auto",
    });
    this.video.className = "past";
    this.video.onseeked = found;
    this.video.src = URL.createObjectURL(this.source);
    this.handle = this.watch();
  }

  get positionMs(): number {
    return this.video.currentTime * 1000;
  }

  get buffered(): Range[] {
    const ranges = this.buffer?.buffered;
    return Array.from({ length: ranges?.length ?? 0 }, (_, i) => ({
      start: (ranges?.start(i) ?? 0) * 1000,
      end: (ranges?.end(i) ?? 0) * 1000,
    }));
  }

  /** It wants to go on and has nothing to go on with. */
  get isStalled(): boolean {
    return this.video.seeking || this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** The picture of the position is not on the screen yet. */
  get isSeeking(): boolean {
    return this.video.seeking || this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  seek(mediaMs: number): void {
    this.video.currentTime = mediaMs / 1000;
  }

  play(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
    if (this.video.paused) void this.video.play().catch(() => undefined); // an ended seek plays on by itself
  }

  pause(): void {
    this.video.pause();
  }

  /** Whether `segment`'s header must come before its fragments. */
  needsHeader(segment: Segment): boolean {
    return this.begunWith !== segment.number;
  }

  /** Append a run, its segment's header first where needed; of a file of its own, all. Throws Unreadable. */
  async append(run: Run, header: ArrayBuffer | null, bytes: ArrayBuffer): Promise<void> {
    const [first, last] = [run.fragments[0], run.fragments.at(-1)];
    if (!first || !last) return;
    await this.opened;
    try {
      if (header) await this.begin(first.segment, header);
      else if (first.url !== null) this.place(first);
      this.after = null;
      await this.put(bytes);
      this.after = placeAfter(last);
      await this.forget(false);
    } catch (error) {
      throw new Unreadable(String(error));
    }
  }

  close(): void {
    this.video.cancelVideoFrameCallback?.(this.handle);
    cancelAnimationFrame(this.handle);
    this.video.pause();
    URL.revokeObjectURL(this.video.src);
    this.video.removeAttribute("src");
    this.video.load();
    this.video.remove();
  }

  /** A file of its own counts from 0, too. */
  private place({ segment, mediaMs }: Fragment): void {
    this.begunWith = 0;
    this.bufferFor(segment.mime).timestampOffset = mediaMs / 1000;
  }

  private async begin(segment: Segment, header: ArrayBuffer): Promise<void> {
    const buffer = this.bufferFor(segment.mime);
    this.begunWith = 0;
    buffer.timestampOffset = segment.media_start_ms / 1000;
    await this.put(header);
    this.begunWith = segment.number;
  }

  private bufferFor(mime: string): SourceBuffer {
    if (this.buffer === null) {
      this.source.duration = LONGEST_S;
      this.buffer = this.source.addSourceBuffer(mime);
      this.buffer.mode = "segments";
    } else if (mime !== this.mime) {
      this.buffer.changeType(mime);
    }
    this.mime = mime;
    return this.buffer;
  }

  /** Where the browser has no room, what is not shown just now goes first. */
  private async put(bytes: ArrayBuffer): Promise<void> {
    const { buffer } = this;
    if (!buffer) return;
    try {
      buffer.appendBuffer(bytes);
    } catch (error) {
      if ((error as DOMException).name !== "QuotaExceededError") throw error;
      await this.forget(true);
      buffer.appendBuffer(bytes);
    }
    await settled(buffer);
  }

  private async forget(all: boolean): Promise<void> {
    for (const { start, end } of expendable(this.buffered, this.positionMs, all)) {
      if (!this.buffer || end <= start) continue;
      this.buffer.remove(start / 1000, end / 1000);
      await settled(this.buffer);
    }
  }

  /** Browsers without a callback for each picture are asked for their time at each refresh of the screen. */
  private watch(): number {
    const { video } = this;
    if (!("requestVideoFrameCallback" in video)) return requestAnimationFrame(this.poll);
    return video.requestVideoFrameCallback((_, { mediaTime }) => {
      this.handle = this.watch();
      this.display(mediaTime * 1000);
    });
  }

  private readonly poll = (): void => {
    this.handle = requestAnimationFrame(this.poll);
    if (!this.isStalled || (this.video.paused && !this.video.seeking)) this.display(this.positionMs);
  };

  private display(mediaMs: number): void {
    this.displayedMs = mediaMs;
    this.shown(mediaMs);
  }
}

function settled(buffer: SourceBuffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new Error("the browser cannot read this"));
    buffer.addEventListener("error", failed, { once: true });
    buffer.addEventListener(
      "updateend",
      () => {
        buffer.removeEventListener("error", failed);
        resolve();
      },
      { once: true },
    );
  });
}
