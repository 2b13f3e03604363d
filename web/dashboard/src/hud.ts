/** The head-up display over one picture: readings as text, heading tape and horizon on a canvas. */

import type { Sample } from "./api";
import { translate, type Key, type Language } from "./catalogue";
import { h, setAttribute, setText } from "./dom";
import { duration } from "./format";
import { drawHorizon, drawTape, HORIZON_SHARE, Instrument, TAPE_HEIGHT_EM } from "./instruments";
import { letterbox } from "./tape";
import { readings, type Reading, type ReadingName } from "./readings";

const LABELS: Partial<Record<ReadingName, Key>> = {
  speed: "read.speed",
  climb: "read.climb",
  home_alt: "read.home_alt",
  msl: "read.msl",
  battery: "read.battery",
  satellites: "read.satellites",
  mode: "read.mode",
  gimbal: "read.gimbal",
};

/** Where each reading stands. */
const PLACES: Record<string, ReadingName[]> = {
  top: ["heading"],
  left: ["speed", "climb"],
  right: ["home_alt", "msl"],
  foot: ["battery", "satellites", "mode", "armed", "gimbal"],
};

export interface HudInput {
  language: Language;
  sample: Sample | null;
  referenceMs: number | null;
  withHorizon: boolean; // only where the sample belongs to the picture behind it
  estimated: boolean;
}

interface Size {
  width: number;
  height: number;
}

interface Cell {
  box: HTMLElement;
  value: HTMLElement;
  unit: HTMLElement;
  label: HTMLElement;
  age: HTMLElement;
}

export class Hud {
  private readonly tape = new Instrument();
  private readonly horizon = new Instrument();
  private readonly cells = new Map<ReadingName, Cell>();
  private readonly approximate = h("div", { class: "hud-approximate" });
  readonly element = h("div", { class: "hud" }, this.tape.element, this.horizon.element);
  isSmall = false;
  private em = 15;
  private picture = { width: 0, height: 0 };
  private drawn = "";

  constructor() {
    for (const [place, names] of Object.entries(PLACES)) {
      const column = h("div", { class: `hud-${place}` });
      for (const name of names) column.append(this.cell(name));
      this.element.append(column);
    }
    this.element.append(this.approximate);
  }

  /** The picture's rectangle inside the pane, in CSS pixels. */
  place(left: number, top: number, width: number, height: number): void {
    this.em = Math.min(20, Math.max(10, width / 62));
    this.picture = { width, height };
    this.element.style.cssText = `left:${left}px;top:${top}px;width:${width}px;height:${height}px;font-size:${this.em}px`;
    this.isSmall = width < 560;
    this.element.classList.toggle("small", this.isSmall);
    const tape = this.tapeWidth;
    this.tape.place((width - tape) / 2, this.em * 0.5, tape, this.em * TAPE_HEIGHT_EM);
    const [wide, high] = [width * HORIZON_SHARE.width, height * HORIZON_SHARE.height];
    this.horizon.place((width - wide) / 2, (height - high) / 2, wide, high);
    this.drawn = "";
  }

  show(input: HudInput): void {
    const { language, sample, referenceMs } = input;
    const texts = readings(language, sample, referenceMs);
    for (const [name, cell] of this.cells) showCell(cell, name, texts[name], language);
    setText(this.approximate, input.estimated && sample ? translate(language, "read.estimated") : "");
    const attitude = texts.attitude.ageMs === null ? sample : null;
    this.draw(attitude, input.withHorizon, language);
  }

  /** How far the readings at the sides reach into the picture with their ages, in CSS pixels. */
  get sideWidth(): number {
    return 9 * this.em;
  }

  private get tapeWidth(): number {
    return Math.min(this.picture.width * 0.46, this.em * 30);
  }

  private draw(attitude: Sample | null, withHorizon: boolean, language: Language): void {
    const { yaw_deg = null, roll_deg = null, pitch_deg = null } = attitude ?? {};
    const wanted = [
      yaw_deg?.toFixed(1),
      roll_deg?.toFixed(1),
      pitch_deg?.toFixed(1),
      withHorizon,
      language,
    ].join();
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    const compass = translate(language, "compass").split(" ");
    this.tape.draw(yaw_deg === null ? null : (on) => drawTape(on, this.em, this.tapeWidth, yaw_deg, compass));
    const known = withHorizon && roll_deg !== null && pitch_deg !== null ? { roll_deg, pitch_deg } : null;
    this.horizon.draw(known && ((on) => drawHorizon(on, this.em, this.picture, known)));
  }

  private cell(name: ReadingName): HTMLElement {
    const part = (kind: string): HTMLElement => h("span", { class: kind });
    const cell = { value: part("value"), unit: part("unit"), label: part("label"), age: part("age") };
    const box = h("div", { class: "reading", "data-reading": name });
    box.append(cell.label, cell.value, cell.unit, cell.age);
    this.cells.set(name, { box, ...cell });
    return box;
  }
}

/** Where display and sentence stand over a picture of that shape (0: none yet) in a box. */
export function layOver(box: Size, shape: Size, hud: Hud, notice: HTMLElement): void {
  const [left, top, width, height] = letterbox(box, shape.width > 0 ? shape : { width: 16, height: 9 });
  hud.place(left, top, width, height);
  notice.style.setProperty("--beside", `${left + hud.sideWidth}px`);
  notice.style.setProperty("--below", `${top}px`);
}

function showCell(cell: Cell, name: ReadingName, reading: Reading, language: Language): void {
  const label = LABELS[name];
  setText(cell.label, label ? translate(language, label) : "");
  setText(cell.value, reading.value);
  setText(cell.unit, reading.unit);
  setText(cell.age, reading.ageMs === null ? "" : duration(reading.ageMs / 1000));
  const freshness = reading.value === "--" ? "unknown" : reading.ageMs === null ? "fresh" : "old";
  setAttribute(cell.box, "data-freshness", freshness);
}
