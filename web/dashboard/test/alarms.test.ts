import { ofInstallation } from "../src/alarms/installation";
import { describe, expect, it } from "vitest";
import { AlarmBoard, alarmSentence, ownWords, spokenAlarm, type AlarmState } from "../src/alarms/board";

const alarm = (changes: Partial<AlarmState> = {}): AlarmState => ({
  aircraft_id: "fritz",
  aircraft_name: "Fritz",
  code: "battery_percent",
  level: "alarm",
  active: true,
  training: false,
  utc_ms: 1000,
  values: { limit: "20" },
  ...changes,
});

describe("the alarms that stand", () => {
  it("rise, change their level, and fall, each of its aircraft", () => {
    const board = new AlarmBoard();
    board.take(alarm({ level: "warning" }));
    board.take(alarm({ aircraft_id: "otto" }));
    board.take(alarm());
    expect(board.list.map(({ aircraft_id: id, level }) => [id, level])).toEqual([
      ["fritz", "alarm"],
      ["otto", "alarm"],
    ]);
    board.take(alarm({ active: false }));
    board.take(alarm({ code: "fence", active: false }));
    expect(board.list.map(({ aircraft_id: id }) => id)).toEqual(["otto"]);
  });

  it("are those that the server names after a reconnect, and no others", () => {
    const board = new AlarmBoard();
    board.take(alarm());
    board.replace([alarm({ code: "no_fix" })]);
    expect(board.list.map(({ code }) => code)).toEqual(["no_fix"]);
    board.replace([]);
    expect(board.list).toEqual([]);
  });

  it("come the most serious first, of these the newest", () => {
    const board = new AlarmBoard();
    board.take(alarm({ code: "returning", level: "warning", utc_ms: 9000 }));
    board.take(alarm({ code: "no_fix", utc_ms: 1000 }));
    board.take(alarm({ code: "fence", utc_ms: 2000 }));
    expect(board.list.map(({ code }) => code)).toEqual(["fence", "no_fix", "returning"]);
  });

  it("say what it is, with the limit as the language writes it", () => {
    expect(alarmSentence("de", alarm())).toBe("Akku unter 20 %");
    expect(alarmSentence("de", alarm({ code: "battery_volts", values: { limit: "10.5" } }))).toBe(
      "Akku unter 10,5 V",
    );
    expect(alarmSentence("en", alarm({ code: "no_fix", values: {} }))).toBe("GPS position lost");
    expect(alarmSentence("de", alarm({ code: "disk_low", values: { hours: "3.5", free: "12" } }))).toBe(
      "Speicher für Aufnahmen wird knapp: noch 12 GB, reicht 3,5 h",
    );
  });

  it("of a newer server speak in the aircraft's own words", () => {
    const news = alarm({ code: "from_the_future", values: { text: "Low Battery!" } });
    expect(alarmSentence("de", news)).toBe("Akku schwach");
    expect(alarmSentence("de", { ...news, values: {} })).toBe("Meldung der Drohne: from_the_future");
    expect(ownWords("de", {})).toBeNull();
  });

  it("are said with whose they are; nobody's are the installation's, and an exercise is said to be one", () => {
    const text = "Akku unter 20 %";
    expect(spokenAlarm("de", alarm())).toBe(`Fritz: ${text}`);
    expect(spokenAlarm("de", alarm({ aircraft_id: "", aircraft_name: "" }))).toBe(text);
    expect(spokenAlarm("de", alarm({ training: true, aircraft_name: "ÜBUNG" }))).toBe(`ÜBUNG: ${text}`);
    expect(ofInstallation([alarm(), alarm({ aircraft_id: "" })])).toEqual([alarm({ aircraft_id: "" })]);
  });
});
