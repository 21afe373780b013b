import { BODY, between, eachJoint, piecesOf, polylineOf } from "./geometry.js";

// Okabe and Ito's colours, which colour-blind people can tell apart; dashes tell what was done.
const COLORS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"];
const DASHES = { drawn: [9, 4], stale: [2, 5], deleted: [1, 6] };
const MANY = 200; // lines are drawn without grounds and marks
const LIMBS = [
  [1, 2], [2, 3], [3, 4], [1, 5], [5, 6], [6, 7], [1, 8], [8, 9], [9, 10], [1, 11], [11, 12],
  [12, 13], [1, 0], [0, 14], [14, 16], [0, 15], [15, 17],
];

const colorOf = ({ id }) => COLORS[id % COLORS.length];
const statusOf = (row) => (row.stale ? "stale" : row.edit);

function trace(pen, lines) {
  pen.beginPath();
  for (const points of lines)
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
}

function strokeOnce(pen, color, width) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.stroke();
}

// What was traced, on a darker ground, so that it is seen on any picture.
function stroke(pen, color, width, dash = [], chosen = false) {
  if (chosen) stroke(pen, "#fff", width + 6);
  pen.setLineDash(dash);
  strokeOnce(pen, "#000a", width + 2);
  strokeOnce(pen, color, width);
  pen.setLineDash([]);
}

function drawDots(pen, places, radius, color = "#fff", square = false) {
  pen.beginPath();
  for (const [x, y] of places) {
    pen.moveTo(x + radius, y);
    if (square) pen.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    else pen.arc(x, y, radius, 0, 7);
  }
  pen.fillStyle = color;
  pen.fill();
  if (radius > 2) strokeOnce(pen, "#000", 1);
}

// Below, `at` gives the place of a point on the screen.

// Lines as [row, line, chosen]: those that look alike at once. A chosen line shows its ends.
export function drawLines(pen, lines, at) {
  const groups = {};
  for (const [row, line, chosen] of lines) {
    const look = [chosen, colorOf(row), statusOf(row), row.locked];
    (groups[look] ??= { row, chosen, places: [] }).places.push(line.map(at));
  }
  for (const { row, chosen, places } of Object.values(groups)) {
    const [color, status] = [colorOf(row), statusOf(row)];
    trace(pen, places);
    if (places.length > MANY) {
      strokeOnce(pen, chosen ? "#fff" : color, 2);
      continue;
    }
    stroke(pen, color, status === "deleted" ? 1 : 2, DASHES[status], chosen);
    if (status === "moved" || row.locked)
      drawDots(pen, places.map(([a, b]) => between(a, b, 0.5)), 3, color, row.locked);
    for (const end of chosen ? [0, 1] : [])
      drawDots(pen, places.map((line) => line[end]), 5, "#fff", end);
  }
}

export function drawPerson(pen, row, person, at, { chosen, clicked }) {
  const color = colorOf(row);
  const [body, dots] = [[], []];
  eachJoint(person, (x, y, seen, part, joint) => {
    if (!(seen > 0)) return;
    const place = at([x, y]);
    const isClicked = clicked?.id === row.id && clicked.part === part && clicked.index === joint;
    dots.push([[place], (part === BODY ? 4 : 1.3) + 2 * isClicked, isClicked ? "#fff" : color]);
    if (part === BODY) body[joint] = place;
  });
  if (!dots.length) return;
  trace(pen, LIMBS.filter(([a, b]) => body[a] && body[b]).map(([a, b]) => [body[a], body[b]]));
  stroke(pen, color, 3, DASHES[statusOf(row)], chosen);
  for (const dot of dots) drawDots(pen, ...dot);
  const [[[x, y]]] = dots[0];
  pen.font = "bold 13px sans-serif";
  pen.fillStyle = color;
  pen.lineWidth = 3;
  const name = row.edit === "drawn" ? "+" : row.id + 1;
  pen.strokeText(name, x + 8, y - 8);
  pen.fillText(name, x + 8, y - 8);
  if (row.locked) drawDots(pen, [[x, y]], 5, color, true);
}

export function drawPath(pen, row, points, at, chosen) {
  trace(pen, [polylineOf(points).map(at)]);
  stroke(pen, colorOf(row), 2, DASHES.drawn, chosen);
  const places = points.map(at);
  trace(pen, chosen ? piecesOf(places).filter((piece, i) => i % 3 !== 1) : []);
  stroke(pen, "#fff", 1);
  places.forEach((place, i) => {
    if (i % 3 === 0) drawDots(pen, [place], 5, colorOf(row), i > 0);
    else if (chosen) drawDots(pen, [place], 4);
  });
}

export function drawMover(pen, mover, at) {
  const [, , dx, dy] = mover;
  const [x, y] = at(mover);
  trace(pen, [[-12, 12].map((way) => [x + way * dx, y + way * dy])]);
  stroke(pen, "#fff", 4);
}

export function drawArea(pen, points, at, chosen, open) {
  trace(pen, [points.map(at)]);
  if (!open) {
    pen.closePath();
    pen.fillStyle = chosen ? "#fff5" : "#0005";
    pen.fill();
  }
  stroke(pen, "#fff", 1, [4, 4]);
  if (chosen) drawDots(pen, points.map(at), 5);
}
