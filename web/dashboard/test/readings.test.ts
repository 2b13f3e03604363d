import { describe, expect, it } from "vitest";
import { age, duration, number, timeOfDay } from "../src/format";
import { heading, readings } from "../src/readings";
import { sample } from "./samples";

describe("readings", () => {
  it("speak German with a comma and English with a point", () => {
    const de = readings("de", sample(), 1_000_000);
    expect(de.speed).toEqual({ value: "12,3", unit: "m/s", ageMs: null });
    expect(de.climb.value).toBe("+0,5");
    expect(de.battery.value).toBe("71 % · 22,8 V");
    expect(de.satellites.value).toBe("14 · 3D");
    expect(de.home_alt.value).toBe("84");
    expect(de.msl.value).toBe("335");
    expect(de.gimbal.value).toBe("−45°");
    expect(readings("en", sample(), 1_000_000).speed.value).toBe("12.3");
  });

  it("show unknown as --, never as the last value", () => {
    const unknown = readings(
      "de",
      sample({
        alt_home_m: null,
        ground_speed_ms: null,
        battery_pct: null,
        battery_v: null,
        yaw_deg: null,
        armed: null,
      }),
      1_000_000,
    );
    for (const name of ["home_alt", "speed", "battery", "heading", "armed"] as const)
      expect(unknown[name].value).toBe("--");
    expect(readings("de", null, null).mode).toEqual({ value: "--", unit: "", ageMs: null });
  });

  it("give each group its own age after two seconds", () => {
    const old = sample({ received_ms: { position: 1_000_000, battery: 995_000, speed: 998_000 } });
    const seen = readings("de", old, 1_000_000);
    expect(seen.home_alt.ageMs).toBeNull();
    expect(seen.speed.ageMs).toBeNull(); // exactly two seconds is not older
    expect(seen.battery.ageMs).toBe(5000);
  });

  it("tell armed from disarmed", () => {
    expect(readings("de", sample({ armed: true }), 0).armed.value).toBe("MOTOREN AN");
    expect(readings("de", sample({ armed: false }), 0).armed.value).toBe("Motoren aus");
  });
});

describe("numbers", () => {
  it("have one zero, and a minus as long as a plus", () => {
    expect(number("de", -0.04, 1)).toBe("0,0");
    expect(number("de", -0.06, 1)).toBe("−0,1");
    expect([heading(7), heading(359.7), heading(0)]).toEqual(["007°", "000°", "000°"]);
  });

  it("grow coarser with age", () => {
    expect(age("de", 180)).toBe("0,18 s");
    expect(age("en", 9990)).toBe("9.99 s");
    expect(age("de", 12_300)).toBe("12 s");
    expect([duration(119), duration(120), duration(7300)]).toEqual(["119 s", "2 min", "2 h"]);
  });

  it("are local times of the server's clock", () => {
    expect(timeOfDay(Date.UTC(2026, 10, 22, 13, 3, 22), "Europe/Berlin")).toBe("14:03:22");
  });
});
