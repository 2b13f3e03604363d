/** Help and details: keys, what the ages mean, that there is no sound, and each watched feed's particulars. */

import { may, mayRewind } from "./access/me";
import type { Feed } from "./api";
import { translate, type Key, type Language } from "./catalogue";
import { h } from "./dom";
import { number } from "./format";
import { icon } from "./icons";
import { notes } from "./sentences";
import { treatments } from "./treatment";

const KEYS: readonly (readonly [key: string, text: Key])[] = [
  ["1–9", "help.choose"],
  ["S", "do.swap"],
  ["F", "do.full"],
  ["H", "do.hud"],
  ["M", "map"],
  ["P", "do.photo"],
  ["←  →  ␣  End", "rewind.keys"],
  ["L", "do.language"],
  ["B", "do.bright"],
  ["?", "do.help"],
];

export interface HelpActions {
  language(): void;
  bright(): void;
  me(): void;
}

export class Help {
  readonly element = h("dialog", { class: "help" });

  constructor(private readonly does: HelpActions) {}

  open(language: Language, version: string, feeds: readonly Feed[]): void {
    const say = (key: Key, values?: Record<string, string | number>): string =>
      translate(language, key, values);
    const close = h(
      "button",
      { type: "button", class: "tool", "aria-label": say("do.close"), onclick: () => this.element.close() },
      icon("close"),
    );
    const tool = (key: Key, act: () => void): HTMLElement =>
      h("button", { type: "button", class: "button", onclick: act }, say(key));
    const keys = KEYS.filter(([, text]) => text !== "rewind.keys" || mayRewind()).flatMap(([key, text]) => [
      h("dt", {}, h("kbd", {}, key)),
      h("dd", {}, say(text)),
    ]);
    this.element.setAttribute("aria-label", say("help.title"));
    this.element.replaceChildren(
      h("header", {}, h("h2", {}, say("help.title")), close),
      h(
        "div",
        { class: "help-tools" },
        tool("do.language", () => this.does.language()),
        tool("do.bright", () => this.does.bright()),
        tool("me.title", () => this.does.me()),
      ),
      h("p", { class: "help-audio" }, say("help.audio")),
      h("p", {}, say("help.age")),
      ...(may("mark") ? [h("p", {}, say("help.mark"))] : []),
      h(
        "p",
        { class: "help-links" },
        may("connect") && h("a", { href: "/pilot", class: "help-link" }, say("pilot.title")),
        may("review") && h("a", { href: "/flights", class: "help-link" }, say("flights.title")),
        h("a", { href: "/privacy", class: "help-link" }, say("privacy.title")),
      ),
      h("h3", {}, say("help.keys")),
      h("dl", { class: "help-keys" }, ...keys),
      ...feeds.flatMap((feed) => particulars(feed, language)),
      h("p", { class: "help-version" }, say("help.version", { version })),
    );
    if (!this.element.open) this.element.showModal();
  }
}

function particulars(feed: Feed, language: Language): HTMLElement[] {
  const { aircraft_name, name, state } = feed;
  const lines = [...treatments(language, feed), ...notes(language, state)];
  const { config } = state;
  if (config) {
    lines.push(
      translate(language, "help.picture", {
        codec: config.codec.toUpperCase().replace("H26", "H.26"),
        width: config.width_px,
        height: config.height_px,
        fps: state.fps === null ? "--" : number(language, state.fps, 1),
        rate: state.bitrate_bps === null ? "--" : number(language, state.bitrate_bps / 1e6, 1),
      }),
    );
  }
  const { pictures, lost_packets: lost, damaged, restarts } = state;
  lines.push(translate(language, "help.counters", { pictures, lost, damaged, restarts }));
  const technical = [state.address, state.detail].filter(Boolean);
  return [
    h("h3", {}, `${aircraft_name} · ${name}`),
    ...lines.map((line) => h("p", {}, line)),
    ...technical.map((line) => h("p", { class: "technical" }, line)),
  ];
}
