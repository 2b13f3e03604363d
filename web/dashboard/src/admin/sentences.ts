/** Accounts, tokens and entries of the audit log in words. Pure. */

import { isKey, translate, type Language } from "../catalogue";
import { dateTime } from "../format";
import type { Account, AuditEntry, Token } from "./api";

export const accountName = ({ name, login }: Pick<Account, "name" | "login">): string =>
  name === login ? name : `${name} · ${login}`;

/** "Leitstelle, Administrator · angemeldet auf Geräten: 2" */
export function accountFacts(language: Language, account: Account): string {
  const roles = account.roles.map((role) => translate(language, `me.role.${role}`)).join(", ");
  return [
    account.disabled && translate(language, "accounts.blocked"),
    roles,
    account.oidc && translate(language, "accounts.oidc", { name: translate(language, "accounts.provider") }),
    !account.password && !account.oidc && translate(language, "accounts.no_password"),
    account.sessions > 0 && translate(language, "accounts.devices", { count: account.sessions }),
  ]
    .filter(Boolean)
    .join(" · ");
}

export function grantWords(language: Language, grant: string): string {
  const key = `grant.${grant}`;
  return isKey(key) ? translate(language, key) : grant;
}

export function tokenFacts(language: Language, token: Token, incident: string): string {
  const { expires_ms: expires, created_ms: created, by } = token;
  return [
    token.grants.map((grant) => grantWords(language, grant)).join(", "),
    incident && translate(language, "tokens.bound", { incident }),
    expires === null
      ? translate(language, "tokens.forever")
      : translate(language, "tokens.until", { time: dateTime(language, expires) }),
    translate(language, "tokens.created", { time: dateTime(language, created), name: by || "--" }),
  ]
    .filter(Boolean)
    .join(" · ");
}

export function actionWords(language: Language, action: string): string {
  const key = `audit.do.${action}`;
  return isKey(key) ? translate(language, key) : action;
}

/** Who it was: a name where it is kept, else the id; and what he is. */
export function whoWords(language: Language, { kind, name, id }: AuditEntry): string {
  const key = `audit.kind.${kind}`;
  const what = isKey(key) ? translate(language, key) : kind;
  const called = name || (kind === "local" || kind === "nobody" ? "" : id);
  return called ? `${called} (${what})` : what;
}

/** What it was about, as the service names it: "/api/v1/flights/{flight}", with its parameters filled in. */
export function aboutWords({ about, named, detail }: AuditEntry): string {
  const path = about.replace(/\{(\w+)\}/g, (hole, name: string) => named[name] ?? hole);
  const more = Object.entries(detail)
    .filter(([name, value]) => value !== null && name !== "method")
    .map(([name, value]) => `${name}: ${String(value)}`);
  const method = typeof detail["method"] === "string" ? detail["method"] : "";
  return [[method, path].filter(Boolean).join(" "), ...more].filter(Boolean).join(" · ");
}
