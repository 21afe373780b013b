// Points are [x, y] in pixels; a line is two points; a person has OpenPose's flat lists x, y, c.

const { fround } = Math;
export const BODY = "pose_keypoints_2d";
const PIECES = 32; // for each Bezier curve, as in fcvg_core/paths/track.py
const polylines = new WeakMap(); // by the points of a path

export const round = (x) => Math.round(x * 100) / 100; // as far as a hand can tell
export const flipped = ([a, b]) => [b, a];
export const gap = ([x0, y0], [x1, y1]) => Math.hypot(x1 - x0, y1 - y0);
export const between = ([x0, y0], [x1, y1], t) => [x0 + (x1 - x0) * t, y0 + (y1 - y0) * t];
export const piecesOf = (points) => points.slice(1).map((end, i) => [points[i], end]);
export const within = (x, least, most) => Math.min(Math.max(x, least), most);

// The ends of `last` so that their way is the shortest; swapped if both ways are equally long: as
// paired_ends in fcvg_core/lines/track.py, in float32.
export function pairedEnds(first, last) {
  const step = (i, end, k) => fround(fround(end[k]) - fround(first[i][k]));
  const gapTo = (end, i) => fround(Math.hypot(step(i, end, 0), step(i, end, 1)));
  const way = (line) => fround(gapTo(line[0], 0) + gapTo(line[1], 1));
  return way(last) < way(flipped(last)) ? last : flipped(last);
}

// Calls work(x, y, c, part, joint) for each joint of a person.
export function eachJoint(person, work) {
  for (const [part, numbers] of Object.entries(person ?? {})) {
    if (!part.endsWith("_keypoints_2d") || !Array.isArray(numbers)) continue;
    for (let i = 0; i < numbers.length; i += 3) {
      work(numbers[i], numbers[i + 1], numbers[i + 2], part, i / 3);
    }
  }
}

// A row's points, or its places in both frames (`sides`), moved by a function of points.
export function mapPlaces(row, sides, move) {
  if (row.points) return { points: row.points.map(move) };
  const place = (side) => (Array.isArray(side) ? side.map(move) : mapPerson(side, move));
  return Object.fromEntries(sides.map((side) => [side, place(row[side])]));
}

function mapPerson(person, move) {
  const moved = structuredClone(person);
  eachJoint(person, (x, y, c, part, joint) => {
    if (c || x || y) moved[part].splice(3 * joint, 2, ...move([x, y])); // else it has no place
  });
  return moved;
}

// A path as straight pieces.
export function polylineOf(points) {
  if (!polylines.has(points)) {
    const way = [];
    for (let i = 0; i + 3 < points.length; i += 3) {
      const curve = points.slice(i, i + 4);
      for (let k = 0; k < PIECES; k += 1) way.push(bezierPoint(curve, k / PIECES));
    }
    polylines.set(points, [...way, points.at(-1)]);
  }
  return polylines.get(points);
}

// De Casteljau's way: between the points, until one is left.
function bezierPoint(points, t) {
  if (points.length === 1) return points[0];
  return bezierPoint(piecesOf(points).map(([a, b]) => between(a, b, t)), t);
}

export function distanceTo([a, b], point) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const part = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / (dx * dx + dy * dy || 1);
  return gap(point, between(a, b, within(part, 0, 1)));
}

export function isInside(polygon, [x, y]) {
  let inside = false;
  polygon.forEach(([x1, y1], i) => {
    const [x0, y0] = polygon.at(i - 1);
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  });
  return inside;
}
