import { EASINGS } from "./inbetween.js";

// The state of Edit Motion as a text: see fcvg_core/motion/edits_json.py. Python finds every fault
// when the node runs; here is found what the canvas could not show.

const VERSION = 2;
export const LAST_ID = 99999; // as MAX_ID in fcvg_core/ids.py
export const KEYS = { lines: "matches", people: "people", paths: "paths", holds: "holds" };
export const KINDS = Object.keys(KEYS);
const ORDER = "id first last score edit found ends locked points speed".split(" ");

const isPoint = (x) => Array.isArray(x) && x.length === 2 && x.every(Number.isFinite);
const arePoints = (x, least) => Array.isArray(x) && x.length >= least && x.every(isPoint);
const isLine = (x) => arePoints(x, 2) && x.length === 2;
const isPerson = (x) => typeof x === "object";
const isSpeed = (x) => Array.isArray(x) || Object.hasOwn(EASINGS, x);
const isEdit = ({ edit = "drawn", found }) => ({ drawn: true, moved: found, deleted: found })[edit];
const hasPlaces = (row, isPlace) =>
  isEdit(row) && [row, row.found ?? row].every((x) => isPlace(x.first) && isPlace(x.last));
const FORMS = {
  lines: (row) => hasPlaces(row, isLine),
  people: (row) => hasPlaces(row, isPerson),
  paths: ({ points, speed = "uniform" }) => arePoints(points, 1) && isSpeed(speed),
  holds: ({ points }) => arePoints(points, 3),
};

// Returns { size, notes, and the rows of each kind }, or throws an Error with a sentence.
export function parseState(text) {
  const { version, size = null, ...lists } = text.trim() ? read(text) : {};
  const { matches: lines = [], people = [], paths = [], holds = [], ...notes } = lists;
  const rows = { lines, people, paths, holds };
  for (const kind of KINDS) {
    const key = KEYS[kind];
    check(Array.isArray(rows[kind]), `${key} is not a list`);
    const at = rows[kind].findIndex((row) => !row || !FORMS[kind](row));
    const said = JSON.stringify(rows[kind][at])?.slice(0, 80);
    check(at < 0, `row ${at + 1} of ${key} is ${said}`);
  }
  return { size, notes, ...rows };
}

function read(text) {
  let values;
  try {
    values = JSON.parse(text);
  } catch (error) {
    check(false, error.message);
  }
  const { version, size } = values ?? {};
  if (version > VERSION) {
    const own = `this editor reads version ${VERSION}: update ComfyUI-FCVG.`;
    throw new Error(`The edits have the form of version ${version}, but ${own}`);
  }
  check(version === VERSION, `version is ${version}`);
  check(isPoint(size) && Math.min(...size) > 0, "size is not [width, height]");
  return values;
}

function check(isFine, fault) {
  if (!isFine) throw new Error(`The text does not hold the edits of a motion: ${fault}.`);
}

// One row a line; "" if there are no rows and no unknown keys.
export function formatState({ size, notes, ...tables }) {
  const kinds = KINDS.filter((kind) => tables[kind].length);
  if (!kinds.length && !Object.keys(notes).length) return "";
  const lists = kinds.map((kind) => {
    const rows = tables[kind].map((row) => dump({ ...inOrder(row), ...row })).join(",\n");
    return `, "${KEYS[kind]}": [\n${rows}\n]`;
  });
  return `${dump({ version: VERSION, size, ...notes }).slice(0, -1)}${lists.join("")}}\n`;
}

const inOrder = (row) => Object.fromEntries(ORDER.map((key) => [key, row[key]]));

// In one line with spaces, as Python's json.dumps.
const dump = (value) =>
  JSON.stringify(value, null, 1).replace(/(?<=[[{])\n *|\n *(?=[\]}])/g, "").replace(/\n */g, " ");
