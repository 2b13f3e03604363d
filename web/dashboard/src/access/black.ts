/** What is left when access has ended: black, and a sentence. No last picture, no map, nothing that floats elsewhere. */

import { getFeeds } from "../api";
import { translate, type Language } from "../catalogue";
import { h } from "../dom";
import { learnMe, me } from "./me";

/** Take every picture off the screen, at once; whatever still decodes is let go of. */
export function blank(root: HTMLElement): void {
  for (const video of document.querySelectorAll("video")) {
    video.pause();
    video.srcObject = null;
    video.removeAttribute("src");
    video.load();
  }
  root.replaceChildren();
  if (document.pictureInPictureElement) void document.exitPictureInPicture().catch(() => undefined);
  if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
}

/** The black page. `feedIds`: what was watched; where that alone is over, the page begins anew with the rest. */
export function showEnded(root: HTMLElement, language: Language, feedIds: readonly string[]): void {
  const before = me();
  const say = h(
    "main",
    { class: "ended", role: "alert", "data-ended": "" },
    h("h1", {}, translate(language, "ended.head")),
    h("p", {}, translate(language, before?.kind === "guest" ? "ended.guest" : "ended.person")),
    h(
      "div",
      { class: "buttons" },
      h("a", { class: "button big", href: window.location.pathname }, translate(language, "ended.again")),
    ),
  );
  root.replaceChildren(say);
  document.title = `Lagebild · ${translate(language, "ended.head")}`;
  void goesOn(feedIds).then((does) => {
    if (does) window.location.replace("/");
  });
}

/** Whether somebody who may still watch has lost these feeds alone. */
async function goesOn(feedIds: readonly string[]): Promise<boolean> {
  try {
    const now = await learnMe();
    if (!now.permissions.includes("watch")) return false;
    const feeds = await getFeeds();
    return feeds.length > 0 && !feeds.some(({ id }) => feedIds.includes(id));
  } catch {
    return false;
  }
}
