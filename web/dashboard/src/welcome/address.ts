/** The one-time link's token: in the address's fragment, which no server and no log sees. */

/** Takes it, and out of the address at once: neither a glance nor the browser's history keeps it. */
export function takenFromAddress(
  address: Pick<Location, "hash" | "pathname">,
  history: Pick<History, "replaceState">,
): string {
  const token = address.hash.slice(1);
  if (token) history.replaceState(null, "", address.pathname);
  return token;
}
