/** The aircraft's position as text, UTMREF and degrees, each with a copy button. */

import { translate, type Key, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { icon } from "./icons";
import { degrees, utmref } from "./utmref";

const NOTED_MS = 2000;

class CopyField {
  private readonly label = h("span", { class: "position-label" });
  private readonly field = h("input", { class: "position-value", readonly: true, size: "20" });
  private readonly button: HTMLButtonElement;
  readonly element: HTMLElement;
  private language: Language = "de";
  private notedUntil = 0;

  constructor(
    private readonly key: Key,
    name: string,
  ) {
    this.field.dataset["position"] = name;
    this.button = h(
      "button",
      { type: "button", class: "copy", onclick: () => void this.copy() },
      icon("copy"),
    );
    this.element = h("label", { class: "position" }, this.label, this.field, this.button);
  }

  show(language: Language, value: string, old: boolean): void {
    this.language = language;
    if (performance.now() > this.notedUntil) setText(this.label, translate(language, this.key));
    setAttribute(
      this.button,
      "aria-label",
      `${translate(language, "map.copy")}: ${translate(language, this.key)}`,
    );
    setAttribute(this.button, "title", translate(language, "map.copy"));
    setAttribute(this.element, "data-freshness", value === "--" ? "unknown" : old ? "old" : "fresh");
    this.button.disabled = value === "--";
    // A value that somebody has selected to copy by hand must hold still.
    if (document.activeElement !== this.field && this.field.value !== value) this.field.value = value;
  }

  /** Without a secure context there is no clipboard: the field is selected instead, ready for Ctrl+C. */
  private async copy(): Promise<void> {
    const text = this.field.value;
    const copied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    if (!copied) {
      this.field.focus();
      this.field.select();
    }
    this.notedUntil = performance.now() + NOTED_MS;
    setText(this.label, translate(this.language, copied ? "map.copied" : "map.copy_by_hand"));
  }
}

export class PositionBar {
  private readonly utmref = new CopyField("map.utmref", "utmref");
  private readonly degrees = new CopyField("map.degrees", "degrees");
  readonly element = h("div", { class: "positions" }, this.utmref.element, this.degrees.element);

  show(language: Language, at: { lat_deg: number; lon_deg: number } | null, old: boolean): void {
    this.utmref.show(language, (at && utmref(at.lat_deg, at.lon_deg)) ?? "--", old);
    this.degrees.show(language, at ? degrees(at.lat_deg, at.lon_deg) : "--", old);
  }
}
