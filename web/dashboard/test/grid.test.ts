import { describe, expect, it } from "vitest";
import { grid, gridLabel, gridSpacing } from "../src/grid";
import { metres, Track } from "../src/track";
import { toUtm } from "../src/utm";

const VIEW = { west: 7.76, south: 49.435, east: 7.78, north: 49.445 };

describe("the metre grid", () => {
  it("keeps its lines apart", () => {
    expect(gridSpacing(0.1)).toBe(10);
    expect(gridSpacing(1)).toBe(100);
    expect(gridSpacing(5)).toBe(1000);
    expect(gridSpacing(100_000)).toBeNull();
  });

  it("lies on whole metres of UTM", () => {
    const drawn = grid(VIEW, 1);
    expect(drawn?.zone).toBe(32);
    expect(drawn?.spacing_m).toBe(100);
    for (const { axis, metres: at, points } of drawn?.lines ?? []) {
      expect(at % 100).toBe(0);
      for (const [lon, lat] of points) {
        const utm = toUtm(lat, lon, 32);
        expect(axis === "easting" ? utm.easting_m : utm.northing_m).toBeCloseTo(at, 2);
      }
    }
  });

  it("covers the view with every line once", () => {
    const lines = grid(VIEW, 1)?.lines ?? [];
    const eastings = lines.filter(({ axis }) => axis === "easting").map(({ metres: at }) => at);
    const [west, east] = [toUtm(49.435, 7.76).easting_m, toUtm(49.435, 7.78).easting_m];
    expect(Math.min(...eastings)).toBeLessThan(west + 200);
    expect(Math.max(...eastings)).toBeGreaterThan(east - 200);
    expect(new Set(eastings).size).toBe(eastings.length);
    expect(lines.some(({ major }) => major)).toBe(true);
  });

  it("is bounded and gives up where it makes no sense", () => {
    expect(grid({ west: -170, south: -70, east: 170, north: 84 }, 50_000)).toBeNull();
    expect(grid({ west: 5, south: 81, east: 6, north: 83 }, 10)).toBeNull();
    expect(grid({ west: 7, south: 49, east: 8, north: 50 }, 0.1)?.lines.length).toBeLessThanOrEqual(120);
  });

  it("labels lines with the digits of UTMREF", () => {
    expect(gridLabel(410_000, 1000)).toBe("10");
    expect(gridLabel(410_100, 100)).toBe("101");
    expect(gridLabel(5_477_060, 10)).toBe("7706");
    expect(gridLabel(5_480_000, 10_000)).toBe("8");
    expect(gridLabel(5_500_000, 100_000)).toBe("");
  });
});

describe("the track", () => {
  it("grows by the metre", () => {
    const track = new Track();
    expect(track.add(7, 49, 0)).toBe(true);
    expect(track.add(7, 49.000001, 100)).toBe(false);
    expect(track.add(7, 49.0001, 200)).toBe(true);
    expect(track.lines).toEqual([
      [
        [7, 49],
        [7, 49.0001],
      ],
    ]);
  });

  it("is interrupted where telemetry was", () => {
    const track = new Track();
    track.add(7, 49, 0);
    track.add(7, 50, 60_000);
    expect(track.lines).toHaveLength(2);
  });

  it("stays bounded and keeps the whole flight", () => {
    const track = new Track();
    for (let i = 0; i < 50_000; i++) track.add(7, 49 + i * 2e-5, i * 100);
    const points = track.lines.flat();
    expect(points.length).toBeLessThanOrEqual(2001);
    expect(points[0]).toEqual([7, 49]);
    expect(points.at(-1)?.[1]).toBeGreaterThan(49.99);
  });

  it("measures metres", () => {
    expect(metres([7, 49], [7, 49.001])).toBeCloseTo(111.3, 0);
  });
});
