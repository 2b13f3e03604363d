/** Words of the page of recorded flights; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const FLIGHT_WORDS = {
  "flights.title": ["Flüge", "Flights"],
  "flights.none": [
    "Noch kein Flug aufgezeichnet. Jeder Flug wird von selbst aufgezeichnet, sobald die Drohne startet.",
    "No flight has been recorded yet. Every flight is recorded by itself as soon as the drone takes off.",
  ],
  "flights.none_found": ["Kein Flug passt zur Suche.", "No flight matches."],
  "flights.loading": ["Flüge werden geladen.", "Loading flights."],
  "flights.more": ["Ältere Flüge zeigen", "Show older flights"],
  "flights.search": ["Suchen: Drohne, Kamera, Einsatz", "Search: drone, camera, incident"],
  "flights.all_incidents": ["Alle Einsätze und Übungen", "All incidents and exercises"],

  // one flight
  "flights.running": ["LÄUFT", "RUNNING"],
  "flights.no_incident": ["Kein Einsatz zugeordnet", "Belongs to no incident"],
  "flights.feed": ["{name}: {what}", "{name}: {what}"],
  "flights.no_picture": ["kein Bild aufgezeichnet", "no picture recorded"],
  "flights.no_gap": ["ohne Lücke", "without a gap"],
  "flights.one_gap": ["1 Lücke ({time})", "1 gap ({time})"],
  "flights.gaps": ["{count} Lücken (zusammen {time})", "{count} gaps ({time} in all)"],
  "flights.markers": ["Markierungen: {count}", "Marks: {count}"],
  "flights.alarms": ["Alarme: {count}", "Alarms: {count}"],
  "flights.no_telemetry": ["keine Telemetrie", "no telemetry"],
  "flights.telemetry": ["mit Telemetrie", "with telemetry"],
  "flights.repaired": [
    "Nach einem Abbruch repariert am {time}; es ist nichts verloren.",
    "Repaired after a breakdown on {time}; nothing is lost.",
  ],
  "flights.repaired_lost": [
    "Nach einem Abbruch repariert am {time}; die letzten {size} waren unlesbar und sind verloren.",
    "Repaired after a breakdown on {time}; the last {size} could not be read and are lost.",
  ],
  "flights.damaged": [
    "Beschädigt: Ein Teil dieses Flugs ist nicht lesbar.",
    "Damaged: part of this flight cannot be read.",
  ],
  "flights.deletes_running": [
    "Die Löschfrist beginnt, wenn der Flug endet.",
    "The time until deletion begins when the flight ends.",
  ],
  "flights.deletes_on": ["Wird am {date} gelöscht · {rule}", "Will be deleted on {date} · {rule}"],
  "flights.deletes_never": ["Hat kein Löschdatum", "Has no date of deletion"],
  "flights.held": [
    "Wird nicht gelöscht: {reason} (festgehalten von {by}, {time})",
    "Will not be deleted: {reason} (held by {by}, {time})",
  ],
  "flights.rule.einsatz_days": ["{days} Tage Einsatz", "{days} days, incident"],
  "flights.rule.uebung_days": ["{days} Tage Übung", "{days} days, exercise"],
  "flights.rule.one_einsatz_days": ["1 Tag Einsatz", "1 day, incident"],
  "flights.rule.one_uebung_days": ["1 Tag Übung", "1 day, exercise"],
  "flights.why.einsatz_days": ["Frist für Einsätze", "time of incidents is over"],
  "flights.why.uebung_days": ["Frist für Übungen", "time of exercises is over"],
  "flights.why.thinned": ["Speicher wurde knapp", "storage ran low"],
  "flights.why.person": ["von Hand", "by hand"],
  "flights.why.missing": ["Ordner nicht mehr vorgefunden", "folder was found gone"],

  // what can be done
  "flights.hold": ["Festhalten", "Hold"],
  "flights.release": ["Freigeben", "Release"],
  "flights.delete": ["Löschen", "Delete"],
  "flights.assign": ["Zuordnen", "Assign"],
  "flights.play": ["Als Übung abspielen", "Play as an exercise"],
  "flights.reason": ["Grund", "Reason"],
  "flights.by": ["Ihr Name", "Your name"],
  "flights.back": ["Zurück", "Back"],
  "flights.working": ["Einen Moment …", "One moment …"],
  "flights.hold_ask": [
    "{flight} festhalten: Der Flug wird nicht gelöscht, bis ihn jemand freigibt.",
    "Hold {flight}: it will not be deleted until somebody releases it.",
  ],
  "flights.release_ask": [
    "{flight} freigeben: Danach gilt wieder die Löschfrist.",
    "Release {flight}: its time until deletion counts again.",
  ],
  "flights.delete_ask": [
    "{flight} löschen: Bild, Telemetrie, Markierungen und Alarme dieses Flugs. Dass und warum gelöscht wurde, bleibt dokumentiert.",
    "Delete {flight}: picture, telemetry, marks and alarms of this flight. That it was deleted, and why, stays documented.",
  ],
  "flights.delete_sure": [
    "{flight} endgültig löschen? Das lässt sich nicht zurücknehmen.",
    "Delete {flight} for good? This cannot be undone.",
  ],
  "flights.delete_yes": ["Ja, endgültig löschen", "Yes, delete for good"],
  "flights.assign_ask": ["{flight} gehört zu:", "{flight} belongs to:"],
  "flights.assign_none": [
    "Noch gibt es keinen Einsatz und keine Übung. Oben auf der Seite zuerst eröffnen.",
    "There is no incident and no exercise yet. Open one first, at the top of the page.",
  ],

  // incidents
  "incidents.title": ["Einsätze und Übungen", "Incidents and exercises"],
  "incidents.none": ["Kein Einsatz und keine Übung offen.", "No incident and no exercise is open."],
  "incidents.open_new": ["Einsatz oder Übung eröffnen", "Open an incident or exercise"],
  "incidents.open": ["Eröffnen", "Open"],
  "incidents.change": ["Ändern", "Change"],
  "incidents.close": ["Abschließen", "Close"],
  "incidents.reopen": ["Wieder öffnen", "Reopen"],
  "incidents.closed": ["Abgeschlossen: {count}", "Closed: {count}"],
  "incidents.kind": ["Art", "Kind"],
  "incidents.name": ["Name", "Name"],
  "incidents.aircraft": ["Drohnen, deren neue Flüge dazugehören", "Drones whose new flights belong to it"],
  "incidents.kind_einsatz": ["Einsatz", "Incident"],
  "incidents.kind_uebung": ["Übung", "Exercise"],
  "incidents.since": ["seit {time}", "since {time}"],
  "incidents.until": ["{from} bis {to}", "{from} to {to}"],
  "incidents.flights": ["Flüge: {count}", "Flights: {count}"],
  "incidents.close_ask": [
    "{name} abschließen? Neue Flüge kommen dann nicht mehr dazu.",
    "Close {name}? No new flights will be added.",
  ],

  // an exercise that is played
  "exercise.title": ["Übung läuft: {flight}", "Exercise running: {flight}"],
  "exercise.paused": ["Übung angehalten: {flight}", "Exercise paused: {flight}"],
  "exercise.by": ["gestartet von {by}", "started by {by}"],
  "exercise.ask": [
    "{flight} für alle als ÜBUNG abspielen. Die Drohne „Übung“ erscheint dann in der Bildauswahl.",
    "Play {flight} for everybody as an EXERCISE. The drone “Übung” then appears among the feeds.",
  ],
  "exercise.from": ["Ab Minute", "From minute"],
  "exercise.speed": ["Tempo", "Speed"],
  "exercise.loop": ["Am Ende von vorn", "Start over at the end"],
  "exercise.start": ["Übung starten", "Start the exercise"],
  "exercise.pause": ["Anhalten", "Pause"],
  "exercise.resume": ["Weiter", "Resume"],
  "exercise.end": ["Übung beenden", "End the exercise"],
  "exercise.watch": ["Zum Übungsbild", "To the exercise picture"],
  "exercise.position": ["Stelle im Flug", "Position in the flight"],

  // deletion, past and future
  "retention.title": ["Was als Nächstes gelöscht wird", "What will be deleted next"],
  "retention.none": ["Nichts ist zum Löschen vorgemerkt.", "Nothing is due to be deleted."],
  "retention.line": ["{date}: {flight} · {rule}", "{date}: {flight} · {rule}"],
  "deletions.title": ["Gelöschte Flüge", "Deleted flights"],
  "deletions.none": ["Noch kein Flug wurde gelöscht.", "No flight has been deleted yet."],
  "deletions.line": [
    "{date}: {flight} · {size} · {rule} · gelöscht durch {by}",
    "{date}: {flight} · {size} · {rule} · deleted by {by}",
  ],

  // why not
  "refused.": [
    "Der Server antwortet nicht. Bitte noch einmal versuchen.",
    "The server does not answer. Please try again.",
  ],
  "refused.failed": ["Das hat nicht geklappt.", "That did not work."],
  "refused.not_found": ["Das gibt es nicht mehr.", "It does not exist any more."],
  "refused.flight_running": [
    "Dieser Flug läuft noch. Löschen geht erst, wenn er zu Ende ist.",
    "This flight is still running. It can be deleted once it is over.",
  ],
  "refused.on_hold": [
    "Dieser Flug ist festgehalten. Erst freigeben, dann löschen.",
    "This flight is on hold. Release it first, then delete it.",
  ],
  "refused.flight_playing": [
    "Dieser Flug wird gerade abgespielt oder exportiert. Löschen geht danach.",
    "This flight is being played or exported. It can be deleted afterwards.",
  ],
  "refused.bad_name": [
    "Name oder Grund fehlt, ist zu lang oder enthält Steuerzeichen.",
    "Name or reason is missing, too long, or has control characters in it.",
  ],
  "refused.flight_damaged": [
    "Dieser Flug ist beschädigt und lässt sich nicht abspielen.",
    "This flight is damaged and cannot be played.",
  ],
  "refused.training_runs": [
    "Es läuft schon eine Übung. Erst diese beenden.",
    "An exercise is running already. End that one first.",
  ],
  "refused.no_training": ["Die Übung ist schon zu Ende.", "The exercise is over already."],
  "refused.replay_failed": [
    "Dieser Flug lässt sich nicht abspielen. Die Ursache steht im Protokoll des Servers.",
    "This flight cannot be played. The server's log says why.",
  ],
  "refused.too_many": ["Zu viele Anfragen. Einen Moment warten.", "Too many requests. Wait a moment."],
  "refused.archive_busy": [
    "Die Aufzeichnungen antworten nicht rechtzeitig. Bitte noch einmal versuchen.",
    "The recordings do not answer in time. Please try again.",
  ],
  "refused.malformed": ["Die Angaben sind so nicht möglich.", "What was given is not possible."],
  "refused.disk_failed": [
    "Der Server kann nicht auf seinen Speicher schreiben. Datenträger prüfen.",
    "The server cannot write to its disk. Check the drive.",
  ],
  "refused.disk_full": ["Der Speicher des Servers ist voll.", "The server's disk is full."],
} as const satisfies Record<string, Entry>;
