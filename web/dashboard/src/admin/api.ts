/** Accounts, tokens and the audit log, as the service tells them. Throws Refused. */

import type { Role } from "../access/me";
import { send } from "../requests";

/** Somebody with an account. */
export interface Account {
  id: string;
  login: string;
  name: string;
  roles: Role[];
  created_ms: number;
  password: boolean;
  oidc: boolean; // comes by the city's own provider
  disabled: boolean;
  sessions: number; // the devices on which he is logged in
}

export interface AccountChange {
  login?: string;
  name?: string;
  roles?: Role[];
  disabled?: boolean;
}

/** A one-time link: shown once, to hand over. */
export interface Invite {
  url: string;
  expires_ms: number;
}

const ACCOUNTS = "/api/v1/accounts";
const accountPath = (id: string): string => `${ACCOUNTS}/${encodeURIComponent(id)}`;

export const getAccounts = async (): Promise<Account[]> =>
  (await send<{ accounts: Account[] }>("GET", ACCOUNTS)).accounts;
export const makeAccount = (given: Pick<Account, "login" | "name" | "roles">): Promise<Account> =>
  send("POST", ACCOUNTS, given);
export const changeAccount = (id: string, change: AccountChange): Promise<void> =>
  send("PATCH", accountPath(id), change);
export const deleteAccount = (id: string): Promise<void> => send("DELETE", accountPath(id));
export const invite = (id: string): Promise<Invite> => send("POST", `${accountPath(id)}/invite`);
export const endSessions = (id: string): Promise<void> => send("DELETE", `${accountPath(id)}/sessions`);

/** What lets a machine in. */
export interface Token {
  id: string;
  name: string;
  grants: string[];
  created_ms: number;
  by: string;
  expires_ms: number | null;
  incident_id: string | null;
}

/** `token` comes in this one answer. */
export interface NewToken extends Token {
  token: string;
}

/** What a token may be given (web/access/policy.py). */
export const GRANTS = ["watch", "mark", "review", "export", "keep", "share", "operate"] as const;
export type Grant = (typeof GRANTS)[number];

const TOKENS = "/api/v1/tokens";

export const getTokens = async (): Promise<Token[]> =>
  (await send<{ tokens: Token[] }>("GET", TOKENS)).tokens;
export const makeToken = async (given: {
  name: string;
  grants: string[];
  expires_ms?: number;
  incident_id?: string;
}): Promise<NewToken> => {
  const kind = given.grants.every((grant) => grant === "operate") ? "metrics" : "api";
  const answer = await send<{ token: string; made: Token }>("POST", TOKENS, { ...given, kind });
  return { ...answer.made, token: answer.token };
};
export const withdrawToken = (id: string): Promise<void> =>
  send("DELETE", `${TOKENS}/${encodeURIComponent(id)}`);

/** One line of the audit log. */
export interface AuditEntry {
  seq: number;
  utc_ms: number;
  kind: string; // of who did it
  id: string; // his
  name: string;
  address: string;
  action: string;
  about: string;
  named: Record<string, string>;
  detail: Record<string, string | number | boolean | null>;
}

export interface AuditQuery {
  from_ms: number;
  to_ms: number;
  who: string;
  action: string;
  about: string;
  limit: number;
  before: number; // an entry's number: those that came before it
}

/** Whether the chain of entries is whole. */
export interface AuditCheck {
  intact: boolean;
  entries: number;
  findings: { seq: number; text: string }[]; // what is wrong, and where
}

const AUDIT_MS = 30_000; // years of it take a moment

const query = (asked: Partial<AuditQuery>): string => {
  const given = Object.entries(asked)
    .filter(([, value]) => value !== "")
    .map(([name, value]): [string, string] => [name, String(value)]);
  return new URLSearchParams(given).toString();
};

export const getAudit = async (asked: Partial<AuditQuery>): Promise<AuditEntry[]> =>
  (await send<{ entries: AuditEntry[] }>("GET", `/api/v1/audit?${query(asked)}`, undefined, AUDIT_MS))
    .entries;
export const auditFile = (asked: Partial<AuditQuery>, kind: "csv" | "jsonl"): string =>
  `/api/v1/audit.${kind}?${query(asked)}`;
export const checkAudit = (): Promise<AuditCheck> =>
  send("GET", "/api/v1/audit/check", undefined, AUDIT_MS * 4);
