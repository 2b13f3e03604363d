import { describe, expect, it } from "vitest";
import { keyIn, problemOf, status, type Seen } from "../src/camera/status";
import { source } from "./samples";

const seen = (changes: Partial<Seen>): Seen => ({
  link: null,
  refusal: "",
  problem: null,
  state: source(),
  ...changes,
});

describe("what the camera page says", () => {
  it("is green only for pictures of its own that the server has", () => {
    expect(status(seen({ link: "connected" })).verdict).toBe("arrives");
    for (const link of [null, "connecting", "broken", "refused"] as const)
      expect(status(seen({ link })).verdict).not.toBe("arrives"); // somebody else's pictures
    for (const state of [null, source({ status: "lost" }), source({ status: "stalled" })])
      expect(status(seen({ link: "connected", state })).word).toBe("camera.connected");
  });

  it("names why it is turned away", () => {
    expect(status(seen({ link: "refused", refusal: "key_wrong" })).why).toBe("reason.key_wrong");
    expect(status(seen({ link: "refused", refusal: "new in a later version" })).why).toBe(
      "camera.refused_why",
    );
    expect(status(seen({ link: "broken", refusal: "feed_busy" })).why).toBe("reason.feed_busy");
    expect(status(seen({ link: "broken" })).why).toBe("camera.again");
  });

  it("puts a camera that cannot be had first", () => {
    expect(status(seen({ link: "connected", problem: "camera.denied" })).word).toBe("camera.none");
    const named = (name: string): Error => Object.assign(new Error(), { name });
    expect(problemOf(named("NotAllowedError"))).toBe("camera.denied");
    expect(problemOf(named("NotReadableError"))).toBe("camera.in_use");
    expect(problemOf(named("NotFoundError"))).toBe("camera.missing");
    expect(problemOf("nothing")).toBe("camera.missing");
  });
});

describe("the key in the address", () => {
  it("stands behind #key=", () => {
    expect(keyIn("#key=abc")).toBe("abc");
    expect(keyIn("#x=1&key=a%20b")).toBe("a b");
    for (const none of ["", "#", "#key=", "#abc"]) expect(keyIn(none)).toBe("");
  });
});
