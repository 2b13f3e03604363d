/**
 * WHIP publisher (RFC 9725): one video, sent only; comes back by itself after every break. The key goes as
 * bearer token, so it stands in no address. As with WHEP, the offer is posted without candidates.
 */

import { Backoff } from "../backoff";

const POST_TIMEOUT_MS = 5000;
const CONNECT_TIMEOUT_MS = 8000;
const DISCONNECTED_MS = 2000; // "disconnected" often heals by itself

/** "broken": it is tried again soon; "refused": in vain until something else is tried. */
export type Link = "connecting" | "connected" | "broken" | "refused";

/** Refusals that will be the same next time; everything else passes by itself, or by somebody else's doing. */
const FINAL = [
  "key_missing",
  "key_wrong",
  "key_foreign",
  "not_pushed",
  "not_found",
  "not_acceptable",
  "bad_offer",
  "forbidden",
];

export class WhipClient {
  link: Link = "connecting";
  refusal = ""; // the server's code, of the last offer
  private connection: RTCPeerConnection | null = null;
  private resource: string | null = null;
  private timer: number | undefined;
  private readonly backoff = new Backoff(500, 8000);

  constructor(
    private readonly url: string,
    private readonly key: string,
    private track: MediaStreamTrack,
    private readonly onChange: () => void,
  ) {
    void this.start();
  }

  /** Another camera, without a new session. */
  async replace(track: MediaStreamTrack): Promise<void> {
    this.track = track;
    await this.connection?.getSenders()[0]?.replaceTrack(track);
  }

  close(): void {
    this.hangUp();
  }

  private async start(): Promise<void> {
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.connection = connection;
    connection.addTransceiver(this.track, { direction: "sendonly" });
    connection.onconnectionstatechange = () => this.watch(connection);
    this.timer = window.setTimeout(() => this.retry(connection), CONNECT_TIMEOUT_MS);
    try {
      await connection.setLocalDescription();
      const answer = await this.post(connection);
      await connection.setRemoteDescription({ type: "answer", sdp: answer });
      this.watchGoodbye(connection);
    } catch {
      this.retry(connection);
    }
  }

  private async post(connection: RTCPeerConnection): Promise<string> {
    this.refusal = "";
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${this.key}` },
      body: connection.localDescription?.sdp ?? "",
      signal: AbortSignal.timeout(POST_TIMEOUT_MS),
    });
    if (response.status !== 201) {
      const body = (await response.json().catch(() => null)) as { error?: { code?: string } } | null;
      if (connection === this.connection) this.refusal = body?.error?.code ?? "";
      throw new Error(`${this.url}: ${response.status}`);
    }
    const resource = response.headers.get("Location");
    if (connection === this.connection) this.resource = resource;
    else void release(resource); // given up meanwhile
    return response.text();
  }

  private watch(connection: RTCPeerConnection): void {
    if (connection !== this.connection) return;
    const state = connection.connectionState;
    if (state === "connected") {
      window.clearTimeout(this.timer);
      this.backoff.reset();
      this.turn("connected");
    }
    if (state === "failed" || state === "closed") this.retry(connection);
    if (state === "disconnected") {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => {
        if (connection.connectionState !== "connected") this.retry(connection);
      }, DISCONNECTED_MS);
    }
  }

  /** The server says goodbye over DTLS; the connection's own state follows only some five seconds later. */
  private watchGoodbye(connection: RTCPeerConnection): void {
    const transport = connection.getSenders()[0]?.transport;
    if (!transport) return;
    transport.onstatechange = () => {
      if (transport.state === "closed" || transport.state === "failed") this.retry(connection);
    };
  }

  private retry(connection: RTCPeerConnection): void {
    if (connection !== this.connection) return;
    this.hangUp();
    const final = FINAL.includes(this.refusal);
    if (!final) this.timer = window.setTimeout(() => void this.start(), this.backoff.nextMs());
    this.turn(final ? "refused" : "broken");
  }

  private turn(link: Link): void {
    this.link = link;
    this.onChange();
  }

  private hangUp(): void {
    window.clearTimeout(this.timer);
    const { connection, resource } = this;
    this.connection = this.resource = null;
    if (!connection) return;
    connection.onconnectionstatechange = null;
    void release(resource).then(() => connection.close());
  }
}

/** DELETE also while the page is going away; the server drops vanished publishers anyway. */
async function release(resource: string | null): Promise<void> {
  if (!resource) return;
  const signal = AbortSignal.timeout(2000);
  await fetch(resource, { method: "DELETE", keepalive: true, signal }).catch(() => undefined);
}
