import { flipped, mapPlaces, pairedEnds, round } from "./geometry.js";
import { KEYS, KINDS, LAST_ID, formatState, parseState } from "./state_text.js";

const STEPS = 100; // can be undone
const SIDES = ["first", "last"];
const isFree = (row) => row && !row.fixed && !row.locked && row.edit !== "deleted";
const isOwn = (row) => row.points || row.edit === "drawn"; // belongs to nothing that was found
const placesOf = ({ first, last }) => ({ first, last });
const foundOf = (edit) => placesOf(edit.found ?? edit);
const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);
const byKind = (work) => Object.fromEntries(KINDS.map((kind) => [kind, work(kind)]));

// A selection: of each kind a Set of ids.
export const selectionOf = (ids = {}) => byKind((kind) => new Set(ids[kind]));

// What moves between two keyframes, and what a person changes of it: the lists lines, people, paths
// and holds. Rows have the keys of the state (docs/motion.md), and upstream: the row as found;
// stale: an edit of what is no longer found; fixed: a path of the node's input.
export class MotionDocument {
  onChange = (done) => {}; // done: no drag goes on, so `text` can be saved
  size; // [width, height] in pixels; null: nothing is known yet, and nothing can be drawn
  text; // the state, as it is to be saved
  #payload;
  #notes; // unknown keys of the state
  #rows; // of each kind a Map id -> row; rows are never written into, but replaced
  #before = null; // rows and text when the step began; null: no step goes on
  #past = []; // texts
  #future = [];

  // Throws an Error with a sentence if the text is no state, or of a newer version.
  constructor(text = "", payload = null) {
    this.#payload = payload ?? payloadOf(parseState(text));
    this.#open(text);
  }

  row(kind, id) {
    return this.#rows[kind].get(id);
  }

  // What a run found: the node's ui output. It waits until a drag ends.
  setPayload(payload) {
    this.#payload = payload;
    if (!this.#before) this.#open(this.text, false);
  }

  // All until commit is one step of undo.
  begin() {
    if (this.#before) return;
    this.#before = { rows: this.#rows, text: this.toText() };
    this.#rows = byKind((kind) => new Map(this.#rows[kind]));
  }

  commit() {
    if (!this.#before) return;
    const text = this.toText();
    if (text === this.#before.text) return this.cancel();
    this.#past = [...this.#past, this.text].slice(-STEPS);
    this.#future = [];
    this.#open(text);
  }

  cancel() {
    this.#open(this.text);
  }

  undo() {
    this.#go(this.#past, this.#future);
  }

  redo() {
    this.#go(this.#future, this.#past);
  }

  // The state as Python writes it; "" if nothing is changed.
  toText() {
    const edits = byKind((kind) => [...this.#rows[kind].values()].flatMap(editOf));
    return formatState({ size: this.size, notes: this.#notes, ...edits });
  }

  // By (dx, dy) pixels since begin. `which` is "first", "last" or "both", for lines and people.
  move(selection, which, dx, dy) {
    const shift = (x, by) => (by ? round(x + by) : x); // what does not move keeps its digits
    const sides = which === "both" ? SIDES : [which];
    this.#each(selection, (row, kind) => {
      const start = this.#before.rows[kind].get(row.id) ?? row;
      const places = mapPlaces(start, sides, ([x, y]) => [shift(x, dx), shift(y, dy)]);
      this.#set(kind, row, places);
    });
  }

  // What `hit` found to a place. A point on a path takes its handles along.
  movePoint(found, x, y) {
    const { kind, id, which, part, index } = found;
    const place = [round(x), round(y)];
    if (part) return this.changePart(found, (old, i) => place[i - 3 * index] ?? old);
    const row = this.row(kind, id);
    const points = row.points ?? row[which];
    const [dx, dy] = [x - points[index][0], y - points[index][1]];
    const reach = kind === "paths" && index % 3 === 0 ? 1 : 0;
    const move = (old, i) =>
      Math.abs(i - index) > reach ? old : [round(old[0] + dx), round(old[1] + dy)];
    this.change(kind, id, { [row.points ? "points" : which]: points.map(move) });
  }

  // Gives a row other values, such as `speed` to a path.
  change(kind, id, values) {
    this.#step(() => this.#set(kind, this.row(kind, id), values));
  }

  // Each number of a person's OpenPose list by a function.
  changePart({ id, which, part }, change) {
    const person = this.row("people", id)?.[which];
    if (!person) return;
    this.change("people", id, { [which]: { ...person, [part]: person[part]?.map(change) } });
  }

  // A new row: { first, last } of a line, or { points }. Returns its id.
  draw(kind, places) {
    const rounded = mapPlaces(places, SIDES, (point) => point.map(round));
    return this.#add(kind, places.points ? rounded : { ...rounded, edit: "drawn" });
  }

  // Two lines or people exchange their places in the last frame. So two people whom only one frame
  // shows become one.
  repair(kind, a, b) {
    const [one, two] = [this.row(kind, a), this.row(kind, b)];
    if (!isFree(one) || !isFree(two)) return;
    this.#step(() => {
      for (const [row, { last }] of [[one, two], [two, one]])
        if (row.first || last) this.#set(kind, row, { last, ends: undefined });
        else this.#remove(kind, row);
    });
  }

  // A person becomes two: one in each frame.
  unpair({ people }) {
    this.#each({ people }, (row, kind) => {
      if (!isFree(row) || !row.first || !row.last) return;
      this.#set(kind, row, { last: null });
      this.#add(kind, { first: null, last: row.last, edit: "drawn" });
    });
  }

  swapEnds({ lines }) {
    this.#each({ lines }, (row, kind) => {
      const last = flipped(row.ends ? row.last : pairedEnds(row.first, row.last));
      const ends = pairedEnds(row.first, last) === last ? undefined : "kept";
      this.#set(kind, row, { last, ends });
    });
  }

