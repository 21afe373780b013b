import { between, eachJoint, gap, isInside, pairedEnds, piecesOf, polylineOf } from "./geometry.js";

// Where everything is at a time t in 0..1, as fcvg_core computes it: motion/{tracks,holding}.py,
// paths/track.py, timeline.py.

const MIN_SCORE = 0.3; // of a visible joint of body and feet
export const EASINGS = {
  uniform: (t) => t,
  "ease-in": (t) => t ** 2,
  "ease-out": (t) => 1 - (1 - t) ** 2,
  "ease-in-out": (t) => t ** 2 * (3 - 2 * t),
};

// Returns Maps by id: lines [[x, y], [x, y]], people in OpenPose's form with true and false for c,
// paths [x, y, dx, dy] with the direction of the motion. Deleted and stale rows are in none.
export function stateAt(document, t) {
  const isHeld = (place) => document.holds.some(({ points }) => isInside(points, place));
  const mapOf = (kind, work) => {
    const used = document[kind].filter((row) => row.edit !== "deleted" && !row.stale);
    return new Map(used.map((row) => [row.id, work(row, t, isHeld)]));
  };
  return {
    lines: mapOf("lines", lineAt),
    people: mapOf("people", personAt),
    paths: mapOf("paths", pathAt),
  };
}

function lineAt({ first, last, ends }, t, isHeld) {
  if (first.every(isHeld)) return first;
  const to = ends ? last : pairedEnds(first, last);
  return first.map((end, i) => between(end, to[i], t));
}

// A joint that only one frame shows is hidden between them. A person whom only one frame shows
// stands still.
function personAt({ first, last }, t, isHeld) {
  const person = {};
  const put = (part, i, values) => (person[part] ??= []).splice(3 * i, 3, ...values);
  eachJoint(first ?? last, (x, y, c, part, i) => put(part, i, [x, y, isSeen(part, c)]));
  if (!first || !last || t <= 0) return person;
  eachJoint(last, (x, y, c, part, i) => {
    const from = person[part]?.slice(3 * i, 3 * i + 3) ?? [];
    const [x0 = 0, y0 = 0, seen = false] = from;
    const to = seen && isHeld(from) ? from : [x, y, isSeen(part, c)];
    put(part, i, t >= 1 ? to : [...between([x0, y0], to, t), seen && to[2]]);
  });
  return person;
}

const isSeen = (part, c) => c > (/^(pose|foot)/.test(part) ? MIN_SCORE : 0);

function pathAt({ points, speed }, t, isHeld) {
  const way = isHeld(points[0]) ? [points[0]] : polylineOf(points);
  const pieces = piecesOf(way).filter(([a, b]) => gap(a, b) > 0);
  let left = progress(speed, t) * pieces.reduce((sum, [a, b]) => sum + gap(a, b), 0);
  let at = [...way[0], 1, 0];
  for (const [a, b] of pieces) {
    const length = gap(a, b);
    const direction = [0, 1].map((i) => (b[i] - a[i]) / length);
    at = [...between(a, b, Math.min(left / length, 1)), ...direction];
    left -= length;
    if (left < 0) break;
  }
  return at;
}

export function progress(speed = "uniform", t) {
  if (!Array.isArray(speed)) return EASINGS[speed](t);
  const at = t * (speed.length - 1);
  const before = Math.min(Math.floor(at), speed.length - 2);
  return speed[before] + (speed[before + 1] - speed[before]) * (at - before);
}
