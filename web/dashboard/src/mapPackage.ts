/** A PMTiles package on the server, read by HTTP Range. */

import { addProtocol } from "maplibre-gl";
import { PMTiles, Protocol } from "pmtiles";

export interface MapPackage {
  url: string; // for a source of the map
  attribution: string;
  layers: ReadonlySet<string>; // of a vector package, by their names
}

const protocol = new Protocol();
addProtocol("pmtiles", protocol.tile);

/** Throws where it cannot be read. */
export async function openPackage(address: string): Promise<MapPackage> {
  const tiles = new PMTiles(address);
  protocol.add(tiles);
  const told = ((await tiles.getMetadata()) ?? {}) as {
    attribution?: string;
    vector_layers?: { id: string }[];
  };
  return {
    url: `pmtiles://${address}`,
    attribution: asText(told.attribution ?? ""),
    layers: new Set((told.vector_layers ?? []).map(({ id }) => id)),
  };
}

/** Packages bring their attribution as HTML; a page of ours shows text. */
const asText = (html: string): string =>
  new DOMParser().parseFromString(html, "text/html").body.textContent?.trim() ?? "";
