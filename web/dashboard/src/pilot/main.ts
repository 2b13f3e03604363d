import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/alarms.css";
import "../style/forms.css";
import "../style/training.css";
import "../style/pilot.css";
import "../style/steps.css";
import { getStanding } from "../alarms/installation";
import { getPilotView } from "./api";
import { PilotPage } from "./page";

const EVERY_MS = 1000;

/** Ask for ever: a second after each answer, or at once after a change; a hidden page waits until it is seen. */
async function follow(root: HTMLElement): Promise<void> {
  let hurry: () => void = () => undefined;
  const page = new PilotPage(root, () => hurry());
  for (;;) {
    const pause = new Promise<void>((resolve) => {
      hurry = resolve; // also while an answer is awaited: it may not hold the change yet
    });
    page.take(...(await Promise.all([getPilotView().catch(() => null), getStanding().catch(() => null)])));
    await Promise.race([pause, new Promise((resolve) => window.setTimeout(resolve, EVERY_MS))]);
    if (document.hidden)
      await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

const root = document.getElementById("app");
if (root) void follow(root);
