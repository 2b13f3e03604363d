import { describe, expect, it } from "vitest";
import { RASTER_PAINT, vectorLayers } from "../src/backgroundStyle";
import { mapColours, mapStyle } from "../src/mapStyle";

describe("a vector background", () => {
  const ids = (names: string[]): string[] =>
    vectorLayers("background", "dark", new Set(names)).map(({ id }) => id);

  it("draws what the package has, and asks for nothing else", () => {
    expect(ids([])).toEqual([]);
    expect(ids(["water", "something_else"])).toEqual(["background-area-water"]);
  });

  it("knows the layers of OpenMapTiles and of Protomaps, names above lines above areas", () => {
    expect(ids(["building", "transportation", "place"])).toEqual([
      "background-area-building",
      "background-casing-transportation",
      "background-way-transportation",
      "background-label-place",
    ]);
    const protomaps = ids(["roads", "landuse", "places", "boundaries"]);
    expect(protomaps.indexOf("background-area-landuse")).toBe(0);
    expect(protomaps.slice(-2)).toEqual(["background-label-roads", "background-label-places"]);
  });

  it("is of the theme's colours, and needs no files of letters", () => {
    const of = (theme: "dark" | "bright") => JSON.stringify(vectorLayers("b", theme, new Set(["water"])));
    expect(of("dark")).not.toBe(of("bright"));
    expect(mapStyle("dark", true).glyphs).toBeUndefined();
  });
});

describe("the grid over a background", () => {
  it("is told from the map's own lines, and unchanged without one", () => {
    const grid = (has: boolean) => mapColours(has).find(([layer]) => layer === "grid")?.[2].bright;
    expect(grid(true)).toMatch(/^rgba/);
    expect(grid(false)).toMatch(/^#/);
    expect(mapColours(true).map(([layer]) => layer)).toEqual(mapColours(false).map(([layer]) => layer));
  });

  it("lies on tiles that are dim in the dark", () => {
    expect(RASTER_PAINT.dark["raster-brightness-max"]).toBeLessThan(0.6);
    expect(RASTER_PAINT.bright["raster-brightness-max"]).toBe(1);
  });
});
