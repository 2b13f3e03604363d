/** Rectangles that are drawn over a picture: what of it nobody is to recognise. */

import { translate, type Language } from "../../catalogue";
import { h, setAttribute, setText } from "../../dom";
import { icon } from "../../icons";
import type { Region } from "./api";

const MOST = 16;
const SMALLEST = 0.01; // of the picture's width and height; less is a tap and no rectangle

/** The rectangle between two corners, cut to the picture; null: too small to be meant. Pure. */
export function regionOf(a: readonly [number, number], b: readonly [number, number]): Region | null {
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  const [left, right] = [within(Math.min(a[0], b[0])), within(Math.max(a[0], b[0]))];
  const [top, bottom] = [within(Math.min(a[1], b[1])), within(Math.max(a[1], b[1]))];
  const region = { x: left, y: top, width: right - left, height: bottom - top };
  return region.width < SMALLEST || region.height < SMALLEST ? null : region;
}

export class RegionEditor {
  private readonly image = h("img", { class: "regions-image", alt: "", draggable: "false" });
  private readonly drawn = h("div", { class: "regions-drawn" });
  private readonly picture = h("div", { class: "regions-picture" }, this.image, this.drawn);
  private readonly how = h("p");
  private readonly none = h("p", { class: "trouble", role: "alert" });
  private readonly list = h("ul", { class: "regions-list" });
  readonly element = h("div", { class: "regions" }, this.how, this.picture, this.none, this.list);
  private regions: Region[] = [];
  private started: [number, number] | null = null;
  private language: Language = "de";

  /** `changed`: other rectangles stand. */
  constructor(private readonly changed: (regions: readonly Region[]) => void) {
    const { picture } = this;
    this.image.addEventListener("error", () =>
      setText(this.none, translate(this.language, "export.no_still")),
    );
    this.image.addEventListener("load", () => setText(this.none, ""));
    picture.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.started = this.cornerAt(event);
      picture.setPointerCapture(event.pointerId);
    });
    picture.addEventListener("pointermove", (event) => {
      if (this.started) this.draw(regionOf(this.started, this.cornerAt(event)));
    });
    picture.addEventListener("pointerup", (event) => this.finish(event));
    picture.addEventListener("pointercancel", () => {
      this.started = null;
      this.draw(null);
    });
  }

  /** `url`: of a picture of that camera. */
  open(language: Language, name: string, url: string, regions: readonly Region[]): void {
    this.language = language;
    this.regions = [...regions];
    setText(this.how, translate(language, "export.regions_how"));
    setAttribute(this.image, "alt", translate(language, "export.regions_picture", { name }));
    setAttribute(this.image, "src", url);
    this.redraw();
  }

  private finish(event: PointerEvent): void {
    const region = this.started && regionOf(this.started, this.cornerAt(event));
    this.started = null;
    if (region && this.regions.length < MOST) this.regions.push(region);
    this.tell();
  }

  private tell(): void {
    this.redraw();
    this.changed([...this.regions]);
  }

  private cornerAt({ clientX, clientY }: PointerEvent): [number, number] {
    const { left, top, width, height } = this.picture.getBoundingClientRect();
    return [(clientX - left) / (width || 1), (clientY - top) / (height || 1)];
  }

  private redraw(): void {
    this.draw(null);
    this.list.replaceChildren(
      ...this.regions.map((region, i) => {
        const words = translate(this.language, "export.region_remove", { number: i + 1 });
        const remove = (): void => {
          this.regions = this.regions.filter((one) => one !== region);
          this.tell();
        };
        return h(
          "li",
          {},
          h("button", { type: "button", class: "button", onclick: remove }, icon("trash"), words),
        );
      }),
    );
  }

  private draw(growing: Region | null): void {
    const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
    this.drawn.replaceChildren(
      ...[...this.regions, ...(growing ? [growing] : [])].map(({ x, y, width, height }, i) =>
        h(
          "span",
          {
            class: "region",
            style: `left:${percent(x)};top:${percent(y)};width:${percent(width)};height:${percent(height)}`,
          },
          String(i + 1),
        ),
      ),
    );
  }
}
