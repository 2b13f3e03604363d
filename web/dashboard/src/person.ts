/** Who sits here: the name that was typed last, so that nobody types it twice. */

const KEY = "lagebild-name";

export function personName(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // storage forbidden
  }
}

export function keepPersonName(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // storage forbidden: it is typed again
  }
}
