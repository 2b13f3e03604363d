import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WhepClient } from "../src/whep";

/** As much of a peer connection as the client touches. */
class Peer {
  static made: Peer[] = [];
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  answer: string | null = null;
  closed = false;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: unknown = null;

  constructor() {
    Peer.made.push(this);
  }
  addTransceiver = (): object => ({ receiver: { jitterBufferTarget: null } });
  createOffer = async (): Promise<object> => ({ type: "offer", sdp: "offer" });
  setLocalDescription = async (): Promise<void> => void (this.localDescription = { sdp: "offer" });
  setRemoteDescription = async ({ sdp }: { sdp: string }): Promise<void> => void (this.answer = sdp);
  close = (): void => void (this.closed = true);
  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const URL_OF = "http://server/live/fritz/whep";
const SESSION_A = `${URL_OF}/a`;
let replies: (() => Promise<Response>)[];
let requests: string[];
let pinStatus = 200;

const created = (id: string) => async (): Promise<Response> => {
  const response = new Response("answer", { status: 201, headers: { Location: `/live/fritz/whep/${id}` } });
  Object.defineProperty(response, "url", { value: URL_OF });
  return response;
};
const refused =
  (status: number, code = "") =>
  async (): Promise<Response> =>
    new Response(JSON.stringify({ error: { code, message: "" } }), { status });
const last = (): Peer => Peer.made.at(-1) as Peer;
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  Peer.made = [];
  [replies, requests] = [[], []];
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("RTCPeerConnection", Peer);
  vi.stubGlobal("fetch", async (url: string, { method }: RequestInit): Promise<Response> => {
    requests.push(`${method} ${url}`);
    if (method === "PUT") return new Response(null, { status: pinStatus });
    return method === "POST" ? (replies.shift() ?? refused(503))() : new Response(null, { status: 200 });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the WHEP client", () => {
  it("posts an offer, takes the answer, and deletes the session before it hangs up", async () => {
    replies = [created("a")];
    const client = new WhepClient(URL_OF, () => undefined);
    await settle();
    expect(last().answer).toBe("answer");
    last().become("connected");
    expect(client.connected).toBe(true);
    const peer = last();
    client.close();
    expect(peer.closed).toBe(false);
    await settle();
    expect(requests).toEqual([`POST ${URL_OF}`, `DELETE ${URL_OF}/a`]);
    expect(peer.closed).toBe(true);
    await settle(60_000);
    expect(Peer.made).toHaveLength(1);
  });

  it.each([404, 409, 503])("tries again after %d, ever more rarely, until it is let in", async (status) => {
    replies = [refused(status), refused(status), refused(status), created("b")];
    new WhepClient(URL_OF, () => undefined);
    await settle(200);
    expect(requests).toHaveLength(1);
    await settle(400);
    expect(requests).toHaveLength(2);
    await settle(4000);
    expect(requests).toHaveLength(4);
    expect(last().answer).toBe("answer");
    expect(Peer.made.slice(0, -1).every(({ closed }) => closed)).toBe(true);
  });

  it("tells by which session it watches, and pins that one's rendition", async () => {
    replies = [created("a")];
    const sessions: (string | null)[] = [];
    const client = new WhepClient(
      URL_OF,
      () => undefined,
      (id) => sessions.push(id),
    );
    void client.pin("low"); // there is none yet
    await settle();
    expect(sessions).toEqual(["a"]);
    await client.pin("low");
    expect(requests).toEqual([`POST ${URL_OF}`, `PUT ${SESSION_A}/rendition`]);
    expect(sessions).toEqual(["a"]);
    pinStatus = 409;
    await client.pin("web");
    pinStatus = 200;
    expect(sessions).toEqual(["a", "a"]); // the page asks anew what holds
    client.close();
    expect(sessions).toEqual(["a", "a", null]);
  });

  it("survives a server that is away", async () => {
    replies = [() => Promise.reject(new TypeError("refused")), created("c")];
    new WhepClient(URL_OF, () => undefined);
    await settle(1000);
    expect(last().answer).toBe("answer");
  });

  it("gives up a connection that does not come about", async () => {
    replies = [created("d"), created("e")];
    new WhepClient(URL_OF, () => undefined);
    await settle(7000);
    expect(requests).toEqual([`POST ${URL_OF}`, `DELETE ${URL_OF}/d`, `POST ${URL_OF}`]);
  });

  it("starts anew at once when the connection fails, and lets a short disturbance pass", async () => {
    replies = [created("f"), created("g")];
    new WhepClient(URL_OF, () => undefined);
    await settle();
    last().become("connected");
    last().become("disconnected");
    await settle(1500);
    last().become("connected");
    await settle(10_000);
    expect(Peer.made).toHaveLength(1);
    last().become("failed");
    await settle(600);
    expect(Peer.made).toHaveLength(2);
  });

  it("starts anew when a disturbance lasts", async () => {
    replies = [created("h"), created("i")];
    new WhepClient(URL_OF, () => undefined);
    await settle();
    last().become("connected");
    last().become("disconnected");
    await settle(2600);
    expect(Peer.made).toHaveLength(2);
  });

  it("ends a session whose answer comes after it was given up", async () => {
    let answer: (response: Response) => void = () => undefined;
    replies = [() => new Promise((resolve) => (answer = resolve))];
    const client = new WhepClient(URL_OF, () => undefined);
    await settle();
    client.close();
    answer(await created("late")());
    await settle();
    expect(requests).toEqual([`POST ${URL_OF}`, `DELETE ${URL_OF}/late`]);
  });

  it("knows when there is no place, as long as the server says so", async () => {
    const unreachable = async (): Promise<Response> => Promise.reject(new Error("unreachable"));
    replies = [refused(503, "busy"), refused(429, "too_many"), unreachable, created("j")];
    const client = new WhepClient(URL_OF, () => undefined);
    await settle();
    expect(client.refusal).toBe("feed_full");
    await settle(600);
    expect(client.refusal).toBe("address_full");
    await settle(3000);
    expect(client.refusal).toBeNull();
  });

  it.each([
    [503, "starting", "starting"],
    [503, "feed_connecting", "crowded"],
    [429, "address_connecting", "crowded"],
    [500, "internal", null],
  ])("does not take %d, code %s, for a want of places", async (status, code, refusal) => {
    replies = [refused(status, code)];
    const client = new WhepClient(URL_OF, () => undefined);
    await settle();
    expect(client.refusal).toBe(refusal);
    client.close();
  });

  it("makes nothing of an answer that is not the server's own", async () => {
    replies = [async () => new Response("<html>Bad gateway</html>", { status: 503 })];
    const client = new WhepClient(URL_OF, () => undefined);
    await settle();
    expect(client.refusal).toBeNull();
    await settle(600);
    expect(requests).toHaveLength(2);
    client.close();
  });
});
