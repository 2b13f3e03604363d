/** What the device does to the channels that are open: its network comes back, the page is left and come back to. */

import type { Channel } from "./channel";

export function followTheDevice(open: () => Channel[]): void {
  window.addEventListener("online", () => open().forEach((channel) => channel.hurry()));
  window.addEventListener("pagehide", () => open().forEach((channel) => channel.suspend()));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) open().forEach((channel) => channel.resume());
  });
}
