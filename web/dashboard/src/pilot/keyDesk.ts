/** A feed's keys: made, shown once, withdrawn after a question. What was made is forgotten with "done". */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { makeKey, Refused, rotateKeys, withdrawKeys, type NewKey } from "./api";

export interface KeyEvents {
  /** Something else is to be shown. */
  shown(): void;
  /** The keys have changed on the server. */
  changed(): void;
}

export class KeyDesk {
  /** The key that was just made, until "done" or until the page is left. */
  fresh: NewKey | null = null;
  private readonly count = h("span", { class: "key-count" });
  private readonly make = h("button", {
    type: "button",
    class: "button",
    onclick: () => void this.makeOne(),
  });
  private readonly rotate = h("button", {
    type: "button",
    class: "button",
    onclick: () => void this.rotateAll(),
  });
  private readonly older = h("p", { class: "key-once", hidden: true });
  private readonly withdraw = h("button", {
    type: "button",
    class: "button",
    onclick: () => this.question.showModal(),
  });
  private readonly trouble = h("p", { class: "key-trouble", role: "alert", hidden: true });
  private readonly key = h("output", { class: "key" });
  private readonly once = h("p", { class: "key-once" });
  private readonly done = h("button", {
    type: "button",
    class: "button strong",
    onclick: () => this.forget(),
  });
  private readonly shown = h("div", { class: "key-shown", hidden: true }, this.once, this.key, this.done);
  private readonly ask = h("p");
  private readonly yes = h("button", {
    type: "button",
    class: "button danger",
    onclick: () => void this.withdrawAll(),
  });
  private readonly no = h("button", {
    type: "button",
    class: "button",
    onclick: () => this.question.close(),
  });
  private readonly question = h(
    "dialog",
    { class: "help question" },
    this.ask,
    h("div", { class: "buttons" }, this.no, this.yes),
  );
  readonly element = h(
    "div",
    { class: "keys" },
    this.shown,
    h("div", { class: "buttons" }, this.count, this.make, this.rotate, this.withdraw),
    this.older,
    this.trouble,
    this.question,
  );
  private busy = false;
  private problem: Key | null = null;

  constructor(
    private readonly feedId: string,
    private readonly events: KeyEvents,
  ) {}

  /** `keys`: how many there are; null: the server cannot read them. `isOlder`: who sends came with one that a
   *  newer one took the place of. */
  show(language: Language, name: string, keys: number | null, isOlder: boolean): void {
    const say = (key: Key, values?: Record<string, string | number>): string =>
      translate(language, key, values);
    setText(
      this.count,
      keys === null
        ? say("pilot.keys_unreadable")
        : keys === 0
          ? say("pilot.keys_none")
          : keys === 1
            ? say("pilot.keys_one")
            : say("pilot.keys_many", { count: keys }),
    );
    setText(this.make, say("pilot.make_key"));
    setText(this.rotate, say("pilot.rotate"));
    setAttribute(this.rotate, "title", say("pilot.rotate_title"));
    setText(this.older, say("pilot.older_key"));
    this.older.hidden = !isOlder;
    setText(this.withdraw, say("pilot.withdraw"));
    setText(this.yes, say("pilot.withdraw"));
    setText(this.no, say("pilot.cancel"));
    setText(this.done, say("pilot.done"));
    setText(this.once, say("pilot.key_once"));
    setText(this.ask, say("pilot.withdraw_ask", { name }));
    setText(this.key, this.fresh?.key ?? "");
    this.shown.hidden = this.fresh === null;
    this.make.disabled = this.rotate.disabled = this.withdraw.disabled = this.busy;
    this.make.hidden = this.fresh !== null || keys === null;
    this.make.classList.toggle("strong", keys === 0);
    this.withdraw.hidden = !keys;
    this.rotate.hidden = this.fresh !== null || !keys;
    this.trouble.hidden = this.problem === null;
    setText(this.trouble, this.problem ? say(this.problem) : "");
  }

  /** Nothing of a key stays behind on the page. */
  forget(): void {
    this.fresh = null;
    this.events.shown();
  }

  private makeOne(): Promise<void> {
    return this.try(async () => {
      this.fresh = await makeKey(this.feedId);
    });
  }

  private rotateAll(): Promise<void> {
    return this.try(async () => {
      this.fresh = await rotateKeys(this.feedId);
    });
  }

  private withdrawAll(): Promise<void> {
    this.question.close();
    return this.try(async () => {
      await withdrawKeys(this.feedId);
      this.fresh = null;
    });
  }

  private async try(change: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.problem = null;
    this.events.shown();
    try {
      await change();
      this.events.changed();
    } catch (error) {
      this.problem = troubleOf(error);
    }
    this.busy = false;
    this.events.shown();
  }
}

function troubleOf(error: unknown): Key {
  if (!(error instanceof Refused)) return "why.server";
  return error.code === "keys_full" ? "pilot.keys_full" : "pilot.key_failed";
}
