/** One camera of a flight under review: its pictures as they were recorded, or, where the browser cannot show
 * those, as the service makes them for browsers. */

import { getFlightIndex, type Rendition, type Span } from "../rewind/api";
import { Sought } from "../rewind/course";
import { Reel, type Trouble } from "../rewind/reel";

export interface CameraEvents {
  /** Another picture is on the screen. */
  picture(): void;
  /** Something else about it is different, such as its video element. */
  change(): void;
}

const NEAR_END_MS = 1000;

export class Camera {
  rendition: Rendition = "source";
  /** The service has told where it has pictures. */
  isKnown = false;
  /** Why it cannot be shown; null: it can. */
  trouble: Trouble | null = null;
  reel: Reel;
  /** The moment lies before its first picture or after its last. */
  private outside: Span | null = null;
  private moving: [playing: boolean, rate: number] = [false, 1];
  private asked: number | null = null; // what was looked for since it plays this rendition

  constructor(
    private readonly flightId: string,
    readonly feedId: string,
    private readonly events: CameraEvents,
  ) {
    this.reel = this.threaded();
  }

  /** Learn where it has pictures. Throws what fetch throws, and Gone. */
  async look(): Promise<void> {
    const { reel } = this;
    reel.take(await this.index(null, new AbortController().signal), null);
    this.isKnown = true;
    this.events.change();
  }

  get video(): HTMLVideoElement {
    return this.reel.player.video;
  }

  /** From its first picture to the end of its last; null where there is none, or that is not known yet. */
  get span(): Span | null {
    return this.reel.timeline.span;
  }

  /** The stretch without pictures that the moment lies in. */
  get gap(): Span | null {
    return this.outside ?? this.reel.gap;
  }

  /** Whether it shows a picture, and it is that of the moment. */
  get hasPicture(): boolean {
    return this.outside === null && this.trouble === null && this.reel.hasPicture;
  }

  /** Whether there is nothing to wait for. */
  get isSettled(): boolean {
    return this.trouble !== null || this.gap !== null || this.hasPicture;
  }

  /** The moment of the picture on the screen, by its own time. */
  get displayedMs(): number | null {
    return this.hasPicture ? this.reel.place.shownMs : null;
  }

  /** Whether it has been played to its end. */
  get isOver(): boolean {
    const { reel, span } = this;
    if (reel.timeline.endedMs === null || !span || !reel.isAtEnd) return false;
    return (reel.positionUtcMs ?? 0) > span.toMs - NEAR_END_MS;
  }

  seek(utcMs: number): void {
    this.asked = utcMs;
    this.outside = this.outsideAt(utcMs);
    if (this.outside && !Number.isFinite(this.outside.toMs)) this.reel.go(false, 1);
    else this.reel.seek(this.outside ? this.outside.toMs : utcMs);
    this.move();
  }

  /** The moment has come to the end of what was not recorded. */
  reach(utcMs: number): void {
    const { gap } = this;
    if (!gap || gap.toMs > utcMs) return;
    if (this.outside) this.outside = null;
    else this.reel.leaveGap();
    this.move();
  }

  /** It has no more pictures, others have. */
  leave(): void {
    if (this.span) this.outside = { fromMs: this.span.toMs, toMs: Infinity };
    this.move();
  }

  go(playing: boolean, rate: number): void {
    this.moving = [playing, rate];
    this.move();
  }

  close(): void {
    this.reel.close();
  }

  private move(): void {
    const [playing, rate] = this.moving;
    this.reel.go(playing && this.outside === null && this.trouble === null, rate);
  }

  private outsideAt(utcMs: number): Span | null {
    const { span } = this;
    if (!span) return { fromMs: -Infinity, toMs: Infinity };
    if (utcMs < span.fromMs) return { fromMs: -Infinity, toMs: span.fromMs };
    const isOver = this.reel.timeline.endedMs !== null && utcMs >= span.toMs;
    return isOver ? { fromMs: span.toMs, toMs: Infinity } : null;
  }

  private index(span: Span | null, signal: AbortSignal): ReturnType<typeof getFlightIndex> {
    return getFlightIndex(this.flightId, this.feedId, span, signal, this.rendition);
  }

  private threaded(): Reel {
    return new Reel(new Sought(), {
      index: (span, signal) => this.index(span, signal),
      turn: () => undefined,
      picture: () => this.events.picture(),
      trouble: (why) => this.fail(why),
    });
  }

  /** What this browser cannot show, the service can make it something that it can. */
  private fail(why: Trouble): void {
    if (this.trouble !== null) return;
    if (why === "gone" || this.rendition === "web") this.trouble = why;
    else this.change();
    this.events.change();
  }

  private change(): void {
    this.rendition = "web";
    const { place } = this.reel;
    const before = place.soughtMs ?? place.shownMs;
    this.asked = null;
    this.reel.close();
    this.reel = this.threaded();
    void this.look().then(
      () => {
        const utcMs = this.asked ?? before; // sought meanwhile, when it was not known yet where its pictures are
        if (utcMs === null) this.move();
        else this.seek(utcMs);
      },
      () => {
        this.trouble = "unsupported";
        this.events.change();
      },
    );
  }
}
