import "../style/base.css";
import "../style/bar.css";
import "../style/pilot.css";
import "../style/layout.css";
import "../style/picture.css";
import "../style/map.css";
import "../style/marks.css";
import "../style/training.css";
import "../style/review.css";
import { getConfig } from "../api";
import { Backoff } from "../backoff";
import { translate, type Key } from "../catalogue";
import { loadTaste } from "../choice";
import { h } from "../dom";
import { getFlight } from "../flights/api";
import { Refused } from "../requests";
import { camerasOf, momentIn } from "./address";
import { Deck } from "./deck";
import { ReviewPage } from "./page";

const GONE = 404;

function say(root: HTMLElement, key: Key): void {
  const { language, theme } = loadTaste();
  document.documentElement.dataset["theme"] = theme;
  document.documentElement.lang = language;
  const flights = h("a", { href: "/flights" }, translate(language, "flights.title"));
  root.replaceChildren(h("p", { class: "empty", role: "alert" }, translate(language, key), " ", flights));
}

/** The service may be away when the page is opened: say so and try until it answers. */
async function start(root: HTMLElement): Promise<void> {
  const id = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  const backoff = new Backoff(300, 4000);
  say(root, "player.loading");
  for (;;) {
    try {
      const [config, flight] = await Promise.all([getConfig(), getFlight(id)]);
      const { utcMs, feed } = momentIn(location.search);
      const { shown, main } = camerasOf(flight.feeds, feed);
      if (!("MediaSource" in window || "ManagedMediaSource" in window))
        return say(root, "player.unsupported");
      const deck = new Deck(flight, shown, main);
      new ReviewPage(root, config, flight, deck);
      return await deck.open(utcMs);
    } catch (error) {
      if (error instanceof Refused && error.status === GONE) return say(root, "player.gone");
      say(root, "player.retry");
      await new Promise((resolve) => window.setTimeout(resolve, backoff.nextMs()));
    }
  }
}

const root = document.getElementById("app");
if (root) void start(root);
