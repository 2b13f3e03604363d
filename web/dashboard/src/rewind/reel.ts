/**
 * One recorded feed that can be shown from any moment of it: fetches what the moment needs, and plays it.
 *
 * The index around the moment (and meanwhile the header of its segment), then its pictures, then what will be
 * needed next. A new seek breaks off what is being fetched. Where it leads to a gap, the pictures behind that are
 * made ready, and it waits there until told to go on.
 */

import { getBytes, getFile, Gone, type RecordingView, type Span } from "./api";
import type { Sought } from "./course";
import { Loop } from "./loop";
import { Pictures, type Picture } from "./pictures";
import { holeAt, isAtEnd, nextRun, type Range, type Run } from "./plan";
import { canPlay, Player, Unreadable } from "./player";
import { Timeline, type Fragment, type Segment } from "./timeline";

/** Why a feed cannot be shown (any more). `barren`: the browser makes nothing of its pictures. */
export type Trouble = "gone" | "damaged" | "unsupported" | "codec_h265" | "barren";

export interface ReelOwner {
  /** Where the pictures of a stretch are; null: only where there are any. */
  index(span: Span | null, signal: AbortSignal): Promise<RecordingView>;
  /** Now and then, before anything is fetched. */
  turn(): void;
  /** Another picture is on the screen. */
  picture(): void;
  trouble(why: Trouble): void;
}

const INDEX_EVERY_MS = 500; // for what is being written; a fragment is half a second
const HEADERS_KEPT = 8;
const BESIDE_MS = 300; // a stop so far before the end of what is here is at that end
const SAME_AGAIN_MS = 1000; // bytes that the browser made nothing of are not fetched again without end
const SAME_PICTURE_MS = 3000; // a picture that is shown this far from what is sought is that of before
const LATE_MS = 300; // so long after a seek the browser has said which picture it shows, or never will
const INSIDE_MS = 0.5;
const BEYOND_MS = 6; // into the picture before, which may be in another fragment; none is shorter
const SMALL_HOLE_MS = 100; // not worth a word

export class Reel {
  readonly timeline = new Timeline();
  readonly player: Player;
  /** The stretch without pictures that the shown moment lies in. */
  gap: Span | null = null;
  private readonly pictures = new Pictures();
  private readonly headers = new Map<string, ArrayBuffer>();
  private readonly loop = new Loop(
    (signal) => this.turn(signal),
    (error) => this.failed(error),
  );
  private placed = false; // the player is where the sought moment is
  private playing = false;
  private rate = 1;
  private indexAt = -INDEX_EVERY_MS;
  private foundAt: number | null = null; // performance.now() when the last seek was over
  private fed = { place: "", at: 0 };

  /** Throws where the browser cannot play from memory. */
  constructor(
    readonly place: Sought,
    private readonly owner: ReelOwner,
  ) {
    this.player = new Player(
      (mediaMs) => this.shown(mediaMs),
      () => this.found(),
    );
    this.loop.start();
  }

  get isUnreachable(): boolean {
    return this.loop.isFailing;
  }

  /** Whether the picture of the moment is on the screen. */
  get hasPicture(): boolean {
    return this.place.soughtMs === null && this.place.shownMs !== null && this.gap === null;
  }

  /** The picture that is on the screen; null: none, or its own time is not known. */
  get displayed(): Picture | null {
    return this.player.displayedMs === null ? null : this.pictures.covering(this.player.displayedMs);
  }

  /** The moment that playing has come to, between two pictures too. */
  get positionUtcMs(): number | null {
    return this.timeline.utcAt(this.player.positionMs);
  }

  /** By how much playing is ahead of a moment; null where that is not known. */
  aheadOf(utcMs: number): number | null {
    const mediaMs = this.timeline.mediaAt(utcMs);
    return mediaMs === null ? null : this.player.positionMs - mediaMs;
  }

