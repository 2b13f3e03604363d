/** What our maps share: north up, the metre grid with its numbers at the edges, lines in a source of their style. */

import { Map as LibreMap, type GeoJSONSource, type StyleSpecification } from "maplibre-gl";
import { h } from "./dom";
import { grid, gridLabel, type Grid } from "./grid";
import type { LonLat } from "./track";

const EARTH_M = 40_075_016.686;
const TILE_PX = 512;

/** All of Germany, until there is something to show. Throws where the browser has no WebGL. */
export function northUpMap(container: HTMLElement, style: StyleSpecification): LibreMap {
  const map = new LibreMap({
    container,
    style,
    center: [10.5, 51.2],
    zoom: 5,
    maxPitch: 0,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: false,
    fadeDuration: 0,
    locale: { "Map.Title": "MapLibre" }, // what is around it is the "map", in the page's language
  });
  map.touchZoomRotate.disableRotation();
  return map;
}

export class MapGrid {
  private readonly labels = h("div", { class: "grid-labels", "aria-hidden": "true" });
  private key = "";

  constructor(
    private readonly map: LibreMap,
    container: HTMLElement,
  ) {
    container.append(this.labels);
  }

  /** For what is shown now; the map's style must have been loaded. */
  draw(): void {
    const bounds = this.map.getBounds();
    const metresPerPixel =
      (EARTH_M * Math.cos((this.map.getCenter().lat * Math.PI) / 180)) / (TILE_PX * 2 ** this.map.getZoom());
    const drawn = grid(
      { west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth() },
      metresPerPixel,
    );
    const lines = drawn?.lines ?? [];
    const key = `${drawn?.spacing_m} ${lines.at(0)?.metres} ${lines.at(-1)?.metres} ${lines.length}`;
    if (key !== this.key) setLines(this.map, "grid", lines);
    this.key = key;
    this.drawLabels(drawn);
  }

  private drawLabels(drawn: Grid | null): void {
    const { clientHeight } = this.map.getContainer();
    this.labels.replaceChildren(
      ...(drawn?.lines ?? []).flatMap(({ axis, metres, points }) => {
        const vertical = axis === "easting";
        const [first, last] = [points[0], points.at(-1)];
        if (!first || !last) return [];
        const { x, y } = this.map.project(vertical ? last : first);
        if (vertical ? x < 30 : y < 26 || y > clientHeight - 40) return []; // the corners stay free
        const style = vertical ? `left:${x.toFixed(1)}px;top:2px` : `left:2px;top:${y.toFixed(1)}px`;
        return [
          h("span", { class: `grid-label ${axis}`, style }, gridLabel(metres, drawn?.spacing_m ?? 1000)),
        ];
      }),
    );
  }
}

export function setLines(
  map: LibreMap,
  source: string,
  lines: readonly { points: LonLat[]; major?: boolean }[],
): void {
  void map.getSource<GeoJSONSource>(source)?.setData({
    type: "FeatureCollection",
    features: lines
      .filter(({ points }) => points.length > 1)
      .map(({ points, major = false }) => ({
        type: "Feature",
        properties: { major },
        geometry: { type: "LineString", coordinates: points },
      })),
  });
}
