/** The recording in the bar: what is being kept of this aircraft's flight; a tap tells why, and switches it. */

import { may } from "./access/me";
import type { StorageState } from "./api";
import type { Channel } from "./channel";
import { translate, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { icon, type IconName } from "./icons";
import { keepPersonName, personName } from "./person";
import {
  flightTime,
  recKind,
  recSentences,
  recShort,
  storageSentence,
  type RecKind,
  type Seen,
} from "./recState";
import { send } from "./requests";

export interface RecView extends Seen {
  aircraftId: string;
  aircraftName: string;
  storage: StorageState | null;
}

/** What of a picture's flight is being kept; null: an exercise never is. */
export function recView(channel: Channel, enabled: boolean, serverMs: number | null): RecView | null {
  const { feed, recording, storage, serverReachable: reachable } = channel;
  if (feed.training) return null;
  const { aircraft_id: aircraftId, aircraft_name: aircraftName } = feed;
  return { aircraftId, aircraftName, recording, storage, enabled, reachable, serverMs };
}

const SYMBOLS: Record<RecKind, IconName> = {
  recording: "rec",
  ready: "waiting",
  off: "lost",
  failed: "warning",
  unknown: "waiting",
};

export class RecMark {
  private readonly symbol = h("span", { class: "rec-symbol" });
  private readonly long = h("span", { class: "rec-long" });
  private readonly short = h("span", { class: "rec-short", "aria-hidden": "true" });
  readonly element = h(
    "button",
    { type: "button", class: "rec", hidden: true, onclick: () => this.open() },
    this.symbol,
    this.long,
    this.short,
  );
  private readonly title = h("h2");
  private readonly close = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.sheet.close() },
    icon("close"),
  );
  private readonly sentences = h("div", { role: "status" });
  private readonly storage = h("p");
  private readonly by = h("input", { class: "field", maxlength: 80, autocomplete: "name" });
  private readonly on = h("button", { type: "submit", class: "button" });
  private readonly off = h("button", { type: "submit", class: "button" });
  private readonly trouble = h("p", { class: "trouble", role: "alert" });
  private readonly list = h("a", { class: "help-link", href: "/flights" });
  private readonly form = h("form", { class: "fields" }, this.by, this.on, this.off);
  readonly sheet = h(
    "dialog",
    { class: "help" },
    h("header", {}, this.title, this.close),
    this.sentences,
    this.storage,
    this.form,
    this.trouble,
    this.list,
  );
  private kind: RecKind | null = null;
  private view: RecView | null = null;
  private language: Language = "de";

  constructor() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.switch(event.submitter === this.on);
    });
  }

  /** null: nothing is watched that could be recorded. */
  show(language: Language, view: RecView | null): void {
    this.language = language;
    this.view = view;
    const kind = view && recKind(view);
    this.element.hidden = kind === null;
    if (view && kind) this.showMark(language, kind, flightTime(view), recShort(language, view));
    if (!this.sheet.open) return;
    if (view) this.fill(view);
    else this.sheet.close();
  }

  private showMark(language: Language, kind: RecKind, time: string, what: string): void {
    if (kind !== this.kind) this.symbol.replaceChildren(icon(SYMBOLS[kind]));
    this.kind = kind;
    setAttribute(this.element, "data-rec", kind);
    setText(this.long, translate(language, `rec.${kind}`, { time, what }).trim());
    const partly = kind === "recording" && what !== translate(language, "rec.what.pictures_telemetry");
    setText(this.short, partly ? what : translate(language, `rec.short_${kind}`, { time }));
    setAttribute(
      this.element,
      "title",
      translate(language, "rec.title", { name: this.view?.aircraftName ?? "" }),
    );
  }

  private open(): void {
    if (!this.view) return;
    this.by.value = personName();
    setText(this.trouble, "");
    this.fill(this.view);
    this.sheet.showModal();
  }

  private fill(view: RecView): void {
    const { language } = this;
    const title = translate(language, "rec.title", { name: view.aircraftName });
    setText(this.title, title);
    setAttribute(this.sheet, "aria-label", title);
    setAttribute(this.close, "aria-label", translate(language, "do.close"));
    setAttribute(this.by, "placeholder", translate(language, "rec.name"));
    setAttribute(this.by, "aria-label", translate(language, "rec.name"));
    setText(this.on, translate(language, "rec.switch_on"));
    setText(this.off, translate(language, "rec.switch_off"));
    this.on.hidden = view.recording?.status !== "off";
    this.off.hidden = view.recording?.reason === "switched_off";
    setText(this.list, translate(language, "flights.title"));
    this.list.hidden = !may("review");
    const sentences = recSentences(language, view);
    if (this.sentences.textContent !== sentences.join(""))
      this.sentences.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
    this.storage.hidden = view.storage === null || !view.reachable;
    setText(this.storage, view.storage ? storageSentence(language, view.storage) : "");
    this.form.hidden = !may("keep") || !view.enabled || !view.reachable || view.recording === null;
  }

  private async switch(on: boolean): Promise<void> {
    const by = this.by.value.trim();
    setText(this.trouble, by ? "" : translate(this.language, "rec.name_missing"));
    if (!by) this.by.focus();
    if (!this.view || !by) return;
    keepPersonName(by);
    this.on.disabled = this.off.disabled = true;
    try {
      const id = encodeURIComponent(this.view.aircraftId);
      await send("PUT", `/api/v1/aircraft/${id}/recording`, { on, by });
    } catch {
      setText(this.trouble, translate(this.language, "rec.switch_failed"));
    }
    this.on.disabled = this.off.disabled = false;
  }
}
