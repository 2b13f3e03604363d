/** An incident link: which incident it opens, who comes in, and one big button. */

import { enter, lookAt, type Door } from "../access/api";
import { DoorPage, PrivacyLink } from "../access/doorPage";
import { rememberGuest } from "../access/guestMemory";
import type { Me } from "../access/me";
import { bigButton, BigField, column, Trouble } from "../access/parts";
import { refusedWords } from "../access/sentences";
import { translate, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { incidentName } from "../flights/sentences";
import { dateTime } from "../format";
import { keepPersonName, personName } from "../person";
import { refusalCode, Refused } from "../requests";

const GONE = 404;
const AGAIN_MS = 2000;

export class EnterPage {
  private readonly page: DoorPage;
  private readonly head = h("h2", { class: "door-head" });
  private readonly until = h("p", { class: "hint" });
  private readonly name = new BigField("enter.name", {
    name: "name",
    autocomplete: "nickname",
    autocapitalize: "words",
    maxlength: 40,
  });
  private readonly why = h("p", { class: "hint" });
  private readonly trouble = new Trouble();
  private readonly go = bigButton("submit");
  private readonly to = h("a", { class: "button strong big", href: "/" });
  private readonly privacy = new PrivacyLink();
  private readonly form = column(
    () => void this.submit(),
    this.head,
    this.until,
    this.name.element,
    this.why,
    this.trouble.element,
    this.go,
    this.to,
    this.privacy.element,
  );
  private door: Door | null = null;
  private isOver = false;
  private code: string | null = null;

  constructor(
    root: HTMLElement,
    private readonly me: Me,
    private readonly token: string,
  ) {
    this.page = new DoorPage(root, "enter.title", (language) => this.show(language));
    this.name.input.value = personName();
    this.page.put(this.form);
  }

  /** Ask which incident it is, until the service answers. */
  async look(): Promise<void> {
    try {
      this.door = await lookAt(this.token);
      this.code = null;
    } catch (error) {
      this.isOver = error instanceof Refused && error.status === GONE;
      this.code = refusalCode(error);
      if (!this.isOver) window.setTimeout(() => void this.look(), AGAIN_MS);
    }
    if (this.door && this.isIn(this.door)) return window.location.replace("/"); // asked once, on this device
    this.page.refresh();
    if (this.door && !this.name.value) this.name.input.focus();
  }

  private isIn({ incident }: Door): boolean {
    return this.me.kind === "guest" && this.me.incident?.name === incident;
  }

  private show(language: Language): void {
    const { door, isOver, me } = this;
    const hasAccount = me.kind === "person" && door !== null;
    const asks = door !== null && !hasAccount && !isOver;
    setText(this.head, this.heading(language));
    this.until.hidden = door === null && !isOver;
    setText(this.until, this.beneath(language));
    this.name.element.hidden = this.why.hidden = this.go.hidden = !asks;
    this.to.hidden = !hasAccount;
    this.name.show(language);
    setAttribute(this.name.input, "placeholder", translate(language, "enter.example"));
    setText(this.why, translate(language, "enter.why"));
    setText(this.go, translate(language, this.go.disabled ? "login.going" : "enter.go"));
    setText(this.to, translate(language, "enter.go"));
    this.trouble.say(this.code === null || isOver ? "" : refusedWords(language, this.code));
    this.privacy.show(language);
  }

  private heading(language: Language): string {
    if (this.isOver) return translate(language, "enter.over");
    return this.door
      ? incidentName(language, { kind: this.door.kind, name: this.door.incident })
      : translate(language, "enter.look");
  }

  private beneath(language: Language): string {
    if (this.isOver) return translate(language, "enter.over_why");
    if (this.me.kind === "person") return translate(language, "enter.account", { name: this.me.name });
    return this.door
      ? translate(language, "enter.until", { time: dateTime(language, this.door.expires_ms) })
      : "";
  }

  private async submit(): Promise<void> {
    const { door, name } = this;
    if (!door || this.go.disabled) return;
    if (!name.value) return name.input.focus();
    this.code = null;
    this.go.disabled = true;
    this.page.refresh();
    try {
      await enter(this.token, name.value);
      keepPersonName(name.value);
      rememberGuest(door.incident);
      return window.location.replace("/"); // the link does not stay in the browser's history
    } catch (error) {
      this.isOver = error instanceof Refused && error.status === GONE;
      this.code = refusalCode(error);
    }
    this.go.disabled = false;
    this.page.refresh();
  }
}
