/** Symbols as inline SVG, so that no font is needed; drawn in the colour of their text. */

const SHAPES = {
  live: '<circle cx="8" cy="8" r="6" fill="currentColor"/>',
  delayed: '<circle cx="8" cy="8" r="5.5"/><path d="M8 4.5V8l2.5 2"/>',
  frozen: '<path d="M5.5 3v10M10.5 3v10" stroke-width="3"/>',
  lost: '<path d="M3.5 3.5l9 9M12.5 3.5l-9 9" stroke-width="2.5"/>',
  warning: '<path d="M8 2l6.500 11.500h-13zM8 6.500v3.500M8 11.500v.8"/>',
  alarm:
    '<path d="M5.200 1.500h5.600l3.700 3.700v5.600l-3.700 3.700H5.200l-3.700-3.700V5.200zM8 4.500v4.500M8 10.800v.9" stroke-width="2"/>',
  mark: '<path d="M8 14.500C5 10.500 3.500 8.300 3.500 6a4.500 4.500 0 0 1 9 0c0 2.300-1.500 4.500-4.500 8.500z"/><circle cx="8" cy="6" r="1.500"/>',
  trash: '<path d="M2.500 4h11M6 4V2.500h4V4M4 4l.7 9.500h6.600L12 4M6.700 6.500v4.500M9.300 6.500v4.500"/>',
  waiting: '<circle cx="8" cy="8" r="5.5" stroke-dasharray="3 2.5"/>',
  sending: '<circle cx="8" cy="8" r="3" fill="currentColor"/>',
  past: '<path d="M2.500 8a5.500 5.500 0 1 0 1.800-4.100M2.300 2.300v3h3M8 4.800V8l2.300 1.500"/>',
  play: '<path d="M4.500 2.500l8.500 5.500-8.500 5.500z" fill="currentColor"/>',
  pause: '<path d="M5.500 3v10M10.500 3v10" stroke-width="2.500"/>',
  rec: '<circle cx="8" cy="8" r="5.5"/><circle cx="8" cy="8" r="2.5" fill="currentColor"/>',
  second: '<path d="M1.5 3.5h13v9h-13zM8 3.5v9"/>',
  swap: '<path d="M2 5.5h11M10 2.5l3 3-3 3M14 10.5H3M6 7.5l-3 3 3 3"/>',
  flip: '<path d="M5 2v11M2 10l3 3 3-3M11 14V3M8 6l3-3 3 3"/>',
  full: '<path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"/>',
  leave: '<path d="M6 2v4H2M14 6h-4V2M10 14v-4h4M2 10h4v4"/>',
  photo: '<path d="M1.5 4.5h3l1-2h5l1 2h3v9h-13z"/><circle cx="8" cy="8.5" r="2.5"/>',
  map: '<path d="M1.5 3.5l4-1.5 5 1.5 4-1.5v10.5L10.5 14l-5-1.5-4 1.5zM5.5 2v10.5M10.5 3.5V14"/>',
  hud: '<path d="M1 8h4M11 8h4M3 3.5h2M3 12.5h2M11 3.5h2M11 12.5h2"/><circle cx="8" cy="8" r="1" fill="currentColor"/>',
  bright:
    '<circle cx="8" cy="8" r="3"/><path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.5 1.5M11.5 11.5L13 13M13 3l-1.5 1.5M4.500 11.5L3 13"/>',
  help: '<path d="M5.500 6a2.5 2.5 0 1 1 3.700 2.200c-.8.4-1.200.9-1.200 1.800M8 12.500v.5"/>',
  follow: '<circle cx="8" cy="8" r="3"/><path d="M8 1v4M8 11v4M1 8h4M11 8h4"/>',
  arrow: '<path d="M8 1.500l5 12.500-5-3-5 3z" fill="currentColor"/>',
  plus: '<path d="M8 3v10M3 8h10"/>',
  minus: '<path d="M3 8h10"/>',
  copy: '<path d="M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3"/>',
  arrives: '<path d="M2.5 8.5l3.500 4 7.500-9" stroke-width="2.5"/>',
  unlocked: '<path d="M3.500 7.500h9v6.500h-9zM5.500 7.500V5a2.500 2.500 0 0 1 4.900-.7"/>',
  note: '<path d="M3 2.500h10v8.500l-2.500 2.500H3zM5.500 5.500h5M5.500 8h5M10.500 13.500V11H13"/>',
  edit: '<path d="M2.500 13.500l.7-3 8-8 2.300 2.300-8 8z"/>',
  person:
    '<circle cx="8" cy="5.200" r="3"/><path d="M2.500 14.500c.5-3.500 2.700-5 5.500-5s5 1.500 5.500 5"/>',
  eye: '<path d="M1 8c2-3.300 4.300-5 7-5s5 1.700 7 5c-2 3.300-4.300 5-7 5s-5-1.700-7-5z"/><circle cx="8" cy="8" r="2.200"/>',
  link: '<path d="M2 2h4.500v4.500H2zM9.500 2H14v4.500H9.500zM2 9.500h4.500V14H2zM9.500 9.500h1.700v1.700H9.500zM14 9.500v2M9.500 14h2M13 13h1v1h-1z"/>',
  close: '<path d="M3.500 3.500l9 9M12.500 3.500l-9 9"/>',
} as const;

export type IconName = keyof typeof SHAPES;

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 16 16",
    class: "icon",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.5",
    "aria-hidden": "true",
  })) {
    svg.setAttribute(key, value);
  }
  svg.innerHTML = SHAPES[name];
  return svg;
}