  seek(utcMs: number): void {
    this.place.seek(utcMs);
    this.lookFor();
    if (!this.timeline.knows(this.timeline.gapAt(utcMs)?.toMs ?? utcMs)) this.indexAt = -INDEX_EVERY_MS;
    this.loop.interrupt();
  }

  /** To the next picture or the one before; returns whether there is one beside, or where to look for it. */
  step(direction: 1 | -1): boolean {
    const { displayed, timeline } = this;
    if (!displayed || this.place.soughtMs !== null) return false;
    const next = direction > 0 ? this.pictures.after(displayed) : this.pictures.before(displayed);
    const beyondMs = direction > 0 ? displayed.endMs + BEYOND_MS : displayed.mediaMs - BEYOND_MS;
    const utcMs = next?.utcMs ?? timeline.utcAt(beyondMs);
    const gap = utcMs === null ? null : timeline.gapAt(utcMs);
    if (gap) return this.beyond(gap, direction);
    // Of what comes next it must be known where it is; before, it is what is shown until this picture begins.
    if (utcMs === null || beyondMs < 0 || (direction > 0 && !next)) return false;
    this.place.seek(utcMs);
    [this.placed, this.foundAt] = [true, null];
    this.player.seek(next ? next.mediaMs + INSIDE_MS : beyondMs);
    this.loop.interrupt();
    return true;
  }

  /** Play at that rate, or stand still. In a gap it waits in any case. */
  go(playing: boolean, rate: number): void {
    if (playing === this.playing && rate === this.rate) return;
    [this.playing, this.rate] = [playing, rate];
    this.move();
    this.loop.hurry();
  }

  private move(): void {
    if (this.playing && this.gap === null) this.player.play(this.rate);
    else this.player.pause();
  }

  /** What was not recorded has been told of: go on behind it. */
  leaveGap(): void {
    if (!this.gap) return;
    this.place.seek(this.gap.toMs);
    this.gap = null;
    this.move();
    this.arrive();
  }

  /** The hole between pictures that playing has come to; null where it goes on. */
  get hole(): Range | null {
    const { player, timeline, placed, gap } = this;
    if (!placed || gap || !player.isStalled) return null;
    const hole = holeAt(timeline.fragments, player.buffered, player.positionMs);
    // Who stands still shortly before it still sees what was there.
    return hole && (this.playing || hole.start <= player.positionMs + INSIDE_MS) ? hole : null;
  }

  /** Whether all there is has been played. */
  get isAtEnd(): boolean {
    const { player, timeline } = this;
    const isStill = this.placed && this.gap === null && player.isStalled && this.hole === null;
    return isStill && isAtEnd(timeline.fragments, player.buffered, player.positionMs);
  }

  close(): void {
    this.loop.close();
    this.player.close();
  }

  // --- what is on the screen --------------------------------------------------------------------------------

  /** A browser that had a picture shortly behind the place has taken that for it, and does not look again. */
  private lookAgain(): void {
    this.arrive();
    const { player, place } = this;
    if (place.soughtMs === null || this.playing || this.gap || player.isSeeking) return;
    player.seek(player.positionMs);
  }

  /** By its own time, where that is known. */
  private utcAt(mediaMs: number): number | null {
    return this.pictures.covering(mediaMs)?.utcMs ?? this.timeline.utcAt(mediaMs);
  }

  private shown(mediaMs: number): void {
    const utcMs = this.utcAt(mediaMs);
    if (utcMs === null || this.gap !== null) return;
    if (this.place.soughtMs !== null && !this.isSought(mediaMs, utcMs)) return;
    this.show(utcMs);
  }

  private show(utcMs: number): void {
    this.place.show(utcMs);
    this.owner.picture();
  }

