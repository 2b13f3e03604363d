/** The order of an export: which stretch, cameras and forms, what is blurred, and what the Flugbuch asks for. */

import { translate, type Key, type Language } from "../../catalogue";
import { h, setAttribute, setText } from "../../dom";
import { checkField, personField, selectField, textField } from "../../flights/ask";
import { refused } from "../../flights/sentences";
import { keepPersonName } from "../../person";
import type { Span } from "../../rewind/api";
import { refusalCode } from "../../requests";
import { stillUrl } from "../panel/api";
import { selectionWords } from "../panel/line";
import type { ReviewDeck } from "../reviewDeck";
import { orderExport, PARTS, type Region } from "./api";
import { lack, orderOf, USUAL_PARTS } from "./order";
import { RegionEditor } from "./regions";

const LOGBOOK = ["number", "pilot", "place", "remarks"] as const;
const OPTIONAL = { required: null };

export class ExportDialog {
  private readonly title = h("h2");
  private readonly body = h("div", { class: "asked-all" });
  private readonly trouble = h("p", { class: "trouble", role: "alert" });
  private readonly no = h("button", {
    type: "button",
    class: "button",
    onclick: () => this.element.close(),
  });
  private readonly yes = h("button", { type: "submit", class: "button strong" });
  private readonly form = h(
    "form",
    {},
    this.title,
    this.body,
    this.trouble,
    h("div", { class: "buttons" }, this.no, this.yes),
  );
  readonly element = h("dialog", { class: "help question export-dialog" }, this.form);
  private readonly regions = new Map<string, readonly Region[]>();
  private readonly editor = new RegionEditor((regions) => this.keep(regions));
  private readonly camera = h("select", { class: "field", onchange: () => this.edit() });
  private language: Language = "de";
  private selection: Span | null = null;

  /** `ordered`: there is one more. */
  constructor(
    private readonly deck: ReviewDeck,
    private readonly ordered: () => void,
  ) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  /** `selection` null: nothing is selected, so it is all of the flight. */
  open(language: Language, selection: Span | null): void {
    [this.language, this.selection] = [language, selection];
    this.regions.clear();
    const say = (key: Key): string => translate(language, key);
    setText(this.title, say("export.title"));
    setAttribute(this.element, "aria-label", say("export.title"));
    setText(this.no, say("pilot.cancel"));
    setText(this.yes, say("export.order"));
    setText(this.trouble, "");
    this.body.replaceChildren(
      this.rangeField(),
      this.group("export.cameras", ...this.filmed.map(({ id, name }) => checkField("feeds", name, id, true))),
      this.partsField(),
      this.regionsField(),
      this.logbookField(),
      personField(language),
    );
    this.element.showModal();
  }

  private get filmed(): { id: string; name: string }[] {
    return this.deck.flight.feeds.filter(({ pictures }) => pictures > 0);
  }

  private rangeField(): HTMLElement {
    const { language, selection } = this;
    const all = translate(language, "export.whole");
    if (!selection)
      return h("p", { class: "export-hint" }, `${all}. ${translate(language, "export.select_how")}`);
    const ranges = [
      ["selection", selectionWords(language, selection)],
      ["whole", all],
    ] as const;
    return selectField(language, "range", "export.range", ranges, "selection");
  }

  private partsField(): HTMLElement {
    const { language } = this;
    const boxes = PARTS.map((part) =>
      checkField("parts", translate(language, `export.part.${part}`), part, USUAL_PARTS.includes(part)),
    );
    return this.group("export.parts", ...boxes);
  }

  /** A still is fetched only once somebody wants to draw on it. */
  private regionsField(): HTMLElement {
    const { language, filmed } = this;
    const names = filmed.map(({ id, name }) => h("option", { value: id }, name));
    this.camera.replaceChildren(...names);
    setAttribute(this.camera, "aria-label", translate(language, "export.regions_camera"));
    this.camera.value = this.deck.main;
    this.camera.hidden = filmed.length < 2;
    const fold = h(
      "details",
      { class: "export-fold" },
      h("summary", {}, translate(language, "export.regions")),
      h("p", { class: "export-hint" }, translate(language, "export.regions_ts")),
      this.camera,
      this.editor.element,
    );
    fold.addEventListener("toggle", () => fold.open && this.edit());
    fold.hidden = filmed.length === 0;
    return fold;
  }

  private edit(): void {
    const feed = this.filmed.find(({ id }) => id === this.camera.value) ?? this.filmed[0];
    if (!feed) return;
    const { flight, momentMs } = this.deck;
    const url = stillUrl(flight.id, feed.id, momentMs ?? flight.started_ms);
    this.editor.open(this.language, feed.name, url, this.regions.get(feed.id) ?? []);
  }

  private keep(regions: readonly Region[]): void {
    this.regions.set(this.camera.value, regions);
  }

  private logbookField(): HTMLElement {
    const { language } = this;
    return h(
      "details",
      { class: "export-fold" },
      h("summary", {}, translate(language, "export.logbook")),
      ...LOGBOOK.map((name) => textField(language, name, `export.logbook.${name}`, "", OPTIONAL)),
    );
  }

  private group(key: Key, ...children: HTMLElement[]): HTMLElement {
    return h("fieldset", { class: "asked" }, h("legend", {}, translate(this.language, key)), ...children);
  }

  private async submit(): Promise<void> {
    if (this.yes.disabled) return;
    const { language } = this;
    const order = orderOf(new FormData(this.form), this.selection, this.regions, language);
    const missing = lack(order);
    setText(this.trouble, missing ? translate(language, missing) : "");
    if (missing) return;
    keepPersonName(order.by);
    this.yes.disabled = true;
    try {
      await orderExport(this.deck.flight.id, order);
      this.element.close();
      this.ordered();
    } catch (error) {
      setText(this.trouble, refused(language, refusalCode(error)));
    }
    this.yes.disabled = false;
  }
}
