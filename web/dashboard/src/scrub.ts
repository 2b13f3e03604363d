/** A finger or the mouse along an element that stands for a stretch of time. */

/** `to` is told the share (0 to 1) of the width that is pressed, and goes on being told while it is dragged. */
export function scrubbing(element: HTMLElement, to: (share: number) => void): void {
  const seek = (event: PointerEvent): void => to(shareAt(element, event));
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    seek(event);
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) seek(event);
  });
}

export function shareAt(element: Element, { clientX }: MouseEvent): number {
  const { left, width } = element.getBoundingClientRect();
  return width > 0 ? Math.min(1, Math.max(0, (clientX - left) / width)) : 0;
}
