/** Logging in: an account of this house, or the city's own provider. */

import { logIn } from "../access/api";
import { Countdown } from "../access/countdown";
import { DoorPage, PrivacyLink } from "../access/doorPage";
import { nextAddress } from "../access/gone";
import { forgetGuest, guestOf } from "../access/guestMemory";
import type { Me } from "../access/me";
import { bigButton, BigField, column, PasswordField, Trouble } from "../access/parts";
import { refusedWords } from "../access/sentences";
import { translate, type Key, type Language } from "../catalogue";
import { h, setText } from "../dom";
import { refusalCode, Refused } from "../requests";

const TICK_MS = 250;

export class LoginPage {
  private readonly page: DoorPage;
  private readonly over = h("p", { class: "door-news", role: "status", hidden: true });
  private readonly first = h("p", { class: "door-news", hidden: true });
  private readonly login = new BigField("login.login", {
    name: "username",
    autocomplete: "username",
    spellcheck: "false",
    maxlength: 200,
  });
  private readonly password = new PasswordField("login.password", "current-password");
  private readonly trouble = new Trouble();
  private readonly go = bigButton("submit");
  private readonly or = h("p", { class: "door-or" });
  private readonly oidc = h("a", { class: "button big" });
  private readonly hints = [h("p", { class: "hint" }), h("p", { class: "hint" })] as const;
  private readonly privacy = new PrivacyLink();
  private readonly local: HTMLElement;
  private readonly wait = new Countdown();
  private readonly next = nextAddress(window.location.search, window.location.origin);
  private code: string | null = new URLSearchParams(window.location.search).get("error"); // of the provider
  private busy = false;

  constructor(
    root: HTMLElement,
    private readonly me: Me,
  ) {
    this.local = h(
      "div",
      { class: "door-local", hidden: !me.ways.password },
      this.login.element,
      this.password.element,
      this.go,
    );
    this.oidc.href = `/login/oidc?next=${encodeURIComponent(this.next)}`;
    const form = column(
      () => void this.submit(),
      this.over,
      this.first,
      this.trouble.element,
      this.local,
      this.or,
      this.oidc,
      ...this.hints,
      this.privacy.element,
    );
    form.addEventListener("flipped", () => this.page.refresh());
    this.page = new DoorPage(root, "login.title", (language) => this.show(language));
    this.page.put(form);
    if (me.ways.password) this.login.input.focus();
    window.setInterval(() => this.showWait(), TICK_MS);
  }

  private show(language: Language): void {
    const say = (key: Key, values = {}): string => translate(language, key, values);
    const { ways } = this.me;
    const incident = guestOf();
    this.over.hidden = incident === "";
    setText(this.over, say("login.guest_over", { incident }));
    this.first.hidden = !ways.first;
    setText(this.first, say("login.first"));
    this.login.show(language);
    this.password.show(language);
    this.or.hidden = !ways.password || ways.oidc === null;
    setText(this.or, say("login.or"));
    this.oidc.hidden = ways.oidc === null;
    setText(this.oidc, say("login.oidc", { name: ways.oidc ?? "" }));
    setText(this.hints[0], say("login.link"));
    setText(this.hints[1], say("login.forgotten"));
    this.hints[1].hidden = !ways.password;
    this.privacy.show(language);
    this.showWait();
  }

  /** The seconds that are left, and whether one may try. */
  private showWait(): void {
    const { language } = this.page;
    const seconds = this.wait.left(performance.now());
    this.go.disabled = this.busy || seconds > 0;
    setText(this.go, translate(language, this.busy ? "login.going" : "login.go"));
    if (seconds > 0) this.trouble.say(translate(language, "login.wait", { seconds }));
    else if (this.code === "login_throttled") this.trouble.say("");
    else this.trouble.say(this.code === null ? "" : refusedWords(language, this.code));
  }

  private async submit(): Promise<void> {
    if (this.go.disabled) return;
    this.code = null;
    this.busy = true;
    this.showWait();
    try {
      await logIn({ login: this.login.value, password: this.password.value });
      forgetGuest();
      window.location.replace(this.next);
      return;
    } catch (error) {
      this.code = refusalCode(error);
      if (error instanceof Refused && error.status === 429) this.throttled(error.waitS ?? 1);
    }
    this.busy = false;
    this.showWait();
    this.password.input.select();
  }

  private throttled(seconds: number): void {
    this.code = "login_throttled";
    this.wait.start(performance.now(), seconds);
  }
}
