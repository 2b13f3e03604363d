import { describe, expect, it } from "vitest";
import type { SourceStatus } from "../src/api";
import { PictureState } from "../src/pictureState";

const THRESHOLDS = { live_age_ms: 1000, freeze_ms: 1000, lost_ms: 10_000, recover_ms: 500 };

/** Plays pictures and judgements on a clock of its own, as the page does. */
class Play {
  now = 0;
  readonly state = new PictureState(THRESHOLDS);
  source: SourceStatus | null = "live";
  sourceFps: number | null = null;
  identical = false;
  private ageAtPicture: number | null = 0;
  private pictureAt = 0;

  judge(): string {
    const grown = this.now - this.pictureAt;
    const ageMs = this.ageAtPicture === null ? null : this.ageAtPicture + grown;
    const { now, source, sourceFps, identical } = this;
    return this.state.judge({ now, ageMs, source, sourceFps, identical });
  }

  picture(ageMs: number | null): string {
    this.ageAtPicture = ageMs;
    this.pictureAt = this.now;
    this.state.picture(this.now);
    return this.judge();
  }

  /** Pictures of this age for `ms`; returns every state seen on the way, 20 judgements a second in between. */
  run(ms: number, everyMs: number, ageMs: number | null): Set<string> {
    const seen = new Set<string>();
    for (const end = this.now + ms; this.now < end;) {
      seen.add(this.picture(ageMs));
      for (const next = this.now + everyMs; this.now < next;) {
        this.now += Math.min(50, next - this.now);
        seen.add(this.judge());
      }
    }
    return seen;
  }

  wait(ms: number): string {
    this.now += ms;
    return this.judge();
  }
}

describe("the picture's state", () => {
  it("is KEIN SIGNAL until there was a picture, whatever the connection says", () => {
    const play = new Play();
    expect(play.judge()).toBe("lost");
    expect(play.wait(60_000)).toBe("lost");
  });

  it("is LIVE with the first timely picture", () => {
    expect(new Play().picture(200)).toBe("live");
  });

  it("is LIVE at an age of exactly one second and VERZÖGERT above", () => {
    expect(new Play().picture(1000)).toBe("live");
    expect(new Play().picture(1001)).toBe("delayed");
  });

  it("does not call an age above a second LIVE because pictures come unevenly", () => {
    const play = new Play();
    play.run(3000, 200, 900);
    play.picture(900);
    expect(play.wait(90)).toBe("delayed"); // still within the half second after the last age above one
    play.run(3000, 50, 900);
    play.picture(900);
    expect(play.wait(90)).toBe("live");
    expect(play.wait(20)).toBe("delayed");
  });

  it("never claims LIVE for pictures of unknown age", () => {
    const play = new Play();
    expect(play.run(3000, 33, null)).toEqual(new Set(["delayed"]));
  });

  it("freezes one second after the last picture and stays so while ingest sees it sending", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.picture(100);
    play.now += 950;
    expect(play.judge()).not.toBe("frozen");
    expect(play.wait(50)).toBe("frozen");
    expect(play.wait(60_000)).toBe("frozen");
  });

  it("is EINGEFROREN while the server sees the same picture again and again, and LIVE half a second after", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.identical = true;
    expect(play.run(5000, 33, 100)).toEqual(new Set(["frozen"]));
    play.identical = false;
    expect(play.picture(100)).toBe("delayed");
    expect(play.run(400, 33, 100)).toEqual(new Set(["delayed"]));
    play.run(200, 33, 100);
    expect(play.state.name).toBe("live");
  });

  it("is KEIN SIGNAL, not EINGEFROREN, where identical pictures have stopped and the source is lost", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.identical = true;
    play.picture(100);
    play.source = "lost";
    expect(play.wait(2000)).toBe("lost");
  });

  it("turns VERZÖGERT when the age grows past a second before it freezes", () => {
    const play = new Play();
    play.run(1000, 33, 800);
    play.picture(800);
    expect(play.wait(100)).toBe("live");
    expect(play.wait(200)).toBe("delayed");
  });

  it("is KEIN SIGNAL once ingest has given the source up, until a picture comes", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.source = "stalled";
    expect(play.wait(2000)).toBe("frozen");
    play.source = "lost";
    expect(play.wait(50)).toBe("lost");
    play.source = "connecting";
    expect(play.wait(50)).toBe("lost");
    expect(play.picture(100)).toBe("delayed");
  });

  it("is KEIN SIGNAL after ten seconds where nobody can ask ingest", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.source = null;
    const last = play.state.lastPictureAt ?? 0;
    play.now = last + 9999;
    expect(play.judge()).toBe("frozen");
    expect(play.wait(1)).toBe("lost");
  });

  it("comes back to LIVE only after half a second of good pictures", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.wait(3000);
    expect(play.picture(100)).toBe("delayed");
    const back = play.now;
    while (play.state.name === "delayed") {
      play.now += 33;
      play.picture(100);
    }
    expect(play.state.name).toBe("live");
    expect(play.now - back).toBeGreaterThanOrEqual(500);
    expect(play.now - back).toBeLessThan(540);
  });

  it("starts the half second anew with every late picture", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.picture(1500);
    play.run(400, 33, 100);
    expect(play.picture(1500)).toBe("delayed");
    play.run(400, 33, 100);
    expect(play.state.name).toBe("delayed");
    play.run(200, 33, 100);
    expect(play.state.name).toBe("live");
  });

  it("waits three intervals below four pictures a second", () => {
    const play = new Play();
    play.sourceFps = 1;
    expect(play.run(10_000, 1000, 300)).toEqual(new Set(["live"])); // one a second is not frozen, nor late
    play.picture(300);
    expect(play.wait(2990)).not.toBe("frozen");
    expect(play.wait(20)).toBe("frozen");
  });

  it("believes ingest's rate while it has seen too few pictures", () => {
    const play = new Play();
    play.sourceFps = 0.5;
    play.picture(100);
    expect(play.wait(5900)).not.toBe("frozen");
    expect(play.wait(200)).toBe("frozen");
  });

  it("is not made patient by one long gap", () => {
    const play = new Play();
    play.run(1000, 33, 100);
    play.wait(5000);
    play.run(1000, 33, 100);
    expect(play.state.freezeAfterMs(30)).toBe(1000);
  });

  it("does not flicker at 4 to 60 pictures a second", () => {
    for (const fps of [4, 10, 25, 30, 60]) {
      const play = new Play();
      play.sourceFps = fps;
      expect(play.run(5000, 1000 / fps, 740)).toEqual(new Set(["live"]));
    }
  });
});
