/** What lies under the metre grid: somebody's tiles, or a package of the server's; without either, nothing. */

import type { LayerSpecification, Map as LibreMap } from "maplibre-gl";
import type { MapConfig } from "./api";
import { Backoff } from "./backoff";
import { RASTER_PAINT, vectorLayers } from "./backgroundStyle";
import type { Theme } from "./mapStyle";

const SOURCE = "background";
const UNDER = "grid"; // the first layer of our own: all of the background lies below it
const TILE_PX = 256;

export interface BackgroundEvents {
  /** Whether tiles come: in the field there is no internet. */
  reachable(reachable: boolean): void;
  /** What the map's owner wants said, as text. */
  attribution(text: string): void;
}

export class Background {
  private layers: LayerSpecification[] = [];
  private readonly backoff = new Backoff(1000, 30_000);
  private again: number | undefined; // the next try is due
  private names: ReadonlySet<string> = new Set(); // of a vector package's own layers

  constructor(
    private readonly map: LibreMap,
    private readonly config: MapConfig,
    private theme: Theme,
    private readonly events: BackgroundEvents,
  ) {
    events.attribution(config.attribution);
    map.on("error", (event) => {
      if ((event as { sourceId?: string }).sourceId === SOURCE) this.failed();
      else console.error(event.error);
    });
    map.on("data", (event) => {
      const { sourceId, tile } = event as { sourceId?: string; tile?: { state: string } };
      if (sourceId === SOURCE && tile?.state === "loaded") this.came();
    });
  }

  /** The map is loaded: lay it under. */
  async add(): Promise<void> {
    try {
      if (this.config.kind === "raster") this.addSource({ tiles: [this.config.url] });
      if (this.config.kind === "pmtiles") await this.addPackage();
    } catch {
      this.failed();
    }
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    if (this.layers.length > 0) this.draw();
  }

  /** Tiles that failed are not asked for again by the map itself: in the field the way to them comes and goes. */
  private failed(): void {
    this.events.reachable(false);
    this.again ??= window.setTimeout(() => {
      this.again = undefined;
      if (this.layers.length > 0) this.map.refreshTiles(SOURCE);
      else void this.add();
    }, this.backoff.nextMs());
  }

  private came(): void {
    this.events.reachable(true);
    this.backoff.reset();
  }

  /** The reader of packages is loaded only where there is one. */
  private async addPackage(): Promise<void> {
    const { openPackage } = await import("./mapPackage");
    const found = await openPackage(new URL(this.config.url, location.href).href);
    if (this.config.attribution === "") this.events.attribution(found.attribution);
    this.names = found.layers;
    this.addSource({ url: found.url });
  }

  private addSource(from: { tiles: string[] } | { url: string }): void {
    const { tiles: type, least_zoom: minzoom, most_zoom: maxzoom } = this.config;
    const zooms = { minzoom, maxzoom };
    if (type === "vector") this.map.addSource(SOURCE, { type, ...from, ...zooms });
    else this.map.addSource(SOURCE, { type, ...from, ...zooms, tileSize: TILE_PX });
    this.draw();
  }

  private draw(): void {
    for (const { id } of this.layers) this.map.removeLayer(id);
    this.layers =
      this.config.tiles === "vector"
        ? vectorLayers(SOURCE, this.theme, this.names)
        : [{ id: SOURCE, type: "raster", source: SOURCE, paint: RASTER_PAINT[this.theme] }];
    for (const layer of this.layers) this.map.addLayer(layer, UNDER);
  }
}
