/** Words of the page that shows the effect of an incident; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const EFFECT_WORDS = {
  "effect.title": ["Wirkung", "Effect"],
  "effect.loading": ["Die Wirkung wird berechnet.", "Working out the effect."],
  "effect.gone": ["Diesen Einsatz gibt es nicht.", "There is no such incident."],
  "effect.nobody": [
    "Bei diesem Einsatz hat niemand zugesehen, oder es ist noch kein Flug zugeordnet.",
    "Nobody watched this incident, or no flight belongs to it yet.",
  ],
  "effect.since": ["seit {time}, noch offen", "since {time}, still open"],
  "effect.until": ["{from} bis {to}", "{from} to {to}"],
  "effect.flights": ["Flüge: {count} (zusammen {time})", "Flights: {count} ({time} in all)"],
  "effect.csv": ["Tabelle (CSV)", "Table (CSV)"],
  "effect.print": ["Drucken", "Print"],

  // the figures
  "effect.first": ["Erstes Bild nach dem Öffnen des Links", "First picture after opening the link"],
  "effect.first_most": ["95 von 100 hatten es nach {time}", "95 in 100 had it after {time}"],
  "effect.first_never": ["ohne Bild geblieben: {count}", "never saw one: {count}"],
  "effect.watched": ["Zugesehen, alle zusammen", "Watched, all together"],
  "effect.viewers": ["Aufrufe: {count}", "Visits: {count}"],
  "effect.most": ["gleichzeitig höchstens: {count}", "at most at once: {count}"],
  "effect.age": ["Alter der Bilder, meist höchstens", "Age of the pictures, mostly at most"],
  "effect.age_most": ["95 % der Zeit höchstens {time}", "at most {time} for 95 % of the time"],
  "effect.age_older": ["95 % der Zeit: älter als {time}", "95 % of the time: older than {time}"],
  "effect.interruptions": ["Unterbrechungen", "Interruptions"],
  "effect.interrupted": ["zusammen {time}", "{time} in all"],

  // charts
  "effect.joins_title": ["Wie schnell kam das erste Bild?", "How soon did the first picture come?"],
  "effect.joins_unit": ["Aufrufe", "Visits"],
  "effect.ages_title": ["Wie alt waren die Bilder?", "How old were the pictures?"],
  "effect.ages_unit": ["Anteil der Zeit", "Share of the time"],
  "effect.over": ["mehr", "more"],
  "effect.course_title": ["Wie viele sahen zu?", "How many watched?"],

  // the table
  "effect.table_title": ["Kameras", "Cameras"],
  "effect.camera": ["Kamera", "Camera"],
  "effect.column_visits": ["Aufrufe", "Visits"],
  "effect.column_most": ["gleichzeitig", "at once"],
  "effect.column_hours": ["Zugesehen", "Watched"],
  "effect.column_first": ["Erstes Bild (Hälfte)", "First picture (half)"],
  "effect.column_first_most": ["Erstes Bild (95 %)", "First picture (95 %)"],
  "effect.column_interruptions": ["Unterbrechungen", "Interruptions"],
  "effect.note": [
    "Ein Aufruf zählt ganz, wenn er in einen Flug hineinreicht. Gemessen wird im Browser der Zuschauer; gespeichert wird nicht, wer sie sind.",
    "A visit that reaches into a flight counts as a whole. It is measured in the viewers' browsers; who they are is not kept.",
  ],
} as const satisfies Record<string, Entry>;
