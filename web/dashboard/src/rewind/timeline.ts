/**
 * What is known of a recording: its segments, the gaps between them, and the fragments around the shown moment.
 *
 * Two clocks meet here: UTC in milliseconds, and media time, on which the browser plays. Gaps have their true
 * length on both. Pure.
 */

import type { RecordingView, SegmentView, Span } from "./api";

export interface Segment extends Omit<SegmentView, "fragments"> {}

export interface Fragment {
  segment: Segment;
  offset: number;
  size: number;
  mediaMs: number;
  utcMs: number;
  keyframe: boolean;
  url: string | null; // of a file of its own; null: it lies in its segment
}

const MOST = 1200; // ten minutes of half seconds
export const GAP_MS = 1000; // shorter ones are not worth a word
const BEHIND_MS = 30_000;
const AHEAD_MS = 60_000;
const READY_MS = 20_000; // of fragments are known before they are played
const EDGE_MS = 1; // stretches are asked for in whole milliseconds
const ROUNDING_MS = 0.5; // browsers tell media time in microseconds, the service in milliseconds

export class Timeline {
  segments: readonly Segment[] = [];
  fragments: readonly Fragment[] = []; // a stretch without omissions, in the order of media time
  endedMs: number | null = null;
  /** Stretches between its pictures of which nothing was kept. */
  gaps: readonly Span[] = [];
  /** At some time its pictures were not to be recorded. */
  isWithheld = false;
  private known: Span | null = null; // of UTC: all fragments there are in it, are here

  /** `span`: what was asked for; null where it was only the segments. */
  take(view: RecordingView, span: Span | null): void {
    this.segments = view.segments.map(({ fragments: _, ...segment }) => segment);
    this.endedMs = view.ended_ms;
    const gaps = view.gaps?.map(([fromMs, toMs]) => ({ fromMs, toMs })) ?? gapsBetween(this.segments);
    const unwanted = view.withheld ?? [];
    this.isWithheld = unwanted.length > 0;
    this.gaps = gaps.map((gap) => (isUnwanted(gap, unwanted) ? { ...gap, withheld: true } : gap));
    if (span) this.takeFragments(view.segments.flatMap(fragmentsOf), span);
  }

  /** What lies where may have changed: all is to be asked for again. */
  forget(): void {
    this.known = null;
  }

  /** Whether every fragment of that moment is here. */
  knows(utcMs: number): boolean {
    return this.known !== null && utcMs >= this.known.fromMs && utcMs < this.known.toMs;
  }

  /**
   * The stretch to ask for so that `utcMs` and what is played after it is known; null: it is, as far as anything
   * has been written. `mediaMs`: where playing is. In a gap it is the end of that which playing needs.
   */
  wanted(utcMs: number, mediaMs: number | null): Span | null {
    const beginsMs = this.gapAt(utcMs)?.toMs ?? utcMs;
    if (!this.knows(beginsMs) || this.known === null)
      return this.withoutGaps({ fromMs: beginsMs - BEHIND_MS, toMs: beginsMs + AHEAD_MS });
    if (this.fragments.length === 0 && !covers(this.known, this.span)) return wider(this.known);
    const last = this.fragments.at(-1);
    if (last && mediaMs !== null && last.mediaMs > mediaMs + READY_MS) return null;
    const { toMs } = this.known;
    if (this.endedMs !== null && toMs >= (this.span?.toMs ?? toMs)) return null;
    return this.withoutGaps({ fromMs: toMs, toMs: toMs + AHEAD_MS });
  }

  /** Where the recording begins and, so far, ends; null without a picture. */
  get span(): Span | null {
    const [first, last] = [this.segments[0], this.segments.at(-1)];
    return first && last ? { fromMs: first.start_ms, toMs: last.end_ms } : null;
  }

  /** The segment of a moment, or the one before it. */
  segmentAt(utcMs: number): Segment | null {
    return this.segments.findLast((one) => one.start_ms <= utcMs) ?? this.segments[0] ?? null;
  }

  /** The gap that a moment lies in; null where pictures were kept, and before the first and after the last. */
  gapAt(utcMs: number): Span | null {
    return this.gaps.find(({ fromMs, toMs }) => fromMs <= utcMs && utcMs < toMs) ?? null;
  }

  /** The moment of UTC that is shown at that media time; null where no fragment is known before it. */
  utcAt(mediaMs: number): number | null {
    const at = this.fragments.findLastIndex((one) => one.mediaMs <= mediaMs + ROUNDING_MS);
    const [fragment, next] = [this.fragments[at], this.fragments[at + 1]];
    if (!fragment) return null;
    // A camera's clock that was set anew must not show a moment twice.
    const latest = next && next.utcMs > fragment.utcMs ? next.utcMs : Infinity;
    return Math.min(fragment.utcMs + Math.max(0, mediaMs - fragment.mediaMs), latest);
  }

