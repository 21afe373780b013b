import { selectionOf } from "./document.js";
import { distanceTo, gap, piecesOf } from "./geometry.js";
import { stateAt } from "./inbetween.js";
import { drawArea, drawPath } from "./marks.js";
import { hit, selectBox } from "./picking.js";

const REACH = { mouse: 8, pen: 12, touch: 18 }; // pixels
const CLICK = 4; // pixels: a shorter way is no drag
const LASSO = 10; // pixels between the corners of a region that is dragged
const minus = (a, b) => a.map((x, i) => x - b[i]);

// Bezier curves that go smoothly through places: Catmull and Rom's.
function curveThrough(places) {
  const handle = (from, to, end) => end.map((x, i) => x + (to[i] - from[i]) / 6);
  const curves = piecesOf(places).flatMap(([a, b], i) => {
    const before = places[i - 1] ?? minus(a, minus(b, a));
    const after = places[i + 2] ?? minus(b, minus(a, b));
    return [handle(before, b, a), handle(after, a, b), b];
  });
  return [places[0], ...curves];
}

export class Pointer {
  down = new Map(); // pointers that touch the canvas: id -> place
  corners = []; // of a path or a region that is being clicked
  which = "first"; // the keyframe that was touched last

  constructor(editor, canvas) {
    Object.assign(this, { editor, canvas });
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => {
        event.stopPropagation();
        this[name](event, this.place(event));
      });
    }
    canvas.ondblclick = () => this.finish();
    canvas.oncontextmenu = (event) => event.preventDefault();
    canvas.onwheel = (event) => this.turn(event);
  }

  place({ clientX, clientY }) {
    const { x, y, width } = this.canvas.getBoundingClientRect();
    const scale = this.canvas.clientWidth / width;
    return [(clientX - x) * scale, (clientY - y) * scale];
  }

  pointerdown(event, place) {
    const { editor, canvas, down } = this;
    const { pointerId, pointerType, button, altKey, ctrlKey, shiftKey: shift } = event;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(pointerId);
    if (down.size) this.drop();
    down.set(pointerId, place);
    if (down.size > 1) return;
    const panel = editor.view.panelAt(place);
    const start = panel.toPicture(place);
    const kind = button || altKey || !editor.isReady ? "pan" : editor.tool;
    this.drag = { kind, panel, shift, start, begin: place, at: start };
    [this.which] = panel.ends;
    if (kind === "select" && ctrlKey) this.drag.kind = "box";
    else if (kind === "select") this.grab((REACH[pointerType] ?? REACH.mouse) / panel.scale);
  }

  grab(radius) {
    const { drag, editor } = this;
    const found = this.find(drag.panel, drag.start, radius);
    drag.kind = found ? "carry" : "box";
    if (!found) return;
    const { kind, id, which, part } = found;
    this.which = which;
    drag.hit = found;
    const chosen = editor.selection[kind];
    if (!chosen.has(id) && !drag.shift) editor.select({ [kind]: [id] });
    else if (!drag.shift || part || !chosen.delete(id)) chosen.add(id);
    editor.joint = part ? found : null;
    editor.changed();
  }

  // Between the keyframes, lines move as a whole, or the ends of what is selected.
  find({ ends }, place, radius) {
    const { selection, motion, time } = this.editor;
    const between = ends.length > 1;
    const hits = ends.map((which) => hit(motion, which, place, radius, selection, between));
    const point = hits.find((found) => found?.index !== undefined);
    if (point || !between) return point ?? hits[0];
    const lines = [...stateAt(motion, time).lines];
    const near = lines.find(([, line]) => distanceTo(line, place) < radius);
    return near ? { kind: "lines", id: near[0], which: "both" } : hits[0];
  }

  pointermove({ pointerId }, place) {
    const { drag, editor, down } = this;
    const before = down.get(pointerId);
    if (!before) return;
    down.set(pointerId, place);
    if (down.size === 2) this.pinch(pointerId, before, place);
    if (!drag) return;
    const { kind, panel } = drag;
    drag.moved ||= gap(place, drag.begin) > CLICK;
    // a path may end in the other keyframe
    drag.at = (kind === "path" ? editor.view.panelAt(place) : panel).toPicture(place);
    if (kind === "pan") editor.view.pan(...minus(place, before));
    else if (drag.moved && kind === "carry") this.carry(drag);
    else if (drag.moved) drag.outline = this.outline(drag);
    editor.view.request();
  }

  outline({ kind, start, at, panel, outline = [start] }) {
    const [[x0, y0], [x1, y1]] = [start, at];
    if (kind === "box") return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
    if (kind !== "hold") return [start, at];
    return gap(at, outline.at(-1)) * panel.scale > LASSO ? [...outline, at] : outline;
  }

  // Two fingers: what lay under them stays under them.
  pinch(id, before, place) {
    const { view } = this.editor;
    const [, other] = [...this.down].find(([key]) => key !== id);
    const middle = place.map((x, i) => (x + other[i]) / 2);
    view.pan(...minus(place, before).map((x) => x / 2));
    view.zoomAt(middle, (gap(place, other) + 1) / (gap(before, other) + 1));
  }

  // Move what was grabbed: one drag is one step of undo.
  carry({ hit: found, at, start, shift, moving }) {
    const { motion, selection, view } = this.editor;
    const { kind, id, which, part, index } = found;
    const whole = index === undefined || (part && shift);
    if (!moving) {
      this.drag.moving = true;
      motion.begin();
      view.lifted = whole ? selection : selectionOf({ [kind]: [id] });
      view.refresh();
    }
    if (whole) motion.move(selection, which, ...minus(at, start));
    else motion.movePoint(found, ...at);
  }

  pointerup({ pointerId }) {
    const { drag, editor, corners } = this;
    this.down.delete(pointerId);
    this.drag = null;
    if (!drag) return;
    const { kind, moved, moving, shift, start, at, outline, panel } = drag;
    editor.view.lifted = null;
    if (moving) editor.motion.commit();
    if (kind === "box" && !shift) editor.select();
    for (const which of kind === "box" && moved ? panel.ends : [])
      selectBox(editor.selection, editor.motion, which, start, at);
    const line = [start, at];
    if (kind === "line" && moved) editor.add("lines", { first: line, last: line });
    if (kind === "path" || kind === "hold") {
      const isWhole = moved && !corners.length;
      corners.push(...(isWhole ? outline : [at]));
      const isBack = gap(corners[0], at) * panel.scale < REACH.touch;
      if (isWhole || (kind === "hold" && corners.length > 3 && isBack)) this.finish();
    }
    editor.changed();
  }

  finish() {
    const { editor } = this;
    const corners = this.corners.filter((x, i, all) => !i || gap(x, all[i - 1]) > 0.01);
    this.corners = [];
    if (!corners.length) return;
    if (editor.tool === "path") editor.add("paths", { points: curveThrough(corners) });
    else if (corners.length > 2) editor.add("holds", { points: corners });
  }

  pointercancel({ pointerId }) {
    this.down.delete(pointerId);
    this.drop();
  }

  // Leave what is begun as it was.
  drop() {
    const { editor, drag } = this;
    if (drag?.moving) editor.motion.cancel();
    Object.assign(this, { drag: null, corners: [] });
    editor.view.lifted = null;
    editor.changed();
  }

  // The wheel belongs to the graph until the canvas is clicked.
  turn(event) {
    if (document.activeElement !== this.canvas) return this.editor.passWheel(event);
    event.preventDefault();
    event.stopPropagation();
    this.editor.view.zoomAt(this.place(event), Math.exp(-event.deltaY / 400));
  }

  draw(pen) {
    const { drag, editor, corners } = this;
    const at = (drag?.panel ?? editor.view.panels()[0]).toScreen;
    if (editor.tool !== "path") drawArea(pen, corners, at, true, true);
    else if (corners.length) drawPath(pen, { id: 0 }, curveThrough(corners), at, true);
    const isLine = ["line", "path"].includes(drag?.kind);
    if (drag?.outline) drawArea(pen, drag.outline, at, isLine, isLine);
  }
}
