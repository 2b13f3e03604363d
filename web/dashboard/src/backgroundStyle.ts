/**
 * How a background looks: quiet, so that grid, track and aircraft stay above it, and dark where the page is.
 * The layers' names are those of OpenMapTiles and of Protomaps' basemap; what a package has not is not drawn.
 */

import type { LayerSpecification, RasterLayerSpecification } from "maplibre-gl";
import type { Theme } from "./mapStyle";

export const RASTER_PAINT: Record<Theme, NonNullable<RasterLayerSpecification["paint"]>> = {
  dark: { "raster-brightness-max": 0.42, "raster-saturation": -0.45, "raster-contrast": 0 },
  bright: { "raster-brightness-max": 1, "raster-saturation": -0.15, "raster-contrast": 0 },
};

type Colours = Record<
  "water" | "green" | "built" | "building" | "road" | "way" | "border" | "text" | "halo",
  string
>;

const COLOURS: Record<Theme, Colours> = {
  dark: {
    water: "#1d3242",
    green: "#1a241d",
    built: "#1b2024",
    building: "#2b3238",
    road: "#4a545c",
    way: "#343c42",
    border: "#6b5a78",
    text: "#b4bfc7",
    halo: "#15191c",
  },
  bright: {
    water: "#a9cfe6",
    green: "#dcebd2",
    built: "#eceae4",
    building: "#d3ccc2",
    road: "#ffffff",
    way: "#d8d2c8",
    border: "#9d7fae",
    text: "#2a3238",
    halo: "#ffffff",
  },
};

/** Wider as one comes nearer, about as wide as it is from zoom 17 on. */
const growing = (
  at12: number,
  at18: number,
): ["interpolate", ["exponential", number], ["zoom"], ...number[]] => [
  "interpolate",
  ["exponential", 1.5],
  ["zoom"],
  12,
  at12,
  18,
  at18,
];

const AREAS: readonly (readonly [name: string, colour: keyof Colours])[] = [
  ["landcover", "green"],
  ["landuse", "built"],
  ["park", "green"],
  ["water", "water"],
  ["building", "building"],
  ["buildings", "building"],
];
const WAYS: readonly (readonly [name: string, colour: keyof Colours, at12: number, at18: number])[] = [
  ["waterway", "water", 1, 6],
  ["transportation", "road", 1, 10],
  ["roads", "road", 1, 10],
  ["boundary", "border", 1, 2],
  ["boundaries", "border", 1, 2],
];
const NAMED_AREAS = ["place", "places"];
const NAMED_WAYS = ["transportation_name", "roads"];
const GREEN = ["forest", "wood", "park", "grass", "meadow", "orchard", "cemetery", "nature_reserve"];

/** The layers of a vector package, of those that it has. Their letters are drawn by the browser: no glyphs. */
export function vectorLayers(source: string, theme: Theme, has: ReadonlySet<string>): LayerSpecification[] {
  const colours = COLOURS[theme];
  const id = (kind: string, name: string): string => `${source}-${kind}-${name}`;
  const areas = AREAS.filter(([name]) => has.has(name)).map(([name, colour]): LayerSpecification => ({
    id: id("area", name),
    type: "fill",
    source,
    "source-layer": name,
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: {
      "fill-color":
        name === "landuse"
          ? [
              "match",
              ["coalesce", ["get", "class"], ["get", "kind"], ""],
              GREEN,
              colours.green,
              colours[colour],
            ]
          : colours[colour],
    },
  }));
  const ways = WAYS.filter(([name]) => has.has(name)).flatMap(
    ([name, colour, at12, at18]): LayerSpecification[] => {
      const line = (kind: string, shade: string, wider: number): LayerSpecification => ({
        id: id(kind, name),
        type: "line",
        source,
        "source-layer": name,
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": shade, "line-width": growing(at12 + wider, at18 + 2 * wider) },
      });
      const plain = line("way", colours[colour], 0);
      return colour === "road" ? [line("casing", colours.way, 1), plain] : [plain];
    },
  );
  const label = (name: string, along: boolean): LayerSpecification => ({
    id: id("label", name),
    type: "symbol",
    source,
    "source-layer": name,
    filter: ["has", "name"],
    layout: {
      "text-field": ["get", "name"],
      "text-size": along ? 12 : 15,
      "symbol-placement": along ? "line" : "point",
    },
    paint: { "text-color": colours.text, "text-halo-color": colours.halo, "text-halo-width": 1.5 },
  });
  return [
    ...areas,
    ...ways,
    ...NAMED_WAYS.filter((name) => has.has(name)).map((name) => label(name, true)),
    ...NAMED_AREAS.filter((name) => has.has(name)).map((name) => label(name, false)),
  ];
}
