import { app } from "../../../scripts/app.js";
import { upload } from "./upload.js";

// The nodes that load a text file get a button that uploads a file, and take a file that is dropped
// on them. The editor's own buttons take pictures, sounds, videos and 3D models only, but the
// server's route takes any file.
const JSON_FILES = ".json,application/json";
const LOADERS = {
  FCVG_LoadLineMatches: JSON_FILES,
  FCVG_LoadPoses: JSON_FILES,
  FCVG_LoadBoxTracks: `${JSON_FILES},.txt,text/plain`,
};

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
  name: "comfyuifcvg.upload_texts",
  nodeCreated(node) {
    const files = LOADERS[node.comfyClass];
    if (!files) return;
    const ask = () => {
      const picker = document.createElement("input");
      picker.type = "file";
      picker.accept = files;
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
