/** The pilot page's words, and those of the mark for inputs without a key; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const PILOT_WORDS = {
  "pilot.title": ["Pilotenseite", "Pilot page"],
  "pilot.live": ["Livebild", "Live picture"],
  "pilot.none": ["Keine Kamera eingerichtet.", "No camera is configured."],
  "pilot.arrives": ["KOMMT AN", "ARRIVES"],
  "pilot.missing": ["KOMMT NICHT AN", "DOES NOT ARRIVE"],
  "pilot.unknown": ["UNBEKANNT", "UNKNOWN"],
  "pilot.telemetry": ["Telemetrie", "Telemetry"],
  "pilot.telemetry_arrives": ["kommt an", "arrives"],
  "pilot.telemetry_missing": ["kommt nicht an", "does not arrive"],
  "pilot.unassigned": [
    "Unbekannt, SysID {id}: sendet hierher, gehört aber zu keiner eingerichteten Drohne.",
    "Unknown, system id {id}: sends to this place but belongs to no configured drone.",
  ],
  "pilot.no_loss": ["kein Verlust", "no loss"],
  "pilot.loss": [
    "in 10 s verloren: {lost} Pakete, {damaged} Bilder",
    "lost in 10 s: {lost} packets, {damaged} pictures",
  ],
  "pilot.next": ["Jetzt:", "Now:"],
  "pilot.better": ["Besser:", "Better:"],

  // ways in
  "pilot.send_to": ["Hierhin senden", "Send to"],
  "pilot.open_there": ["Diese Seite auf dem Handy öffnen", "Open this page on the phone"],
  "pilot.read_from": ["Lagebild holt das Bild dort ab", "Lagebild fetches the picture there"],
  "pilot.server": ["Server", "Server"],
  "pilot.stream_key": ["Streamschlüssel", "Stream key"],
  "pilot.stream_id": ["Stream-ID", "Stream id"],
  "pilot.token": ["Token (Bearer)", "Token (Bearer)"],
  "pilot.whip_for": ["Für Apps und Encoder mit WHIP.", "For apps and encoders with WHIP."],
  "pilot.token_in_qr": [
    "Der QR-Code enthält Adresse und Schlüssel; beim Eintippen kommt der Token in ein eigenes Feld.",
    "The QR code holds address and key; when typed, the token goes into a field of its own.",
  ],
  "pilot.camera_here": ["Mit diesem Gerät filmen", "Film with this device"],
  "pilot.camera_scan": [
    "Für Handys ohne App: Mit der Handykamera scannen, die Seite öffnet sich mit dem Schlüssel.",
    "For phones without an app: scan it with the phone's camera, the page opens with the key.",
  ],
  "pilot.camera_insecure": [
    "Über diese Adresse geben Browser die Kamera nicht frei: Das tun sie nur über https oder auf dem Server selbst. Handys brauchen bis dahin eine App mit WHIP.",
    "By this address browsers do not give their camera: they do so only by https or on the server itself. Until then phones need an app with WHIP.",
  ],
  "pilot.way_camera": ["Handy, Browser", "Phone, browser"],
  "pilot.way_file": ["Datei", "File"],
  "pilot.key_word": ["SCHLÜSSEL", "KEY"],
  "pilot.local": [
    "Diese Adresse gilt nur auf dem Server selbst. Für andere Geräte muss der Betreuer eine andere einstellen.",
    "This address is good on the server itself only. For other devices its operator must configure another.",
  ],
  "pilot.encrypted": [
    "SRT ist verschlüsselt: Die Passphrase nennt der Betreuer.",
    "SRT is encrypted: its operator knows the passphrase.",
  ],
  "pilot.way_off": ["Über {protocol} geht es gerade nicht. {why}", "{protocol} is off just now. {why}"],
  "pilot.qr": ["QR-Code: {address}", "QR code: {address}"],
  "pilot.copy": ["Kopieren", "Copy"],
  "pilot.copied": ["Kopiert", "Copied"],
  "pilot.copy_by_hand": ["Markiert: jetzt kopieren", "Selected: copy it now"],

  // keys
  "pilot.make_key": ["Schlüssel erzeugen", "Make a key"],
  "pilot.rotate": ["Schlüssel wechseln", "Change key"],
  "pilot.rotate_title": [
    "Ein neuer Schlüssel an Stelle der alten. Wer gerade sendet, sendet ohne Unterbrechung weiter.",
    "A new key in place of the old ones. Whoever is sending goes on without an interruption.",
  ],
  "pilot.older_key": [
    "Wer sendet, kam mit einem Schlüssel, der nicht mehr gilt: nach dem Flug den neuen eintragen.",
    "Whoever sends came with a key that is no longer valid: enter the new one after the flight.",
  ],
  "pilot.withdraw": ["Schlüssel zurückziehen", "Withdraw keys"],
  "pilot.keys_none": ["Noch kein Schlüssel", "No key yet"],
  "pilot.keys_unreadable": [
    "Der Server kann die Schlüssel nicht lesen: Niemand kann senden. Betreuer holen; „lagebild doctor“ nennt die Ursache.",
    "The server cannot read the keys: nobody can send. Call its operator; `lagebild doctor` names the cause.",
  ],
  "pilot.keys_one": ["1 Schlüssel gilt", "1 key is valid"],
  "pilot.keys_many": ["{count} Schlüssel gelten", "{count} keys are valid"],
  "pilot.key_once": [
    "Nur jetzt zu sehen. Eintippen, kopieren oder scannen, dann „Fertig“.",
    "Shown only now. Type, copy or scan it, then “Done”.",
  ],
  "pilot.done": ["Fertig", "Done"],
  "pilot.cancel": ["Abbrechen", "Cancel"],
  "pilot.withdraw_ask": [
    "Alle Schlüssel von „{name}“ zurückziehen? Wer damit sendet, wird sofort getrennt.",
    "Withdraw all keys of “{name}”? Whoever sends with one is cut off at once.",
  ],
  "pilot.keys_full": [
    "Diese Kamera hat schon die meisten erlaubten Schlüssel. Erst zurückziehen, dann neu erzeugen.",
    "This camera has all the keys it may have. Withdraw them first, then make a new one.",
  ],
  "pilot.key_failed": [
    "Das hat nicht geklappt: Der Server kann die Schlüssel nicht schreiben. Betreuer holen.",
    "That failed: the server cannot write the keys. Call its operator.",
  ],

  // what to do next
  "next.nothing": ["Nichts zu tun.", "Nothing to do."],
  "next.wait": ["Einen Moment warten.", "Wait a moment."],
  "next.make_key": [
    "Schlüssel erzeugen und die Adresse in den Sender eintippen oder scannen.",
    "Make a key and type or scan the address into the sender.",
  ],
  "next.start": [
    "Am Sender (Controller, Encoder) die Adresse mit Schlüssel eingeben und die Übertragung starten.",
    "Enter the address with its key at the sender (controller, encoder) and start sending.",
  ],
  "next.new_key": [
    "Adresse am Sender prüfen. Hilft das nicht: neuen Schlüssel erzeugen und ganz neu eingeben.",
    "Check the address at the sender. If that does not help: make a new key and enter it anew.",
  ],
  "next.other_sender": [
    "Den anderen Sender beenden, dann hier neu starten.",
    "End the other sender, then start this one again.",
  ],
  "next.point_here": [
    "Am Sender die Adresse unten als Ziel eintragen und starten. Gleiches Netz?",
    "Enter the address below as target at the sender and start it. Same network?",
  ],
  "next.check_sender": [
    "Sender und Funkstrecke prüfen. Kommt das Bild zurück, wird es hier von selbst grün.",
    "Check the sender and the radio link. This turns green by itself once the picture is back.",
  ],
  "next.check_camera": [
    "Kamera einschalten, Netzwerk prüfen. Lagebild versucht es von selbst weiter.",
    "Switch the camera on, check the network. Lagebild keeps trying by itself.",
  ],
  "next.keyframes": [
    "Einige Sekunden warten. Bleibt es rot: am Sender den Keyframe-Abstand auf 2 s stellen und SPS/PPS mitsenden lassen.",
    "Wait a few seconds. If it stays red: set the sender to a keyframe every 2 s, with SPS/PPS in the stream.",
  ],
  "next.format": [
    "Am Sender H.264 als Videoformat und eine einzige Bildspur einstellen.",
    "Set the sender to H.264 video and a single picture track.",
  ],
  "next.address_below": [
    "Am Sender die Adresse eingeben, die unten steht: Nur so wird diese Kamera angeschlossen.",
    "Enter the address below at the sender: this camera is connected in that way only.",
  ],
  "next.restart_sender": [
    "Übertragung am Sender beenden und neu starten. Hilft das nicht: einen anderen Sender oder Weg nehmen.",
    "Stop sending and start again. If that does not help: take another sender or another way.",
  ],
  "next.passphrase": [
    "Am Sender dieselbe SRT-Passphrase einstellen wie am Server; der Betreuer kennt sie. Hat der Server keine, darf auch der Sender keine haben.",
    "Set the sender to the SRT passphrase of the server, which its operator knows. If the server has none, the sender must have none.",
  ],
  "next.webrtc": [
    "In ein anderes Netz wechseln. Hilft das nicht: Der Betreuer muss den WebRTC-Port (UDP und TCP) in der Firewall freigeben.",
    "Change to another network. If that does not help: the server's operator must open the WebRTC port (UDP and TCP) in the firewall.",
  ],
  "next.allow": [
    "Gehört der Absender dazu, muss der Betreuer seine Adresse in allow_from eintragen. Sonst den fremden Sender abschalten.",
    "If the sender is yours, the server's operator must add its address to allow_from. Otherwise switch the foreign sender off.",
  ],
  "next.overrun": [
    "Am Sender eine kleinere Bitrate einstellen. Sendet noch jemand anderes hierher, diesen abschalten.",
    "Set the sender to a lower bit rate. If somebody else sends here, too, switch that one off.",
  ],
  "next.camera_on": [
    "Am Sender die Kamera einschalten, dann die Übertragung neu starten.",
    "Switch the camera on at the sender, then start sending again.",
  ],
  "next.lighter": [
    "Am Sender H.264 oder ein kleineres Bild einstellen: Dann hat der Server weniger zu rechnen.",
    "Set the sender to H.264 or a smaller picture: the server has less to convert then.",
  ],
  "next.encoder": [
    "Am Sender H.264 einstellen: Dann muss der Server nichts umrechnen. Sonst einen Moment warten.",
    "Set the sender to H.264: the server need not convert it then. Otherwise wait a moment.",
  ],
  "next.login": [
    "Benutzer und Passwort an der Kamera nachsehen; der Betreuer trägt sie in source ein und startet Lagebild neu.",
    "Look up user and password at the camera; the server's operator puts them into source and restarts Lagebild.",
  ],
  "next.camera_address": [
    "Die Videoadresse an der Kamera nachsehen; der Betreuer trägt sie in source ein und startet Lagebild neu.",
    "Look up the video address at the camera; the server's operator puts it into source and restarts Lagebild.",
  ],
  "next.transport": [
    'Der Betreuer stellt bei dieser Kamera transport = "auto" ein und startet Lagebild neu.',
    'The server\'s operator sets transport = "auto" for this camera and restarts Lagebild.',
  ],
  "next.called_stream_id": [
    "Stream-ID am Encoder nachsehen; der Betreuer trägt sie in source ein (streamid=…) und startet Lagebild neu.",
    "Look up the stream id at the encoder; the server's operator puts it into source (streamid=…) and restarts Lagebild.",
  ],
  "next.called_passphrase": [
    "Passphrase am Encoder nachsehen; der Betreuer trägt sie in source ein (passphrase=…) und startet Lagebild neu.",
    "Look up the passphrase at the encoder; the server's operator puts it into source (passphrase=…) and restarts Lagebild.",
  ],
  "next.fps": [
    "Der Betreuer gibt bei dieser Datei die Bildrate an (fps = 30) und startet Lagebild neu.",
    "The server's operator states the file's picture rate (fps = 30) and restarts Lagebild.",
  ],
  "next.ended": [
    "Soll die Datei wieder laufen, startet der Betreuer Lagebild neu; mit loop = true läuft sie immer weiter.",
    "To play the file again, the server's operator restarts Lagebild; with loop = true it plays on and on.",
  ],
  "next.log": [
    "Betreuer des Servers holen: Der Grund steht im Protokoll.",
    "Call the server's operator: the log has the reason.",
  ],
  "next.operator": [
    "Betreuer des Servers holen: „lagebild doctor“ nennt die Ursache.",
    "Call the server's operator: `lagebild doctor` names the cause.",
  ],

  // inputs without a key
  unsecured: ["ungesichert", "unsecured"],
  "unsecured.picture": ["Bild: ", "Picture: "],
  "unsecured.telemetry": ["Telemetrie: ", "Telemetry: "],
  "unsecured.local": [
    "Dieser Eingang braucht keinen Schlüssel. Nur Programme auf dem Server selbst können hierher senden.",
    "This input needs no key. Only programs on the server itself can send to it.",
  ],
  "unsecured.named": [
    "Dieser Eingang braucht keinen Schlüssel. Angenommen wird, was von den eingestellten Adressen kommt; wer im selben Netz eine davon vortäuscht, kann hier Falsches einspeisen.",
    "This input needs no key. What comes from the configured addresses is taken; whoever forges one of them in the same network can feed in something false.",
  ],
} as const satisfies Record<string, Entry>;
