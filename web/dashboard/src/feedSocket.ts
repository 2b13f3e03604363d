/** The telemetry WebSocket of one feed: reconnects by itself and keeps the page's server time. */

import { telemetryUrl, type ServerMessage } from "./api";
import { Backoff } from "./backoff";
import type { ServerTime } from "./serverTime";

const BURST = 6; // round trips at the start, for a good offset at once
const BURST_MS = 60;
const STEADY_MS = 2000;
/** The server closes so when this viewer may watch no more. */
const ENDED = 4403;
const SILENT_MS = 5000; // a reply is due every STEADY_MS; without one the connection is dead

export class FeedSocket {
  open = false;
  private socket: WebSocket | null = null;
  private timer: number | undefined;
  private asked = 0;
  private session: string | null = null;
  private heardAt = 0;
  private closed = false;
  private readonly backoff = new Backoff(300, 4000);

  constructor(
    private readonly feedId: string,
    private readonly time: ServerTime,
    private readonly onMessage: (message: ServerMessage, now: number) => void,
    private readonly onOpen: (open: boolean) => void,
    private readonly onEnded: () => void = () => undefined,
  ) {
    this.connect();
  }

  close(): void {
    this.closed = true;
    window.clearTimeout(this.timer);
    this.socket?.close();
    this.socket = null;
  }

  /** By which session this page watches, so that the server can tell what it is sent; null: by none. */
  watches(session: string | null): void {
    this.session = session;
    this.tellSession();
  }

  /** Tell the server something; whether there is one to tell. */
  tell(message: object): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Try now instead of at the end of the back-off. */
  hurry(): void {
    if (this.closed || this.socket) return;
    window.clearTimeout(this.timer);
    this.connect();
  }

  private connect(): void {
    const socket = new WebSocket(telemetryUrl(this.feedId, window.location));
    this.socket = socket;
    this.heardAt = performance.now();
    socket.onopen = () => {
      this.backoff.reset();
      this.asked = 0;
      this.setOpen(true);
      this.askTime();
      if (this.session !== null) this.tellSession();
    };
    socket.onmessage = (event) => this.receive(event);
    socket.onclose = (event) => {
      if (event?.code === ENDED && this.socket === socket) this.end();
      else this.lost(socket);
    };
    this.timer = window.setTimeout(() => this.askTime(), SILENT_MS);
  }

  private receive(event: MessageEvent<unknown>): void {
    const now = performance.now();
    this.heardAt = now;
    if (typeof event.data !== "string") return;
    const message = JSON.parse(event.data) as ServerMessage;
    if (message.type === "time") this.time.add(message.t0, now, message.utc_ms);
    else this.onMessage(message, now);
  }

  private askTime(): void {
    const socket = this.socket;
    if (!socket) return;
    if (performance.now() - this.heardAt > SILENT_MS) {
      this.lost(socket);
      return;
    }
    if (this.tell({ type: "time", t0: performance.now() })) this.asked += 1;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.askTime(), this.asked < BURST ? BURST_MS : STEADY_MS);
  }

  private tellSession(): void {
    this.tell({ type: "session", id: this.session ?? "" });
  }

  private lost(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    socket.onmessage = null;
    socket.close();
    this.setOpen(false);
    window.clearTimeout(this.timer);
    if (!this.closed) this.timer = window.setTimeout(() => this.connect(), this.backoff.nextMs());
  }

  private end(): void {
    this.close();
    this.onEnded();
  }

  private setOpen(open: boolean): void {
    if (this.open === open) return;
    this.open = open;
    this.onOpen(open);
  }
}
