/** The map with its controls, position and notices; the drawing itself is loaded after the picture. */

import type { Feed, MapConfig, Sample, StatusText } from "./api";
import { translate, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { age, timeOfDay } from "./format";
import { icon, type IconName } from "./icons";
import type { Theme } from "./mapStyle";
import type { Clicked, MapView } from "./mapView";
import type { SeenGround } from "./mapMarks";
import type { Look } from "./marks/api";
import type { MarksPanel } from "./marks/panel";
import type { Marks } from "./marks/store";
import { lookFreshness, lookSentence } from "./marks/sentences";
import { PositionBar } from "./position";
import { warning } from "./sentences";
import type { Wedge } from "./symbols";
import type { LonLat } from "./track";
import { TrainingTag } from "./trainingMark";
import { groupAgeMs, hasPosition, STALE_MS } from "./telemetry";

/** What of a feed stands on the map. */
export type MappedFeed = Pick<Feed, "aircraft_id" | "aircraft_name" | "hfov_deg" | "training">;

export interface Watched {
  feed: MappedFeed;
  sample: Sample | null;
  linkTrouble: string | null;
  text: StatusText | null;
  look: Look | null;
  past: PastPlace | null;
}

/** The picture is of the recording: `sample` is of that moment. */
export interface PastPlace {
  utcMs: number;
  live: Sample | null; // where the aircraft is now
  isKnown: boolean; // false: the telemetry of that moment is being fetched
}

const EVERY_MS = 100; // ten places a second are enough for a map

export class MapPanel {
  private readonly canvas = h("div", { class: "map-canvas" });
  private readonly notice = h("p", { class: "map-notice", role: "status", hidden: true });
  private readonly lookText = h("p", { class: "map-look", hidden: true });
  private readonly unreachable = h("p", { class: "map-unreachable", role: "status", hidden: true });
  private readonly attribution = h("p", { class: "map-attribution", hidden: true });
  private readonly past = h("p", { class: "map-past", hidden: true });
  private readonly text = h("p", { class: "map-text", role: "status", hidden: true });
  private readonly elsewhere = h("p", { class: "map-elsewhere" }); // shown where the map has no room
  private readonly position = new PositionBar();
  private readonly training = new TrainingTag();
  private readonly controls: Record<"follow" | "zoom_in" | "zoom_out", HTMLButtonElement>;
  readonly element: HTMLElement;
  private view: MapView | null = null;
  private failed = false;
  private readonly clicked = new Set<(place: Clicked) => void>();
  private flown: readonly LonLat[][] = [];
  private shownAt = 0;

  constructor(
    private theme: Theme,
    private readonly marks: Marks,
    panel: MarksPanel | null,
    private readonly background: MapConfig,
  ) {
    const control = (name: IconName, act: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: "map-control", onclick: act }, icon(name));
    this.controls = {
      follow: control("follow", () => this.setFollowing(!this.view?.following)),
      zoom_in: control("plus", () => this.view?.zoomBy(1)),
      zoom_out: control("minus", () => this.view?.zoomBy(-1)),
    };
    const buttons = h(
      "div",
      { class: "map-controls" },
      panel && panel.button,
      ...Object.values(this.controls),
    );
    const over = [
      this.lookText,
      buttons,
      ...(panel ? [panel.element] : []),
      this.notice,
      this.unreachable,
      this.attribution,
      h("div", { class: "map-training" }, this.training.element),
    ];
    const area = h("div", { class: "map-area" }, this.canvas, ...over);
    this.element = h(
      "section",
      { class: "map-panel" },
      this.past,
      area,
      this.elsewhere,
      this.text,
      this.position.element,
    );
    new ResizeObserver(() => this.view?.resize()).observe(this.canvas);
  }

  async load(): Promise<void> {
    try {
      const { MapView } = await import("./mapView");
      this.view = new MapView(this.canvas, this.theme, this.background, {
        drag: () => this.setFollowing(false),
        click: (place) => this.clicked.forEach((listener) => listener(place)),
        reachable: (reachable) => {
          this.unreachable.hidden = reachable;
        },
        attribution: (text) => {
          this.attribution.hidden = text === "";
          setText(this.attribution, text);
        },
      });
      this.setFollowing(true);
      this.view.showFlown(this.flown);
    } catch {
      this.failed = true; // no WebGL; the text position below still works
      for (const button of Object.values(this.controls)) button.hidden = true;
    }
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.view?.setTheme(theme);
  }

  /** `watched[0]` is the main picture's aircraft. `serverMs` null: not known yet. */
  show(language: Language, watched: readonly Watched[], serverMs: number | null, now: number): void {
    if (now - this.shownAt < EVERY_MS) return;
    this.shownAt = now;
    const main = watched[0];
    const momentMs = momentOf(main, serverMs);
    const ageMs = main?.sample && momentMs !== null ? groupAgeMs(main.sample, "position", momentMs) : null;
    const old = ageMs !== null && ageMs > STALE_MS;
    const sample = main?.sample ?? null;
    this.label(language);
    this.training.show(
      language,
      watched.some(({ feed }) => feed.training),
    );
    this.position.show(language, hasPosition(sample) ? sample : null, old);
    this.showNotice(language, main, old ? ageMs : null);
    this.showPast(language, main?.past ?? null);
    this.showText(warning(language, main?.text ?? null, serverMs));
    this.showAircraft(language, watched, serverMs);
    this.showGround(language, watched, serverMs);
    this.showMarks();
  }

  /** What somebody has marked just now does not wait for the next place of the aircraft. */
  showMarks(): void {
    this.view?.marks.showMarks(this.marks);
  }

  /** Called for every click on the map itself. Returns what ends it. */
  onClick(listener: (place: Clicked) => void): () => void {
    this.clicked.add(listener);
    return () => this.clicked.delete(listener);
  }

  /** A place that something is asked about; null: none. */
  showSpot(place: Clicked | null): void {
    this.view?.showSpot(place);
  }

  /** The whole way of a flight that is over, in place of what has been seen of it. */
  showFlown(lines: readonly LonLat[][]): void {
    this.flown = lines;
    this.view?.showFlown(lines);
  }

  goTo(at: { lat_deg: number; lon_deg: number }): void {
    this.setFollowing(false);
    this.view?.goTo(at);
  }

  private showGround(language: Language, watched: readonly Watched[], serverMs: number | null): void {
    const seen = watched.flatMap((one, i): SeenGround[] => {
      const { sample, look } = one;
      const freshness = lookFreshness(sampleAgeMs(sample, momentOf(one, serverMs)));
      return look && freshness !== "gone" ? [{ look, main: i === 0, old: freshness === "old" }] : [];
    });
    this.view?.marks.showGround(seen);
    const main = seen.find((one) => one.main);
    const sentence = lookSentence(language, main && !main.old ? main.look : null);
    this.lookText.hidden = sentence === null;
    setText(this.lookText, sentence ?? "");
  }

  private showPast(language: Language, past: PastPlace | null): void {
    this.element.toggleAttribute("data-past", past !== null);
    this.past.hidden = past === null;
    setText(
      this.past,
      past
        ? translate(language, past.live ? "rewind.map" : "rewind.map_then", { time: timeOfDay(past.utcMs) })
        : "",
    );
  }

  private showText(text: string | null): void {
    this.text.hidden = text === null;
    setText(this.text, text ?? "");
  }

  private showAircraft(language: Language, watched: readonly Watched[], serverMs: number | null): void {
    const seen = new Set<string>();
    watched.forEach((one, i) => {
      const { feed, sample, look, past } = one;
      const momentMs = momentOf(one, serverMs);
      if (seen.has(feed.aircraft_id)) return; // its second camera
      seen.add(feed.aircraft_id);
      if (!hasPosition(sample)) {
        this.view?.markOld(feed.aircraft_id);
        return;
      }
      const ageMs = momentMs === null ? null : groupAgeMs(sample, "position", momentMs);
      const drawn = {
        main: i === 0,
        old: ageMs !== null && ageMs > STALE_MS,
        past: past !== null,
        label: feed.aircraft_name,
        home: translate(language, "map.home"),
        view: wedge(sample, look, feed.hfov_deg, momentMs),
      };
      this.view?.show(sample, drawn, past?.live ?? null);
    });
    this.view?.keepOnly(seen);
  }

  private showNotice(language: Language, main: Watched | undefined, oldMs: number | null): void {
    const text = this.noticeText(language, main, oldMs);
    this.notice.hidden = text === null;
    setText(this.notice, text ?? "");
  }

  private noticeText(language: Language, main: Watched | undefined, oldMs: number | null): string | null {
    if (this.failed) return translate(language, "map.no_webgl");
    if (!main || main.past?.isKnown === false) return null;
    if (main.linkTrouble && !main.past) return main.linkTrouble;
    if (!main.sample) return translate(language, "map.no_telemetry");
    if (!hasPosition(main.sample)) return translate(language, "map.no_fix");
    return oldMs === null ? null : translate(language, "map.old", { age: age(language, oldMs) });
  }

  private setFollowing(following: boolean): void {
    if (this.view) this.view.following = following;
    setAttribute(this.controls.follow, "aria-pressed", String(following));
  }

  private label(language: Language): void {
    for (const [name, button] of Object.entries(this.controls)) {
      const text = translate(language, `map.${name as keyof typeof this.controls}`);
      setAttribute(button, "aria-label", text);
      setAttribute(button, "title", text);
    }
    setAttribute(this.element, "aria-label", translate(language, "map"));
    setText(this.unreachable, translate(language, "map.unreachable"));
    setText(this.elsewhere, translate(language, "map.elsewhere"));
  }
}

/** The direction of view where that is all that is known; the footprint says it better. */
function wedge(
  sample: Sample,
  look: Look | null,
  hfovDeg: number | null,
  serverMs: number | null,
): Wedge | null {
  if (look && look.corners.length > 0) return null;
  if (lookFreshness(sampleAgeMs(sample, serverMs)) === "gone") return null;
  const { gimbal_yaw_deg: camera, gimbal_pitch_deg: tilt } = sample;
  const bearing = look ? look.bearing_deg : tilt !== null && tilt < -80 ? null : camera;
  return bearing === null ? null : { bearing_deg: bearing, hfov_deg: hfovDeg };
}

/** The moment that what is shown of an aircraft belongs to. */
const momentOf = (one: Watched | undefined, serverMs: number | null): number | null =>
  one?.past ? one.past.utcMs : serverMs;

const sampleAgeMs = (sample: Sample | null, serverMs: number | null): number | null =>
  sample === null || serverMs === null ? null : Math.max(0, serverMs - sample.utc_ms);
