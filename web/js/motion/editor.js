import { HELP, STEPS, actionOf, run } from "./actions.js";
import { MotionDocument, selectionOf } from "./document.js";
import { within } from "./geometry.js";
import { Pointer } from "./pointer.js";
import { KINDS } from "./state_text.js";
import { Toolbar, element } from "./toolbar.js";
import { View } from "./view.js";

const FRAME = 40; // milliseconds, of the motion that plays
const NOT_RUN = "Run the node to see the keyframes. Until then you see what is saved. ";

// A canvas with its document. The host has `write`, which gets the state that a person has changed;
// `address` of a picture's file; `passWheel`, which gets an event for the graph.
export class Editor {
  tool = "select";
  time = 0; // 0..1, of the state that is shown with one keyframe over the other
  selection = selectionOf();
  joint = null; // that was clicked last
  payload = null;

  constructor(host) {
    Object.assign(this, host);
    this.root = document.createElement("div");
    this.root.className = "fcvg-motion";
    this.root.dataset.captureWheel = true; // Nodes 2.0 leaves the wheel to it
    const top = element("div", this.root, { role: "toolbar" });
    this.canvas = element("canvas", this.root, {
      tabIndex: 0,
      role: "application",
      ariaLabel: "The motion between both keyframes; press ? for the keys",
      type: "textarea", // ComfyUI leaves Ctrl+Z to what is called so
      onkeydown: (event) => this.press(event),
    });
    this.help = element("pre", this.root, { hidden: true, textContent: HELP });
    const bottom = element("div", this.root);
    this.status = element("small", this.root, { ariaLive: "polite" });
    this.pointer = new Pointer(this, this.canvas);
    this.view = new View(this, this.canvas);
    this.toolbar = new Toolbar(this, top, bottom);
    new ResizeObserver(() => this.view.refresh()).observe(this.canvas);
    this.load("");
  }

  // Open a state. A text that is none is left as it is.
  load(text) {
    if (text === this.text) return;
    Object.assign(this, { text, motion: null, fault: "" });
    this.select();
    try {
      this.motion = new MotionDocument(text, this.payload);
      this.motion.onChange = (done) => (done ? this.save() : this.view.request());
    } catch (error) {
      this.fault = `${error.message} It stays as it is.`;
    }
    this.changed();
  }

  show(payload) {
    if (`${payload.size}` !== `${this.size}`) this.view.fit();
    this.payload = payload;
    this.view.load(payload.pictures);
    this.select();
    this.motion?.setPayload(payload);
    this.changed();
  }

  get size() {
    return this.motion?.size ?? this.payload?.size ?? [1024, 576];
  }

  get isReady() {
    return !!this.motion?.size;
  }

  get path() {
    return this.motion?.row("paths", [...this.selection.paths][0]);
  }

  select(ids) {
    this.joint = null;
    this.selection = selectionOf(ids);
  }

  save() {
    const isNew = this.text !== this.motion.text;
    this.text = this.motion.text;
    if (isNew) this.write(this.text);
    this.changed();
  }

  changed() {
    this.view.refresh();
    this.toolbar.show();
    this.status.textContent = this.fault || this.describe();
  }

  describe() {
    const counted = KINDS.map((kind) => {
      const rows = this.motion[kind].filter((row) => row.edit !== "deleted");
      const stale = rows.filter((row) => row.stale);
      const names = stale.map(({ id }) => (kind === "people" ? id + 1 : id)).join(", ");
      return `${kind}: ${rows.length}${names && ` (no longer found, not used: ${names})`}`;
    });
    const isLost = ([, { complete, naturalWidth }]) => complete && !naturalWidth;
    const lost = Object.entries(this.view.pictures).filter(isLost);
    const gone = lost.map(([name]) => `The picture of the ${name} keyframe is gone. `).join("");
    return (this.payload ? gone : NOT_RUN) + counted.join(", ");
  }

  add(kind, places) {
    this.tool = "select";
    this.select({ [kind]: [this.motion.draw(kind, places)] });
    this.changed();
  }

  turnTo(time) {
    this.time = within(time, 0, 1);
    this.overlaid = true;
    this.changed();
  }

  play() {
    clearInterval(this.playing);
    const step = () => {
      const next = (Math.round(this.time * STEPS) + 1) % (STEPS + 1);
      if (this.root.isConnected) this.turnTo(next / STEPS);
      else this.play();
    };
    this.playing = !this.playing && setInterval(step, FRAME);
  }

  press(event) {
    const action = actionOf(event);
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
    if (action || isPlain) event.stopPropagation(); // else Delete would remove the node
    if (!action) return;
    event.preventDefault();
    if (this.isReady || event.key === "?") run(this, action, event.shiftKey ? 10 : 1);
  }

  escape() {
    this.help.hidden = true;
    this.tool = "select";
    this.select();
    this.pointer.drop();
  }

  selectAll() {
    const ids = (kind) => this.motion[kind].map(({ id }) => id);
    this.select({ lines: ids("lines"), people: ids("people") });
  }
}
