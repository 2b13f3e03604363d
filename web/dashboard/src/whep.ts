/**
 * WHEP viewer (draft-ietf-wish-whep): one video, received only; comes back by itself after every failure.
 *
 * The offer is posted without candidates: the server is reachable at a known address and learns ours from the
 * first connectivity check. The answer carries all of the server's candidates.
 */

import type { Rendition } from "./api";
import { Backoff } from "./backoff";

const POST_TIMEOUT_MS = 5000;
const DELETE_TIMEOUT_MS = 2000;
const PIN_TIMEOUT_MS = 5000;
const CONNECT_TIMEOUT_MS = 6000;
const DISCONNECTED_MS = 2000; // "disconnected" often heals by itself

/** Why the server turns viewers away: the feed has its most, or this address has; or it will pass by itself. */
export type Refusal = "feed_full" | "address_full" | "starting" | "crowded";
const REFUSALS = new Map<unknown, Refusal>([
  ["busy", "feed_full"],
  ["too_many", "address_full"],
  ["starting", "starting"],
  ["feed_connecting", "crowded"],
  ["address_connecting", "crowded"],
]);

/** Nobody knows who asks; he may not; or there is nothing (any more) that he may see. */
const FORBIDDEN: ReadonlySet<number> = new Set([401, 403, 404]);

interface LowLatencyReceiver extends RTCRtpReceiver {
  playoutDelayHint?: number;
  jitterBufferTarget: number | null;
}

export class WhepClient {
  receiver: RTCRtpReceiver | null = null;
  connection: RTCPeerConnection | null = null;
  refusal: Refusal | null = null; // of the last offer; null while it is under way, or was taken
  private resource: string | null = null;
  private timer: number | undefined;
  private attempt = 0;
  private closed = false;
  private readonly backoff = new Backoff(400, 8000);

  constructor(
    private readonly url: string,
    private readonly onStream: (stream: MediaStream) => void,
    private readonly onSession: (id: string | null) => void = () => undefined,
    private readonly onForbidden: (status: number) => void = () => undefined,
  ) {
    void this.start();
  }

  /** Whether the connection stands, as far as this side can know. */
  get connected(): boolean {
    return this.connection?.connectionState === "connected";
  }

  /** Pictures are displayed: the next failure starts with the shortest wait again. */
  proven(): void {
    this.backoff.reset();
  }

  /** Start anew at once: the server is back, or the pictures have stopped on the way. */
  restart(): void {
    if (this.closed) return;
    this.hangUp();
    void this.start();
  }

  /** Be sent this rendition from the next keyframe on; null: the server decides again. */
  async pin(rendition: Rendition | null): Promise<void> {
    const { resource } = this;
    if (!resource) return;
    const response = await fetch(`${resource}/rendition`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ rendition }),
      signal: AbortSignal.timeout(PIN_TIMEOUT_MS),
    }).catch(() => null);
    if (!response?.ok && resource === this.resource) this.onSession(idOf(resource)); // to be told what holds
  }

  close(): void {
    this.closed = true;
    this.hangUp();
  }

  private async start(): Promise<void> {
    const attempt = ++this.attempt;
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.connection = connection;
    const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
    showAtOnce(receiver);
    connection.ontrack = ({ track, streams }) => {
      this.receiver = receiver;
      this.onStream(streams[0] ?? new MediaStream([track]));
    };
    connection.onconnectionstatechange = () => this.watch(connection);
    this.timer = window.setTimeout(() => this.retry(connection), CONNECT_TIMEOUT_MS);
    try {
      await connection.setLocalDescription(); // makes the offer itself, in one go
      const answer = await this.post(connection.localDescription?.sdp ?? "", attempt);
      if (attempt === this.attempt) await connection.setRemoteDescription({ type: "answer", sdp: answer });
    } catch {
      if (attempt === this.attempt) this.retry(connection);
    }
  }

  private async post(offer: string, attempt: number): Promise<string> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: offer,
      signal: AbortSignal.timeout(POST_TIMEOUT_MS),
    }).catch((unreachable: unknown) => {
      this.refusal = null;
      throw unreachable;
    });
    const code = response.status === 201 ? null : await codeOf(response);
    if (attempt === this.attempt) this.refusal = REFUSALS.get(code) ?? null;
    if (FORBIDDEN.has(response.status) && attempt === this.attempt) this.onForbidden(response.status);
    if (response.status !== 201) throw new Error(`${this.url}: ${response.status}`);
    const location = response.headers.get("Location");
    const resource = location && new URL(location, response.url).href;
    if (attempt === this.attempt) this.begun(resource);
    else void release(resource); // given up meanwhile
    return response.text();
  }

  private begun(resource: string | null): void {
    this.resource = resource;
    this.onSession(resource && idOf(resource));
  }

  private watch(connection: RTCPeerConnection): void {
    if (connection !== this.connection) return;
    const state = connection.connectionState;
    if (state === "connected") window.clearTimeout(this.timer);
    if (state === "failed" || state === "closed") this.retry(connection);
    if (state === "disconnected") {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => {
        if (connection.connectionState !== "connected") this.retry(connection);
      }, DISCONNECTED_MS);
    }
  }

  private retry(connection: RTCPeerConnection): void {
    if (connection !== this.connection || this.closed) return;
    this.hangUp();
    this.timer = window.setTimeout(() => void this.start(), this.backoff.nextMs());
  }

  private hangUp(): void {
    this.attempt += 1;
    window.clearTimeout(this.timer);
    const connection = this.connection;
    if (connection) {
      connection.onconnectionstatechange = null;
      connection.ontrack = null;
      // Closing tells the server over DTLS; after that the DELETE would find nothing (404).
      void release(this.resource).then(() => connection.close());
    }
    if (this.resource) this.onSession(null);
    this.connection = this.receiver = this.resource = null;
  }
}

/** Freshness before smoothness: show each picture as soon as it is decoded. */
function showAtOnce(receiver: RTCRtpReceiver): void {
  const low = receiver as LowLatencyReceiver;
  if ("jitterBufferTarget" in low) low.jitterBufferTarget = 0;
  if ("playoutDelayHint" in low) low.playoutDelayHint = 0;
}

const idOf = (resource: string): string => resource.split("/").at(-1) ?? "";

/** The code of `{"error": {"code", "message"}}`; undefined for what is none, such as a proxy's own page. */
async function codeOf(response: Response): Promise<unknown> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: unknown } } | null;
  return body?.error?.code;
}

/** DELETE also while the page is going away; the server drops vanished viewers anyway. */
async function release(resource: string | null): Promise<void> {
  if (!resource) return;
  const signal = AbortSignal.timeout(DELETE_TIMEOUT_MS);
  await fetch(resource, { method: "DELETE", keepalive: true, signal }).catch(() => undefined);
}
