import { app } from "../../../scripts/app.js";

// In the classic style of nodes, the editor adds a picture that plays on a node to the page while
// it draws the graph. The picture gets its place and its size when the graph is drawn once more.
// The picture covers the whole graph if nothing else makes the editor draw once more: all results
// come from ComfyUI's cache, and the picture loads last.
const PLAYING = new Set([
  "FCVG_AlignPoses",
  "FCVG_CameraMove",
  "FCVG_DrawLines",
  "FCVG_DrawPoses",
  "FCVG_InterpolateConditions",
  "FCVG_PreviewMotion",
]);

app.registerExtension?.({
  name: "comfyuifcvg.redraw",
  nodeCreated(node) {
    const addDOMWidget = node.addDOMWidget;
    if (!PLAYING.has(node.comfyClass) || !addDOMWidget) return;
    node.addDOMWidget = function (...values) {
      requestAnimationFrame(() => this.graph?.setDirtyCanvas?.(true, true));
      return addDOMWidget.apply(this, values);
    };
  },
});
