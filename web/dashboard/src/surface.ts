/**
 * `window.lagebild`: what the page shows, for browser tests and benchmarks. Reading it changes nothing.
 *
 *   lagebild.feeds()       ids of the feeds whose pictures are open, the main one first
 *   lagebild.feed(id)      what is shown of one of them now, or null
 *   lagebild.frames(id)    the last displayed pictures, oldest first
 *   lagebild.past()        the moment of the recording that is shown instead of the live picture, or null
 *   lagebild.serverMs()    server time as the page knows it, or null
 *   lagebild.serverUncertaintyMs()  by how much that may be wrong at most
 */

import type { Origin, Sample } from "./api";
import type { Channel } from "./channel";
import type { PictureStateName } from "./pictureState";
import type { Past } from "./rewind/session";
import type { ServerTime } from "./serverTime";

const FRAMES_KEPT = 300;

export interface FrameRecord {
  rtp_timestamp: number | null;
  capture_ms: number | null; // server time
  origin: Origin | null;
  displayed_ms: number | null; // server time at which it came on the screen
  age_ms: number | null; // then
  state: PictureStateName;
  sample: Sample | null; // telemetry shown with it, once it had arrived
  first_sample: Sample | null; // telemetry drawn when the picture came
  estimated: boolean;
}

export interface FeedRecord extends FrameRecord {
  age_ms: number | null; // now, as the badge counts it
  frames: number; // displayed since the page was opened
}

export interface PastRecord {
  utc_ms: number; // server time
  has_picture: boolean; // the picture of that moment is on the screen
  sample: Sample | null;
}

export interface Surface {
  feeds(): string[];
  feed(id: string): FeedRecord | null;
  frames(id: string): FrameRecord[];
  past(): PastRecord | null;
  serverMs(): number | null;
  serverUncertaintyMs(): number | null;
}

/** Keeps the displayed pictures of the open feeds for `window.lagebild`. */
export class Recorder {
  private readonly kept = new Map<string, { frames: FrameRecord[]; count: number }>();

  constructor(private readonly time: ServerTime) {}

  picture(channel: Channel): void {
    const kept = this.kept.get(channel.feed.id) ?? { frames: [], count: 0 };
    this.kept.set(channel.feed.id, kept);
    kept.frames.push(this.record(channel));
    kept.count += 1;
    if (kept.frames.length > FRAMES_KEPT) kept.frames.shift();
  }

  /** The newest picture's telemetry came after it. */
  sample(channel: Channel): void {
    const record = this.kept.get(channel.feed.id)?.frames.at(-1);
    if (record && record.rtp_timestamp === channel.shown?.rtpTimestamp) record.sample = channel.shown.sample;
  }

  forget(id: string): void {
    this.kept.delete(id);
  }

  surface(open: () => Channel[], past: () => Past | null): Surface {
    return {
      feeds: () => open().map(({ feed }) => feed.id),
      feed: (id) => {
        const channel = open().find(({ feed }) => feed.id === id);
        if (!channel) return null;
        return {
          ...this.record(channel),
          age_ms: channel.ageMs(),
          sample: channel.sample,
          frames: this.kept.get(id)?.count ?? 0,
        };
      },
      frames: (id) => [...(this.kept.get(id)?.frames ?? [])],
      past: () => {
        const shown = past();
        if (!shown) return null;
        return { utc_ms: shown.momentMs, has_picture: shown.hasPicture, sample: shown.sample };
      },
      serverMs: () => this.time.at(performance.now()),
      serverUncertaintyMs: () => this.time.uncertaintyMs(performance.now()),
    };
  }

  private record(channel: Channel): FrameRecord {
    const { shown, state } = channel;
    return {
      rtp_timestamp: shown?.rtpTimestamp ?? null,
      capture_ms: shown?.capture?.utcMs ?? null,
      origin: shown?.capture?.origin ?? null,
      displayed_ms: shown && this.time.at(shown.displayAt),
      age_ms: shown && channel.ageMs(shown.displayAt),
      state: state.name,
      sample: shown?.sample ?? null,
      first_sample: shown?.sample ?? null,
      estimated: shown?.estimated ?? false,
    };
  }
}
