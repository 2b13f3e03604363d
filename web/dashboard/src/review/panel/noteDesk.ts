/** Notes of those who review a flight: written at a moment, changed, deleted; each is asked for first. */

import { translate, type Language } from "../../catalogue";
import { Ask, given, personField, textField } from "../../flights/ask";
import { timeOfDay } from "../../format";
import type { ReviewDeck } from "../reviewDeck";
import { addNote, changeNote, removeNote, type Note } from "./api";

const MOST_CHARACTERS = 500;

export class NoteDesk {
  readonly ask = new Ask();
  language: Language = "de";

  /** `changed`: the flight's notes are others now. */
  constructor(
    private readonly deck: ReviewDeck,
    private readonly changed: () => Promise<void>,
  ) {}

  /** At the moment that is shown when it is begun, however long the writing takes. */
  add(): void {
    const { flight, momentMs, main } = this.deck;
    const utcMs = momentMs ?? flight.started_ms;
    this.ask.open(this.language, {
      text: this.at("review.note_at", utcMs),
      fields: [this.text(translate(this.language, "review.bookmark")), personField(this.language)],
      yes: "review.note_save",
      act: (data) => {
        const note = { utc_ms: utcMs, text: given(data, "text"), by: given(data, "by"), feed_id: main };
        return this.do(addNote(flight.id, note));
      },
    });
    this.ask.element.querySelector("input")?.select(); // a bookmark, unless something is written over it
  }

  change(note: Note): void {
    this.ask.open(this.language, {
      text: this.at("review.note_at", note.utc_ms),
      fields: [this.text(note.text), personField(this.language)],
      yes: "review.note_save",
      act: (data) =>
        this.do(
          changeNote(this.deck.flight.id, note.id, { text: given(data, "text"), by: given(data, "by") }),
        ),
    });
  }

  remove(note: Note): void {
    this.ask.open(this.language, {
      text: `${this.at("review.note_remove_ask", note.utc_ms)} ${note.text}`,
      fields: [personField(this.language)],
      yes: "flights.delete",
      danger: true,
      act: (data) => this.do(removeNote(this.deck.flight.id, note.id, given(data, "by"))),
    });
  }

  private at(key: "review.note_at" | "review.note_remove_ask", utcMs: number): string {
    return translate(this.language, key, { time: timeOfDay(utcMs) });
  }

  private text(value: string): HTMLElement {
    return textField(this.language, "text", "review.note_text", value, { maxlength: MOST_CHARACTERS });
  }

  private async do(change: Promise<unknown>): Promise<void> {
    await change;
    await this.changed();
  }
}
