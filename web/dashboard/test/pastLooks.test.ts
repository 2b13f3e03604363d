import { afterEach, expect, test, vi } from "vitest";

import type { Sample } from "../src/api";
import { getSamples } from "../src/rewind/api";
import { SampleRing } from "../src/telemetry";

afterEach(() => vi.unstubAllGlobals());

const look = (bearing_deg: number): unknown => ({
  reason: "",
  bearing_deg,
  corners: [],
  cut: false,
  centre: null,
});

function answers(body: unknown): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(new Response(JSON.stringify(body)));
  });
  return asked;
}

const samplesOf = (): Promise<Sample[]> =>
  getSamples("f", { fromMs: 0, toMs: 1000 }, new AbortController().signal);

test("each sample of a recording knows where each camera looked then", async () => {
  const asked = answers({
    samples: [
      { utc_ms: 0, yaw_deg: 350 },
      { utc_ms: 100, yaw_deg: 10 },
    ],
    cut: false,
    looks: { tag: [look(1), look(2)], wbk: [look(3), look(4)] },
  });
  const samples = await samplesOf();
  expect(asked).toEqual(["/api/v1/flights/f/telemetry.json?from_ms=0&to_ms=1000&looks=1"]);
  expect(samples.map((sample) => sample.looks?.["wbk"]?.bearing_deg)).toEqual([3, 4]);
  const ring = new SampleRing();
  for (const sample of samples) ring.push(sample, sample.utc_ms * 90);
  expect(ring.at(50 * 90)?.looks?.["tag"]?.bearing_deg).toBe(1);
});

test("of a flight without looks there are none", async () => {
  answers({ samples: [{ utc_ms: 0 }], cut: false });
  expect((await samplesOf()).map((sample) => sample.looks)).toEqual([{}]);
});
