/** A one-time link: the first administrator's account, or the password of an account that is there. */

import { takeInvite } from "../access/api";
import { DoorPage, PrivacyLink } from "../access/doorPage";
import { forgetGuest } from "../access/guestMemory";
import { bigButton, BigField, column, PasswordField, Trouble } from "../access/parts";
import { refusedWords } from "../access/sentences";
import { translate, type Language } from "../catalogue";
import { h, setText } from "../dom";
import { refusalCode } from "../requests";

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
  private readonly toLogin = h("a", { class: "help-link", href: "/login" });
  private readonly privacy = new PrivacyLink();
  private code: string | null = null;

  /** `isFirst`: there is no administrator yet. `token` "": the link was cut off. */
  constructor(
    root: HTMLElement,
    private readonly isFirst: boolean,
    private readonly token: string,
  ) {
    const fields = [
      ...(isFirst ? [this.name.element, this.login.element] : []),
      this.password.element,
      this.rule,
      this.trouble.element,
      this.go,
    ];
    const form = column(
      () => void this.submit(),
      this.what,
      ...(token ? fields : []),
      this.toLogin,
      this.privacy.element,
    );
    form.addEventListener("flipped", () => this.page.refresh());
    this.page = new DoorPage(root, "welcome.title", (language) => this.show(language));
    this.page.put(form);
    (isFirst ? this.name : this.password).input.focus();
  }

  private show(language: Language): void {
    const what = !this.token ? "welcome.none" : this.isFirst ? "welcome.first" : "welcome.password";
    setText(this.what, translate(language, what));
    this.name.show(language);
    this.login.show(language);
    this.password.show(language);
    setText(this.rule, translate(language, "welcome.rule"));
    setText(this.go, translate(language, this.go.disabled ? "login.going" : "welcome.go"));
    setText(this.toLogin, translate(language, "welcome.to_login"));
    this.toLogin.hidden = this.token !== "" && this.code !== "invite_gone";
    this.trouble.say(this.code === null ? "" : refusedWords(language, this.code));
    this.privacy.show(language);
  }

  private async submit(): Promise<void> {
    const { token, isFirst, password } = this;
    if (this.go.disabled) return;
    this.code = null;
    this.go.disabled = true;
    this.page.refresh();
    try {
      const who = isFirst ? { login: this.login.value, name: this.name.value } : {};
      await takeInvite({ token, password: password.value, ...who });
      forgetGuest();
      return window.location.replace(isFirst ? "/admin" : "/");
    } catch (error) {
      this.code = refusalCode(error);
    }
    this.go.disabled = false;
    this.page.refresh();
  }
}
