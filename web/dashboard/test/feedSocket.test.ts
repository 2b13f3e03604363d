import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ServerMessage } from "../src/api";
import { FeedSocket } from "../src/feedSocket";
import { ServerTime } from "../src/serverTime";

class Socket {
  static readonly OPEN = 1;
  static made: Socket[] = [];
  readyState = 0;
  sent: { type: string; t0: number }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    Socket.made.push(this);
  }
  send = (text: string): void => void this.sent.push(JSON.parse(text) as { type: string; t0: number });
  close = (): void => this.drop();
  open(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
  }
  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const last = (): Socket => Socket.made.at(-1) as Socket;
let heard: ServerMessage[];
let openings: boolean[];
let time: ServerTime;
const open = (): FeedSocket =>
  new FeedSocket(
    "fritz tag",
    time,
    (message) => heard.push(message),
    (is) => openings.push(is),
  );

beforeEach(() => {
  vi.useFakeTimers();
  Socket.made = [];
  [heard, openings, time] = [[], [], new ServerTime()];
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("location", { protocol: "https:", host: "elw:8443" });
  vi.stubGlobal("WebSocket", Socket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the feed's WebSocket", () => {
  it("goes where the page came from, encrypted like it", () => {
    open();
    expect(last().url).toBe("wss://elw:8443/api/v1/feeds/fritz%20tag/telemetry");
  });

  it("asks for the time in a burst first, then now and then, and keeps the answers to itself", async () => {
    open();
    last().open();
    await vi.advanceTimersByTimeAsync(400);
    expect(last().sent.length).toBe(6);
    last().say({ type: "time", t0: performance.now(), utc_ms: 5_000_000 });
    await vi.advanceTimersByTimeAsync(4000);
    expect(last().sent.length).toBe(8);
    expect(time.at(performance.now())).toBeCloseTo(5_004_000, -1);
    expect(heard).toEqual([]);
  });

  it("hands on everything else, and nothing that is no text", () => {
    open();
    last().open();
    last().say({ type: "feeds", feeds: [] });
    last().onmessage?.({ data: new ArrayBuffer(3) });
    expect(heard).toEqual([{ type: "feeds", feeds: [] }]);
  });

  it("comes back by itself and says so", async () => {
    open();
    last().open();
    last().drop();
    await vi.advanceTimersByTimeAsync(500);
    expect(Socket.made).toHaveLength(2);
    last().open();
    expect(openings).toEqual([true, false, true]);
  });

  it("does not believe in a connection that is silent", async () => {
    open();
    last().open();
    await vi.advanceTimersByTimeAsync(9000);
    expect(openings).toEqual([true, false]);
    expect(Socket.made.length).toBeGreaterThan(1);
  });

  it("is quiet once closed", async () => {
    const socket = open();
    last().open();
    socket.close();
    socket.hurry();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Socket.made).toHaveLength(1);
  });
});
