import { beforeEach, describe, expect, it, vi } from "vitest";
import type { RecordingView, SegmentView } from "../src/rewind/api";
import type { Run } from "../src/rewind/plan";
import { Player, Unreadable } from "../src/rewind/player";
import { Session, type End } from "../src/rewind/session";

/** What browsers do with the bytes is theirs: here a fragment is ten bytes and half a second. */
const FRAGMENT_BYTES = 10;
const HALF_S = 0.5;

class FakeBuffer extends EventTarget {
  timestampOffset = 0;
  mode = "";
  ranges: [number, number][] = [];
  appended: { bytes: number; offset: number }[] = [];
  types: string[] = [];
  refuses: "quota" | "error" | null = null;

  get buffered(): { length: number; start: (i: number) => number; end: (i: number) => number } {
    const at = (i: number): [number, number] => this.ranges[i] ?? [0, 0];
    return { length: this.ranges.length, start: (i) => at(i)[0], end: (i) => at(i)[1] };
  }

  appendBuffer(bytes: ArrayBuffer): void {
    const { refuses } = this;
    this.refuses = null;
    if (refuses === "quota") throw new DOMException("full", "QuotaExceededError");
    this.appended.push({ bytes: bytes.byteLength, offset: this.timestampOffset });
    queueMicrotask(() => {
      if (refuses === "error") this.dispatchEvent(new Event("error"));
      this.dispatchEvent(new Event("updateend"));
    });
  }

  remove(start: number, end: number): void {
    this.ranges = this.ranges.flatMap(([from, to]): [number, number][] =>
      [[from, Math.min(to, start)] as [number, number], [Math.max(from, end), to] as [number, number]].filter(
        ([a, b]) => a < b,
      ),
    );
    queueMicrotask(() => this.dispatchEvent(new Event("updateend")));
  }

  changeType(mime: string): void {
    this.types.push(mime);
  }
}

class FakeSource extends EventTarget {
  static last: FakeSource;
  static isTypeSupported = (mime: string): boolean => !mime.includes("hvc1");
  duration = 0;
  buffer = new FakeBuffer();

  constructor() {
    super();
    FakeSource.last = this;
    queueMicrotask(() => this.dispatchEvent(new Event("sourceopen")));
  }

  addSourceBuffer(mime: string): FakeBuffer {
    this.buffer.types.push(mime);
    return this.buffer;
  }
}

class FakeVideo {
  currentTime = 0;
  playbackRate = 1;
  paused = true;
  seeking = false;
  readyState = 4;
  src = "";
  className = "";
  private shown: ((now: number, frame: { mediaTime: number }) => void) | null = null;

  play = (): Promise<void> => ((this.paused = false), Promise.resolve());
  pause = (): void => void (this.paused = true);
  removeAttribute = (): void => undefined;
  load = (): void => undefined;
  remove = (): void => undefined;
  cancelVideoFrameCallback = (): void => void (this.shown = null);
  requestVideoFrameCallback = (shown: typeof this.shown): number => ((this.shown = shown), 1);
  show = (mediaTime: number): void => this.shown?.(0, { mediaTime });
}

let video: FakeVideo;

beforeEach(() => {
  video = new FakeVideo();
  vi.stubGlobal("window", Object.assign(globalThis, { MediaSource: FakeSource }));
  vi.stubGlobal("document", { createElement: () => video });
  vi.stubGlobal("HTMLMediaElement", { HAVE_CURRENT_DATA: 2, HAVE_FUTURE_DATA: 3 });
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue();
});

const START = 1_795_330_000_000;

function segment(number: number, fromS: number, seconds: number, mime: string): SegmentView {
  const numbers = Array.from({ length: seconds * 2 }, (_, i) => i);
  return {
    number,
    url: `/${number}.mp4`,
    mime: `video/mp4; codecs="${mime}"`,
    start_ms: START + fromS * 1000,
    end_ms: START + (fromS + seconds) * 1000,
    media_start_ms: fromS * 1000,
    init_bytes: 7,
    open: false,
    fragments: {
      offset: numbers.map((i) => 7 + i * FRAGMENT_BYTES),
      size: numbers.map(() => FRAGMENT_BYTES),
      media_ms: numbers.map((i) => fromS * 1000 + i * 500),
      utc_ms: numbers.map((i) => START + fromS * 1000 + i * 500),
      keyframe: numbers.map((i) => i % 2 === 0),
    },
  };
}

