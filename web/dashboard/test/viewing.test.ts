import { describe, expect, it } from "vitest";
import type { PictureStateName } from "../src/pictureState";
import { AGE_EDGES_MS, Viewing } from "../src/viewing";

/** Looks every 50 ms, as the page does, from `from` up to `to`. */
function watch(
  viewing: Viewing,
  from: number,
  to: number,
  state: PictureStateName,
  ageMs: number | null = 180,
): void {
  for (let now = from; now < to; now += 50) viewing.look(now, state, ageMs);
}

const secondsOf = (viewing: Viewing): number => viewing.report(0).ages.reduce((sum, each) => sum + each, 0);

describe("what a viewer got to see", () => {
  it("has the first picture's time, counted from when it was asked for", () => {
    const viewing = new Viewing(500);
    expect(viewing.report(600).joined_ms).toBeNull();
    viewing.picture(545);
    viewing.picture(900);
    expect(viewing.report(1000).joined_ms).toBe(45);
  });

  it("counts each second by the age of the picture shown", () => {
    const viewing = new Viewing(0);
    viewing.picture(10);
    watch(viewing, 50, 3050, "live", 180);
    watch(viewing, 3050, 5050, "delayed", 1400);
    watch(viewing, 5050, 6050, "delayed", 60_000);
    const { ages, interruptions } = viewing.report(6050);
    expect(ages).toHaveLength(AGE_EDGES_MS.length + 1);
    expect(ages).toEqual([0, 3, 0, 0, 0, 0, 2, 0, 0, 1]);
    expect(interruptions).toBe(0);
  });

  it.each([
    [100, 0],
    [100.1, 1],
    [10_000, 8],
    [10_001, 9],
  ])("puts an age of %s ms into bucket %s", (ageMs, bucket) => {
    const viewing = new Viewing(0);
    viewing.look(1000, "live", ageMs);
    expect(viewing.report(1000).ages.indexOf(1)).toBe(bucket);
  });

  it("counts no age that is not known, and none of a picture that stands still", () => {
    const viewing = new Viewing(0);
    viewing.picture(10);
    watch(viewing, 50, 2050, "delayed", null);
    watch(viewing, 2050, 4050, "frozen", 3000);
    expect(secondsOf(viewing)).toBe(0);
  });

  it("counts a stop once, for as long as it lasts, whatever it is called", () => {
    const viewing = new Viewing(0);
    viewing.picture(10);
    watch(viewing, 50, 1000, "live");
    watch(viewing, 1000, 2000, "frozen");
    watch(viewing, 2000, 3000, "lost");
    watch(viewing, 3000, 4000, "live");
    watch(viewing, 4000, 4500, "frozen");
    viewing.look(4500, "live", 100);
    expect(viewing.report(4500)).toMatchObject({ interruptions: 2, interrupted_ms: 2500 });
  });

  it("waits for the first picture: before it, nothing is interrupted", () => {
    const viewing = new Viewing(0);
    watch(viewing, 50, 5000, "lost", null);
    expect(viewing.report(5000)).toMatchObject({ joined_ms: null, interruptions: 0, interrupted_ms: 0 });
  });

  it("leaves out what the browser slept through, and what was not looked at", () => {
    const viewing = new Viewing(0);
    viewing.picture(10);
    watch(viewing, 50, 1050, "frozen");
    viewing.look(3_600_000, "frozen", 9000);
    expect(viewing.report(3_600_000).interrupted_ms).toBe(950);
    const away = new Viewing(0);
    away.picture(10);
    for (let now = 50; now < 5000; now += 50) away.lookAway(now);
    watch(away, 5000, 6000, "live");
    expect(secondsOf(away)).toBe(1);
  });

  it("is told every ten seconds", () => {
    const viewing = new Viewing(0);
    expect(viewing.isDue(9_999)).toBe(false);
    expect(viewing.isDue(10_000)).toBe(true);
    viewing.report(10_000);
    expect(viewing.isDue(19_999)).toBe(false);
  });

  it("counts for each connection what the one before has not reported, and joins only once", () => {
    const viewing = new Viewing(0);
    viewing.picture(40);
    watch(viewing, 50, 3050, "live");
    expect(viewing.report(3050)).toMatchObject({ joined_ms: 40, interruptions: 0 });
    watch(viewing, 3050, 5050, "live"); // and then the server is away
    watch(viewing, 5050, 6050, "frozen");
    viewing.reconnected();
    viewing.look(6050, "live", 180);
    const { ages, ...rest } = viewing.report(6050);
    expect(ages[1]).toBe(2);
    expect(rest).toEqual({ type: "viewing", joined_ms: null, interruptions: 1, interrupted_ms: 1000 });
  });
});
