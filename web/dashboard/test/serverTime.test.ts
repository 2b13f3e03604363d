import { describe, expect, it } from "vitest";
import { ServerTime } from "../src/serverTime";

const SERVER_AHEAD = 1_795_000_000_000;

/** A round trip at `t0` whose way there and back take these times. */
function trip(time: ServerTime, t0: number, there: number, back: number, offset = SERVER_AHEAD): void {
  time.add(t0, t0 + there + back, t0 + there + offset);
}

describe("ServerTime", () => {
  it("knows nothing before the first reply", () => {
    const time = new ServerTime();
    expect(time.at(5)).toBeNull();
    expect(time.uncertaintyMs(5)).toBeNull();
  });

  it("is exact where both ways take equally long", () => {
    const time = new ServerTime();
    trip(time, 100, 20, 20);
    expect(time.at(140)).toBeCloseTo(SERVER_AHEAD + 140, 6);
  });

  it("is never wrong by more than it says, however lopsided the ways are", () => {
    const time = new ServerTime();
    let seed = 7;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let t = 0; t < 60_000; t += 2000) {
      trip(time, t, 2 + 200 * random() ** 3, 2 + 40 * random());
      const error = Math.abs((time.at(t + 300) ?? Infinity) - (SERVER_AHEAD + t + 300));
      expect(error).toBeLessThanOrEqual((time.uncertaintyMs(t + 300) ?? 0) + 1e-3);
    }
  });

  it("takes the quickest of the last round trips", () => {
    const time = new ServerTime();
    trip(time, 0, 2, 2);
    trip(time, 2000, 300, 0);
    expect(time.at(3000)).toBeCloseTo(SERVER_AHEAD + 3000, 3);
    expect(time.uncertaintyMs(3000)).toBeLessThan(3);
  });

  it("forgets an old quick trip in favour of a fresh one, since clocks drift", () => {
    const time = new ServerTime();
    const drift = 40e-6;
    for (let t = 0; t < 600_000; t += 2000) trip(time, t, 5, 5, SERVER_AHEAD + t * drift);
    expect(Math.abs((time.at(600_000) ?? 0) - (SERVER_AHEAD + 600_000 * (1 + drift)))).toBeLessThan(5);
  });

  it("starts anew when the page's clock stood still (sleep)", () => {
    const time = new ServerTime();
    for (let t = 0; t < 10_000; t += 1000) trip(time, t, 3, 3);
    trip(time, 11_000, 3, 3, SERVER_AHEAD + 3_600_000);
    expect(time.at(11_010)).toBeCloseTo(SERVER_AHEAD + 3_600_000 + 11_010, 3);
  });

  it("ignores impossible replies", () => {
    const time = new ServerTime();
    time.add(10, 5, 1000);
    time.add(10, 15, Number.NaN);
    expect(time.at(20)).toBeNull();
  });
});
