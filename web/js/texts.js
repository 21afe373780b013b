import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";
import { eachOutput } from "./outputs.js";

// Shows on a node what the pack has said while the node ran. nodes/messages.py sends the lines as
// an event while the node runs, and as a part of the node's result.
const EVENT = "fcvg.text";
const RESULT = "fcvg_text";
const NAME = "$$fcvg-text"; // as the editor names the parts of a node that are no widgets
const MARGIN = 4;
const LEAST = 100; // units, seven lines: what a longer text gets of a node that has no room left
const WARNING = "\u26a0"; // begins a line that is a warning

// Nodes that show a text about several others: warnings of nodes in a subgraph, by the node's id.
const warnings = new WeakMap();

// A guider goes on to speak after its result, while another node samples. When ComfyUI then sends
// the guider's result again from its cache, what the guider has said since must stay.
const spoken = new WeakSet(); // nodes that have said something since their last result
let cached = new Set(); // ids of the nodes that the run takes from the cache

function say(executionId, lines, { isResult }) {
  const nodes = findNodes(executionId);
  const node = nodes.at(-1);
  if (!node || (isResult && cached.has(executionId) && spoken.has(node))) return;
  if (isResult) spoken.delete(node);
  else spoken.add(node);
  for (const outer of nodes.slice(0, -1)) warn(outer, executionId, lines);
  show(node, lines);
}

// The node with this id, last, after the subgraphs that hold it; nothing if it is not there.
function findNodes(executionId) {
  const nodes = [];
  let graph = app.rootGraph ?? app.graph;
  for (const id of executionId.split(":")) {
    const node = graph?.getNodeById(id);
    if (!node) return [];
    nodes.push(node);
    graph = node.subgraph;
  }
  return nodes;
}

// Whoever looks at a subgraph from outside sees at least its warnings.
function warn(node, executionId, lines) {
  const known = warnings.get(node) ?? new Map();
  warnings.set(node, known);
  known.set(executionId, lines.filter((line) => line.startsWith(WARNING)));
  show(node, [...new Set([...known.values()].flat())]);
}

function show(node, lines) {
  const old = node.widgets?.find((widget) => widget.name === NAME);
  if (!lines.length) {
    if (old) node.removeWidget(old);
  } else {
    // A node that runs once for each entry of a list may say the same of each.
    (old ?? addText(node)).element.firstChild.textContent = [...new Set(lines)].join("\n");
  }
  node.graph?.setDirtyCanvas(true, true);
}

function addText(node) {
  const box = document.createElement("div"); // the editor gives it its place and its size
  const text = box.appendChild(document.createElement("div"));
  box.className = "fcvg-text";
  Object.assign(box.style, {
    overflowY: "auto",
    scrollbarColor: "var(--input-text) transparent", // to be seen in every theme
    scrollbarWidth: "thin",
    userSelect: "text",
  });
  Object.assign(text.style, {
    font: "11px/1.3 Inter, Arial, sans-serif",
    color: "var(--input-text)",
    padding: "0 4px",
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
  });
  let height = 15;
  const widget = node.addDOMWidget(NAME, NAME, box, {
    serialize: false,
    hideInPanel: true,
    margin: MARGIN,
    onDraw: () => makeRoom(node), // also after a picture has come below the text
  });
  const layout = () => {
    const least = Math.min(height, LEAST);
    const most = hasPictures(node) ? least : height;
    return { minHeight: least + 2 * MARGIN, maxHeight: most + 2 * MARGIN, minWidth: 0 };
  };
  // In Nodes 2.0 a widget with a layout of its own would get more room than the text needs.
  Object.defineProperty(widget, "computeLayoutSize", {
    get: () => (window.LiteGraph.vueNodesMode ? undefined : layout),
  });
  widget.serialize = false; // the text is no part of the graph that is saved
  putBeforePictures(node, widget);
  box.addEventListener("wheel", (event) => {
    // In the classic style the graph does not hear of a wheel that is turned over a widget.
    const scrolls = box.scrollHeight > box.clientHeight;
    if (!scrolls && !window.LiteGraph.vueNodesMode) app.canvas.processMouseWheel(event);
  });
  const observer = new ResizeObserver(() => {
    const outer = box.closest("[data-node-id]"); // the node, in Nodes 2.0 alone
    if (outer) observer.observe(outer);
    box.style.maxHeight = "";
    if (outer) limit(box, outer, hasPictures(node));
    if (!text.offsetHeight || text.offsetHeight === height) return; // unseen, or as before
    height = text.offsetHeight;
    node.graph?.setDirtyCanvas(true, true);
  });
  observer.observe(text);
  return widget;
}

// Room that is left over on a node belongs to its pictures.
function hasPictures(node) {
  const shown = node.widgets.some(({ name }) => name !== NAME && name.startsWith("$$"));
  return shown || node.imgs?.length > 0;
}

// In Nodes 2.0 a text beyond its least height must not make its node higher.
function limit(box, outer, hasPictures) {
  const [whole, high] = [box.offsetHeight, outer.offsetHeight];
  box.style.maxHeight = `${LEAST}px`;
  const missing = hasPictures ? whole : high - outer.offsetHeight;
  box.style.maxHeight = `${Math.max(LEAST, whole - missing)}px`;
}

function putBeforePictures(node, widget) {
  const others = node.widgets.filter((other) => other !== widget);
  const at = others.findIndex((other) => other.name.startsWith("$$"));
  if (at < 0) return;
  node.widgets.splice(node.widgets.indexOf(widget), 1);
  node.widgets.splice(at, 0, widget);
}

// In the classic style a node keeps its size if the editor is not told to change it.
function makeRoom(node) {
  const needed = node.computeSize()[1];
  if (node.size[1] < needed) node.setSize([node.size[0], needed]);
}

app.registerExtension?.({
  name: "comfyuifcvg.texts",
  setup() {
    api.addEventListener("execution_cached", ({ detail }) => {
      cached = new Set(detail.nodes.map(String));
    });
    api.addEventListener(EVENT, ({ detail }) => {
      say(String(detail.node), detail.lines, { isResult: false });
    });
    api.addEventListener("executed", ({ detail }) => {
      const lines = detail.output?.[RESULT];
      const id = String(detail.display_node ?? detail.node);
      if (lines) say(id, lines, { isResult: true });
    });
  },
  // The user turns to another graph that was run before.
  onNodeOutputsUpdated(outputs) {
    eachOutput(outputs, (node, output) => output?.[RESULT] && show(node, output[RESULT]));
  },
});
