/** What lies on the map beside the aircraft: what their cameras see of the ground, and what people marked. */

import { Marker, type GeoJSONSource, type Map as LibreMap } from "maplibre-gl";
import { h, setAttribute, setText } from "./dom";
import { timeOfDay } from "./format";
import { icon } from "./icons";
import { apart } from "./labels";
import type { Look, Mark } from "./marks/api";
import type { Marks } from "./marks/store";

export interface SeenGround {
  look: Look;
  main: boolean;
  old: boolean;
}

export class MapMarks {
  private readonly shown = new globalThis.Map<string, Marker>();
  private list: readonly Mark[] = [];
  private version = -1;
  private drawn = "[]";

  constructor(private readonly map: LibreMap) {
    map.on("zoom", () => this.makeRoom());
  }

  /** The footprints to draw now; one that is not among them is gone. */
  showGround(seen: readonly SeenGround[]): void {
    const features = seen.flatMap(({ look, main, old }) => {
      const [first] = look.corners;
      if (!first || look.corners.length < 3) return [];
      const geometry = { type: "Polygon" as const, coordinates: [[...look.corners, first]] };
      return [{ type: "Feature" as const, properties: { main, old }, geometry }];
    });
    const drawn = JSON.stringify(features);
    if (drawn === this.drawn) return; // setting data redraws the whole map
    const source = this.map.getSource<GeoJSONSource>("footprint");
    if (!source) return; // not loaded yet
    this.drawn = drawn;
    void source.setData({ type: "FeatureCollection", features });
  }

  showMarks(marks: Marks): void {
    if (marks.version === this.version) return;
    this.version = marks.version;
    const { list } = marks;
    this.list = list;
    const there = new Set(list.map(({ id }) => id));
    for (const [id, marker] of this.shown) {
      if (there.has(id)) continue;
      marker.remove();
      this.shown.delete(id);
    }
    for (const mark of list) this.showMark(mark);
    this.makeRoom();
  }

  /** Of texts that would lie on each other only the newest mark's stands; the list has them all. */
  makeRoom(): void {
    const texts = this.list.flatMap(({ id, lon_deg, lat_deg }) => {
      const text = this.shown.get(id)?.getElement().querySelector<HTMLElement>(".mark-text");
      if (!text) return [];
      const { x, y } = this.map.project([lon_deg, lat_deg]);
      return [{ text, box: { x, y, width: text.offsetWidth, height: text.offsetHeight } }];
    });
    const stand = apart(texts.map(({ box }) => box));
    texts.forEach(({ text }, i) => text.classList.toggle("crowded", !stand[i]));
  }

  private showMark(mark: Mark): void {
    const marker = this.shown.get(mark.id) ?? this.made(mark);
    const element = marker.setLngLat([mark.lon_deg, mark.lat_deg]).getElement();
    const texts = [mark.label || "--", [timeOfDay(mark.utc_ms), mark.by].filter(Boolean).join(" · ")];
    element.querySelectorAll(".mark-text > *").forEach((line, i) => setText(line, texts[i] ?? ""));
  }

  private made(mark: Mark): Marker {
    const text = h("span", { class: "mark-text" }, h("strong", {}), h("span", {}));
    const element = h("div", { class: "mark-symbol" }, icon("mark"), text);
    setAttribute(element, "data-mark", mark.id);
    const marker = new Marker({ element, anchor: "bottom" }).setLngLat([mark.lon_deg, mark.lat_deg]);
    this.shown.set(mark.id, marker.addTo(this.map));
    return marker;
  }
}
