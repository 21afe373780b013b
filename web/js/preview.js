import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

// While a video is sampled, the editor shows a still on the node that samples, and on every
// subgraph around it. Here the still moves: the frames of the video take its place, one after the
// other, as if ComfyUI had sent each of them. So the editor itself shows them, in both styles of
// nodes. nodes/host/film.py sends the frames, nodes/host/preview.py the still.
const EVENT = "fcvg.preview";
const STILL = "b_preview_with_metadata";

// Films by the id of their node: { graph, begin, frames, fps, still, timer }. The still is what
// ComfyUI has sent last; without one there is nothing to move.
const films = new Map();
const frames = new WeakSet(); // all that is shown here, to be told from ComfyUI's stills

function receive({ node, frames: texts, fps }) {
  if (!texts.length) {
    stop(node);
    return;
  }
  const film = films.get(node) ?? { graph: app.rootGraph?.id, begin: performance.now() };
  film.frames = texts.map(decode);
  film.fps = fps;
  films.set(node, film);
}

function decode(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const frame = new Blob([bytes], { type: "image/jpeg" });
  frames.add(frame);
  return frame;
}

// ComfyUI shows a still, once a step: the film goes on over it.
function replace(still) {
  const film = films.get(String(still.nodeId));
  if (!film || frames.has(still.blob)) return;
  film.still = still;
  show(film);
  film.timer ??= setInterval(() => show(film), 1000 / film.fps);
}

function show(film) {
  // The user looks at another graph, where another node may have the same id.
  if (film.graph !== app.rootGraph?.id) return;
  const count = film.frames.length;
  const number = Math.floor(((performance.now() - film.begin) / 1000) * film.fps) % count;
  put({ ...film.still, blob: film.frames[number] });
}

function put(detail) {
  api.dispatchEvent(new CustomEvent(STILL, { detail }));
  app.canvas?.setDirty(true, true); // whichever graph is looked at
}

// The middle frame stays, as on every node that samples: ComfyUI's still shows it too, but blurred.
function stop(node) {
  const film = films.get(node);
  films.delete(node);
  if (!film?.still) return;
  clearInterval(film.timer);
  put({ ...film.still, blob: film.frames[film.frames.length >> 1] });
}

app.registerExtension?.({
  name: "comfyuifcvg.preview",
  setup() {
    api.addEventListener(EVENT, ({ detail }) => receive(detail));
    api.addEventListener(STILL, ({ detail }) => replace(detail));
    // The server is gone, or its messages do not come: nobody says that the run has ended.
    api.addEventListener("reconnecting", () => [...films.keys()].forEach(stop));
  },
});
