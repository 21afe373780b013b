import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";
import { upload } from "./upload.js";

// Three sample pictures, so that the first run of a template works. A picture goes into ComfyUI's
// input folder when a graph is opened that loads it by its name, if no file has this name there.
const SAMPLES = ["fcvg_first.jpg", "fcvg_middle.jpg", "fcvg_last.jpg"];

const LOADERS = ["LoadImage"]; // ComfyUI's own, whose list must know a picture that was brought

const brought = new Set();

async function bring(name) {
  const there = await api.fetchApi(`/view?type=input&filename=${name}`, { method: "HEAD" });
  if (there.status === 404) {
    const picture = await fetch(new URL(`../samples/${name}`, import.meta.url));
    await upload(await picture.blob(), name);
  }
  brought.add(name);
}

app.registerExtension?.({
  name: "comfyuifcvg.samples",
  async beforeConfigureGraph(graph) {
    const loaded = graph.nodes
      .filter((node) => LOADERS.includes(node.type))
      .map((node) => node.widgets_values?.[0]);
    await Promise.all(SAMPLES.filter((name) => loaded.includes(name)).map(bring));
  },
  // The editor has read the names of the input folder's files when the page was opened.
  nodeCreated(node) {
    if (!LOADERS.includes(node.comfyClass)) return;
    const { values } = node.widgets.find((widget) => widget.name === "image").options;
    for (const name of brought) if (!values.includes(name)) values.push(name);
  },
});