function runOf({ fragments, ...one }: SegmentView): Run {
  const all = fragments.offset.map((offset, i) => ({
    segment: one,
    offset,
    size: fragments.size[i] ?? 0,
    mediaMs: fragments.media_ms[i] ?? 0,
    utcMs: fragments.utc_ms[i] ?? 0,
    keyframe: fragments.keyframe[i] ?? false,
    url: null,
  }));
  return { fragments: all, from: 7, to: 7 + all.length * FRAGMENT_BYTES };
}

describe("the player", () => {
  const [first, other] = [segment(1, 0, 2, "avc1.42c01f"), segment(2, 9, 2, "avc1.64001f")];
  const [header, bytes] = [new ArrayBuffer(7), new ArrayBuffer(40)];

  it("puts each segment where it belongs, and changes over to another codec", async () => {
    const player = new Player(() => undefined);
    await player.append(runOf(first), header, bytes);
    expect([player.needsHeader(first), player.needsHeader(other), player.after]).toEqual([
      false,
      true,
      "1:47",
    ]);
    await player.append(runOf(other), header, bytes);
    const { buffer } = FakeSource.last;
    expect(buffer.types).toEqual([first.mime, other.mime]);
    expect(buffer.appended.map(({ offset }) => offset)).toEqual([0, 0, 9, 9]);
    expect(player.after).toBe("2:47");
  });

  it("forgets what is far from the shown moment, and all else where there is no room", async () => {
    const player = new Player(() => undefined);
    await player.append(runOf(first), header, bytes);
    const { buffer } = FakeSource.last;
    buffer.ranges = [[0, 200]];
    video.currentTime = 100;
    await player.append(runOf(first), null, bytes);
    expect(buffer.ranges).toEqual([[70, 160]]);
    buffer.refuses = "quota";
    await player.append(runOf(first), null, bytes);
    expect(buffer.ranges).toEqual([[99, 101]]);
    expect(buffer.appended).toHaveLength(4);
  });

  it("puts a file of its own where its pictures belong, and takes the header again behind it", async () => {
    const player = new Player(() => undefined);
    await player.append(runOf(first), header, bytes);
    const { fragments } = runOf(other);
    const piece = { ...fragments[0]!, offset: 0, size: -1, mediaMs: 13_000, url: "/web/1-3.mp4" };
    await player.append({ fragments: [piece], from: 0, to: -1 }, null, bytes);
    expect(FakeSource.last.buffer.appended.map(({ offset }) => offset)).toEqual([0, 0, 13]);
    expect(player.needsHeader(first)).toBe(true);
  });

  it("says what it cannot read, and begins with a keyframe and its header after that", async () => {
    const player = new Player(() => undefined);
    await player.append(runOf(first), header, bytes);
    FakeSource.last.buffer.refuses = "error";
    await expect(player.append(runOf(other), header, bytes)).rejects.toThrow(Unreadable);
    expect([player.after === "2:47", player.needsHeader(other)]).toEqual([false, true]);
  });
});

