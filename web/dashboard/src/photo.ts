/** A still of the picture on the screen, saved as PNG; time and place are in the file's name. */

import type { Language } from "./catalogue";
import { stampTraining } from "./trainingMark";
import { utmref } from "./utmref";

export interface PhotoFacts {
  feedId: string;
  training: Language | false; // of an exercise: in which language that is written across it
  utcMs: number | null; // capture time of the picture
  position: { lat_deg: number; lon_deg: number } | null;
}

/** "lagebild-fritz-tag-20261122T044900Z-32UMV10058355.png"; of an exercise "lagebild-UEBUNG-…" */
export function photoName({ feedId, training, utcMs, position }: PhotoFacts): string {
  const time = utcMs === null ? null : new Date(utcMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const place = position && utmref(position.lat_deg, position.lon_deg)?.replaceAll(" ", "");
  return `${["lagebild", training && "UEBUNG", feedId, time, place].filter(Boolean).join("-")}.png`;
}

export async function savePhoto(
  picture: HTMLVideoElement | HTMLCanvasElement,
  facts: PhotoFacts,
): Promise<void> {
  const isVideo = picture instanceof HTMLVideoElement;
  const canvas = document.createElement("canvas");
  canvas.width = isVideo ? picture.videoWidth : picture.width;
  canvas.height = isVideo ? picture.videoHeight : picture.height;
  canvas.getContext("2d")?.drawImage(picture, 0, 0);
  if (facts.training) stampTraining(canvas, facts.training);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = photoName(facts);
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
