/** Words for what is done to a picture; part of the one catalogue. `made` and `advice` go by a source's notes. */

type Entry = readonly [de: string, en: string];

export const TREATMENT_WORDS = {
  "treat.converted": ["Umgewandelt", "Converted"],
  "treat.converted_soon": ["Umwandlung startet", "Conversion starts"],
  "treat.smaller": ["Verkleinert", "Made smaller"],
  "treat.smaller_soon": ["Verkleinern startet", "Making it smaller starts"],
  "treat.arrival": ["Beim Empfang umgewandelt", "Converted on arrival"],
  "treat.cores": ["{cores} Kerne", "{cores} cores"],
  "treat.cores_less": ["unter {cores} Kerne", "below {cores} cores"],
  "treat.when_watched": [
    "Wird umgewandelt, sobald jemand zusieht: {what}.",
    "Converted as soon as somebody watches: {what}.",
  ],

  "made.codec_h265": ["H.265 → H.264", "H.265 → H.264"],
  "made.codec_mpeg2": ["MPEG-2 → H.264", "MPEG-2 → H.264"],
  "made.codec_mpeg4": ["MPEG-4 → H.264", "MPEG-4 → H.264"],
  "made.codec_mjpeg": ["MJPEG → H.264", "MJPEG → H.264"],
  "made.codec_other": ["anderes Format → H.264", "other format → H.264"],
  "made.b_frames": ["ohne B-Bilder", "no B-frames"],
  "made.interlaced": ["Halbbilder → Vollbilder", "interlaced → whole pictures"],
  "made.chroma": ["Farbformat 4:2:0, 8 Bit", "colour format 4:2:0, 8 bit"],
  "made.intra_refresh": ["mit Vollbildern", "with whole pictures"],
  "made.keyframe_interval_long": ["öfter Vollbilder", "more keyframes"],
  "made.scaled": ["verkleinert", "smaller"],

  "why.converting": [
    "Das Bild wird für diesen Browser umgewandelt ({what}); das startet gerade.",
    "The picture is converted for this browser ({what}); that is just starting.",
  ],
  "why.converting_keyframe": [
    "Das Bild wird für diesen Browser umgewandelt ({what}); das beginnt mit dem nächsten Vollbild der Drohne.",
    "The picture is converted for this browser ({what}); that begins with the drone's next whole picture.",
  ],

  "advice.b_frames": [
    "B-Bilder: Encoder auf „zerolatency“ stellen (B-Frames 0), das spart die Umwandlung.",
    "B-frames: set the encoder to “zerolatency” (B-frames 0), that saves the conversion.",
  ],
  "advice.codec_h265": [
    "Am Sender H.264 statt H.265 einstellen, das spart die Umwandlung.",
    "Set the sender to H.264 instead of H.265, that saves the conversion.",
  ],
  "advice.interlaced": [
    "Kamera auf Vollbilder stellen (progressiv, „p“ statt „i“), das spart die Umwandlung.",
    "Set the camera to progressive (“p” instead of “i”), that saves the conversion.",
  ],
  "advice.chroma": [
    "Encoder auf 4:2:0 mit 8 Bit stellen (Profil „high“ oder „main“), das spart die Umwandlung.",
    "Set the encoder to 4:2:0 with 8 bit (profile “high” or “main”), that saves the conversion.",
  ],
  "advice.intra_refresh": [
    "Intra-Refresh abschalten und alle 2 s einen Keyframe (IDR) senden, das spart die Umwandlung.",
    "Switch intra refresh off and send a keyframe (IDR) every 2 s, that saves the conversion.",
  ],
  "advice.keyframe_interval_long": [
    "Keyframe-Abstand auf 2 s stellen, das spart die Umwandlung.",
    "Set the keyframe interval to 2 s, that saves the conversion.",
  ],
  "advice.codec_mpeg2": [
    "Am Encoder H.264 statt MPEG-2 einstellen, das spart die Umwandlung.",
    "Set the encoder to H.264 instead of MPEG-2, that saves the conversion.",
  ],
  "advice.codec_mpeg4": [
    "Am Encoder H.264 statt MPEG-4 einstellen, das spart die Umwandlung.",
    "Set the encoder to H.264 instead of MPEG-4, that saves the conversion.",
  ],
  "advice.codec_mjpeg": [
    "An der Kamera H.264 statt MJPEG einstellen, das spart die Umwandlung.",
    "Set the camera to H.264 instead of MJPEG, that saves the conversion.",
  ],
  "advice.codec_other": [
    "An der Kamera H.264 einstellen, das spart die Umwandlung.",
    "Set the camera to H.264, that saves the conversion.",
  ],
} as const satisfies Record<string, Entry>;
