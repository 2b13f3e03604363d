/** Logging in, one-time links, incident links and who watches, as the service tells them. Throws Refused. */

import type { Person } from "../api";
import type { Kind } from "../flights/api";
import { send } from "../requests";

export interface Credentials {
  login: string;
  password: string;
}

export const logIn = (given: Credentials): Promise<void> => send("POST", "/api/v1/login", given);
export const logOut = (): Promise<void> => send("POST", "/api/v1/logout");

/** What a one-time link is for. */
export interface Invitation {
  kind: "first_administrator" | "password";
  login: string; // "": the first administrator chooses
  name: string;
  expires_ms: number;
}

export const lookAtInvite = (token: string): Promise<Invitation> =>
  send("POST", "/api/v1/invited/look", { token });

/** `login` and `name`: only of the first administrator, whose account does not exist yet. */
export interface Invited {
  token: string;
  password: string;
  login?: string;
  name?: string;
}

export const takeInvite = (given: Invited): Promise<void> => send("POST", "/api/v1/invited", given);
export const changePassword = (old: string, replacement: string): Promise<void> =>
  send("PUT", "/api/v1/me/password", { old, new: replacement });

/** What an incident link opens. */
export interface Door {
  incident: string;
  kind: Kind;
  expires_ms: number;
  title: string;
}

export const lookAt = (token: string): Promise<Door> => send("POST", "/api/v1/enter/look", { token });
export const enter = (token: string, name: string): Promise<void> =>
  send("POST", "/api/v1/enter", { token, name });

/** An incident link. `revoked_ms` null: it holds until it expires. `guests`: who came by it. */
export interface Link {
  id: string;
  note: string;
  url: string;
  created_ms: number;
  expires_ms: number;
  by: string;
  revoked_ms: number | null;
  guests: number;
}

const linksOf = (incident: string): string => `/api/v1/incidents/${encodeURIComponent(incident)}/links`;
const linkPath = (incident: string, link: string): string =>
  `${linksOf(incident)}/${encodeURIComponent(link)}`;

export const getLinks = async (incident: string): Promise<Link[]> =>
  (await send<{ links: Link[] }>("GET", linksOf(incident))).links;
export const makeLink = (incident: string, note: string, hours: number): Promise<Link> =>
  send("POST", linksOf(incident), { note, hours });
export const revokeLink = (incident: string, link: string): Promise<void> =>
  send("DELETE", linkPath(incident, link));
export const qrAddress = (incident: string, link: string): string => `${linkPath(incident, link)}/qr.svg`;

export const getPresent = async (): Promise<Person[]> =>
  (await send<{ people: Person[] }>("GET", "/api/v1/present")).people;
export const dismiss = (guest: string): Promise<void> =>
  send("DELETE", `/api/v1/present/${encodeURIComponent(guest)}`);
