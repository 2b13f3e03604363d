import "./style/base.css";
import "./style/bar.css";
import "./style/help.css";
import "./style/quality.css";
import "./style/layout.css";
import "./style/picture.css";
import "./style/map.css";
import "./style/alarms.css";
import "./style/marks.css";
import "./style/rewind.css";
import "./style/forms.css";
import "./style/training.css";
import "./style/access.css";
import { learnMe } from "./access/me";
import { getConfig, getFeeds } from "./api";
import { App } from "./app";
import { Backoff } from "./backoff";
import { translate } from "./catalogue";
import { loadTaste } from "./choice";
import { h } from "./dom";
import type { Surface } from "./surface";

declare global {
  interface Window {
    /** See surface.ts. */
    lagebild?: Surface;
  }
}

/** The service may be away when the page is opened: say so and try until it answers. */
async function start(root: HTMLElement): Promise<void> {
  const { language, theme } = loadTaste();
  document.documentElement.dataset["theme"] = theme;
  const backoff = new Backoff(300, 4000);
  for (;;) {
    try {
      const [config, feeds] = await Promise.all([getConfig(), getFeeds(), learnMe()]);
      new App(root, config, feeds);
      return;
    } catch {
      root.replaceChildren(h("p", { class: "empty", role: "alert" }, translate(language, "why.server")));
      await new Promise((resolve) => window.setTimeout(resolve, backoff.nextMs()));
    }
  }
}

const root = document.getElementById("app");
if (root) void start(root);
