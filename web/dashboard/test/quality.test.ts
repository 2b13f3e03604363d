import { describe, expect, it } from "vitest";
import type { RenditionChosen } from "../src/api";
import { quality, wish } from "../src/quality";

const FULL: RenditionChosen = {
  rendition: "source",
  target: "source",
  pinned: null,
  choices: ["source", "low"],
};
const CONVERTED: RenditionChosen = { rendition: "web", target: "web", pinned: null, choices: ["web", "low"] };

describe("the size of the picture", () => {
  it("is told by what is on the screen, not by what is wished for", () => {
    expect(quality(FULL)).toEqual({ value: "", now: "quality.full", moving: false });
    expect(quality(CONVERTED).now).toBe("quality.full");
    expect(quality({ ...FULL, rendition: "low", target: "low" }).now).toBe("quality.low");
    const leaving = quality({ ...FULL, target: "low", pinned: "low" });
    expect(leaving).toEqual({ value: "low", now: "quality.full", moving: true });
  });

  it("stays chosen when the best there is becomes another one", () => {
    expect(quality({ ...FULL, pinned: "source" }).value).toBe("full");
    expect(quality({ ...CONVERTED, pinned: "web" }).value).toBe("full");
  });

  it("asks for what this feed has", () => {
    expect(wish("full", FULL)).toBe("source");
    expect(wish("full", CONVERTED)).toBe("web");
    expect(wish("low", CONVERTED)).toBe("low");
    expect(wish(null, CONVERTED)).toBeNull();
    expect(wish("low", { ...FULL, choices: ["source"] })).toBeUndefined();
  });
});
