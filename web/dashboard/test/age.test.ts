import { describe, expect, it } from "vitest";
import type { Anchor } from "../src/api";
import { ageMs, Anchors, capturedMs } from "../src/age";
import { Unwrapper } from "../src/rtp";

const anchor = (rtp_timestamp: number, utc_ms: number, changes: Partial<Anchor> = {}): Anchor => ({
  rtp_timestamp,
  utc_ms,
  origin: "source",
  epoch: 0,
  ...changes,
});

describe("Anchors", () => {
  it("know nothing before the first", () => {
    expect(new Anchors(new Unwrapper()).capture(90_000)).toBeNull();
  });

  it("count 90 ticks to the millisecond, forwards and backwards", () => {
    const anchors = new Anchors(new Unwrapper());
    anchors.add(anchor(900_000, 5000), 0);
    expect(anchors.capture(900_000 + 2970)).toEqual({ utcMs: 5033, origin: "source" });
    expect(anchors.capture(900_000 - 9000)?.utcMs).toBe(4900);
  });

  it("count over the wrap of the RTP timestamp", () => {
    const unwrapper = new Unwrapper();
    const anchors = new Anchors(unwrapper);
    anchors.add(anchor(2 ** 32 - 900, 5000), 0);
    expect(anchors.capture(unwrapper.unwrap(900))?.utcMs).toBe(5020);
  });

  it("give a picture from before a restart its own time, though the next anchor is already there", () => {
    const anchors = new Anchors(new Unwrapper());
    anchors.add(anchor(90_000, 1000), 0);
    anchors.add(anchor(180_000, 9000, { epoch: 1, origin: "arrival" }), 10);
    expect(anchors.capture(99_000)).toEqual({ utcMs: 1100, origin: "source" });
    expect(anchors.capture(180_900)).toEqual({ utcMs: 9010, origin: "arrival" });
  });

  it("are worth nothing after ten seconds of silence", () => {
    const anchors = new Anchors(new Unwrapper());
    expect(anchors.fresh(0)).toBe(false);
    anchors.add(anchor(0, 0), 1000);
    expect(anchors.fresh(11_000)).toBe(true);
    expect(anchors.fresh(11_001)).toBe(false);
  });

  it("stay bounded", () => {
    const anchors = new Anchors(new Unwrapper());
    for (let i = 0; i < 1000; i++) anchors.add(anchor(i * 45_000, i * 500), i);
    expect(anchors.capture(999 * 45_000)?.utcMs).toBe(999 * 500);
  });
});

describe("ageMs", () => {
  it("adds the air link only where the time is that of the arrival", () => {
    expect(ageMs({ utcMs: 1000, origin: "source" }, 1180, 60)).toBe(180);
    expect(ageMs({ utcMs: 1000, origin: "arrival" }, 1180, 60)).toBe(240);
  });

  it("is never negative", () => {
    expect(ageMs({ utcMs: 1000, origin: "source" }, 999, 0)).toBe(0);
  });
});

describe("capturedMs", () => {
  it("is one air link before the arrival: telemetry of that picture is no older for its way", () => {
    expect(capturedMs({ utcMs: 5000, origin: "arrival" }, 3000)).toBe(2000);
    expect(capturedMs({ utcMs: 5000, origin: "source" }, 3000)).toBe(5000);
  });
});
