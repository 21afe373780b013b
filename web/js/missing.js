import { app } from "../../../scripts/app.js";

// Before a run the editor marks a loader without its file only if the name ends like a file of
// weights: not SVD's folder, and earlier editors mark none. Nodes 2.0 marks the list itself.
function misses({ type, value, options }) {
  return type === "combo" && Array.isArray(options.values) && !options.values.includes(value);
}

app.registerExtension?.({
  name: "comfyuifcvg.missing",
  nodeCreated(node) {
    if (!node.comfyClass?.startsWith("FCVG_Load")) return;
    node.strokeStyles.fcvgMissing = () => {
      if (!node.widgets.some(misses)) return;
      return { color: window.LiteGraph.NODE_ERROR_COLOUR, lineWidth: 10, padding: 12 };
    };
  },
});
