/** Which incident this device was a guest of: so that a link that is over can be named. No secret. */

const KEY = "lagebild-guest";

export function rememberGuest(incident: string): void {
  try {
    localStorage.setItem(KEY, incident);
  } catch {
    // storage forbidden: the login page then says it in general
  }
}

export function guestOf(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export function forgetGuest(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // nothing was kept
  }
}
