import { app } from "../../../scripts/app.js";

// Calls work(node, output) for each result that the editor has of the graph that is looked at, also
// of nodes in subgraphs.
export function eachOutput(outputs, work) {
  const root = app.rootGraph ?? app.graph;
  for (const [place, output] of Object.entries(outputs ?? {})) {
    const [id, subgraph] = place.split(":").reverse();
    const graph = subgraph ? root.subgraphs?.get(subgraph) : root;
    const node = graph?.getNodeById(id);
    if (node) work(node, output);
  }
}
