/** The page's keys. Without a modifier, and not while somebody types. */

type Letter = "h" | "m" | "l" | "b" | "s" | "f" | "p" | "?";
export type KeyActions = Record<Letter, () => void> & { digit(n: number): void; escape(): void };

export function listenToKeys(does: KeyActions): void {
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const typing =
      (target instanceof HTMLInputElement && !target.readOnly) || target instanceof HTMLSelectElement;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing) return;
    const key = event.key.toLowerCase();
    if (/^[1-9]$/.test(key)) does.digit(Number(key));
    else if (key === "escape") does.escape();
    else if (isLetter(key, does)) does[key]();
    else return;
    if (key !== "escape") event.preventDefault();
  });
}

const isLetter = (key: string, does: KeyActions): key is Letter => key.length === 1 && key in does;
