/** An aircraft's telemetry on the pilot page: whether it arrives, where it is sent, and who else sends there. */

import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import { linkSentence } from "../sentences";
import { UnsecuredMark } from "../unsecured";
import type { PilotAircraft } from "./api";
import { telemetryWay } from "./parts";

export class TelemetryRow {
  private readonly mark = new UnsecuredMark();
  private readonly symbol = h("span", { class: "telemetry-symbol" });
  private readonly word = h("span", { class: "telemetry-word" });
  private readonly address = h("span", { class: "telemetry-address" });
  private readonly text = h("div", { class: "telemetry-text" });
  readonly element = h(
    "div",
    { class: "telemetry" },
    h("div", { class: "telemetry-line" }, this.symbol, this.word, this.address, this.mark.element),
    this.text,
  );

  show({ telemetry, feeds }: PilotAircraft, language: Language, serverReachable: boolean): void {
    this.element.hidden = telemetry === null;
    if (!telemetry) return;
    const { way, unsecured, state } = telemetry;
    const mood = !serverReachable ? "unknown" : state?.status === "live" ? "arrives" : "missing";
    if (this.element.dataset["verdict"] !== mood) {
      const shapes = { arrives: "arrives", missing: "lost", unknown: "waiting" } as const;
      this.symbol.replaceChildren(icon(shapes[mood]));
    }
    setAttribute(this.element, "data-verdict", mood);
    const words = {
      arrives: "pilot.telemetry_arrives",
      missing: "pilot.telemetry_missing",
      unknown: "pilot.unknown",
    } as const;
    setText(this.word, `${translate(language, "pilot.telemetry")} ${translate(language, words[mood])}`);
    const names = feeds.map(({ feed }) => feed);
    setText(this.address, telemetryWay(language, way, names));
    this.address.classList.toggle("words", way.protocol === "track");
    this.mark.show(language, { picture: null, telemetry: unsecured });
    const strangers = (state?.unassigned_system_ids ?? []).map((id) =>
      translate(language, "pilot.unassigned", { id }),
    );
    const known = serverReachable ? [linkSentence(language, state), ...strangers] : [];
    const sentences = known.filter((one) => one !== null);
    if (this.text.textContent !== sentences.join(""))
      this.text.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
  }
}
