/** Words of who comes in, and how; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const ACCESS_WORDS = {
  // logging in
  "login.title": ["Anmelden", "Log in"],
  "login.login": ["Anmeldename", "Login"],
  "login.password": ["Passwort", "Password"],
  "login.show": ["Passwort zeigen", "Show password"],
  "login.hide": ["Passwort verbergen", "Hide password"],
  "login.go": ["Anmelden", "Log in"],
  "login.going": ["Einen Moment …", "One moment …"],
  "login.or": ["oder", "or"],
  "login.oidc": ["Anmelden mit {name}", "Log in with {name}"],
  "login.wait": ["Zu viele Versuche. Weiter in {seconds} s.", "Too many attempts. Go on in {seconds} s."],
  "login.first": [
    "Hier gibt es noch kein Konto. Der Einmal-Link für den ersten Administrator steht dort, wo Lagebild gestartet wurde.",
    "There is no account here yet. The one-time link of the first administrator is where Lagebild was started.",
  ],
  "login.link": [
    "Zum Zuschauen im Einsatz braucht es kein Konto: Den QR-Code oder Link gibt die Leitstelle aus.",
    "To watch an incident no account is needed: the control room hands out the QR code or link.",
  ],
  "login.guest_over": [
    "Der Zugang zu „{incident}“ über den Link ist beendet. Für einen neuen Link die Leitstelle fragen.",
    "Access to “{incident}” by the link is over. Ask the control room for a new link.",
  ],
  "login.forgotten": [
    "Passwort vergessen? Ein Administrator gibt einen neuen Einmal-Link aus.",
    "Forgot the password? An administrator hands out a new one-time link.",
  ],

  // one-time links
  "welcome.title": ["Willkommen", "Welcome"],
  "welcome.first": [
    "Sie richten den ersten Administrator ein. Dieser Link gilt nur einmal.",
    "You set up the first administrator. This link works once only.",
  ],
  "welcome.password": [
    "{name}, wählen Sie Ihr Passwort. Dieser Link gilt nur einmal.",
    "{name}, choose your password. This link works once only.",
  ],
  "welcome.name": ["Ihr Name, wie ihn andere sehen", "Your name as others see it"],
  "welcome.new_password": ["Neues Passwort", "New password"],
  "welcome.rule": [
    "Mindestens 10 Zeichen. Vier Wörter hintereinander sind leicht zu merken.",
    "At least 10 characters. Four words in a row are easy to remember.",
  ],
  "welcome.go": ["Speichern und anmelden", "Save and log in"],
  "welcome.none": [
    "Das ist kein vollständiger Einmal-Link. Bitte den ganzen Link öffnen.",
    "This is no complete one-time link. Please open the whole link.",
  ],
  "welcome.to_login": ["Zur Anmeldung", "To the login"],

  // an incident link
  "enter.title": ["Zum Einsatz", "To the incident"],
  "enter.look": ["Einen Moment …", "One moment …"],
  "enter.until": ["Der Zugang gilt bis {time}.", "Access lasts until {time}."],
  "enter.name": ["Wer schaut hier zu?", "Who is watching here?"],
  "enter.example": ["ELW 1", "ELW 1"],
  "enter.why": [
    "Alle im Einsatz sehen diesen Namen. Er wird mit dem Einsatz gelöscht.",
    "Everybody in the incident sees this name. It is deleted with the incident.",
  ],
  "enter.go": ["Zum Bild", "To the picture"],
  "enter.over": ["Dieser Zugang ist beendet.", "This access is over."],
  "enter.over_why": [
    "Der Link ist abgelaufen, wurde zurückgenommen, oder er ist nicht vollständig. Bitte die Leitstelle um einen neuen Link oder QR-Code.",
    "The link has expired, was taken back, or is not complete. Please ask the control room for a new link or QR code.",
  ],
  "enter.account": [
    "Sie sind schon angemeldet als {name}. Ein Link ist nicht nötig.",
    "You are logged in already as {name}. No link is needed.",
  ],
  "enter.privacy": ["Hinweise zum Datenschutz", "Notice on privacy"],

  // who am I
  "me.title": ["Ihr Zugang", "Your access"],
  "me.person": ["Angemeldet als {name} ({login})", "Logged in as {name} ({login})"],
  "me.guest": ["Gast „{name}“ · {incident}", "Guest “{name}” · {incident}"],
  "me.machine": ["Zugangsschlüssel „{name}“", "Token “{name}”"],
  "me.local": [
    "Dieser Rechner: Alles ist erlaubt, denn nur von hier ist Lagebild erreichbar.",
    "This computer: everything is allowed, since Lagebild can be reached from here only.",
  ],
  "me.nobody": ["Nicht angemeldet", "Not logged in"],
  "me.role.viewer": ["Zuschauer (Einsatzleiter)", "Viewer (incident commander)"],
  "me.role.pilot": ["Drohnensteuerer", "Pilot"],
  "me.role.dispatcher": ["Leitstelle", "Dispatcher"],
  "me.role.administrator": ["Administrator", "Administrator"],
  "me.pages": ["Seiten", "Pages"],
  "me.password_changed": ["Das Passwort ist geändert.", "The password has been changed."],
  "me.log_out": ["Abmelden", "Log out"],
  "me.leave": ["Einsatz verlassen", "Leave the incident"],
  "me.password": ["Passwort ändern", "Change password"],
  "me.old_password": ["Bisheriges Passwort", "Present password"],
  "me.password_ask": [
    "Danach sind alle anderen Geräte abgemeldet, auf denen Sie angemeldet waren.",
    "Afterwards all other devices on which you were logged in are logged out.",
  ],

  // who watches
  "watchers.title": ["Wer sieht zu", "Who watches"],
  "watchers.count": ["Es sehen zu: {count}", "Watching: {count}"],
  "watchers.none": ["Gerade sieht niemand zu.", "Nobody watches just now."],
  "watchers.since": ["seit {time}", "since {time}"],
  "watchers.guest": ["Gast", "guest"],
  "watchers.local": ["am Server", "at the server"],
  "watchers.machine": ["Programm", "program"],
  "watchers.unnamed": ["ohne Namen", "without a name"],
  "watchers.dismiss": ["Abweisen", "Dismiss"],

  // incident links
  "links.button": ["Link / QR", "Link / QR"],
  "links.title": ["Zugang zu {incident}", "Access to {incident}"],
  "links.which": ["Zu welchem Einsatz?", "To which incident?"],
  "links.no_incident": [
    "Kein offener Einsatz hat diese Drohne. Auf der Seite „Flüge“ zuerst einen eröffnen und die Drohne zuordnen.",
    "No open incident has this drone. Open one on the page “Flights” first and assign the drone.",
  ],
  "links.what": [
    "Wer den Link oder QR-Code hat, sieht die Bilder dieses Einsatzes auf jedem Gerät, ohne Konto.",
    "Whoever holds the link or QR code sees the pictures of this incident on any device, without an account.",
  ],
  "links.note": ["Für wen? (zum Beispiel ELW 1)", "For whom? (for example ELW 1)"],
  "links.hours": ["Gilt", "Lasts"],
  "links.for_hours": ["{hours} Stunden", "{hours} hours"],
  "links.for_days": ["{days} Tage", "{days} days"],
  "links.make": ["Link erstellen", "Make a link"],
  "links.show": ["QR zeigen", "Show QR"],
  "links.qr": ["QR-Code des Links für {note}", "QR code of the link for {note}"],
  "links.hold_up": ["Mit der Kamera des Tablets scannen", "Scan with the tablet’s camera"],
  "links.address": ["Adresse des Links", "The link’s address"],
  "links.copy": ["Link kopieren", "Copy link"],
  "links.back": ["Alle Links", "All links"],
  "links.revoke": ["Zurücknehmen", "Take back"],
  "links.revoke_sure": ["Sicher? Alle Gäste sehen sofort schwarz", "Sure? All its guests see black at once"],
  "links.dismiss_sure": ["Sicher? Dort wird sofort schwarz", "Sure? It goes black there at once"],
  "links.none": ["Noch kein Link.", "No link yet."],
  "links.list": ["Links", "Links"],
  "links.guests": ["Gäste", "Guests"],
  "links.no_guests": ["Gerade ist kein Gast da.", "No guest is here just now."],
  "links.unnamed": ["ohne Vermerk", "without a note"],
  "links.until": ["gilt bis {time}", "lasts until {time}"],
  "links.by": ["von {name}", "by {name}"],
  "links.came": ["Gäste: {count}", "guests: {count}"],
  "links.revoked": ["zurückgenommen {time}", "taken back {time}"],
  "links.expired": ["abgelaufen {time}", "expired {time}"],

  // no picture yet, and no more
  "wait.head": ["Noch kein Bild.", "No picture yet."],
  "wait.why": [
    "Der Einsatz ist offen, die Drohne sendet noch nicht. Das Bild erscheint von selbst.",
    "The incident is open, the drone does not send yet. The picture will appear by itself.",
  ],
  "ended.head": ["Der Zugang wurde beendet.", "Access has ended."],
  "ended.guest": [
    "Das Bild ist von diesem Gerät gelöscht. Für einen neuen Link die Leitstelle fragen.",
    "The picture is gone from this device. Ask the control room for a new link.",
  ],
  "ended.person": [
    "Das Bild ist von diesem Gerät gelöscht. Zum Weitersehen neu anmelden.",
    "The picture is gone from this device. Log in again to go on watching.",
  ],
  "ended.again": ["Neu laden", "Reload"],

  // the notice on privacy
  "privacy.title": ["Datenschutz", "Privacy"],
  "privacy.loading": ["Die Hinweise werden geladen.", "Loading the notice."],

  // why not
  "refused.login_wrong": ["Anmeldename oder Passwort stimmt nicht.", "The login or the password is wrong."],
  "refused.login_throttled": [
    "Zu viele Versuche. Bitte einen Moment warten.",
    "Too many attempts. Please wait a moment.",
  ],
  "refused.login_needed": ["Bitte zuerst anmelden.", "Please log in first."],
  "refused.oidc_unavailable": [
    "Der Anmeldedienst ist nicht zu erreichen. Lokale Konten gehen weiterhin.",
    "The login service cannot be reached. Local accounts still work.",
  ],
  "refused.oidc_state": [
    "Die Anmeldung wurde nicht hier begonnen oder hat zu lange gedauert. Bitte noch einmal.",
    "This login was not begun here, or took too long. Please try again.",
  ],
  "refused.oidc_denied": ["Die Anmeldung wurde abgebrochen.", "The login was broken off."],
  "refused.oidc_refused": [
    "Der Anmeldedienst weist Lagebild ab. Was zu tun ist, steht im Protokoll des Dienstes.",
    "The login service refuses Lagebild. The service's log says why.",
  ],
  "refused.oidc_token": [
    "Die Antwort des Anmeldedienstes ist nicht echt oder nicht mehr gültig. Bitte noch einmal.",
    "The login service's answer is not genuine, or no longer valid. Please try again.",
  ],
  "refused.oidc_no_role": [
    "Sie sind angemeldet, haben aber keine Rolle in Lagebild. Die Verwaltung der Konten kann sie zuweisen.",
    "You are logged in, but have no role in Lagebild. Whoever administers the accounts can give you one.",
  ],
  "refused.oidc_disabled": ["Dieses Konto ist hier gesperrt.", "This account is locked here."],
  "refused.oidc_busy": [
    "Gerade melden sich viele an. Bitte gleich noch einmal.",
    "Many people are logging in just now. Please try again in a moment.",
  ],
  "refused.account_by_oidc": [
    "Dieses Konto meldet sich beim Anmeldedienst an und hat hier kein Passwort.",
    "This account logs in at the login service and has no password here.",
  ],
  "refused.invite_gone": [
    "Dieser Einmal-Link wurde schon benutzt oder ist abgelaufen. Bitte um einen neuen.",
    "This one-time link was used already or has expired. Please ask for a new one.",
  ],
  "refused.password_weak": [
    "Dieses Passwort ist zu kurz oder zu leicht zu erraten. Mindestens 10 Zeichen, nicht der Anmeldename.",
    "This password is too short or too easy to guess. At least 10 characters, not the login.",
  ],
  "refused.password_wrong": ["Das bisherige Passwort stimmt nicht.", "The present password is wrong."],
  "refused.login_taken": ["Diesen Anmeldenamen gibt es schon.", "This login exists already."],
  "refused.bad_login": [
    "Der Anmeldename darf nur Kleinbuchstaben, Ziffern, Punkt und Bindestrich enthalten.",
    "The login may hold small letters, digits, dots and hyphens only.",
  ],
  "refused.last_administrator": [
    "Das ist der letzte Administrator. Erst einen anderen einrichten.",
    "This is the last administrator. Set up another one first.",
  ],
  "refused.link_gone": ["Dieser Link gilt nicht mehr.", "This link does not hold any more."],
  "refused.forbidden": ["Dafür haben Sie keine Berechtigung.", "You are not allowed to do this."],
} as const satisfies Record<string, Entry>;
