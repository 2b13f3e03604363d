/**
 * UTM on WGS84: degrees to metres and back, by Krüger's series to the third order in n
 * (good to a few millimetres within 6 degrees of the central meridian; C. Karney, J. Geodesy 85, 2011).
 */

const A_M = 6378137;
const N = 1 / (2 * 298.257223563 - 1); // third flattening
const K0 = 0.9996;
const RADIUS_M = (A_M / (1 + N)) * (1 + N ** 2 / 4 + N ** 4 / 64);
const ALPHA = [
  N / 2 - (2 / 3) * N ** 2 + (5 / 16) * N ** 3,
  (13 / 48) * N ** 2 - (3 / 5) * N ** 3,
  (61 / 240) * N ** 3,
];
const BETA = [N / 2 - (2 / 3) * N ** 2 + (37 / 96) * N ** 3, N ** 2 / 48 + N ** 3 / 15, (17 / 480) * N ** 3];
const DELTA = [
  2 * N - (2 / 3) * N ** 2 - 2 * N ** 3,
  (7 / 3) * N ** 2 - (8 / 5) * N ** 3,
  (56 / 15) * N ** 3,
];
const ECCENTRIC = (2 * Math.sqrt(N)) / (1 + N);
const FALSE_EASTING_M = 500_000;
const FALSE_NORTHING_M = 10_000_000;
const RAD = Math.PI / 180;

export interface Utm {
  zone: number; // 1 to 60
  north: boolean;
  easting_m: number;
  northing_m: number;
}

/** The zone of a point, with the exceptions of south-west Norway (32V) and Svalbard (31X to 37X). */
export function zoneOf(latDeg: number, lonDeg: number): number {
  if (latDeg >= 56 && latDeg < 64 && lonDeg >= 3 && lonDeg < 12) return 32;
  if (latDeg >= 72 && latDeg < 84 && lonDeg >= 0 && lonDeg < 42) {
    return lonDeg < 9 ? 31 : lonDeg < 21 ? 33 : lonDeg < 33 ? 35 : 37;
  }
  return (((Math.floor((lonDeg + 180) / 6) % 60) + 60) % 60) + 1;
}

const centralMeridian = (zone: number): number => zone * 6 - 183;

/** `zone` may be a neighbour's, so that one grid covers a whole view. */
export function toUtm(latDeg: number, lonDeg: number, zone = zoneOf(latDeg, lonDeg)): Utm {
  const sinLat = Math.sin(latDeg * RAD);
  const lon = (lonDeg - centralMeridian(zone)) * RAD;
  const t = Math.sinh(Math.atanh(sinLat) - ECCENTRIC * Math.atanh(ECCENTRIC * sinLat));
  const xi = Math.atan2(t, Math.cos(lon));
  const eta = Math.atanh(Math.sin(lon) / Math.hypot(1, t));
  let [east, north] = [eta, xi];
  ALPHA.forEach((a, i) => {
    const j = 2 * (i + 1);
    east += a * Math.cos(j * xi) * Math.sinh(j * eta);
    north += a * Math.sin(j * xi) * Math.cosh(j * eta);
  });
  return {
    zone,
    north: latDeg >= 0,
    easting_m: FALSE_EASTING_M + K0 * RADIUS_M * east,
    northing_m: (latDeg >= 0 ? 0 : FALSE_NORTHING_M) + K0 * RADIUS_M * north,
  };
}

export function fromUtm(utm: Utm): { lat_deg: number; lon_deg: number } {
  const xi = (utm.northing_m - (utm.north ? 0 : FALSE_NORTHING_M)) / (K0 * RADIUS_M);
  const eta = (utm.easting_m - FALSE_EASTING_M) / (K0 * RADIUS_M);
  let [xi1, eta1] = [xi, eta];
  BETA.forEach((b, i) => {
    const j = 2 * (i + 1);
    xi1 -= b * Math.sin(j * xi) * Math.cosh(j * eta);
    eta1 -= b * Math.cos(j * xi) * Math.sinh(j * eta);
  });
  const chi = Math.asin(Math.sin(xi1) / Math.cosh(eta1));
  const lat = DELTA.reduce((sum, d, i) => sum + d * Math.sin(2 * (i + 1) * chi), chi);
  const lon = Math.atan2(Math.sinh(eta1), Math.cos(xi1));
  return { lat_deg: lat / RAD, lon_deg: centralMeridian(utm.zone) + lon / RAD };
}
