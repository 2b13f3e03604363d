import { describe, expect, it } from "vitest";
import { headingTicks, letterbox, pitchRungs } from "../src/tape";

const DE = "N NO O SO S SW W NW".split(" ");

describe("heading tape", () => {
  it("writes letters at the eight points and degrees between", () => {
    const labels = headingTicks(30, 90, DE).flatMap(({ label }) => label ?? []);
    expect(labels).toEqual(["345", "N", "15", "30", "NO", "60", "75"]);
  });

  it("runs through north without a gap", () => {
    for (const yaw of [0, 2, 359.9, 357.5, 180]) {
      const ticks = headingTicks(yaw, 90, DE);
      for (const [i, tick] of ticks.entries()) {
        expect(Math.abs(tick.offset)).toBeLessThanOrEqual(45);
        if (i) expect(tick.offset - (ticks[i - 1]?.offset ?? 0)).toBeCloseTo(5);
      }
      expect(ticks.length).toBeGreaterThanOrEqual(18);
    }
  });

  it("puts the heading itself in the middle", () => {
    expect(headingTicks(90, 90, DE).find(({ offset }) => offset === 0)?.label).toBe("O");
  });
});

describe("pitch ladder", () => {
  it("shows rungs near the aircraft's pitch, the horizon below a raised nose", () => {
    const rungs = pitchRungs(5, 44);
    expect(rungs.find(({ pitch }) => pitch === 0)?.above).toBe(-5);
    expect(rungs.map(({ pitch }) => pitch)).toEqual([-10, 0, 10, 20]);
  });

  it("has no horizon at a pitch of 60 degrees", () => {
    expect(pitchRungs(60, 44).some(({ pitch }) => pitch === 0)).toBe(false);
  });
});

describe("letterbox", () => {
  it("finds the picture inside its pane", () => {
    expect(letterbox({ width: 1000, height: 1000 }, { width: 1280, height: 720 })).toEqual([
      0, 218.75, 1000, 562.5,
    ]);
    expect(letterbox({ width: 1000, height: 500 }, { width: 640, height: 512 })).toEqual([
      187.5, 0, 625, 500,
    ]);
  });

  it("takes the whole pane where the picture's shape is not known", () => {
    expect(letterbox({ width: 10, height: 20 }, { width: 0, height: 0 })).toEqual([0, 0, 10, 20]);
  });
});
