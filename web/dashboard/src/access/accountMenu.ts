/** Who am I: a button in every bar; behind it the way to other pages, one's password, and out. */

import { translate, type Key, type Language } from "../catalogue";
import { h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import { refusalCode } from "../requests";
import { changePassword, logOut } from "./api";
import { may, me, type Me, type Permission } from "./me";
import { PasswordField, Trouble } from "./parts";
import { refusedWords, whoAmI } from "./sentences";

/** Pages, and whom they are for. */
const PAGES: readonly (readonly [address: string, title: Key, permission: Permission | null])[] = [
  ["/", "pilot.live", "watch"],
  ["/flights", "flights.title", "review"],
  ["/pilot", "pilot.title", "connect"],
  ["/admin", "admin.title", "administer"],
  ["/privacy", "privacy.title", null],
];

export class AccountMenu {
  private readonly title = h("h2");
  private readonly close = h(
    "button",
    { type: "button", class: "tool", onclick: () => this.dialog.close() },
    icon("close"),
  );
  private readonly who = h("p", { class: "me-who" });
  private readonly roles = h("p", { class: "me-roles" });
  private readonly pages = h("nav", { class: "me-pages" });
  private readonly change = h("button", {
    type: "button",
    class: "button",
    onclick: () => this.askPassword(),
  });
  private readonly out = h("button", { type: "button", class: "button", onclick: () => void this.leave() });
  private readonly old = new PasswordField("me.old_password", "current-password");
  private readonly replacement = new PasswordField("welcome.new_password", "new-password");
  private readonly rule = h("p", { class: "hint" });
  private readonly save = h("button", { type: "submit", class: "button strong" });
  private readonly form = h(
    "form",
    { class: "me-password", hidden: true },
    this.rule,
    this.old.element,
    this.replacement.element,
    this.save,
  );
  private readonly trouble = new Trouble();
  private readonly dialog = h(
    "dialog",
    { class: "help account" },
    h("header", {}, this.title, this.close),
    this.who,
    this.roles,
    this.pages,
    h("div", { class: "buttons" }, this.change, this.out),
    this.form,
    this.trouble.element,
  );
  private readonly button = h(
    "button",
    { type: "button", class: "tool tool-me", onclick: () => this.open() },
    icon("person"),
  );
  readonly element = h("div", { class: "account-menu" }, this.button, this.dialog);
  private language: Language = "de";

  constructor() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.form.addEventListener("flipped", () => this.draw());
  }

  show(language: Language): void {
    this.language = language;
    const label = translate(language, "me.title");
    const known = me();
    setAttribute(this.button, "aria-label", known ? `${label}: ${whoAmI(language, known)}` : label);
    setAttribute(this.button, "title", known ? whoAmI(language, known) : label);
    if (this.dialog.open) this.draw();
  }

  open(): void {
    this.form.hidden = true;
    this.trouble.say("");
    this.draw();
    if (!this.dialog.open) this.dialog.showModal();
  }

  private draw(): void {
    const { language } = this;
    const say = (key: Key): string => translate(language, key);
    const known = me();
    const title = say("me.title");
    setText(this.title, title);
    setAttribute(this.dialog, "aria-label", title);
    setAttribute(this.close, "aria-label", say("do.close"));
    setText(this.who, whoAmI(language, known));
    setText(this.roles, known ? known.roles.map((role) => say(`me.role.${role}`)).join(", ") : "");
    this.pages.replaceChildren(...this.links());
    setAttribute(this.pages, "aria-label", say("me.pages"));
    this.change.hidden = !known?.password;
    this.out.hidden = !canLeave(known);
    setText(this.change, say("me.password"));
    setText(this.out, say(known?.kind === "guest" ? "me.leave" : "me.log_out"));
    setText(this.rule, say("me.password_ask"));
    this.old.show(language);
    this.replacement.show(language);
    setText(this.save, say("me.password"));
  }

  private links(): HTMLElement[] {
    return PAGES.filter(([, , permission]) => permission === null || may(permission)).map(([href, key]) =>
      h(
        "a",
        { class: "help-link", href, "aria-current": window.location.pathname === href ? "page" : null },
        translate(this.language, key),
      ),
    );
  }

  private askPassword(): void {
    this.form.hidden = !this.form.hidden;
    this.form.reset();
    if (!this.form.hidden) this.old.input.focus();
  }

  private async submit(): Promise<void> {
    this.trouble.say("");
    this.save.disabled = true;
    try {
      await changePassword(this.old.value, this.replacement.value);
      this.form.hidden = true;
      this.trouble.say("");
      setText(this.roles, translate(this.language, "me.password_changed"));
    } catch (error) {
      this.trouble.say(refusedWords(this.language, refusalCode(error)));
    }
    this.save.disabled = false;
  }

  private async leave(): Promise<void> {
    this.out.disabled = true;
    try {
      await logOut();
      window.location.replace("/login");
    } catch (error) {
      this.trouble.say(refusedWords(this.language, refusalCode(error)));
    }
    this.out.disabled = false;
  }
}

const canLeave = (known: Me | null): boolean => known?.kind === "person" || known?.kind === "guest";
