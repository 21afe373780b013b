import { within } from "./geometry.js";
import { stateAt } from "./inbetween.js";
import { drawArea, drawLines, drawMover, drawPath, drawPerson } from "./marks.js";

const GAP = 3; // pixels from each keyframe to the middle
const GHOSTS = [-0.2, -0.1, 0.1, 0.2]; // steps of time that the onion skin shows

// Draws an editor. What rests during a drag is drawn once, on a canvas aside.
export class View {
  rest = document.createElement("canvas");
  pictures = {};
  lifted = null; // the selection that is being dragged

  constructor(editor, canvas) {
    Object.assign(this, { editor, canvas });
    this.fit();
  }

  fit() {
    Object.assign(this, { zoom: 1, center: null }); // of the view, in pixels of a keyframe
  }

  // Draw everything anew. `request` alone draws what is dragged.
  refresh() {
    this.stale = true;
    this.request();
  }

  request() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      if (this.canvas.clientWidth && this.canvas.clientHeight) this.draw();
    });
  }

  load(files) {
    const onload = () => this.editor.changed();
    this.pictures = {};
    for (const [name, file] of Object.entries(files)) {
      const src = file && this.editor.address(file);
      if (src) this.pictures[name] = Object.assign(new Image(), { onload, onerror: onload, src });
    }
  }

  panels() {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    const { size: [w, h], overlaid } = this.editor;
    if (overlaid) return [this.panel("both", 0, 0, wide, high)];
    const beside = 1.2 * Math.min(wide / 2 / w, high / h) > Math.min(wide / w, high / 2 / h);
    const size = beside ? [wide / 2 - GAP, high] : [wide, high / 2 - GAP];
    const last = this.panel("last", wide - size[0], high - size[1], ...size);
    return [this.panel("first", 0, 0, ...size), last];
  }

  // `ends`: the keyframes whose rows the panel shows and lets move.
  panel(which, x, y, width, height) {
    const { size: [w, h], time } = this.editor;
    const between = ["first", "last"].filter((name, i) => time !== 1 - i);
    const ends = which === "both" ? between : [which];
    const [cx, cy] = this.center ?? [w / 2, h / 2];
    const scale = Math.min(width / w, height / h) * this.zoom;
    const [left, top] = [x + width / 2 - cx * scale, y + height / 2 - cy * scale];
    const toScreen = (at) => [left + at[0] * scale, top + at[1] * scale];
    const toPicture = (at) => [(at[0] - left) / scale, (at[1] - top) / scale];
    return { which, ends, x, y, width, height, scale, toScreen, toPicture };
  }

  panelAt([x, y]) {
    const panels = this.panels();
    return panels.find((p) => x < p.x + p.width && y < p.y + p.height) ?? panels.at(-1);
  }

  pan(dx, dy) {
    const { scale } = this.panels()[0];
    const [cx, cy] = this.center ?? this.editor.size.map((side) => side / 2);
    this.center = [cx - dx / scale, cy - dy / scale];
    this.refresh();
  }

  zoomAt(place, factor) {
    const point = this.panelAt(place).toPicture(place);
    this.zoom = within(this.zoom * factor, 0.25, 40);
    const moved = this.panelAt(place).toScreen(point);
    this.pan(place[0] - moved[0], place[1] - moved[1]);
  }

  draw() {
    const { canvas, rest } = this;
    const { clientWidth, clientHeight } = canvas;
    // A graph may show a node larger than it is laid out.
    const shown = canvas.getBoundingClientRect().width / clientWidth;
    const ratio = window.devicePixelRatio * within(shown, 0.5, 3);
    const size = [clientWidth, clientHeight].map((side) => Math.round(side * ratio));
    // A new size makes the browser lay out the page.
    if (`${size}` !== `${[canvas.width, canvas.height]}`) {
      for (const one of [canvas, rest]) [one.width, one.height] = size;
      this.stale = true;
    }
    if (this.stale) this.paint(rest, ratio, true);
    this.stale = false;
    const pen = canvas.getContext("2d");
    pen.reset();
    pen.drawImage(rest, 0, 0);
    if (this.lifted) this.paint(canvas, ratio, false);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.editor.pointer.draw(pen);
  }

  // Draw what rests, with the pictures, or what is dragged.
  paint(canvas, ratio, rests) {
    const pen = canvas.getContext("2d");
    const { motion } = this.editor;
    const isShown = (kind, { id }) => !this.lifted || this.lifted[kind].has(id) !== rests;
    const rowsOf = (kind) => motion[kind].filter((row) => isShown(kind, row));
    if (rests) pen.reset();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const panel of this.panels()) {
      pen.save();
      pen.beginPath();
      pen.rect(panel.x, panel.y, panel.width, panel.height);
      pen.clip();
      if (rests) this.drawPictures(pen, panel);
      if (motion) this.drawRows(pen, panel, rowsOf);
      pen.restore();
    }
  }

  drawPictures(pen, { which, scale, toScreen }) {
    const { time, size } = this.editor;
    const box = [...toScreen([0, 0]), ...size.map((side) => side * scale)];
    pen.fillStyle = "#444";
    pen.fillRect(...box);
    for (const [name, picture] of Object.entries(this.pictures)) {
      if (!picture.naturalWidth || (which !== "both" && which !== name)) continue;
      pen.globalAlpha = which === "both" && name === "last" ? time : 1;
      pen.drawImage(picture, ...box);
    }
    pen.globalAlpha = 1;
  }

  drawRows(pen, { which, ends, toScreen: at }, rowsOf) {
    const { motion, time, onion, overlaid, selection, joint } = this.editor;
    const isChosen = (kind, row) => selection[kind].has(row.id);
    const draw = (placeOf, end) => {
      const clicked = joint?.which === end && joint;
      const looks = (kind) =>
        rowsOf(kind)
          .map((row) => [row, placeOf(kind, row), end && isChosen(kind, row)])
          .filter(([, place]) => place);
      drawLines(pen, looks("lines"), at);
      for (const [row, person, chosen] of looks("people"))
        drawPerson(pen, row, person, at, { chosen, clicked });
    };
    const drawState = (state) => draw((kind, row) => state[kind].get(row.id));
    for (const row of which === "last" ? [] : rowsOf("holds"))
      drawArea(pen, row.points, at, isChosen("holds", row));
    pen.globalAlpha = 0.3;
    for (const t of overlaid && onion ? GHOSTS.map((step) => time + step) : [])
      if (t >= 0 && t <= 1) drawState(stateAt(motion, t));
    pen.globalAlpha = 1;
    const state = overlaid && stateAt(motion, time);
    const between = ends.length > 1;
    if (between) drawState(state);
    for (const end of ends) draw((kind, row) => (!between || isChosen(kind, row)) && row[end], end);
    for (const row of rowsOf("paths")) {
      drawPath(pen, row, row.points, at, isChosen("paths", row));
      const mover = state && state.paths.get(row.id);
      if (mover) drawMover(pen, mover, at);
    }
  }
}
