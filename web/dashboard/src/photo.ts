/** A still of the picture on the screen, saved as PNG; time and place are in the file's name. */

import { utmref } from "./utmref";

export interface PhotoFacts {
  feedId: string;
  utcMs: number | null; // capture time of the picture
  position: { lat_deg: number; lon_deg: number } | null;
}

/** "lagebild-fritz-tag-20261122T044900Z-32UMV10058355.png" */
export function photoName({ feedId, utcMs, position }: PhotoFacts): string {
  const time = utcMs === null ? null : new Date(utcMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const place = position && utmref(position.lat_deg, position.lon_deg)?.replaceAll(" ", "");
  return `${["lagebild", feedId, time, place].filter(Boolean).join("-")}.png`;
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
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = photoName(facts);
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
