import { describe, expect, it } from "vitest";
import { angleBetween, groupAgeMs, hasPosition, SampleRing } from "../src/telemetry";
import { sample } from "./samples";

const MS = 90;

describe("SampleRing", () => {
  it("gives nothing before the first, and the newest without a picture", () => {
    const ring = new SampleRing();
    expect(ring.at(0)).toBeNull();
    const only = sample({ rtp_timestamp: null });
    ring.push(only, null);
    expect(ring.newest).toBe(only);
    expect(ring.at(0)).toBeNull();
  });

  it("moves position and attitude between two neighbours and leaves the rest", () => {
    const ring = new SampleRing();
    ring.push(
      sample({ utc_ms: 0, lat_deg: 49, alt_home_m: 80, roll_deg: -10, satellites: 14, mode: "A" }),
      0,
    );
    ring.push(
      sample({ utc_ms: 100, lat_deg: 50, alt_home_m: 90, roll_deg: 10, satellites: 15, mode: "B" }),
      100 * MS,
    );
    expect(ring.at(25 * MS)).toMatchObject({
      utc_ms: 25,
      lat_deg: 49.25,
      alt_home_m: 82.5,
      roll_deg: -5,
      satellites: 14,
      mode: "A",
    });
  });

  it("keeps the later of two samples of one instant, which is the complete one", () => {
    const ring = new SampleRing();
    ring.push(sample({ lat_deg: 49 }), 0);
    ring.push(sample({ lat_deg: 49, yaw_deg: 10 }), 40 * MS);
    ring.push(sample({ lat_deg: 50, yaw_deg: 10 }), 40 * MS + 5);
    expect(ring.at(40 * MS)?.lat_deg).toBeCloseTo(50, 2);
    expect(ring.at(20 * MS)?.lat_deg).toBeCloseTo(49.5, 2);
  });

  it("knows which samples have a say in a picture", () => {
    const ring = new SampleRing();
    for (const ms of [0, 40, 80]) ring.push(sample(), ms * MS);
    expect(ring.isNeighbour(40 * MS, 50 * MS)).toBe(true);
    expect(ring.isNeighbour(80 * MS, 50 * MS)).toBe(true);
    expect(ring.isNeighbour(0, 50 * MS)).toBe(false);
    expect(ring.isNeighbour(80 * MS, 30 * MS)).toBe(false);
  });

  it("turns angles the short way", () => {
    const ring = new SampleRing();
    ring.push(sample({ yaw_deg: 350, gimbal_yaw_deg: 10, lon_deg: 179.9 }), 0);
    ring.push(sample({ yaw_deg: 20, gimbal_yaw_deg: 350, lon_deg: -179.9 }), 100 * MS);
    const half = ring.at(50 * MS);
    expect(half?.yaw_deg).toBeCloseTo(5);
    expect(half?.gimbal_yaw_deg).toBeCloseTo(0);
    expect(half?.lon_deg).toBeCloseTo(180);
  });

  it("does not bridge a gap of more than a quarter of a second", () => {
    const ring = new SampleRing();
    ring.push(sample({ roll_deg: 0 }), 0);
    ring.push(sample({ roll_deg: 10 }), 251 * MS);
    expect(ring.at(200 * MS)?.roll_deg).toBe(0);
  });

  it("leaves unknown unknown", () => {
    const ring = new SampleRing();
    ring.push(sample({ yaw_deg: null, alt_home_m: 5 }), 0);
    ring.push(sample({ yaw_deg: 90, alt_home_m: null }), 100 * MS);
    expect(ring.at(50 * MS)).toMatchObject({ yaw_deg: null, alt_home_m: 5 });
  });

  it("shows the last sample when telemetry has stopped, and none from long after the picture", () => {
    const ring = new SampleRing();
    const last = sample({});
    ring.push(last, 1000 * MS);
    expect(ring.at(60_000 * MS)).toBe(last);
    expect(ring.at(900 * MS)).toBe(last);
    expect(ring.at(700 * MS)).toBeNull();
  });

  it("sorts what comes out of order", () => {
    const ring = new SampleRing();
    for (const ms of [0, 200, 100, 300]) ring.push(sample({ utc_ms: ms, roll_deg: ms }), ms * MS);
    expect(ring.at(150 * MS)?.roll_deg).toBe(150);
    expect(ring.newest?.utc_ms).toBe(300);
  });

  it("stays bounded", () => {
    const ring = new SampleRing();
    for (let i = 0; i < 5000; i++) ring.push(sample({ utc_ms: i }), i * 33 * MS);
    expect(ring.at(10 * MS)).toBeNull();
    expect(ring.at(4999 * 33 * MS)?.utc_ms).toBe(4999);
  });
});

describe("ages and fixes", () => {
  it("counts each group's own age", () => {
    const seen = sample({ received_ms: { position: 900, battery: 200 } });
    expect(groupAgeMs(seen, "position", 1000)).toBe(100);
    expect(groupAgeMs(seen, "battery", 1000)).toBe(800);
    expect(groupAgeMs(seen, "gimbal", 1000)).toBeNull();
  });

  it("never stands at 0/0 and needs a fix", () => {
    expect(hasPosition(null)).toBe(false);
    expect(hasPosition(sample({ lat_deg: null, lon_deg: null }))).toBe(false);
    expect(hasPosition(sample({ lat_deg: 0, lon_deg: 0 }))).toBe(false);
    expect(hasPosition(sample({ fix: "none" }))).toBe(false);
    expect(hasPosition(sample({ fix: null }))).toBe(true);
    expect(hasPosition(sample({ lat_deg: 0, lon_deg: 7 }))).toBe(true);
  });

  it("measures angles the short way", () => {
    expect(angleBetween(350, 10)).toBe(20);
    expect(angleBetween(10, 350)).toBe(-20);
    expect(Math.abs(angleBetween(0, 180))).toBe(180);
    expect(angleBetween(-170, 170)).toBe(-20);
  });
});
