/** Why there is no picture: a sentence for every reason; part of the one catalogue. */

type Entry = readonly [de: string, en: string];

export const REASON_WORDS = {
  "why.server": [
    "Verbindung zum Server unterbrochen. Neuer Versuch läuft.",
    "Connection to the server is lost. Trying again.",
  ],
  "why.opening": ["Bild wird geholt.", "Fetching the picture."],
  "why.silent": [
    "Verbindung steht, die Drohne sendet nicht.",
    "The connection is up, the drone is not sending.",
  ],
  "why.path": [
    "Die Drohne sendet, aber das Bild kommt hier nicht an. Neuer Versuch läuft.",
    "The drone is sending, but the picture does not arrive here. Trying again.",
  ],
  "why.feed_full": [
    "Alle Plätze für dieses Bild sind belegt. Neuer Versuch läuft.",
    "All places for this picture are taken. Trying again.",
  ],
  "why.address_full": [
    "Von diesem Anschluss sehen schon zu viele zu. Bitte andere Seiten schließen.",
    "Too many watch from this connection already. Please close other pages.",
  ],
  "why.starting": [
    "Der Server startet gerade. Neuer Versuch läuft.",
    "The server is just starting. Trying again.",
  ],
  "why.crowded": [
    "Viele Seiten verbinden sich gerade. Neuer Versuch läuft.",
    "Many pages are connecting just now. Trying again.",
  ],
  "why.identical": [
    "Die Kamera sendet immer dasselbe Bild. Kamera oder Sender neu starten.",
    "The camera sends the same picture again and again. Restart the camera or the sender.",
  ],
  "no_picture.since": ["Kein Bild seit {duration}.", "No picture for {duration}."],
  "no_picture.new": ["Kein neues Bild seit {duration}.", "No new picture for {duration}."],
  "no_picture.yet": ["Noch kein Bild.", "No picture yet."],
  "reason.connecting": ["Die Quelle wird geöffnet.", "The source is being opened."],
  "reason.waiting_for_keyframe": [
    "Daten kommen an, das erste vollständige Bild fehlt noch.",
    "Data arrives, the first whole picture is still missing.",
  ],
  "reason.no_packets": [
    "Von der Drohne kommt nichts an. Sender eingeschaltet? Adresse richtig?",
    "Nothing arrives from the drone. Is the sender on, the address right?",
  ],
  "reason.stalled": [
    "Verbindung steht, die Drohne sendet nicht.",
    "The connection is up, the drone is not sending.",
  ],
  "reason.source_ended": ["Die Quelle ist zu Ende.", "The source has ended."],
  "reason.source_failed": [
    "Die Quelle ist ausgefallen. Neuer Versuch läuft.",
    "The source has failed. Trying again.",
  ],
  "reason.source_restarted": ["Die Quelle startet neu.", "The source is restarting."],
  "reason.port_in_use": [
    "Den Anschluss für dieses Bild benutzt ein anderes Programm auf dem Server.",
    "Another program on the server uses the port of this feed.",
  ],
  "reason.address_refused": [
    "Der Server darf die eingestellte Adresse nicht benutzen.",
    "The server may not use the configured address.",
  ],
  "reason.no_fps": [
    "Diese Videodatei nennt keine Bildrate: In der Konfiguration fps angeben.",
    "This video file states no picture rate: give its fps in the configuration.",
  ],
  "reason.not_found": ["Unter dieser Adresse gibt es kein Video.", "There is no video at this address."],
  "reason.unreachable": [
    "Die Kamera ist nicht erreichbar. Eingeschaltet? Adresse richtig?",
    "The camera cannot be reached. Is it on, is the address right?",
  ],
  "reason.no_answer": [
    "Die Kamera antwortet nicht. Neuer Versuch läuft.",
    "The camera does not answer. Trying again.",
  ],
  "reason.connection_lost": [
    "Die Kamera hat die Verbindung beendet. Neuer Versuch läuft.",
    "The camera has closed the connection. Trying again.",
  ],
  "reason.auth_refused": [
    "Die Kamera weist Benutzer oder Passwort ab. Neue Versuche nur selten, damit sie das Konto nicht sperrt.",
    "The camera refuses the user or the password. It is tried again, but rarely, so that it does not lock the account.",
  ],
  "reason.not_rtsp": [
    "Unter dieser Adresse antwortet keine RTSP-Kamera.",
    "What answers at this address is no RTSP camera.",
  ],
  "reason.no_video": ["Es kommt kein Bild an, höchstens Ton.", "No picture arrives, sound at most."],
  "reason.redirected": [
    "Die Kamera verweist auf eine Adresse, die nicht zum Ziel führt.",
    "The camera redirects to an address that leads nowhere.",
  ],
  "reason.transport_refused": [
    "Die Kamera sendet nicht auf dem eingestellten Weg (UDP oder TCP).",
    "The camera does not send in the configured way (UDP or TCP).",
  ],
  "reason.server_refused": [
    "Die Kamera lehnt ab, das Video zu senden. Schon zu viele Zuschauer an der Kamera?",
    "The camera refuses to send the video. Does it serve too many others?",
  ],
  "reason.overrun": [
    "Es kommt mehr, als gelesen werden kann; ein Teil geht verloren.",
    "More comes than can be read; some of it is lost.",
  ],
  "reason.not_video": ["Was ankommt, ist kein Video.", "What arrives is not video."],
  "reason.no_keyframe": [
    "Die Drohne sendet kein vollständiges Bild (kein Keyframe), nur Änderungen.",
    "The drone sends no whole picture (no keyframe), only changes.",
  ],
  "reason.unsupported_url": [
    "Mit der eingestellten Adresse (source) kann der Server nichts anfangen.",
    "The server can do nothing with the configured address (source).",
  ],
  "reason.url_unescaped": [
    "In der Adresse der Kamera (source) ist ein Sonderzeichen falsch geschrieben: In Benutzer und Passwort wird / zu %2F, # zu %23, ? zu %3F und @ zu %40.",
    "In the camera's address (source) a special character is written wrongly: in user and password, / becomes %2F, # %23, ? %3F and @ %40.",
  ],
  "reason.unsupported_codec": [
    "Das Videoformat der Drohne kann auf diesem Weg nicht gezeigt werden. Am Sender H.264 einstellen.",
    "The drone's video format cannot be shown this way. Set the sender to H.264.",
  ],
  "reason.rtp_mpeg4": [
    "Die Drohne sendet MPEG-4 Part 2, über RTP geht aber nur H.264 oder H.265. Am Sender H.264 einstellen, oder MPEG-TS.",
    "The drone sends MPEG-4 Part 2, but by RTP only H.264 or H.265 can be shown. Set the sender to H.264, or to MPEG-TS.",
  ],
  "reason.rtp_vp8": [
    "Die Kamera sendet VP8, über RTP geht aber nur H.264 oder H.265. Am Sender H.264 einstellen.",
    "The camera sends VP8, but by RTP only H.264 or H.265 can be shown. Set the sender to H.264.",
  ],
  "reason.rtp_vp9": [
    "Die Kamera sendet VP9, über RTP geht aber nur H.264 oder H.265. Am Sender H.264 einstellen.",
    "The camera sends VP9, but by RTP only H.264 or H.265 can be shown. Set the sender to H.264.",
  ],
  "reason.no_publisher": ["Es sendet noch niemand.", "Nobody is sending yet."],
  "reason.publisher_left": ["Der Sender hat aufgehört.", "The publisher has left."],
  "reason.feed_busy": ["Es sendet schon jemand anderes.", "Somebody else is sending already."],
  "reason.not_pushed": [
    "Diese Kamera wird anders angeschlossen.",
    "This camera is connected in another way.",
  ],
  "reason.key_missing": ["In der Adresse fehlt der Schlüssel.", "The key is missing from the address."],
  "reason.key_wrong": ["Der Schlüssel ist falsch.", "The key is wrong."],
  "reason.key_foreign": [
    "Der Schlüssel gehört zu einer anderen Kamera.",
    "The key belongs to another camera.",
  ],
  "reason.key_withdrawn": ["Der Schlüssel wurde zurückgezogen.", "The key was withdrawn."],
  "reason.bad_address": [
    "Die Adresse zum Senden hat nicht die Form rtmp://SERVER/live/BILD?key=SCHLÜSSEL.",
    "The address to send to does not have the form rtmp://SERVER/live/FEED?key=KEY.",
  ],
  "reason.bad_stream_id": [
    "Die Stream-ID für SRT hat nicht die Form publish:BILD:SCHLÜSSEL.",
    "The SRT stream id does not have the form publish:FEED:KEY.",
  ],
  "reason.srt_missing": [
    "SRT ist aus: Auf dem Server ist libsrt nicht installiert.",
    "SRT is off: libsrt is not installed on the server.",
  ],
  "reason.srt_refused": [
    "Der Encoder lehnt die Verbindung ab. Stream-ID richtig?",
    "The encoder refuses the connection. Is the stream id right?",
  ],
  "reason.passphrase_wrong": [
    "Die Passphrase für SRT ist nicht die des Encoders.",
    "The SRT passphrase is not the encoder's.",
  ],
  "reason.passphrase_of_sender": [
    "Der Sender hat den richtigen Schlüssel, aber die SRT-Verbindung kam nicht zustande: Seine Passphrase ist nicht die des Servers.",
    "The sender has the right key, but SRT could not connect: its passphrase is not the server's.",
  ],
  "reason.keys_unreadable": [
    "Der Server kann gerade keine Schlüssel prüfen; der Grund steht im Protokoll.",
    "The server cannot check keys just now; the log says why.",
  ],
  "reason.not_acceptable": [
    "Der Sender bietet kein Video in H.264 oder H.265 an.",
    "The publisher offers no video in H.264 or H.265.",
  ],
  "reason.bad_offer": [
    "Die Anmeldung des Senders (WHIP) ist fehlerhaft.",
    "The publisher's registration (WHIP) is faulty.",
  ],
  "reason.not_connected": [
    "Der Sender hat sich angemeldet, aber die Verbindung kam nicht zustande. Ist der WebRTC-Port frei?",
    "The publisher has registered, but could not be connected. Is the WebRTC port open?",
  ],
  "reason.internal": [
    "Ein Fehler in Lagebild hat die Verbindung beendet; er steht im Protokoll.",
    "An error in Lagebild has ended the connection; the log has it.",
  ],
  "reason.publisher_silent": [
    "Der Sender ist verbunden, schickte aber nichts mehr; die Verbindung wurde beendet.",
    "The publisher was connected but sent nothing any more; the connection was ended.",
  ],
  "reason.publisher_garbled": [
    "Der Sender schickte Unverständliches; die Verbindung wurde beendet.",
    "The publisher sent what cannot be understood; the connection was ended.",
  ],
  "reason.multitrack": [
    "Der Sender schickt mehrere Bilder in einem Strom. Am Sender nur eine Spur einstellen.",
    "The publisher sends several pictures in one stream. Set it to a single track.",
  ],
  "reason.no_picture": ["Von dieser Kamera kam noch kein Bild.", "No picture has come from this camera yet."],
  "reason.decoder_failed": [
    "Das Bild kann gerade nicht entpackt werden. Bitte noch einmal versuchen.",
    "The picture cannot be decoded just now. Please try again.",
  ],
  "reason.forbidden_sender": [
    "Pakete von einem nicht zugelassenen Absender werden abgewiesen.",
    "Packets from a sender that is not allowed are refused.",
  ],
} as const satisfies Record<string, Entry>;
