import "../style/base.css";
import "../style/bar.css";
import "../style/pilot.css";
import { getPilotView } from "./api";
import { PilotPage } from "./page";

const EVERY_MS = 1000;

/** Ask for ever: as soon as the answer is there, a second later again; a hidden page waits until it is seen. */
async function follow(page: PilotPage): Promise<void> {
  for (;;) {
    page.take(await getPilotView().catch(() => null));
    await new Promise((resolve) => window.setTimeout(resolve, EVERY_MS));
    if (document.hidden)
      await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

const root = document.getElementById("app");
if (root) void follow(new PilotPage(root));
