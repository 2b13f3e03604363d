/** The map's own style: a plain ground, the metre grid, the track. No glyphs, no sprites; see mapBackground.ts. */

import type { StyleSpecification } from "maplibre-gl";

export type Theme = "dark" | "bright";
type Paint = "background-color" | "line-color" | "fill-color";

type Coloured = readonly (readonly [layer: string, property: Paint, colour: Record<Theme, string>])[];

const MAP_COLOURS: Coloured = [
  ["ground", "background-color", { dark: "#15191c", bright: "#f4f3ee" }],
  ["grid", "line-color", { dark: "#2c3338", bright: "#cfd2d0" }],
  ["grid-major", "line-color", { dark: "#46515a", bright: "#9aa1a3" }],
  // not blue: that is what people marked
  ["footprint-fill", "fill-color", { dark: "#eceff1", bright: "#14181b" }],
  ["footprint-outline", "line-color", { dark: "#000000", bright: "#ffffff" }],
  ["footprint", "line-color", { dark: "#eceff1", bright: "#14181b" }],
  ["track-outline", "line-color", { dark: "#000000", bright: "#ffffff" }],
  ["track", "line-color", { dark: "#e8eaed", bright: "#14181b" }],
];

/** Over a background the grid must be told from the lines of the map itself. */
const OVER_BACKGROUND: Record<string, Record<Theme, string>> = {
  grid: { dark: "rgba(190, 205, 215, 0.28)", bright: "rgba(20, 24, 27, 0.4)" },
  "grid-major": { dark: "rgba(205, 218, 226, 0.5)", bright: "rgba(20, 24, 27, 0.65)" },
};

/** Every coloured layer, for both themes. */
export const mapColours = (hasBackground: boolean): Coloured =>
  MAP_COLOURS.map(([layer, property, colour]) => [
    layer,
    property,
    (hasBackground && OVER_BACKGROUND[layer]) || colour,
  ]);

export function mapStyle(theme: Theme, hasBackground = false): StyleSpecification {
  const colours = mapColours(hasBackground);
  const colour = (layer: string): string => colours.find(([name]) => name === layer)?.[2][theme] ?? "#808080";
  const empty = { type: "geojson", data: { type: "FeatureCollection", features: [] } } as const;
  const line = (id: string, source: string, width: number): StyleSpecification["layers"][number] => ({
    id,
    type: "line",
    source,
    paint: { "line-color": colour(id), "line-width": width },
  });
  return {
    version: 8,
    sources: {
      grid: { ...empty, tolerance: 0 },
      footprint: { ...empty, tolerance: 0 },
      track: { ...empty, tolerance: 0.1 },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": colour("ground") } },
      line("grid", "grid", 1),
      {
        ...line("grid-major", "grid", 1.5),
        filter: ["get", "major"],
      } as StyleSpecification["layers"][number],
      ...footprint(colour),
      line("track-outline", "track", 5),
      line("track", "track", 2),
    ],
  };
}

/** Thin, and fainter where it is old or of the second picture. */
function footprint(colour: (layer: string) => string): StyleSpecification["layers"] {
  const faint = ["case", ["any", ["get", "old"], ["!", ["get", "main"]]], 0.45, 1];
  const [source, type] = ["footprint", "line"] as const;
  const opacity = { "line-opacity": faint as unknown as number };
  return [
    {
      id: "footprint-fill",
      type: "fill",
      source,
      paint: { "fill-color": colour("footprint-fill"), "fill-opacity": 0.07 },
    },
    {
      id: "footprint-outline",
      type,
      source,
      paint: { "line-color": colour("footprint-outline"), "line-width": 3, ...opacity },
    },
    {
      id: "footprint",
      type,
      source,
      paint: { "line-color": colour("footprint"), "line-width": 1.5, "line-dasharray": [4, 2], ...opacity },
    },
  ];
}
