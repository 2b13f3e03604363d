/** What becomes of a page when the service knows its viewer no more: the login, or (where pictures are) the black. */

let handler: () => void = () => window.location.replace(loginAddress(window.location));

/** Call this instead of going to the login. */
export function onGone(handle: () => void): void {
  handler = handle;
}

/** The service has said that nobody is logged in here. */
export const gone = (): void => handler();

/** Where one logs in, and comes back from to the page that one is on. */
export const loginAddress = ({
  pathname,
  search,
  hash,
}: Pick<Location, "pathname" | "search" | "hash">): string =>
  `/login?next=${encodeURIComponent(pathname + search + hash)}`;

/** The page to go to after the login: only one of ours. Pure. */
export function nextAddress(search: string, origin: string): string {
  const asked = new URLSearchParams(search).get("next") ?? "";
  if (!asked.startsWith("/")) return "/";
  try {
    const { origin: of, pathname, search: query, hash } = new URL(asked, origin);
    return of === origin && !pathname.startsWith("//") && pathname !== "/login"
      ? pathname + query + hash
      : "/";
  } catch {
    return "/";
  }
}

/** The codes of a 401 that mean: log in. Others are of a wrong password, or of a publisher's key. */
const NOBODY = new Set(["login_needed", "token_wrong"]);

/** Whether an answer says that nobody is logged in here (any more). */
export const isGone = (status: number, code: unknown): boolean => status === 401 && NOBODY.has(String(code));
