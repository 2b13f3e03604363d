/** The alarms of the installation itself, for the pages that have no feed's channel: they ask. */

import type { Language } from "../catalogue";
import { send } from "../requests";
import { AlarmBoard, type AlarmState } from "./board";
import { AlarmStrip } from "./strip";

/** Every alarm that stands. Throws Refused. */
export const getStanding = async (): Promise<AlarmState[]> =>
  (await send<{ alarms: AlarmState[] }>("GET", "/api/v1/alarms")).alarms;

/** Of all that stand, what belongs to no aircraft: it concerns everybody. */
export const ofInstallation = (alarms: readonly AlarmState[]): AlarmState[] =>
  alarms.filter(({ aircraft_id: id }) => id === "");

export class InstallationAlarms {
  private readonly board = new AlarmBoard();
  private readonly strip = new AlarmStrip(this.board);
  readonly element = this.strip.element;

  /** null: the service does not answer; what it told last stands. */
  take(alarms: readonly AlarmState[] | null): void {
    if (alarms) this.board.replace(ofInstallation(alarms));
  }

  show(language: Language): void {
    this.strip.show(language);
  }
}
