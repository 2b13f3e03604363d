/**
 * The pictures of fetched fragments, one by one: where each is on the media time, and when it was taken.
 *
 * Before each fragment lies a box of ours (type uuid, name "lagebild-picture", recordings/protocol/segment_index.py)
 * that says of every picture in it when it was captured. Pure.
 */

import type { Run } from "./plan";

export interface Picture {
  mediaMs: number;
  endMs: number; // media time, too
  utcMs: number; // of its capture
}

const MOST = 20_000; // eleven minutes at 30 pictures a second; the browser keeps less
const TICKS_PER_MS = 90;
const ROUNDING_MS = 0.5; // browsers tell media time in microseconds
const ADJOINS_MS = 2; // and as long as a picture: those that are sent in another order than shown end roughly

const NAME = "lagebild-picture";
const HEAD_BYTES = 4 + 24; // CRC; version, sizes and CRC of the media, end, number of pictures
const ENTRY_BYTES = 45; // dts, pts, UTC, epoch, seq, size, flags

export class Pictures {
  private list: Picture[] = []; // in the order of media time
  private zero90k: number | null = null; // where media time begins; the same for all of a feed

  /** Learn what is in the bytes of a run; nothing where they are not ours. */
  take({ fragments: [first] }: Run, bytes: ArrayBuffer): void {
    const boxes = boxesIn(new DataView(bytes));
    const begins = boxes[0]?.[0];
    if (!first || !begins) return;
    if (first.keyframe) this.zero90k = Math.round(begins.pts90k - first.mediaMs * TICKS_PER_MS);
    const { zero90k } = this;
    if (zero90k === null) return;
    const taken = boxes
      .flat()
      .map(({ pts90k, end90k, utcMs }) => ({
        mediaMs: (pts90k - zero90k) / TICKS_PER_MS,
        endMs: (end90k - zero90k) / TICKS_PER_MS,
        utcMs,
      }))
      .sort((a, b) => a.mediaMs - b.mediaMs);
    this.merge(taken);
  }

  /** The picture that is shown at that media time; null: none, or not known. */
  covering(mediaMs: number): Picture | null {
    const at = this.list.findLastIndex((one) => one.mediaMs <= mediaMs + ROUNDING_MS);
    const one = this.list[at];
    return one && mediaMs < Math.max(one.endMs, one.mediaMs + ROUNDING_MS) ? one : null;
  }

  /** The one that is shown right after; null: another is not known, or does not adjoin. */
  after({ mediaMs, endMs }: Picture): Picture | null {
    const next = this.list.find((one) => one.mediaMs > mediaMs + ROUNDING_MS);
    return next && next.mediaMs - endMs < endMs - mediaMs + ADJOINS_MS ? next : null;
  }

  /** The one that was shown right before; null as above. */
  before({ mediaMs }: Picture): Picture | null {
    const last = this.list.findLast((one) => one.mediaMs < mediaMs - ROUNDING_MS);
    return last && this.after(last)?.mediaMs === mediaMs ? last : null;
  }

  /** The one that was taken at that moment or was on the screen then; null: not known. */
  takenAt(utcMs: number): Picture | null {
    const one = this.list.findLast((each) => each.utcMs <= utcMs + ROUNDING_MS);
    return one && utcMs - one.utcMs < one.endMs - one.mediaMs ? one : null;
  }

  private merge(taken: readonly Picture[]): void {
    const [first, last] = [taken[0], taken.at(-1)];
    if (!first || !last) return;
    const before = this.list.filter((one) => one.mediaMs < first.mediaMs - ROUNDING_MS);
    const behind = this.list.filter((one) => one.mediaMs > last.mediaMs + ROUNDING_MS);
    const spare = Math.max(0, before.length + taken.length + behind.length - MOST);
    const dropped = Math.min(spare, before.length);
    this.list = [...before.slice(dropped), ...taken, ...behind.slice(0, behind.length - (spare - dropped))];
  }
}

interface Entry {
  pts90k: number;
  end90k: number;
  utcMs: number;
}

/** The entries of each of our boxes; a file that is torn ends where it is torn. */
function boxesIn(view: DataView): Entry[][] {
  const found: Entry[][] = [];
  for (let at = 0; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > view.byteLength) break;
    if (isOurs(view, at, size)) found.push(entriesOf(view, at + 24 + HEAD_BYTES, at + size));
    at += size;
  }
  return found.filter((entries) => entries.length > 0);
}

function isOurs(view: DataView, at: number, size: number): boolean {
  if (size < 24 + HEAD_BYTES) return false;
  const text = Array.from({ length: 20 }, (_, i) => String.fromCharCode(view.getUint8(at + 4 + i))).join("");
  return text === `uuid${NAME}`;
}

/** Pictures are listed as they are decoded; each is shown until the next in the order of showing. */
function entriesOf(view: DataView, from: number, to: number): Entry[] {
  const end90k = Number(view.getBigInt64(from - 12)); // when decoding of what follows begins
  const count = Math.floor((to - from) / ENTRY_BYTES);
  const at = (i: number, field: number): bigint => view.getBigInt64(from + i * ENTRY_BYTES + field * 8);
  const listed = Array.from({ length: count }, (_, i) => ({
    dts90k: Number(at(i, 0)),
    pts90k: Number(at(i, 1)),
    utcMs: Number(at(i, 2) / 1000n) / 1000,
  }));
  const last = listed.at(-1);
  const shown = [...listed].sort((a, b) => a.pts90k - b.pts90k);
  return shown.map(({ pts90k, utcMs }, i) => ({
    pts90k,
    utcMs,
    end90k: shown[i + 1]?.pts90k ?? pts90k + (last ? end90k - last.dts90k : 0),
  }));
}
