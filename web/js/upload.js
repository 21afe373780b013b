import { api } from "../../../scripts/api.js";

// Copies a file into ComfyUI's input folder, and gives the name that it has there: another name if
// another file has this name.
export async function upload(file, name = file.name) {
  const body = new FormData();
  body.append("image", file, name); // the route's word for a file of any kind
  const answer = await api.fetchApi("/upload/image", { method: "POST", body });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.statusText}`);
  return (await answer.json()).name;
}
