import { describe, expect, it } from "vitest";
import type { Feed } from "../src/api";
import { Backoff } from "../src/backoff";
import { firstChoice, withChoice } from "../src/choice";
import { photoName } from "../src/photo";
import { source } from "./samples";

const feed = (id: string, aircraft_id: string): Feed => ({
  id,
  name: id,
  aircraft_id,
  aircraft_name: aircraft_id,
  air_link_ms: 0,
  hfov_deg: null,
  unsecured: null,
  telemetry_unsecured: null,
  training: false,
  state: source(),
  health: null,
  renditions: [],
});
const FEEDS = [feed("fritz-tag", "fritz"), feed("ottmar", "ottmar"), feed("fritz-waerme", "fritz")];

describe("the choice of feeds", () => {
  it("follows the address", () => {
    expect(firstChoice("?feed=fritz-tag&second=ottmar", FEEDS, 400)).toEqual({
      main: "fritz-tag",
      second: "ottmar",
    });
    expect(firstChoice("?feed=fritz-tag", FEEDS, 1280)).toEqual({ main: "fritz-tag", second: null });
    expect(firstChoice("?feed=gone", FEEDS, 1280).main).toBe("gone");
    expect(firstChoice("?feed=ottmar&second=ottmar", FEEDS, 1280).second).toBeNull();
  });

  it("shows daylight beside thermal where there is room", () => {
    expect(firstChoice("", FEEDS, 1280)).toEqual({ main: "fritz-tag", second: "fritz-waerme" });
    expect(firstChoice("", FEEDS, 390)).toEqual({ main: "fritz-tag", second: null });
    expect(firstChoice("", [], 1280)).toEqual({ main: null, second: null });
  });

  it("is kept in the address beside what else is there", () => {
    expect(withChoice("?x=1&second=b", { main: "a", second: null })).toBe("?x=1&feed=a");
    expect(withChoice("", { main: "a", second: "b" })).toBe("?feed=a&second=b");
    expect(withChoice("?feed=a", { main: null, second: null })).toBe("");
  });
});

describe("a photo's name", () => {
  it("tells time and place", () => {
    const utcMs = Date.UTC(2026, 10, 22, 4, 49, 0, 120);
    expect(
      photoName({ feedId: "fritz-tag", training: false, utcMs, position: { lat_deg: 49.44, lon_deg: 7.77 } }),
    ).toMatch(/^lagebild-fritz-tag-20261122T044900Z-32UMV\d{8}\.png$/);
    expect(photoName({ feedId: "a", training: false, utcMs: null, position: null })).toBe("lagebild-a.png");
  });

  it("tells that it is of an exercise", () => {
    expect(photoName({ feedId: "uebung-1", training: "de", utcMs: null, position: null })).toBe(
      "lagebild-UEBUNG-uebung-1.png",
    );
  });
});

describe("back-off", () => {
  it("doubles up to its bound and starts over when told", () => {
    const backoff = new Backoff(100, 1000, () => 0.5);
    expect(Array.from({ length: 6 }, () => backoff.nextMs())).toEqual([100, 200, 400, 800, 1000, 1000]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(100);
  });

  it("spreads viewers by a quarter to either side", () => {
    expect(new Backoff(100, 1000, () => 0).nextMs()).toBe(75);
    expect(new Backoff(100, 1000, () => 1).nextMs()).toBe(125);
  });
});
