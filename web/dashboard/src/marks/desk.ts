/** Marking: from a tap in a picture to a mark that everybody sees. */

import type { SharedMessage } from "../api";
import type { Language } from "../catalogue";
import type { Pane } from "../pane";
import { keepPersonName, personName } from "../person";
import { refusalCode } from "../requests";
import { askGround, removeMark, setMark, type GroundPoint, type Mark } from "./api";
import { MarksPanel } from "./panel";
import { refusal } from "./sentences";
import { Sheet } from "./sheet";
import { Marks } from "./store";

export class MarkDesk {
  readonly marks = new Marks();
  readonly sheet: Sheet;
  readonly panel: MarksPanel;
  private asked: { pane: Pane; point: GroundPoint | null } | null = null;
  private language: Language = "de";

  constructor(show: (mark: Mark) => void) {
    this.sheet = new Sheet(
      { set: (label, by) => void this.set(label, by), close: () => this.close() },
      personName(),
    );
    this.panel = new MarksPanel(this.marks, { remove: (mark) => removeMark(mark.id), show });
  }

  show(language: Language): void {
    this.language = language;
    this.panel.show(language);
  }

  take(message: Extract<SharedMessage, { type: "marker" | "markers" }>): void {
    if (message.type === "markers") this.marks.replace(message.markers);
    else this.marks.take(message.marker);
  }

  /** Somebody points at a picture; beside it, that closes what was open. */
  async point(pane: Pane, event: MouseEvent): Promise<void> {
    const at = pane.pointAt(event);
    this.close();
    if (!at) return;
    const asked: { pane: Pane; point: GroundPoint | null } = { pane, point: null };
    this.asked = asked;
    pane.cross(at);
    this.sheet.open(this.language);
    try {
      asked.point = await askGround(pane.channel.feed.id, { ...at, ...pane.moment() });
      if (this.asked === asked) this.sheet.show(this.language, asked.point);
    } catch (error) {
      if (this.asked === asked) this.sheet.say(refusal(this.language, refusalCode(error)));
    }
  }

  get isOpen(): boolean {
    return this.asked !== null;
  }

  /** A picture that is no longer shown cannot be marked in. */
  leave(pane: Pane): void {
    if (this.asked?.pane === pane) this.close();
  }

  close(): void {
    this.asked?.pane.cross(null);
    this.asked = null;
    this.sheet.close();
  }

  private async set(label: string, by: string): Promise<void> {
    const { asked } = this;
    if (!asked?.point) return;
    keepPersonName(by);
    this.sheet.wait(true);
    try {
      const id = `m-${randomName()}`;
      this.marks.take(await setMark(asked.point, { id, label, by }));
      if (this.asked === asked) this.close();
    } catch (error) {
      if (this.asked === asked) this.sheet.wait(false, refusal(this.language, refusalCode(error)));
    }
  }
}

/** Without a secure context there is no randomUUID. */
const randomName = (): string =>
  [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
