import "../style/base.css";
import "../style/bar.css";
import "../style/forms.css";
import "../style/pilot.css";
import "../style/flights.css";
import "../style/effect.css";
import { EffectPage } from "./page";

const EVERY_MS = 30_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

/** Of an incident that goes on, ask again; of one that is closed, until it was answered once. */
async function keepTrue(page: EffectPage): Promise<void> {
  do {
    await page.renew();
    await pause(EVERY_MS);
  } while (page.goesOn);
}

const root = document.getElementById("app");
const incident = decodeURIComponent(location.pathname.split("/")[2] ?? "");
if (root) void keepTrue(new EffectPage(root, incident));
