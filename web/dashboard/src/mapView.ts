/** The drawn map: metre grid, track, home and aircraft, made of our own layers, above a background. */

import { type Map as LibreMap, Marker, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { MapConfig, Sample } from "./api";
import { h, setAttribute } from "./dom";
import { Background, type BackgroundEvents } from "./mapBackground";
import { MapGrid, northUpMap, setLines } from "./mapGrid";
import { MapMarks } from "./mapMarks";
import { mapColours, mapStyle, type Theme } from "./mapStyle";
import { aircraftSymbol, turnSymbol, type AircraftSymbol, type Wedge } from "./symbols";
import { hasPosition } from "./telemetry";
import { Track, type LonLat } from "./track";

setWorkerUrl(workerUrl);

const FIRST_ZOOM = 16;
const TRACK_EVERY_MS = 500; // each new line is a redraw of the whole map
const FREE_SHARE = 0.3; // the aircraft may leave the middle by this share of the view before the map follows

interface Tracked {
  symbol: AircraftSymbol;
  marker: Marker;
  home: Marker;
  homeShown: boolean;
  now: Marker; // the live place, while a past one is shown
  track: Track;
}

/** A place on the ground, degrees, WGS84. */
export interface Clicked {
  lat: number;
  lon: number;
}

export interface MapEvents extends BackgroundEvents {
  /** Somebody has clicked on the map itself. */
  click(place: Clicked): void;
  /** Somebody has moved the map. */
  drag(): void;
}

export class MapView {
  following = true;
  readonly marks: MapMarks;
  private readonly map: LibreMap;
  private readonly background: Background;
  private readonly hasBackground: boolean;
  private readonly grid: MapGrid;
  private readonly aircraft = new globalThis.Map<string, Tracked>();
  private placed = false;
  private ready = false;
  private trackDue: number | undefined;
  private spot: Marker | null = null;
  private flown: readonly LonLat[][] = [];

  /** Throws where the browser has no WebGL. */
  constructor(container: HTMLElement, theme: Theme, background: MapConfig, events: MapEvents) {
    this.hasBackground = background.kind !== "none";
    this.map = northUpMap(container, mapStyle(theme, this.hasBackground));
    this.map.keyboard.disable(); // the page's own keys
    this.map.addControl(new ScaleControl({ unit: "metric", maxWidth: 120 }), "bottom-left");
    this.map.on("dragstart", () => events.drag());
    this.map.on("click", ({ lngLat: { lat, lng: lon } }) => events.click({ lat, lon }));
    this.map.on("move", () => this.drawGrid());
    this.background = new Background(this.map, background, theme, events);
    this.map.on("load", () => {
      void this.background.add();
      this.ready = true;
      this.drawGrid();
      this.drawTracks();
    });
    this.grid = new MapGrid(this.map, container);
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

  showSpot(place: Clicked | null): void {
    this.spot?.remove();
    this.spot = place && new Marker({ element: h("div", { class: "spot-symbol" }) });
    if (place) this.spot?.setLngLat([place.lon, place.lat]).addTo(this.map);
  }

  showFlown(lines: readonly LonLat[][]): void {
    this.flown = lines;
    this.drawTracks();
  }

  /** Show an aircraft at its place; `main` is the one the map follows. */
  show(
    sample: Sample & { lat_deg: number; lon_deg: number },
    look: { old: boolean; main: boolean; label: string; home: string; view: Wedge | null; past: boolean },
    live: Sample | null, // where it is now
  ): void {
    const at: LonLat = [sample.lon_deg, sample.lat_deg];
    const tracked = this.tracked(sample.aircraft_id, at);
    tracked.marker.setLngLat(at);
    turnSymbol(tracked.symbol, sample, look);
    this.showHome(tracked, sample, look.home);
    this.showNow(tracked, look.past && hasPosition(live) ? [live.lon_deg, live.lat_deg] : null);
    const flown = look.past ? live : sample;
    if (hasPosition(flown) && tracked.track.add(flown.lon_deg, flown.lat_deg, flown.utc_ms))
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
      tracked.now.remove();
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
    const now = new Marker({ element: h("div", { class: "now-symbol" }), anchor: "center" });
    const tracked = { symbol, marker, home, homeShown: false, now, track: new Track() };
    this.aircraft.set(id, tracked);
    return tracked;
  }

  /** Small beside the past one, so that nobody takes that for the present. */
  private showNow({ now }: Tracked, at: LonLat | null): void {
    if (!at) return void now.remove();
    now.setLngLat(at);
    if (!now.getElement().isConnected) now.addTo(this.map);
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
    const seen = [...this.aircraft.values()].flatMap(({ track }) => track.lines);
    setLines(
      this.map,
      "track",
      [...this.flown, ...seen].map((points) => ({ points })),
    );
  }

  private drawGrid(): void {
    if (this.ready && this.placed) this.grid.draw(); // a grid anywhere would look like a place
  }
}
