/** How the pages in front begin: the service may be away; say so, and try until it answers. */

import { Backoff } from "../backoff";
import { translate } from "../catalogue";
import { loadTaste } from "../choice";
import { h } from "../dom";
import { onGone } from "./gone";
import { learnMe, type Me } from "./me";

export async function startDoor(build: (root: HTMLElement, me: Me) => void): Promise<void> {
  const root = document.getElementById("app");
  if (!root) return;
  onGone(() => undefined); // one is at the door already
  const { language, theme } = loadTaste();
  document.documentElement.dataset["theme"] = theme;
  document.documentElement.lang = language;
  const backoff = new Backoff(300, 4000);
  for (;;) {
    const me = await learnMe().catch(() => null);
    if (me) return build(root, me);
    const why = translate(language, "why.server");
    root.replaceChildren(h("main", { class: "pilot" }, h("p", { class: "empty", role: "alert" }, why)));
    await new Promise((resolve) => window.setTimeout(resolve, backoff.nextMs()));
  }
}