describe("a look back", () => {
  const WHOLE = segment(1, 0, 60, "avc1.42c01f");
  let asked: string[];
  let flight: RecordingView;
  let answers: (url: string) => Response | null;
  let ends: End[];

  beforeEach(() => {
    [asked, ends, answers] = [[], [], () => null];
    flight = {
      flight_id: "f",
      feed_id: "tag",
      started_ms: START,
      ended_ms: null,
      playable: true,
      reason: "",
      segments: [WHOLE],
    };
    vi.stubGlobal("fetch", async (url: string, { headers }: { headers: { Range?: string } }) => {
      await new Promise((resolve) => setTimeout(resolve, 0)); // as any network: other things have their turn
      asked.push(url);
      return answers(url) ?? served(url, headers.Range);
    });
  });

  function served(url: string, range?: string): Response {
    if (url.includes("telemetry")) return Response.json({ samples: [] });
    if (!range) return Response.json(flight);
    const [from = 0, to = 0] = range.replace("bytes=", "").split("-").map(Number);
    const at = (byte: number): number => ((byte - 7) / FRAGMENT_BYTES) * HALF_S;
    const { buffer } = FakeSource.last;
    const [[start, end] = [Infinity, 0]] = buffer.ranges;
    if (from > 0) buffer.ranges = [[Math.min(start, at(from)), Math.max(end, at(to + 1))]];
    return new Response(new ArrayBuffer(to - from + 1), { status: 206 });
  }

  function look(utcMs: number): Session {
    const session = new Session("f", "tag", () => START + 60_000, {
      picture: () => undefined,
      ended: (why) => (ends.push(why), session.close()),
    });
    session.seek(utcMs);
    return session;
  }

  it("names the moment of the picture that is shown, none before", async () => {
    const session = look(START + 20_000);
    await vi.waitFor(() => expect(FakeSource.last.buffer.appended.length).toBeGreaterThan(1));
    expect([video.currentTime, session.hasPicture]).toEqual([20, false]);
    video.show(3); // of the place before
    expect(session.hasPicture).toBe(false);
    video.show(20.033);
    expect(session.hasPicture).toBe(true);
    expect(session.momentMs).toBeCloseTo(START + 20_033);
    session.close();
  });

  it("asks anew where things lie when the bytes are not what they were", async () => {
    let cut = true; // the server came back, and what was torn is cut off
    answers = (url) => (cut && url.endsWith(".mp4") ? new Response("", { status: 416 }) : null);
    const session = look(START + 20_000);
    await vi.waitFor(() => expect(session.isUnreachable).toBe(true));
    const before = asked.filter((url) => url.includes("recording")).length;
    cut = false;
    session.seek(START + 20_000);
    await vi.waitFor(() => expect(FakeSource.last.buffer.appended.length).toBeGreaterThan(1));
    expect(asked.filter((url) => url.includes("recording")).length).toBeGreaterThan(before);
    expect([session.isUnreachable, ends]).toEqual([false, []]);
    session.close();
  });

  it("goes on in a flight that has ended meanwhile, and is over when that is deleted", async () => {
    answers = (url) => (url.startsWith("/api/v1/feeds/") ? new Response("", { status: 404 }) : null);
    look(START + 20_000);
    await vi.waitFor(() => expect(FakeSource.last.buffer.appended.length).toBeGreaterThan(1));
    expect(asked).toContainEqual(expect.stringMatching("^/api/v1/flights/f/feeds/tag"));
    answers = () => new Response("", { status: 404 });
    FakeSource.last.buffer.ranges = [];
    await vi.waitFor(() => expect(ends).toEqual(["gone"]));
  });

  it("does not fetch without end what the browser makes nothing of", async () => {
    const session = look(START + 20_000);
    const { buffer } = FakeSource.last;
    let ranges = [[20.2, 20.9]]; // something behind it can be played: that is not jumped over
    Object.defineProperty(buffer, "ranges", { get: () => ranges, set: () => undefined });
    video.readyState = 1; // playing has come to it
    await vi.waitFor(() => expect(buffer.appended.length).toBeGreaterThan(1));
    for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    expect(asked.filter((url) => url.endsWith(".mp4"))).toHaveLength(2); // header and fragments
    expect(video.currentTime).toBe(20);
    ranges = [];
    await vi.waitFor(() => expect(video.currentTime).toBeGreaterThan(20)); // a later keyframe
    session.close();
  });

  it("says of H.265 that it is not for here", async () => {
    const segments = [segment(1, 0, 60, "hvc1.1.6.L93.B0")];
    flight = { ...flight, playable: false, reason: "codec_h265", segments };
    look(START + 20_000);
    await vi.waitFor(() => expect(ends).toEqual(["codec_h265"]));
  });
});