  /** The media time of a moment; in a gap it is between the pictures around it. null: not known. */
  mediaAt(utcMs: number): number | null {
    const at = this.fragments.findLastIndex((one) => one.utcMs <= utcMs);
    const [fragment, next] = [this.fragments[at], this.fragments[at + 1]];
    if (!fragment) return next?.mediaMs ?? null; // before its first picture
    return Math.min(fragment.mediaMs + (utcMs - fragment.utcMs), next?.mediaMs ?? Infinity);
  }

  /** A stretch that begins or ends in a gap leaves it out, however long it is: nothing is there to be asked for. */
  private withoutGaps({ fromMs, toMs }: Span): Span {
    return { fromMs: this.gapAt(fromMs)?.toMs ?? fromMs, toMs: this.gapAt(toMs)?.fromMs ?? toMs };
  }

  /** Of a gap all is known. */
  private withGaps(span: Span): Span {
    return this.gaps
      .filter(({ fromMs, toMs }) => fromMs <= span.toMs + EDGE_MS && toMs >= span.fromMs - EDGE_MS)
      .reduce(hull, span);
  }

  private takeFragments(taken: Fragment[], span: Span): void {
    const complete = this.withGaps(this.completeTo(taken, span));
    const adjoins =
      this.known !== null && span.fromMs <= this.known.toMs && complete.toMs >= this.known.fromMs;
    const kept = adjoins ? this.fragments.filter((one) => !taken.some((other) => isSame(one, other))) : [];
    const all = [...kept, ...taken].sort((a, b) => a.mediaMs - b.mediaMs);
    const extended = adjoins && this.known ? hull(this.known, complete) : complete;
    this.fragments = all.slice(-MOST);
    const first = this.fragments[0];
    const dropped = all.length > MOST && first;
    this.known = dropped ? { ...extended, fromMs: Math.max(extended.fromMs, first.utcMs) } : extended;
  }

  /** Beyond what has been written nothing is known yet, whatever was asked for. */
  private completeTo(taken: readonly Fragment[], { fromMs, toMs }: Span): Span {
    if (this.endedMs !== null) return { fromMs, toMs };
    const written = Math.max(taken.at(-1)?.utcMs ?? fromMs, this.span?.toMs ?? fromMs);
    return { fromMs, toMs: Math.max(fromMs, Math.min(toMs, written)) };
  }
}

const covers = (all: Span, part: Span | null): boolean =>
  part === null || (all.fromMs <= part.fromMs && all.toMs >= part.toMs);

/** Without any picture in it, more is needed to tell where the nearest are. */
const wider = ({ fromMs, toMs }: Span): Span => {
  const lengthMs = Math.max(toMs - fromMs, AHEAD_MS);
  return { fromMs: fromMs - 2 * lengthMs, toMs: toMs + lengthMs };
};

const hull = (a: Span, b: Span): Span => ({
  fromMs: Math.min(a.fromMs, b.fromMs),
  toMs: Math.max(a.toMs, b.toMs),
});

const isSame = (a: Fragment, b: Fragment): boolean =>
  a.segment.number === b.segment.number && a.offset === b.offset && a.url === b.url;

/** As far as segments tell: none of theirs. */
function gapsBetween(segments: readonly Segment[]): Span[] {
  return segments.flatMap(({ end_ms: fromMs }, i) => {
    const toMs = segments[i + 1]?.start_ms;
    return toMs !== undefined && toMs - fromMs >= GAP_MS ? [{ fromMs, toMs }] : [];
  });
}

function fragmentsOf({ fragments, ...segment }: SegmentView): Fragment[] {
  return fragments.offset.map((offset, i) => ({
    segment,
    offset,
    size: fragments.size[i] ?? 0,
    mediaMs: fragments.media_ms[i] ?? 0,
    utcMs: fragments.utc_ms[i] ?? 0,
    keyframe: fragments.keyframe[i] ?? false,
    url: fragments.url?.[i] ?? null,
  }));
}

/** Whether a gap is mostly of a time when nobody wanted these pictures: they end and begin at a picture of their own. */
function isUnwanted(gap: Span, unwanted: readonly [number, number | null][]): boolean {
  const middleMs = (gap.fromMs + gap.toMs) / 2;
  return unwanted.some(([fromMs, toMs]) => fromMs <= middleMs && middleMs < (toMs ?? Infinity));
}