  // A locked row stays whatever a run finds, and nothing here changes it.
  setLocked({ lines, people }, on) {
    const locked = on || undefined;
    this.#each({ lines, people }, (row, kind) => this.#set(kind, row, { locked }));
  }

  // Found rows stay as deleted rows; other rows are gone.
  remove(selection) {
    this.#each(selection, (row, kind) => this.#remove(kind, row));
  }

  // Back to what was found. Rows that were not found stay.
  restore({ lines, people }) {
    this.#each({ lines, people }, (row, kind) => {
      const back = { edit: undefined, ends: undefined, ...row.upstream };
      if (row.upstream) this.#set(kind, row, back);
    });
  }

  #open(text, done = true) {
    const { size, notes, ...edits } = parseState(text);
    this.text = text;
    this.size = this.#payload.size;
    const scale = this.size?.map((side, i) => side / (size?.[i] ?? side));
    this.#notes = notes;
    this.#rows = byKind((kind) => this.#join(kind, edits[kind], scale));
    this.#before = null;
    this.#changed(done);
  }

  #changed(done) {
    for (const kind of KINDS) this[kind] = [...this.#rows[kind].values()];
    this.canUndo = this.#past.length > 0;
    this.canRedo = this.#future.length > 0;
    this.onChange(done);
  }

  #step(work) {
    const isWhole = !this.#before;
    this.begin();
    work();
    if (isWhole) this.commit();
    else this.#changed(false);
  }

  #each(selection, work) {
    this.#step(() => {
      for (const kind of KINDS)
        for (const id of selection[kind] ?? []) {
          const row = this.row(kind, id);
          if (row) work(row, kind);
        }
    });
  }

  #go(from, to) {
    this.commit();
    if (!from.length) return;
    to.push(this.text);
    this.#open(from.pop());
  }

  #set(kind, row, change) {
    const isAllowed = "locked" in change || ("edit" in change && !row.locked) || isFree(row);
    if (isAllowed) this.#rows[kind].set(row.id, { ...row, ...change });
  }

  #add(kind, values) {
    const id = freeId(LAST_ID, this.#rows[kind]);
    this.#step(() => this.#rows[kind].set(id, { id, ...values }));
    return id;
  }

  #remove(kind, row) {
    if (row.upstream) this.#set(kind, row, { edit: "deleted" });
    else if (isFree(row)) this.#rows[kind].delete(row.id);
  }

  // The rows of a kind: what was found, and edits in the place of what they were made of: of the
  // very same places, or by what Python says of the id.
  #join(kind, edits, scale) {
    const key = KEYS[kind];
    const { [key]: found = [], assigned } = this.#payload;
    const rows = new Map(found.map((row) => [row.id, asFound(row)]));
    const free = new Map(found.map((row) => [row.id, row])); // no edit stands in their place
    const ids = new Map(found.map((row) => [JSON.stringify(placesOf(row)), row.id]));
    for (const edit of edits.map((row) => resized(row, scale))) {
      const [own, named] = [ids.get(JSON.stringify(foundOf(edit))), assigned[key]?.[edit.id]];
      const upstream = isOwn(edit) ? undefined : (free.get(own) ?? free.get(named));
      const id = upstream?.id ?? freeId(edit.id ?? LAST_ID, rows);
      const stale = !isOwn(edit) && !upstream && !edit.locked;
      rows.set(id, { ...edit, id, upstream, stale });
      free.delete(id);
    }
    return rows;
  }
}

// What a state says was found: it stands for a run's payload before the first run.
function payloadOf({ size, lines, people }) {
  const foundRow = ({ id, score, edit, ends, ...row }) =>
    ({ id, score, ends: edit ? undefined : ends, ...foundOf(row) });
  const found = (edits) => edits.filter((edit) => !isOwn(edit)).map(foundRow);
  return { size, matches: found(lines), people: found(people), assigned: {} };
}

const asFound = (row) => (row.points ? { ...row, fixed: true } : { ...row, upstream: row });

// What the state holds of a row: what was done to it since it was found; or nothing.
function editOf({ upstream, stale, fixed, ...row }) {
  if (upstream) {
    const isSame = ["first", "last", "ends"].every((key) => same(row[key], upstream[key]));
    if (row.edit !== "deleted") row.edit = isSame ? undefined : "moved";
    row.found = row.edit && placesOf(upstream);
  }
  return !fixed && (row.points || row.edit || row.locked) ? [row] : [];
}

// The wanted number, or the largest that is not taken.
function freeId(wanted, taken) {
  let id = wanted;
  for (let next = LAST_ID; taken.has(id); next -= 1) id = next;
  return id;
}

function resized(edit, [sx, sy]) {
  const resize = (row) => mapPlaces(row, SIDES, ([x, y]) => [x * sx, y * sy]);
  return { ...edit, ...resize(edit), found: edit.found && resize(edit.found) };
}
