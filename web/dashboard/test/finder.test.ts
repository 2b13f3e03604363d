import { describe, expect, it } from "vitest";
import { endOfDay, startOfDay } from "../src/flights/days";
import { circle } from "../src/flights/place";
import { metres } from "../src/track";

describe("days", () => {
  it("begin and end at midnight of the place, whatever the clocks do", () => {
    for (const day of ["2026-11-23", "2026-03-29", "2026-10-25", "2026-12-31"]) {
      const [start, end] = [startOfDay(day) ?? NaN, endOfDay(day) ?? NaN];
      expect(new Date(start).getHours()).toBe(0);
      expect(new Date(end).getHours()).toBe(0);
      expect(new Date(end - 1).getDate()).toBe(new Date(start).getDate());
      expect(new Date(end).getDate()).not.toBe(new Date(start).getDate());
    }
  });

  it("are none where nothing was chosen", () => {
    expect(startOfDay("")).toBeNull();
    expect(endOfDay("tomorrow")).toBeNull();
  });
});

describe("a circle on the ground", () => {
  it("is as wide as it says, and closed", () => {
    const line = circle({ lat_deg: 49.4, lon_deg: 7.7, radius_m: 500 });
    for (const at of line) expect(metres([7.7, 49.4], at)).toBeCloseTo(500, -1);
    expect(line[0]?.[0]).toBeCloseTo(line.at(-1)?.[0] ?? NaN);
  });
});
