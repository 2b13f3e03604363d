/** The one thin bar on top: name, the state of the main picture, tools. */

import { AccountMenu } from "./access/accountMenu";
import { me } from "./access/me";
import type { Config } from "./api";
import { Badge } from "./badge";
import { translate, type Key, type Language } from "./catalogue";
import type { Channel } from "./channel";
import { h, setAttribute, setText } from "./dom";
import { icon, type IconName } from "./icons";
import { Quality, type Fixed } from "./quality";
import { RecMark, recView, type RecView } from "./recMark";
import { nameBesideMark, TrainingTag } from "./trainingMark";
import { UnsecuredMark, type Openness } from "./unsecured";

export interface BarView {
  name: string;
  rec: RecView | null;
  training: boolean;
  hud: boolean;
  unsecured: Openness;
}

/** What the bar tells of the main picture; null: there is none. */
export function barView(
  config: Config,
  main: Channel | null,
  serverMs: number | null,
  hud: boolean,
): BarView {
  const { feed } = main ?? {};
  return {
    name: [me()?.incident?.name ?? config.title, feed?.aircraft_name, feed && nameBesideMark(feed)]
      .filter(Boolean)
      .join(" · "),
    rec: main && recView(main, config.recording, serverMs),
    training: feed?.training ?? false, // of the second picture, its own title says it
    unsecured: { picture: feed?.unsecured ?? null, telemetry: feed?.telemetry_unsecured ?? null },
    hud,
  };
}

export interface BarActions {
  hud(): void;
  language(): void;
  bright(): void;
  help(): void;
  leaveFull(): void;
  fix(fixed: Fixed | null): void;
}

export class Bar {
  readonly badge = new Badge(true);
  readonly account = new AccountMenu();
  private readonly unsecured = new UnsecuredMark();
  readonly quality: Quality;
  private readonly name = h("span", { class: "bar-name" });
  private readonly rec = new RecMark();
  private readonly training = new TrainingTag();
  private readonly languageText = h("span", { class: "language" });
  private readonly tools: readonly (readonly [HTMLButtonElement, Key, string])[];
  private readonly hudTool: HTMLButtonElement;
  readonly element: HTMLElement;

  constructor(does: BarActions) {
    const tool = (shape: IconName, kind: string, act: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: `tool ${kind}`, onclick: act }, icon(shape));
    const language = h(
      "button",
      { type: "button", class: "tool tool-language", onclick: () => does.language() },
      this.languageText,
    );
    this.hudTool = tool("hud", "tool-hud", () => does.hud());
    this.tools = [
      [this.hudTool, "do.hud", "H"],
      [tool("bright", "tool-bright", () => does.bright()), "do.bright", "B"],
      [language, "do.language", "L"],
      [tool("help", "tool-help", () => does.help()), "do.help", "?"],
      [tool("leave", "tool-leave", () => does.leaveFull()), "do.leave_full", "F"],
    ];
    this.quality = new Quality((fixed) => does.fix(fixed));
    const buttons = h(
      "div",
      { class: "tools" },
      ...this.tools.map(([button]) => button),
      this.account.element,
    );
    this.element = h(
      "header",
      { class: "bar" },
      h("span", { class: "brand" }, "LAGEBILD"),
      this.name,
      this.training.element,
      this.badge.element,
      this.unsecured.element,
      this.quality.element,
      this.rec.element,
      buttons,
      this.rec.sheet,
    );
  }

  show(language: Language, view: BarView): void {
    setText(this.name, view.name);
    this.rec.show(language, view.rec);
    this.account.show(language);
    this.training.show(language, view.training);
    this.unsecured.show(language, view.unsecured);
    setText(this.languageText, language === "de" ? "EN" : "DE");
    setAttribute(this.hudTool, "aria-pressed", String(view.hud));
    for (const [button, key, shortcut] of this.tools) {
      setAttribute(button, "aria-label", translate(language, key));
      setAttribute(button, "aria-keyshortcuts", shortcut);
      setAttribute(button, "title", `${translate(language, key)} (${shortcut})`);
    }
  }
}
