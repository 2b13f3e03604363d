/** The page's keys. Without a modifier, and not while somebody types. */

type Letter = "h" | "m" | "l" | "b" | "s" | "f" | "p" | "?";
type More = "j" | "k" | "," | "."; // on pages that have a use for them
const HELD = [",", "."]; // go on while they are held down

export type KeyActions = Record<Letter, () => void> & {
  [key in More]?: () => void;
} & {
  digit(n: number): void;
  escape(): void;
  /** Along the recording: -1 back, 1 forward. */
  arrow(direction: -1 | 1): void;
  space(): void;
  end(): void;
  home?(): void;
  /** Faster (1) or slower (-1). */
  speed?(direction: -1 | 1): void;
};

export function listenToKeys(does: KeyActions): void {
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const typing =
      (target instanceof HTMLInputElement && !target.readOnly) ||
      target instanceof HTMLSelectElement ||
      target instanceof HTMLTextAreaElement;
    const key = event.key.toLowerCase();
    const again = event.repeat && !HELD.includes(key);
    if (event.ctrlKey || event.metaKey || event.altKey || again || typing) return;
    if (/^[1-9]$/.test(key)) does.digit(Number(key));
    else if (key === "escape") does.escape();
    else if (key === "arrowleft") does.arrow(-1);
    else if (key === "arrowright") does.arrow(1);
    else if (key === "end") does.end();
    else if (key === "home" && does.home) does.home();
    else if (key === "arrowup" && does.speed) does.speed(1);
    else if (key === "arrowdown" && does.speed) does.speed(-1);
    else if (key === " " && !presses(target)) does.space();
    else if (isLetter(key, does)) does[key]?.();
    else return;
    if (key !== "escape") event.preventDefault();
  });
}

/** The space bar belongs to a button or a list that has the focus. */
const presses = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("button, a, summary, dialog, [role=menu]") !== null;

const isLetter = (key: string, does: KeyActions): key is Letter | More => key.length === 1 && key in does;
