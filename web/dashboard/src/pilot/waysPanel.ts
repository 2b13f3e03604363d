/** How a feed is reached: one protocol at a time, its address to type and copy, and as a QR code to scan. */

import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { HIDDEN, type ScannedWay, type Way } from "./api";
import { partsOf, protocolName } from "./parts";

const NOTED_MS = 2000;

export interface WaysView {
  language: Language;
  ways: readonly ScannedWay[];
  key: string | null; // the one that was just made
  off: (way: Way) => string; // why nobody can send by it just now; "" where somebody can
  encrypted: boolean; // SRT needs a passphrase as well
}

export class WaysPanel {
  private readonly tabs = h("div", { class: "way-tabs", role: "group" });
  private readonly heading = h("span", { class: "way-heading" });
  private readonly address = h("output", { class: "way-address" });
  private readonly copy = h("button", { type: "button", class: "button", onclick: () => void this.copyIt() });
  private readonly parts = h("dl", { class: "way-parts" });
  private readonly qr = h("img", { class: "way-qr" });
  private readonly note = h("p", { class: "way-note" });
  private readonly film = h("a", { class: "button film-link", target: "_blank", rel: "noopener" });
  readonly element = h(
    "div",
    { class: "ways" },
    this.tabs,
    h(
      "div",
      { class: "way" },
      h(
        "div",
        { class: "way-text" },
        this.heading,
        h("div", { class: "way-line" }, this.address, this.copy),
        this.parts,
        this.film,
        this.note,
      ),
      this.qr,
    ),
  );
  private chosen: Way["protocol"] | null = null; // null: the first, which is the best that is open
  private view: WaysView | null = null;
  private notedUntil = 0;

  show(view: WaysView): void {
    this.view = view;
    const { language, ways } = view;
    const scanned = ways.find(({ way }) => way.protocol === this.chosen) ?? ways[0];
    this.element.hidden = scanned === undefined;
    if (!scanned) return;
    const { way, qr } = scanned;
    this.showTabs(ways, way.protocol);
    const fetched = way.pulled;
    const heading = fetched
      ? "pilot.read_from"
      : way.protocol === "camera"
        ? "pilot.open_there"
        : "pilot.send_to";
    setText(this.heading, translate(language, heading));
    setText(this.address, this.printed(way.address));
    this.copy.hidden = fetched || way.address.includes(HIDDEN);
    if (performance.now() > this.notedUntil) setText(this.copy, translate(language, "pilot.copy"));
    this.showParts(way);
    this.showFilm(way);
    this.qr.hidden = qr === "";
    setAttribute(this.qr, "src", qr || null);
    setAttribute(this.qr, "alt", translate(language, "pilot.qr", { address: way.address }));
    setText(this.note, this.notes(way).join(" "));
    this.note.hidden = this.note.textContent === "";
  }

  private notes(way: Way): string[] {
    const { language, key, encrypted, off } = this.view as WaysView;
    const closed = way.protocol === "camera" && !way.local && !way.address.startsWith("https:");
    return [
      off(way),
      way.local && !way.pulled && translate(language, "pilot.local"),
      way.protocol === "whip" && translate(language, "pilot.whip_for"),
      way.protocol === "whip" && key !== null && translate(language, "pilot.token_in_qr"),
      way.protocol === "camera" && key !== null && !closed && translate(language, "pilot.camera_scan"),
      closed && translate(language, "pilot.camera_insecure"),
      encrypted && way.protocol === "srt" && !way.pulled && translate(language, "pilot.encrypted"),
    ].filter((note): note is string => Boolean(note));
  }

  private showTabs(ways: readonly ScannedWay[], shown: Way["protocol"]): void {
    const { language } = this.view as WaysView;
    const wanted = [language, ...ways.map(({ way }) => way.protocol)].join();
    this.tabs.hidden = ways.length < 2;
    if (this.tabs.dataset["ways"] !== wanted) {
      this.tabs.dataset["ways"] = wanted;
      this.tabs.replaceChildren(...ways.map(({ way }) => this.tab(way)));
    }
    [...this.tabs.children].forEach((tab, at) =>
      setAttribute(tab, "aria-pressed", String(ways[at]?.way.protocol === shown)),
    );
  }

  private tab(way: Way): HTMLElement {
    const { language } = this.view as WaysView;
    const choose = (): void => {
      this.chosen = way.protocol;
      if (this.view) this.show(this.view);
    };
    return h(
      "button",
      { type: "button", class: "way-tab", onclick: choose },
      protocolName(language, way.protocol),
    );
  }

  private showParts(way: Way): void {
    const { language, key } = this.view as WaysView;
    const parts = (way.pulled ? [] : partsOf(way, key ?? HIDDEN)).map(
      ([label, text]) => [translate(language, label), this.printed(text)] as const,
    );
    if (this.parts.textContent === parts.flat().join("")) return;
    this.parts.replaceChildren(...parts.flatMap(([label, text]) => [h("dt", {}, label), h("dd", {}, text)]));
  }

  /** The camera page of this very origin, whatever others call it. */
  private showFilm(way: Way): void {
    const { language, key } = this.view as WaysView;
    this.film.hidden = way.protocol !== "camera";
    if (this.film.hidden) return;
    const { pathname, hash } = new URL(way.address);
    setAttribute(this.film, "href", pathname + (key === null ? "" : hash));
    setText(this.film, translate(language, "pilot.camera_here"));
  }

  private printed(text: string): string {
    return text.replace(HIDDEN, translate((this.view as WaysView).language, "pilot.key_word"));
  }

  /** Without a secure context there is no clipboard: the address is selected instead. */
  private async copyIt(): Promise<void> {
    const language = this.view?.language ?? "de";
    const copied = await navigator.clipboard?.writeText(this.address.value).then(
      () => true,
      () => false,
    );
    if (!copied) getSelection()?.selectAllChildren(this.address);
    this.notedUntil = performance.now() + NOTED_MS;
    setText(this.copy, translate(language, copied ? "pilot.copied" : "pilot.copy_by_hand"));
  }
}
