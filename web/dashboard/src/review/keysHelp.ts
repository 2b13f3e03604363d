/** The keys of the page. */

import { translate, type Key, type Language } from "../catalogue";
import { h } from "../dom";
import { icon } from "../icons";

const KEYS: readonly (readonly [key: string, text: Key])[] = [
  ["␣ K", "player.key.play"],
  ["←  → J", "player.key.ten"],
  [",  .", "player.key.picture"],
  ["↑  ↓", "player.key.speed"],
  ["Home  End", "player.key.ends"],
  ["I  O  N", "player.key.select"],
  ["1–9", "help.choose"],
  ["S", "do.swap"],
  ["F", "do.full"],
  ["H", "do.hud"],
  ["M", "map"],
  ["P", "do.photo"],
  ["L", "do.language"],
  ["B", "do.bright"],
  ["?", "do.help"],
];

export class KeysHelp {
  readonly element = h("dialog", { class: "help" });

  toggle(language: Language): void {
    if (this.element.open) return this.element.close();
    const close = h(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": translate(language, "do.close"),
        onclick: () => this.element.close(),
      },
      icon("close"),
    );
    const keys = KEYS.flatMap(([key, text]) => [
      h("dt", {}, h("kbd", {}, key)),
      h("dd", {}, translate(language, text)),
    ]);
    const title = translate(language, "help.keys");
    this.element.setAttribute("aria-label", title);
    this.element.replaceChildren(
      h("header", {}, h("h2", {}, title), close),
      h("p", { class: "help-audio" }, translate(language, "help.audio")),
      h("dl", { class: "help-keys" }, ...keys),
    );
    this.element.showModal();
  }
}
