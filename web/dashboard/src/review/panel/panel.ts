/** Everything of a review beside pictures and map. */

import "../../style/forms.css";
import "../../style/help.css";
import "../../style/flights.css";
import "../../style/rewind.css";
import "../../style/flightLine.css";
import "../../style/panel.css";
import "../../style/export.css";
import { translate, type Language } from "../../catalogue";
import { h, setAttribute, setText } from "../../dom";
import { refused } from "../../flights/sentences";
import type { Span } from "../../rewind/api";
import { ExportDialog } from "../export/dialog";
import { ExportList } from "../export/list";
import type { ReviewDeck, ReviewMap } from "../reviewDeck";
import { FlightFacts } from "./facts";
import { HappeningList } from "./happeningList";
import { happenings, type Happening } from "./happenings";
import { FlightLine, type LineActions } from "./line";
import { NoteDesk } from "./noteDesk";
import { FlightPlots } from "./plots";
import { Selection } from "./selection";
import { SpotSearch } from "./spots";
import { StillButton } from "./stillButton";

const DRAWN_EVERY_MS = 66; // the moment moves with every picture; the eye follows less
const EVERY_MS = 10_000;
const BUSY_MS = 1000; // while an export is made

const pause = (ms: number): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

export class Panel {
  private readonly facts: FlightFacts;
  private readonly selection = new Selection();
  private readonly flightLine: FlightLine;
  private readonly notes: NoteDesk;
  private readonly still: StillButton;
  private readonly trouble = h("p", { class: "trouble", role: "status" });
  private readonly plots = new FlightPlots((share) => {
    const { fromMs, toMs } = this.facts.whole;
    this.deck.seek(fromMs + share * (toMs - fromMs));
  });
  private readonly happened: HappeningList;
  private readonly spots: SpotSearch;
  private readonly exports: ExportList;
  private readonly order: ExportDialog;
  private language: Language = "de";
  private told: readonly Happening[] = [];
  private main: string;
  private due: number | undefined;

  /** The timeline of the whole flight: belongs right under the pictures, always to be seen. */
  readonly line: HTMLElement;
  /** Plots, what happened, notes, exports: as wide as there is room; the page scrolls it. */
  readonly element: HTMLElement;
  /** What is asked for in a dialog: belongs at the end of the page. */
  readonly dialogs: HTMLElement;

  constructor(
    private readonly deck: ReviewDeck,
    map: ReviewMap | null,
  ) {
    const { flight } = deck;
    this.main = deck.main;
    this.facts = new FlightFacts(flight);
    this.notes = new NoteDesk(deck, async () => {
      await this.facts.renewNotes();
      this.draw();
    });
    this.still = new StillButton(deck);
    this.flightLine = new FlightLine(this.lineActions(), this.still.element);
    this.line = this.flightLine.element;
    const jump = (utcMs: number): void => {
      deck.seek(utcMs);
      this.line.scrollIntoView({ block: "end" }); // what is sought is seen above it
    };
    this.happened = new HappeningList({
      seek: jump,
      change: (note) => this.notes.change(note),
      remove: (note) => this.notes.remove(note),
    });
    this.spots = new SpotSearch(deck, map, jump, () => this.draw());
    this.line.append(this.spots.brief);
    const nameOf = (id: string): string => flight.feeds.find((feed) => feed.id === id)?.name ?? id;
    this.exports = new ExportList(flight.id, nameOf, { order: () => this.openOrder() });
    this.order = new ExportDialog(deck, () => void this.exports.renew());
    const parts = [this.plots, this.happened, this.spots, this.exports].map(({ element }) => element);
    this.element = h(
      "section",
      { class: "review-panel" },
      this.trouble,
      h("div", { class: "review-parts" }, ...parts),
    );
    this.dialogs = h("div", {}, this.notes.ask.element, this.order.element);
    deck.onChange(() => this.follow());
    document.addEventListener("keydown", (event) => this.key(event));
    void this.keepTrue();
  }

  private lineActions(): LineActions {
    return {
      seek: (utcMs) => this.deck.seek(utcMs),
      begin: () => this.select("begin"),
      end: () => this.select("end"),
      clear: () => {
        this.selection.clear();
        this.draw();
      },
      note: () => this.notes.add(),
    };
  }

  /** Write every word anew, in that language. */
  show(language: Language): void {
    this.language = this.notes.language = language;
    setAttribute(this.element, "aria-label", translate(language, "review.panel"));
    this.still.show(language);
    this.spots.show(language);
    this.exports.show(language);
    this.draw();
  }

  /** Ask for ever; a hidden page waits until it is seen. */
  private async keepTrue(): Promise<void> {
    for (let waitedMs = EVERY_MS; ; waitedMs += BUSY_MS) {
      const due = waitedMs >= EVERY_MS;
      if (due) waitedMs = 0;
      if (due || this.exports.isBusy) await this.exports.renew();
      if (due) await this.facts.renew();
      if (due) this.draw();
      await pause(BUSY_MS);
      if (document.hidden)
        await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
    }
  }

  /** Another picture is shown. */
  private follow(): void {
    this.due ??= window.setTimeout(() => {
      this.due = undefined;
      if (this.main !== this.deck.main) this.draw();
      else this.drawMoment();
    }, DRAWN_EVERY_MS);
  }

  private draw(): void {
    const { language, facts } = this;
    this.main = this.deck.main;
    this.told = happenings(language, facts.events ?? [], facts.notes ?? []);
    setText(this.trouble, facts.problem === null ? "" : refused(language, facts.problem));
    this.flightLine.show(language, {
      whole: facts.whole,
      gaps: facts.gapsOf(this.main),
      spots: this.spots.spots.map(({ from_ms: fromMs, to_ms: toMs }) => ({ fromMs, toMs })),
      happenings: this.told,
      selection: this.selected,
    });
    this.plots.show(language, facts.track, facts.whole);
    this.happened.show(language, this.told, facts.events !== null);
    this.drawMoment();
  }

  private drawMoment(): void {
    const { momentMs } = this.deck;
    this.flightLine.showMoment(momentMs);
    this.plots.showMoment(this.language, this.facts.track, momentMs);
    this.happened.showMoment(momentMs);
  }

  private get selected(): Span | null {
    return this.selection.within(this.facts.whole);
  }

  private select(side: "begin" | "end"): void {
    if (this.deck.momentMs === null) return;
    this.selection[side](this.deck.momentMs);
    this.draw();
  }

  private openOrder(): void {
    this.order.open(this.language, this.selected);
  }

  /** As editors of films have them: I and O; N for a note. */
  private key({ key, target, ctrlKey, metaKey, altKey, repeat }: KeyboardEvent): void {
    const typing = target instanceof Element && target.closest("input, select, textarea, dialog") !== null;
    if (ctrlKey || metaKey || altKey || repeat || typing) return;
    const act = { i: () => this.select("begin"), o: () => this.select("end"), n: () => this.notes.add() }[
      key.toLowerCase()
    ];
    act?.();
  }
}
