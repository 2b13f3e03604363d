/** Who sits here, as the service knows him, and what he may do. The service decides; pages only hide what it would refuse. */

import { send } from "../requests";

/** As web/access/permissions.py names them. */
export type Permission =
  | "watch"
  | "mark"
  | "rewind"
  | "review"
  | "export"
  | "keep"
  | "delete"
  | "share"
  | "connect"
  | "operate"
  | "train"
  | "administer"
  | "audit";

export type Role = "viewer" | "pilot" | "dispatcher" | "administrator";

export const ROLES: readonly Role[] = ["viewer", "pilot", "dispatcher", "administrator"];

export interface Me {
  kind: "nobody" | "person" | "guest" | "machine" | "local";
  id: string;
  name: string;
  login: string;
  roles: Role[];
  permissions: string[];
  incident: { id: string; name: string } | null; // null: bound to none
  password: boolean; // he can change his password here
  /** How one logs in here. `first`: there is no administrator yet. */
  ways: { password: boolean; oidc: string | null; first: boolean };
}

let known: Me | null = null;

/** Ask the service. Throws Refused. */
export async function learnMe(): Promise<Me> {
  known = await send<Me>("GET", "/api/v1/me");
  return known;
}

/** As it was learned last; null: not yet. */
export const me = (): Me | null => known;

/** Whether the service will let him. Nothing until it has said who he is. */
export const may = (permission: Permission): boolean => known?.permissions.includes(permission) ?? false;

/** Whether he may look back in what goes on. */
export const mayRewind = (): boolean => may("rewind") || may("review");
