import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";

// The nodes that load a JSON file get a button that uploads a file. The editor's own buttons
// take pictures, sounds, videos and 3D models only, but its route takes any file.
const LOADERS = ["FCVG_LoadLineMatches", "FCVG_LoadPoses"];

async function upload(file) {
    const body = new FormData();
    body.append("image", file); // the route's word for a file of any kind
    const answer = await api.fetchApi("/upload/image", { method: "POST", body });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.statusText}`);
    return (await answer.json()).name; // another name if another file has this name
}

function choose(node, name) {
    const list = node.widgets.find((widget) => widget.name === "file");
    const names = list.options.values;
    if (!names.includes(name)) list.options.values = [...names, name];
    list.value = name;
    list.callback?.(name);
    node.graph?.setDirtyCanvas?.(true, true);
}

app.registerExtension?.({
    name: "comfyuifcvg.upload_json",
    nodeCreated(node) {
        if (!LOADERS.includes(node.comfyClass)) return;
        const ask = () => {
            const picker = document.createElement("input");
            picker.type = "file";
            picker.accept = ".json,application/json";
            picker.onchange = () =>
                upload(picker.files[0])
                    .then((name) => choose(node, name))
                    .catch((error) => alert(`The file was not uploaded: ${error.message}`));
            picker.click();
        };
        const button = node.addWidget("button", "choose file to upload", null, ask, {
            serialize: false,
        });
        button.serialize = false; // it has no value that a saved graph should hold
    },
});
