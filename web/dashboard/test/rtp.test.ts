import { describe, expect, it } from "vitest";
import { Unwrapper } from "../src/rtp";

const WRAP = 2 ** 32;

describe("Unwrapper", () => {
  it("counts on over the wrap", () => {
    const unwrapper = new Unwrapper();
    expect(unwrapper.unwrap(WRAP - 3000)).toBe(WRAP - 3000);
    expect(unwrapper.unwrap(0)).toBe(WRAP);
    expect(unwrapper.unwrap(3000)).toBe(WRAP + 3000);
  });

  it("places what comes late before the wrap", () => {
    const unwrapper = new Unwrapper();
    unwrapper.unwrap(WRAP - 1);
    unwrapper.unwrap(10);
    expect(unwrapper.unwrap(WRAP - 5)).toBe(WRAP - 5);
    expect(unwrapper.unwrap(20)).toBe(WRAP + 20);
  });

  it("survives many wraps", () => {
    const unwrapper = new Unwrapper();
    const step = 2 ** 30;
    const seen = Array.from({ length: 40 }, (_, i) => unwrapper.unwrap((i * step) % WRAP));
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i * step));
  });
});
