import { forward } from "mgrs";
import { describe, expect, it } from "vitest";
import { fromUtm, toUtm, zoneOf } from "../src/utm";
import { degrees, utmref } from "../src/utmref";

/** Seeded points over the whole of UTM, some within Germany. */
function* points(count: number): Generator<[lat: number, lon: number]> {
  let seed = 42;
  const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let i = 0; i < count; i++) {
    yield i % 2
      ? [47.3 + 7.7 * random(), 5.9 + 9.1 * random()]
      : [-79.9 + 163.8 * random(), -179.9 + 359.8 * random()];
  }
}

describe("UTM", () => {
  it("knows published coordinates", () => {
    // the CN Tower, as Wikipedia's article on UTM gives it: 17T 630084 4833438
    const tower = toUtm(43 + 38 / 60 + 33.24 / 3600, -(79 + 23 / 60 + 13.7 / 3600));
    expect([tower.zone, Math.floor(tower.easting_m), Math.floor(tower.northing_m)]).toEqual([
      17, 630_084, 4_833_438,
    ]);
    expect(toUtm(0, 9)).toEqual({ zone: 32, north: true, easting_m: 500_000, northing_m: 0 });
  });

  it("comes back to where it started, within a millimetre", () => {
    for (const [lat, lon] of points(400)) {
      const back = fromUtm(toUtm(lat, lon));
      expect(Math.abs(back.lat_deg - lat)).toBeLessThan(1e-8);
      expect(Math.abs(back.lon_deg - lon)).toBeLessThan(1e-8);
    }
  });

  it("knows the exceptions of Norway and Svalbard, and the date line", () => {
    expect(zoneOf(60, 4)).toBe(32);
    expect(zoneOf(60, 2.9)).toBe(31);
    expect([8, 10, 22, 35].map((lon) => zoneOf(78, lon))).toEqual([31, 33, 35, 37]);
    expect([zoneOf(0, -180), zoneOf(0, 180), zoneOf(0, 179.9)]).toEqual([1, 1, 60]);
  });
});

describe("UTMREF", () => {
  it("is written in groups, ten metres, cut off", () => {
    expect(utmref(49.44, 7.77)).toMatch(/^32U MV \d{4} \d{4}$/);
  });

  it("agrees with an independent program everywhere", () => {
    let differing = 0;
    for (const [lat, lon] of points(2000)) {
      const other = forward([lon, lat], 5);
      const [, zone, square, easting = "", northing = ""] =
        /^(\d+[A-Z])([A-Z]{2})(\d{5})(\d{5})$/.exec(other) ?? [];
      const ours = utmref(lat, lon)?.replaceAll(" ", "");
      const theirs = `${zone?.padStart(3, "0")}${square}${easting.slice(0, 4)}${northing.slice(0, 4)}`;
      if (ours !== theirs) differing += 1; // centimetres apart at a cell's border
    }
    expect(differing).toBeLessThanOrEqual(10);
  });

  it("ends where UTM ends", () => {
    expect(utmref(84.1, 0)).toBeNull();
    expect(utmref(-80.1, 0)).toBeNull();
    expect(utmref(Number.NaN, 7)).toBeNull();
    expect(utmref(83.9, 20)?.slice(0, 3)).toBe("33X");
  });

  it("writes degrees with a point", () => {
    expect(degrees(49.4396581, -7.5)).toBe("49.439658, -7.500000");
  });
});
