import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";
import { Editor } from "./motion/editor.js";
import { element } from "./motion/toolbar.js";
import { eachOutput } from "./outputs.js";

// The canvas of Edit Motion. nodes/edit_motion.py gives what was found and the pictures;
// changes go into the node's widget `state`.
const NODE = "FCVG_EditMotion";
const RESULT = "fcvg_motion";
const LEAST = 430; // units: the height of the canvas with its buttons
const SIZE = [720, 640]; // of a new node
const BOX = "background: var(--comfy-input-bg, #222); border: 1px solid var(--border-color, #555);";
const STYLE = `
.fcvg-motion { display: flex; flex-direction: column; gap: 4px; min-height: ${LEAST}px;
  position: relative; color: var(--input-text, #ddd); font: 12px/1.4 sans-serif;
  & [hidden] { display: none; }
  & > div { display: flex; flex-wrap: wrap; gap: 3px; align-items: center; }
  & > canvas { flex: 1 1 0px; min-height: 0; width: 100%; touch-action: none;
    cursor: crosshair; background: var(--comfy-input-bg, #222); }
  & button, & select { ${BOX} font: inherit; color: inherit; padding: 2px 6px;
    border-radius: 4px; cursor: pointer; }
  & > canvas:focus, & [aria-pressed=true] {
    outline: 2px solid var(--p-primary-color, #56b4e9); outline-offset: -2px; }
  & :disabled { opacity: .4; }
  & pre + div { min-height: 40px; }
  & input { flex: 1; min-width: 80px; }
  & pre { ${BOX} position: absolute; inset: 50px 8px auto; margin: 0; padding: 8px;
    max-height: 75%; overflow: auto; font: 12px/1.5 monospace; white-space: pre-wrap; }
}
`;

function addEditor(node) {
  const state = node.widgets.find(({ name }) => name === "state");
  state.hidden = state.options.hidden = true; // in both styles of nodes; it is saved and sent
  const editor = new Editor({ write: (text) => write(state, text), address, passWheel });
  const widget = node.addDOMWidget("editor", RESULT, editor.root, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => LEAST,
  });
  widget.serialize = false; // what it shows is in `state`
  chain(state, "callback", (text) => editor.load(text));
  chain(node, "onConfigure", () => editor.load(state.value));
  chain(node, "onExecuted", (output) => show(node, output));
  node.fcvgMotion = editor;
  node.setSize(SIZE.map((side, i) => Math.max(side, node.size[i])));
}

// A change is one step of ComfyUI's own undo. ComfyUI looks for changes after a click, but not
// after a key that the canvas takes.
function write(state, text) {
  state.value = text;
  setTimeout(() => {
    const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
    (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
  }, 100);
}

// In Nodes 2.0 the node itself passes the wheel to the graph.
function passWheel(event) {
  if (!window.LiteGraph.vueNodesMode) app.canvas.processMouseWheel(event);
}

const address = (file) => api.apiURL(`/view?${new URLSearchParams(file)}`);

function chain(object, name, act) {
  const before = object[name];
  object[name] = function (...values) {
    act(...values);
    return before?.apply(this, values);
  };
}

function show(node, output) {
  const [payload] = output?.[RESULT] ?? [];
  if (payload && node.fcvgMotion.payload !== payload) node.fcvgMotion.show(payload);
}

// What earlier runs have found: the user opens a graph, or turns to another graph.
const showAll = (outputs) =>
  eachOutput(outputs, (node, output) => node.fcvgMotion && show(node, output));

// After ComfyUI's own undo, Nodes 2.0 still has the canvas of the node that was there before.
function mount({ id, graph, fcvgMotion: { root } }) {
  if (root.isConnected || app.canvas.graph !== graph) return;
  document.querySelector(`[data-node-id="${id}"] .fcvg-motion`)?.replaceWith(root);
}

app.registerExtension?.({
  name: "comfyuifcvg.edit_motion",
  setup() {
    element("style", document.head, { textContent: STYLE });
  },
  nodeCreated(node) {
    if (node.comfyClass === NODE && node.addDOMWidget) addEditor(node);
  },
  loadedGraphNode(node) {
    if (!node.fcvgMotion) return;
    showAll(app.nodeOutputs);
    requestAnimationFrame(() => mount(node));
  },
  onNodeOutputsUpdated: showAll,
});
