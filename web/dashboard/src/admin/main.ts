import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/forms.css";
import "../style/pilot.css";
import "../style/flights.css";
import "../style/access.css";
import { learnMe } from "../access/me";
import { AdminPage } from "./page";

const pause = (ms: number): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

/** Who sits here is asked first: the rest is shown to whom it is for. */
async function start(root: HTMLElement): Promise<void> {
  const page = new AdminPage(root);
  while ((await learnMe().catch(() => null)) === null) await pause(2000);
  await page.renew();
}

const root = document.getElementById("app");
if (root) void start(root);
