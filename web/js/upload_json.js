import { app } from "../../../scripts/app.js";
import { upload } from "./upload.js";

// The nodes that load a JSON file get a button that uploads a file, and take a file that is dropped
// on them. The editor's own buttons take pictures, sounds, videos and 3D models only, but the
// server's route takes any file.
const LOADERS = ["FCVG_LoadLineMatches", "FCVG_LoadPoses"];

function choose(node, name) {
  const list = node.widgets.find((widget) => widget.name === "file");
  const names = list.options.values;
  if (!names.includes(name)) list.options.values = [...names, name];
  list.value = name;
  list.callback?.(name);
  node.graph?.setDirtyCanvas?.(true, true);
}

function send(node, file) {
  return upload(file)
    .then((name) => choose(node, name))
    .catch((error) => alert(`The file was not uploaded: ${error.message}`));
}

app.registerExtension?.({
  name: "comfyuifcvg.upload_json",
  nodeCreated(node) {
    if (!LOADERS.includes(node.comfyClass)) return;
    const ask = () => {
      const picker = document.createElement("input");
      picker.type = "file";
      picker.accept = ".json,application/json";
      picker.onchange = () => send(node, picker.files[0]);
      picker.click();
    };
    const button = node.addWidget("button", "choose file to upload", null, ask, {
      serialize: false,
    });
    button.serialize = false; // it has no value that a saved graph should hold
    // Without these two the editor would open a dropped file as a graph.
    node.onDragOver = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    node.onDragDrop = (event) => {
      const file = event.dataTransfer?.files[0];
      if (file) send(node, file);
      return !!file;
    };
  },
});
