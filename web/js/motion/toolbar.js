import { ACTIONS, STEPS, run } from "./actions.js";
import { within } from "./geometry.js";
import { EASINGS, progress } from "./inbetween.js";

const CUSTOM = "custom";
const POINTS = [0, 0.25, 0.5, 0.75, 1]; // times at which a speed can be dragged
const [WIDTH, HEIGHT, EDGE] = [120, 40, 5]; // pixels of the strip that shows a speed
const SPEED = "Speed of the path: the way behind the point over time; drag it";

export function element(tag, parent, values = {}) {
  const made = Object.assign(document.createElement(tag), values);
  parent.append(made);
  return made;
}

export class Toolbar {
  constructor(editor, top, bottom) {
    this.editor = editor;
    this.buttons = ACTIONS.map((action) => this.add(action[0] === "play" ? bottom : top, action));
    this.scrubber = element("input", bottom, {
      type: "range",
      max: STEPS,
      step: "any",
      title: "Time of the motion: the state in between, over both keyframes",
      oninput: () => editor.turnTo(this.scrubber.value / STEPS),
    });
    this.speed = element("select", bottom, {
      title: SPEED,
      onchange: ({ target: { value } }) => this.set(value === CUSTOM ? this.points() : value),
    });
    this.speed.append(...[...Object.keys(EASINGS), CUSTOM].map((name) => new Option(name)));
    this.strip = element("canvas", bottom, {
      title: SPEED,
      width: WIDTH,
      height: HEIGHT,
      onpointerdown: (event) => {
        this.strip.setPointerCapture(event.pointerId);
        editor.motion.begin();
        this.bend(event);
      },
      onpointermove: (event) => event.buttons && this.bend(event),
      onpointerup: () => editor.motion.commit(),
    });
  }

  // After a button the canvas has the focus, where the keys do the same.
  add(parent, action) {
    const [name, key, text] = action;
    return element("button", parent, {
      textContent: name,
      title: `${text} (${key})`,
      tabIndex: -1,
      onclick: () => {
        run(this.editor, action);
        this.editor.canvas.focus({ preventScroll: true });
      },
    });
  }

  points(speed = this.editor.path.speed) {
    return Array.isArray(speed) ? speed : POINTS.map((t) => progress(speed, t));
  }

  set(speed) {
    this.editor.motion.change("paths", this.editor.path.id, { speed });
  }

  // Move the point of the speed that is the nearest in time; its ends stay.
  bend(event) {
    event.stopPropagation();
    const points = [...this.points()];
    const last = points.length - 1;
    if (event.type === "pointerdown") this.point = Math.round((event.offsetX / WIDTH) * last);
    const share = within(1 - event.offsetY / HEIGHT, 0, 1);
    if (this.point > 0 && this.point < last) points[this.point] = Number(share.toFixed(3));
    this.set(points);
    this.show();
  }

  show() {
    const { motion, isReady, tool, overlaid, onion, playing, time, path } = this.editor;
    const can = { undo: motion?.canUndo, redo: motion?.canRedo, help: true };
    const on = { [tool]: true, overlay: overlaid, onion: onion && overlaid, play: playing };
    for (const button of this.buttons) {
      const name = button.textContent;
      button.ariaPressed = String(!!on[name]);
      button.disabled = !(can[name] ?? isReady);
    }
    this.scrubber.value = time * STEPS;
    this.speed.hidden = this.strip.hidden = !path;
    if (path) this.drawSpeed(path.speed);
  }

  drawSpeed(speed = "uniform") {
    this.speed.value = Array.isArray(speed) ? CUSTOM : speed;
    const pen = this.strip.getContext("2d");
    pen.reset();
    pen.strokeStyle = pen.fillStyle = getComputedStyle(this.strip).color;
    const at = (t) => [
      EDGE + t * (WIDTH - 2 * EDGE),
      EDGE + (1 - progress(speed, t)) * (HEIGHT - 2 * EDGE),
    ];
    pen.beginPath();
    for (let t = 0; t <= 1; t += 1 / 64) pen.lineTo(...at(t));
    pen.stroke();
    this.points(speed).forEach((_, i, points) => {
      const [x, y] = at(i / (points.length - 1));
      pen.fillRect(x - 3, y - 3, 6, 6);
    });
  }
}
