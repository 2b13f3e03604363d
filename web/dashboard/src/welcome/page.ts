/** A one-time link: the first administrator's account, or the password of an account that is there. */

import { lookAtInvite, takeInvite, type Invitation } from "../access/api";
import { DoorPage, PrivacyLink } from "../access/doorPage";
import { forgetGuest } from "../access/guestMemory";
import { bigButton, BigField, column, PasswordField, Trouble } from "../access/parts";
import { refusedWords } from "../access/sentences";
import { translate, type Language } from "../catalogue";
import { h, setText } from "../dom";
import { refusalCode } from "../requests";

const AGAIN_MS = 2000;
const GONE = "invite_gone";

export class WelcomePage {
  private readonly page: DoorPage;
  private readonly what = h("p", { class: "door-lead" });
  private readonly name = new BigField("welcome.name", { name: "name", autocomplete: "name", maxlength: 80 });
  private readonly login = new BigField("login.login", {
    name: "username",
    autocomplete: "username",
    spellcheck: "false",
    maxlength: 64,
  });
  private readonly password = new PasswordField("welcome.new_password", "new-password");
  private readonly rule = h("p", { class: "hint" });
  private readonly trouble = new Trouble();
  private readonly go = bigButton("submit");
  private readonly fields = h(
    "div",
    { class: "door-local" },
    this.name.element,
    this.login.element,
    this.password.element,
    this.rule,
  );
  private readonly toLogin = h("a", { class: "help-link", href: "/login" });
  private readonly privacy = new PrivacyLink();
  private invitation: Invitation | null = null;
  private code: string | null = null;
  private busy = false;

  /** `token` "": the link was cut off. */
  constructor(
    root: HTMLElement,
    private readonly token: string,
  ) {
    const form = column(
      () => void this.submit(),
      this.what,
      this.fields,
      this.trouble.element,
      this.go,
      this.toLogin,
      this.privacy.element,
    );
    form.addEventListener("flipped", () => this.page.refresh());
    this.page = new DoorPage(root, "welcome.title", (language) => this.show(language));
    this.page.put(form);
  }

  /** Ask what the link is for, until the service answers. */
  async look(): Promise<void> {
    if (!this.token) return;
    try {
      this.invitation = await lookAtInvite(this.token);
      this.code = null;
    } catch (error) {
      this.code = refusalCode(error);
      if (this.code !== GONE) window.setTimeout(() => void this.look(), AGAIN_MS);
    }
    this.page.refresh();
    if (this.invitation) (this.isFirst ? this.name : this.password).input.focus();
  }

  private get isFirst(): boolean {
    return this.invitation?.kind === "first_administrator";
  }

  private show(language: Language): void {
    const isOver = !this.token || this.code === GONE;
    const asks = this.invitation !== null && !isOver;
    setText(this.what, this.lead(language));
    this.fields.hidden = this.go.hidden = !asks;
    this.name.element.hidden = !this.isFirst;
    this.login.input.readOnly = !this.isFirst; // shown to password managers, and to whom it belongs
    if (asks && !this.isFirst) this.login.input.value = this.invitation?.login ?? "";
    this.name.show(language);
    this.login.show(language);
    this.password.show(language);
    setText(this.rule, translate(language, "welcome.rule"));
    this.go.disabled = this.busy;
    setText(this.go, translate(language, this.busy ? "login.going" : "welcome.go"));
    setText(this.toLogin, translate(language, "welcome.to_login"));
    this.toLogin.hidden = !isOver;
    this.trouble.say(this.code === null ? "" : refusedWords(language, this.code));
    this.privacy.show(language);
  }

  private lead(language: Language): string {
    if (!this.token) return translate(language, "welcome.none");
    if (this.invitation === null) return this.code === null ? translate(language, "enter.look") : "";
    if (this.isFirst) return translate(language, "welcome.first");
    return translate(language, "welcome.password", { name: this.invitation.name });
  }

  private async submit(): Promise<void> {
    const { token, isFirst, password } = this;
    if (this.busy || this.invitation === null) return;
    this.code = null;
    this.busy = true;
    this.page.refresh();
    try {
      const who = isFirst ? { login: this.login.value, name: this.name.value } : {};
      await takeInvite({ token, password: password.value, ...who });
      forgetGuest();
      return window.location.replace(isFirst ? "/admin" : "/");
    } catch (error) {
      this.code = refusalCode(error);
    }
    this.busy = false;
    this.page.refresh();
  }
}
