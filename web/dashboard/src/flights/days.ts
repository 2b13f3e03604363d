/** Days of the calendar where the page is open, as moments. Pure. */

/** "2026-11-23": when that day begins there, Unix ms; null for what is no day. */
export const startOfDay = (day: string): number | null => moment(day, 0);

/** When the next day begins. */
export const endOfDay = (day: string): number | null => moment(day, 1);

function moment(day: string, more: number): number | null {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || !month || !date) return null;
  const at = new Date(year, month - 1, date + more).getTime(); // a day of the change of the clocks has 23 or 25 hours
  return Number.isFinite(at) ? at : null;
}
