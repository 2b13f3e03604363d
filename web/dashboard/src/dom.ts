/** Building elements in one expression. */

type Child = Node | string | null | false;
type Properties = Record<string, unknown>;

/** `h("button", {class: "x", "aria-label": "…", onclick: f}, …children)`; functions become listeners. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value as EventListener);
    else if (key === "style")
      element.style.cssText = String(value); // an attribute would be against the CSP
    else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** An element of a drawing. */
export function svg(name: string, attributes: Record<string, string>, ...children: Node[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Sets the text only where it differs: no layout for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Other children in place of those that stand. What stays is not moved, and where somebody's keyboard is on a child
 * that is made anew (known by `key`) or gone, it is on the same button of the new one, or of its neighbour.
 */
export function renewChildren(
  parent: Element,
  children: readonly HTMLElement[],
  key: (child: Element) => string,
): void {
  const before = [...parent.children];
  const focused = document.activeElement;
  const held = before.find((child) => child.contains(focused));
  const button = held ? [...held.querySelectorAll("button")].findIndex((one) => one === focused) : -1;
  before.filter((child) => !children.some((one) => one === child)).forEach((child) => child.remove());
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  if (!held || held.isConnected || button < 0) return;
  const place = Math.min(before.indexOf(held), children.length - 1);
  const buttons = (children.find((child) => key(child) === key(held)) ?? children[place])?.querySelectorAll(
    "button",
  );
  buttons?.[Math.min(button, buttons.length - 1)]?.focus({ preventScroll: true });
}

export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
