/** Requests that the service may refuse. What comes of one is its answer, or Refused with the code of the reason. */

import { gone, isGone } from "./access/gone";

/** The service says no; `code` is one of the catalogue's, or "" where it could not be asked. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly status = 0, // of HTTP
    readonly waitS: number | null = null, // until it may be tried again
  ) {
    super(code);
  }
}

const WITHIN_MS = 5000;

/** Throws Refused. `T` is what the answer holds; void where nothing is to be read of it. */
export async function send<T>(method: string, path: string, body?: object, withinMs = WITHIN_MS): Promise<T> {
  const response = await ask(path, {
    method,
    signal: AbortSignal.timeout(withinMs),
    ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await refusedBy(response);
  const text = await response.text().catch(() => {
    throw new Refused(""); // it broke off
  });
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** A file of the service, its headers read. Throws Refused. */
export async function fetchFile(path: string, withinMs: number): Promise<Response> {
  const response = await ask(path, { signal: AbortSignal.timeout(withinMs) });
  if (!response.ok) throw await refusedBy(response);
  return response;
}

/** The code to say for whatever went wrong. */
export const refusalCode = (error: unknown): string => (error instanceof Refused ? error.code : "failed");

async function ask(path: string, how: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...how, cache: "no-store" });
  } catch {
    throw new Refused("");
  }
}

/** Where nobody is logged in any more, the page goes to where one does. */
export async function refusedBy(response: Response): Promise<Refused> {
  const code = await codeOf(response);
  if (isGone(response.status, code)) gone();
  const wait = Number(response.headers.get("Retry-After") ?? NaN);
  return new Refused(code, response.status, Number.isFinite(wait) ? wait : null);
}

async function codeOf(response: Response): Promise<string> {
  try {
    const answer = (await response.json()) as { error?: { code?: string } };
    return answer.error?.code ?? "failed";
  } catch {
    return "failed";
  }
}