  /** Whether a displayed picture is the one that is looked for, and not still the one of before. */
  private isSought(mediaMs: number, utcMs: number): boolean {
    if (!this.placed) return false;
    const own = this.playing ? null : this.pictures.covering(mediaMs);
    if (own) return own === this.pictures.covering(this.player.positionMs);
    return Math.abs(utcMs - (this.place.soughtMs ?? utcMs)) < SAME_PICTURE_MS;
  }

  private found(): void {
    this.foundAt = performance.now();
    this.arrive();
  }

  /** Not every picture is told of when it comes, and where they are rare, that of a moment may be much older. */
  private arrive(): void {
    const { player, place } = this;
    if (place.soughtMs === null || !this.placed || this.gap !== null || player.isSeeking) return;
    const { displayedMs } = player;
    const displayedUtcMs = displayedMs === null ? null : this.utcAt(displayedMs);
    const isTold =
      displayedMs !== null && displayedUtcMs !== null && this.isSought(displayedMs, displayedUtcMs);
    if (isTold) return this.show(displayedUtcMs);
    if (this.foundAt === null || performance.now() - this.foundAt < LATE_MS) return;
    const utcMs = this.pictures.covering(player.positionMs)?.utcMs ?? displayedUtcMs;
    if (utcMs !== null) this.show(utcMs);
  }

  // --- where playing is -------------------------------------------------------------------------------------

  /** From one side of a gap to the picture on the other. */
  private beyond({ fromMs, toMs }: Span, direction: 1 | -1): boolean {
    this.seek(direction > 0 ? toMs : fromMs - 2 * INSIDE_MS);
    return true;
  }

  private lookFor(): void {
    [this.placed, this.gap, this.foundAt] = [false, null, null];
    this.fed.place = "";
    this.putThere();
  }

  /** Put the player where the sought moment is, or behind the gap that lies in, once that is known. */
  private putThere(): void {
    const { soughtMs } = this.place;
    if (soughtMs === null || this.placed) return;
    const gap = this.timeline.gapAt(soughtMs);
    const beginsMs = gap?.toMs ?? soughtMs;
    const mediaMs = this.timeline.knows(beginsMs) ? this.mediaAt(beginsMs) : null;
    if (gap) this.gap = gap;
    if (mediaMs === null) return;
    this.placed = true;
    this.player.seek(mediaMs);
    this.move();
  }

  private mediaAt(utcMs: number): number | null {
    const picture = this.pictures.takenAt(utcMs);
    return picture ? picture.mediaMs + INSIDE_MS : this.timeline.mediaAt(utcMs);
  }

  /** A hole that is worth a word is a gap, and to be waited in. */
  private cross(): void {
    const { hole, timeline } = this;
    const [fromMs, toMs] = hole ? [timeline.utcAt(hole.start), timeline.utcAt(hole.end)] : [null, null];
    if (!hole || fromMs === null || toMs === null) return;
    this.player.seek(hole.end);
    if (toMs - fromMs < SMALL_HOLE_MS) return;
    this.gap = { fromMs, toMs };
    this.foundAt = null;
    this.move();
    this.owner.picture();
  }

  // --- what is fetched --------------------------------------------------------------------------------------

  /** A server that comes back may have cut off what was torn, and what is known of it is no longer true. */
  private failed(error: unknown): void {
    if (error instanceof Gone) this.owner.trouble("gone");
    else if (error instanceof Unreadable) this.owner.trouble("damaged");
    else this.timeline.forget();
  }

  private async turn(signal: AbortSignal): Promise<boolean> {
    this.putThere();
    this.cross();
    this.arrive();
    this.owner.turn();
    return (await this.learn(signal)) || (await this.feed(signal));
  }

