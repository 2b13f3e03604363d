/** How a feed is reached: one protocol at a time, its address to type and copy, and as a QR code to scan. */

import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { HIDDEN, type ScannedWay, type Way } from "./api";
import { PROTOCOL_NAMES, partsOf } from "./parts";

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
    setText(this.heading, translate(language, fetched ? "pilot.read_from" : "pilot.send_to"));
    setText(this.address, this.printed(way.address));
    this.copy.hidden = fetched || way.address.includes(HIDDEN);
    if (performance.now() > this.notedUntil) setText(this.copy, translate(language, "pilot.copy"));
    this.showParts(way);
    this.qr.hidden = qr === "";
    setAttribute(this.qr, "src", qr || null);
    setAttribute(this.qr, "alt", translate(language, "pilot.qr", { address: way.address }));
    setText(this.note, this.notes(way).join(" "));
    this.note.hidden = this.note.textContent === "";
  }

  private notes(way: Way): string[] {
    const { language, key, encrypted, off } = this.view as WaysView;
    return [
      off(way),
      way.local && !way.pulled && translate(language, "pilot.local"),
      way.protocol === "whip" && key !== null && translate(language, "pilot.token_apart"),
      encrypted && way.protocol === "srt" && !way.pulled && translate(language, "pilot.encrypted"),
    ].filter((note): note is string => Boolean(note));
  }

  private showTabs(ways: readonly ScannedWay[], shown: Way["protocol"]): void {
    const wanted = ways.map(({ way }) => way.protocol).join();
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
    const choose = (): void => {
      this.chosen = way.protocol;
      if (this.view) this.show(this.view);
    };
    return h("button", { type: "button", class: "way-tab", onclick: choose }, PROTOCOL_NAMES[way.protocol]);
  }

  private showParts(way: Way): void {
    const { language, key } = this.view as WaysView;
    const parts = (way.pulled ? [] : partsOf(way, key ?? HIDDEN)).map(
      ([label, text]) => [translate(language, label), this.printed(text)] as const,
    );
    if (this.parts.textContent === parts.flat().join("")) return;
    this.parts.replaceChildren(...parts.flatMap(([label, text]) => [h("dt", {}, label), h("dd", {}, text)]));
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
