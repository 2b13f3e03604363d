import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/alarms.css";
import "../style/forms.css";
import "../style/pilot.css";
import "../style/camera.css";
import { getStanding } from "../alarms/installation";
import type { Feed } from "../api";
import { CameraPage } from "./page";

const EVERY_MS = 1000;

/** The feed as the server sees it; null: no answer, undefined: it has no such feed. */
async function ask(feedId: string): Promise<Feed | null | undefined> {
  const path = `/api/v1/feeds/${encodeURIComponent(feedId)}`;
  const reply = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(3000) }).catch(() => null);
  if (reply?.status === 404) return undefined;
  return reply?.ok ? ((await reply.json()) as Feed) : null;
}

async function follow(root: HTMLElement, feedId: string): Promise<void> {
  const page = new CameraPage(root, feedId);
  for (;;) {
    page.takeNews(...(await Promise.all([ask(feedId).catch(() => null), getStanding().catch(() => null)])));
    await new Promise((resolve) => window.setTimeout(resolve, EVERY_MS));
  }
}

const root = document.getElementById("app");
const feedId = decodeURIComponent(location.pathname.split("/").at(-1) ?? "");
if (root) void follow(root, feedId);
