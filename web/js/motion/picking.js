import { selectionOf } from "./document.js";
import { distanceTo, eachJoint, gap, isInside, piecesOf, polylineOf } from "./geometry.js";
import { KINDS } from "./state_text.js";

// What lies at a place of a frame: `which` is "first" or "last", places and radius are in pixels.

// The nearest row within a radius: { kind, id, which }, and of a point also index, and of a joint
// part. Points come first, points of selected rows before all; the inside of a region comes last.
// Handles of paths, corners, and hidden joints are there only of selected rows; with `only` so are
// all lines and people.
export function hit(document, which, place, radius, selection = selectionOf(), only = false) {
  let best;
  let least = Infinity;
  for (const kind of KINDS) {
    for (const row of document[kind]) {
      const isChosen = selection[kind].has(row.id);
      if (only && !isChosen && !row.points) continue;
      const offer = (distance, rank, point) => {
        const order = distance + rank * radius;
        if (distance > radius || order >= least) return;
        least = order;
        best = { kind, id: row.id, which, ...point };
      };
      for (const { at, ...point } of pointsOf(row, which, isChosen)) {
        const isHandle = kind === "holds" || (kind === "paths" && point.index % 3 > 0);
        if (isChosen || !isHandle) offer(gap(at, place), isChosen ? 0 : 1, point);
      }
      if (kind === "lines") offer(distanceTo(row[which], place), 2);
      if (kind === "holds" && isInside(row.points, place)) offer(0, 3);
      if (kind !== "paths") continue;
      for (const piece of piecesOf(polylineOf(row.points))) offer(distanceTo(piece, place), 2);
    }
  }
  return best;
}

// Selects the rows that lie in a box between two corners wholly, too.
export function selectBox(selection, document, which, [x0, y0], [x1, y1]) {
  const isIn = ({ at: [x, y] }) => (x - x0) * (x - x1) <= 0 && (y - y0) * (y - y1) <= 0;
  for (const kind of KINDS) {
    for (const row of document[kind]) {
      const points = pointsOf(row, which);
      if (points.length && points.every(isIn)) selection[kind].add(row.id);
    }
  }
}

function pointsOf(row, which, hidden) {
  const points = row.points ?? row[which];
  if (Array.isArray(points)) return points.map((at, index) => ({ at, index }));
  const joints = [];
  eachJoint(points, (x, y, c, part, index) => {
    if (c > 0 || (hidden && (x || y))) joints.push({ at: [x, y], part, index });
  });
  return joints;
}
