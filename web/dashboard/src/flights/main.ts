import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/alarms.css";
import "../style/forms.css";
import "../style/training.css";
import "../style/map.css";
import "../style/pilot.css";
import "../style/flights.css";
import { FlightsPage } from "./page";

const EVERY_MS = 10_000;
const PLAYS_MS = 1000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

/** Ask for ever: all of it every ten seconds, what plays every second; a hidden page waits until it is seen. */
async function keepTrue(root: HTMLElement): Promise<void> {
  const page = new FlightsPage(root);
  for (;;) {
    await page.renew();
    for (let waited = 0; waited < EVERY_MS; waited += PLAYS_MS) {
      await pause(PLAYS_MS);
      if (page.plays) await page.follow();
    }
    if (document.hidden)
      await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

const root = document.getElementById("app");
if (root) void keepTrue(root);
