/** The drawn map: metre grid, track, home and aircraft, made of our own layers, above a background. */

import { Map as LibreMap, Marker, ScaleControl, setWorkerUrl, type GeoJSONSource } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { MapConfig, Sample } from "./api";
import { h, setAttribute } from "./dom";
import { Background, type BackgroundEvents } from "./mapBackground";
import { grid, gridLabel, type Grid } from "./grid";
import { MapMarks } from "./mapMarks";
import { mapColours, mapStyle, type Theme } from "./mapStyle";
import { aircraftSymbol, turnSymbol, type AircraftSymbol, type Wedge } from "./symbols";
import { Track, type LonLat } from "./track";

setWorkerUrl(workerUrl);

const EARTH_M = 40_075_016.686;
const TILE_PX = 512;
const FIRST_ZOOM = 16;
const TRACK_EVERY_MS = 500; // each new line is a redraw of the whole map
const FREE_SHARE = 0.3; // the aircraft may leave the middle by this share of the view before the map follows

interface Tracked {
  symbol: AircraftSymbol;
  marker: Marker;
  home: Marker;
  homeShown: boolean;
  track: Track;
}

export interface MapEvents extends BackgroundEvents {
  /** Somebody has moved the map. */
  drag(): void;
}

export class MapView {
  following = true;
  readonly marks: MapMarks;
  private readonly map: LibreMap;
  private readonly background: Background;
  private readonly hasBackground: boolean;
  private readonly labels = h("div", { class: "grid-labels", "aria-hidden": "true" });
  private readonly aircraft = new globalThis.Map<string, Tracked>();
  private gridKey = "";
  private placed = false;
  private ready = false;
  private trackDue: number | undefined;

  /** Throws where the browser has no WebGL. */
  constructor(container: HTMLElement, theme: Theme, background: MapConfig, events: MapEvents) {
    this.hasBackground = background.kind !== "none";
    this.map = new LibreMap({
      container,
      style: mapStyle(theme, this.hasBackground),
      center: [10.5, 51.2],
      zoom: 5,
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      attributionControl: false,
      fadeDuration: 0,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disable(); // the page's own keys
    this.map.addControl(new ScaleControl({ unit: "metric", maxWidth: 120 }), "bottom-left");
    this.map.on("dragstart", () => events.drag());
    this.map.on("move", () => this.drawGrid());
    this.background = new Background(this.map, background, theme, events);
    this.map.on("load", () => {
      void this.background.add();
      this.ready = true;
      this.drawGrid();
      this.drawTracks();
    });
    container.append(this.labels);
    this.marks = new MapMarks(this.map);
  }

  setTheme(theme: Theme): void {
    for (const [layer, property, colour] of mapColours(this.hasBackground)) {
      if (this.map.getLayer(layer)) this.map.setPaintProperty(layer, property, colour[theme]);
    }
    this.background.setTheme(theme);
  }

  goTo(at: { lat_deg: number; lon_deg: number }): void {
    this.map.jumpTo({ center: [at.lon_deg, at.lat_deg] });
  }

  zoomBy(step: number): void {
    this.map.jumpTo({ zoom: this.map.getZoom() + step });
  }

  /** Show an aircraft at its place; `main` is the one the map follows. */
  show(
    sample: Sample & { lat_deg: number; lon_deg: number },
    look: { old: boolean; main: boolean; label: string; home: string; view: Wedge | null },
  ): void {
    const at: LonLat = [sample.lon_deg, sample.lat_deg];
    const tracked = this.tracked(sample.aircraft_id, at);
    tracked.marker.setLngLat(at);
    turnSymbol(tracked.symbol, sample, look);
    this.showHome(tracked, sample, look.home);
    if (tracked.track.add(...at, sample.utc_ms))
      this.trackDue ??= window.setTimeout(() => this.drawTracks(), TRACK_EVERY_MS);
    if (look.main) this.follow(at);
  }

  /** The aircraft's last place stays, marked as old. */
  markOld(id: string): void {
    const symbol = this.aircraft.get(id)?.symbol;
    if (symbol) setAttribute(symbol.element, "data-freshness", "old");
  }

  /** Take aircraft off the map that are no longer watched. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const [id, tracked] of this.aircraft) {
      if (ids.has(id)) continue;
      tracked.marker.remove();
      tracked.home.remove();
      this.aircraft.delete(id);
      this.drawTracks();
    }
  }

  resize(): void {
    this.map.resize();
    this.drawGrid();
    this.marks.makeRoom();
  }

  private tracked(id: string, at: LonLat): Tracked {
    const known = this.aircraft.get(id);
    if (known) return known;
    const symbol = aircraftSymbol();
    const marker = new Marker({ element: symbol.element }).setLngLat(at).addTo(this.map);
    const home = new Marker({ element: h("div", { class: "home-symbol" }), anchor: "center" });
    const tracked = { symbol, marker, home, homeShown: false, track: new Track() };
    this.aircraft.set(id, tracked);
    return tracked;
  }

  private showHome(tracked: Tracked, { home }: Sample, label: string): void {
    if (!home) return;
    tracked.home.setLngLat([home.lon_deg, home.lat_deg]);
    setAttribute(tracked.home.getElement(), "data-label", label);
    if (!tracked.homeShown) tracked.home.addTo(this.map);
    tracked.homeShown = true;
  }

  private follow(at: LonLat): void {
    if (!this.placed) {
      this.placed = true;
      this.map.jumpTo({ center: at, zoom: FIRST_ZOOM });
      this.drawGrid();
    } else if (this.following && this.hasLeftTheMiddle(at)) {
      this.map.jumpTo({ center: at });
    }
  }

  /** The map stands still while the aircraft moves, and jumps after it only when it nears the edge. */
  private hasLeftTheMiddle(at: LonLat): boolean {
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const { x, y } = this.map.project(at);
    return Math.abs(x - width / 2) > width * FREE_SHARE || Math.abs(y - height / 2) > height * FREE_SHARE;
  }

  private drawTracks(): void {
    window.clearTimeout(this.trackDue);
    this.trackDue = undefined;
    if (!this.ready) return;
    this.setLines(
      "track",
      [...this.aircraft.values()].flatMap(({ track }) => track.lines.map((points) => ({ points }))),
    );
  }

  private drawGrid(): void {
    if (!this.ready || !this.placed) return; // a grid anywhere would look like a place
    const bounds = this.map.getBounds();
    const metresPerPixel =
      (EARTH_M * Math.cos((this.map.getCenter().lat * Math.PI) / 180)) / (TILE_PX * 2 ** this.map.getZoom());
    const drawn = grid(
      { west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth() },
      metresPerPixel,
    );
    const lines = drawn?.lines ?? [];
    const key = `${drawn?.spacing_m} ${lines.at(0)?.metres} ${lines.at(-1)?.metres} ${lines.length}`;
    if (key !== this.gridKey) this.setLines("grid", lines);
    this.gridKey = key;
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

  private setLines(source: string, lines: readonly { points: LonLat[]; major?: boolean }[]): void {
    void this.map.getSource<GeoJSONSource>(source)?.setData({
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
}
