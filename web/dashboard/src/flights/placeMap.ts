/** The map on which flights are looked for: a dot for each that is listed, and a circle to look in. */

import { type Map as LibreMap, Marker, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { MapConfig } from "../api";
import { h } from "../dom";
import { Background, type BackgroundEvents } from "../mapBackground";
import { MapGrid, northUpMap, setLines } from "../mapGrid";
import { mapColours, mapStyle, type Theme } from "../mapStyle";
import type { LonLat } from "../track";
import { circle, type Circle } from "./place";

setWorkerUrl(workerUrl);

const NEAR_ZOOM = 13;
const PADDING_PX = 40;

export class PlaceMap {
  private readonly map: LibreMap;
  private readonly background: Background;
  private readonly grid: MapGrid;
  private dots: Marker[] = [];
  private drawnDots = "";
  private circle: Circle | null = null;
  private ready = false;
  private placed = false;

  /** `picked`: somebody tapped there. Throws where the browser has no WebGL. */
  constructor(
    container: HTMLElement,
    theme: Theme,
    private readonly config: MapConfig,
    events: BackgroundEvents,
    picked: (lat_deg: number, lon_deg: number) => void,
  ) {
    const hasBackground = config.kind !== "none";
    this.map = northUpMap(container, mapStyle(theme, hasBackground));
    this.map.addControl(new ScaleControl({ unit: "metric", maxWidth: 120 }), "bottom-left");
    this.grid = new MapGrid(this.map, container);
    this.background = new Background(this.map, config, theme, events);
    this.map.on("move", () => this.drawGrid());
    this.map.on("click", ({ lngLat }) => picked(lngLat.lat, lngLat.wrap().lng));
    this.map.on("load", () => {
      void this.background.add();
      this.ready = true;
      this.drawGrid();
      this.look(this.circle);
    });
  }

  setTheme(theme: Theme): void {
    for (const [layer, property, colour] of mapColours(this.config.kind !== "none")) {
      if (this.map.getLayer(layer)) this.map.setPaintProperty(layer, property, colour[theme]);
    }
    this.background.setTheme(theme);
  }

  /** Flights that are listed. The first ones bring the map to where they are. */
  show(places: readonly LonLat[]): void {
    const drawn = JSON.stringify(places);
    if (drawn === this.drawnDots) return;
    this.drawnDots = drawn;
    this.dots.forEach((dot) => dot.remove());
    this.dots = places.map((at) =>
      new Marker({ element: h("div", { class: "flight-dot" }) }).setLngLat(at).addTo(this.map),
    );
    if (this.placed || places.length === 0) return;
    this.placed = true;
    this.go(places);
  }

  /** The circle that flights are looked for in; null: everywhere. */
  look(within: Circle | null): void {
    this.circle = within;
    if (this.ready) setLines(this.map, "track", within ? [{ points: circle(within) }] : []);
  }

  zoomBy(step: number): void {
    this.map.jumpTo({ zoom: this.map.getZoom() + step });
  }

  private drawGrid(): void {
    if (this.ready) this.grid.draw();
  }

  private go(places: readonly LonLat[]): void {
    const [lons, lats] = [places.map(([lon]) => lon), places.map(([, lat]) => lat)];
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
      padding: PADDING_PX,
      maxZoom: NEAR_ZOOM,
      animate: false,
    });
  }
}