  /** The index, as far as the moment needs it, and the header that will be needed. */
  private async learn(signal: AbortSignal): Promise<boolean> {
    const { soughtMs, shownMs, momentMs } = this.place;
    if (soughtMs === null && shownMs === null) return false;
    const positionMs = this.placed || soughtMs === null ? this.player.positionMs : null;
    const span = this.timeline.wanted(momentMs, positionMs);
    const now = performance.now();
    if (span === null || now - this.indexAt < INDEX_EVERY_MS) return false;
    this.indexAt = now;
    const begins = this.timeline.segmentAt(this.timeline.gapAt(momentMs)?.toMs ?? momentMs);
    const header = begins && this.player.needsHeader(begins) ? this.header(begins, signal) : null;
    header?.catch(() => undefined); // it is asked for again when it is needed
    const view = await this.owner.index(span, signal);
    this.take(view, span);
    return true;
  }

  /** What the service tells of the recording; `span` null: only where there is something of it. */
  take(view: RecordingView, span: Span | null): void {
    this.timeline.take(view, span);
    const isRefused = view.segments.some(({ mime }) => !canPlay(mime));
    if (view.reason === "codec_h265" && (isRefused || view.segments.length === 0))
      this.owner.trouble("codec_h265");
    else if (isRefused) this.owner.trouble("unsupported");
    this.settle();
  }

  /** A moment that nothing was written of (yet) becomes the nearest there is. */
  private settle(): void {
    const { soughtMs } = this.place;
    const { span } = this.timeline;
    if (soughtMs === null || !span) return;
    this.place.seek(Math.min(Math.max(soughtMs, span.fromMs), span.toMs - 1));
    this.putThere();
  }

  /** The next pictures. */
  private async feed(signal: AbortSignal): Promise<boolean> {
    const { player, timeline } = this;
    if (!this.placed) return false;
    const run = nextRun(timeline.fragments, player.buffered, player.positionMs, this.rate, player.after);
    const [first] = run?.fragments ?? [];
    if (!run || !first) return false;
    const [place, now] = [`${first.url ?? first.segment.url} ${run.from} ${run.to}`, performance.now()];
    if (place === this.fed.place && now - this.fed.at < SAME_AGAIN_MS) return this.skip(first);
    const [header, bytes] = await this.fetched(run, first, signal);
    signal.throwIfAborted();
    this.pictures.take(run, bytes);
    await player.append(run, header, bytes);
    this.fed = { place, at: now };
    this.lookAgain();
    return true;
  }

  private async fetched(
    { from, to }: Run,
    { segment, url }: Fragment,
    signal: AbortSignal,
  ): Promise<[header: ArrayBuffer | null, bytes: ArrayBuffer]> {
    if (url !== null) return [null, await getFile(url, signal)];
    const header = this.player.needsHeader(segment) ? this.header(segment, signal) : null;
    return Promise.all([header, getBytes(segment.url, from, to, signal)]);
  }

  private async header({ url, init_bytes: size }: Segment, signal: AbortSignal): Promise<ArrayBuffer> {
    const header = this.headers.get(url) ?? (await getBytes(url, 0, size, signal));
    this.headers.delete(url);
    this.headers.set(url, header);
    const oldest = this.headers.keys().next().value;
    if (this.headers.size > HEADERS_KEPT && oldest !== undefined) this.headers.delete(oldest);
    return header;
  }

  /**
   * Where pictures are missing between two fragments, browsers drop all that follows until a keyframe (Media
   * Source Extensions, coded frame processing: need random access point): it goes on there.
   */
  private skip(from: Fragment): boolean {
    const { player, timeline, place } = this;
    const { buffered, positionMs } = player;
    if (buffered.length === 0) this.owner.trouble("barren");
    const beyondMs = Math.max(from.mediaMs, positionMs);
    const next = timeline.fragments.find((one) => one.keyframe && one.mediaMs > beyondMs);
    if (!next || !player.isStalled) return false;
    // Across a hole before that, to what can be played, leads `cross`.
    if (buffered.some(({ start, end }) => end > positionMs + BESIDE_MS && start < next.mediaMs)) return false;
    place.seek(next.utcMs);
    player.seek(next.mediaMs);
    return true;
  }
}
