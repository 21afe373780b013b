import { BODY } from "./geometry.js";
import { KINDS } from "./state_text.js";

export const STEPS = 24; // of time: 25 frames

const nudge = (x, y) => (editor, far) =>
  editor.motion.move(editor.selection, editor.pointer.which, x * far, y * far);
const isLocked = ({ motion, selection }) =>
  KINDS.some((kind) => [...selection[kind]].some((id) => motion.row(kind, id)?.locked));

// Buttons, tooltips, keys and help: name, key, text, and the work on an editor.
export const ACTIONS = [
  ["select", "v", "Select and move: click, Shift + click, drag a box"],
  ["line", "l", "Draw a line; its partner comes to the same place in the other keyframe"],
  ["path", "p", "Drag a point from its first place to its last, or click places, then Enter"],
  ["hold", "h", "Drag around a region that stands still, or click its corners, then Enter"],
  ["delete", "Delete", "Delete the selection", (e) => e.motion.remove(e.selection)],
  ["re-pair", "r", "Two lines change partners; two people become a pair", (e) => {
    for (const kind of ["lines", "people"])
      if (e.selection[kind].size === 2) e.motion.repair(kind, ...e.selection[kind]);
  }],
  ["unpair", "u", "The person becomes two: one in each keyframe", (e) =>
    e.motion.unpair(e.selection)],
  ["swap", "e", "The ends of the line change places in the last keyframe", (e) =>
    e.motion.swapEnds(e.selection)],
  ["lock", "k", "Keep the selection whatever is found next, or unlock it", (e) =>
    e.motion.setLocked(e.selection, !isLocked(e))],
  ["joint", "j", "Hide the joint that was clicked; with none, show all hidden joints", turnJoint],
  ["restore", "b", "Back to what was found", (e) => e.motion.restore(e.selection)],
  ["undo", "Ctrl+z", "Undo", (e) => e.motion.undo()],
  ["redo", "Ctrl+y", "Redo", (e) => e.motion.redo()],
  ["fit", "f", "Show the whole keyframes", (e) => e.view.fit()],
  ["overlay", "o", "One keyframe over the other, or side by side", (e) =>
    (e.overlaid = !e.overlaid)],
  ["onion", "n", "Show the states around this time too", (e) =>
    (e.overlaid = e.onion = !e.onion)],
  ["help", "?", "Show or hide this list", (e) => (e.help.hidden = !e.help.hidden)],
  ["play", "Space", "Play the motion in a loop, or stop", (e) => e.play()],
];
const MORE = [
  [",", "One step of time back", (e) => e.turnTo(e.time - 1 / STEPS)],
  [".", "One step of time on", (e) => e.turnTo(e.time + 1 / STEPS)],
  ["ArrowLeft", "Arrows: move the selection by a pixel, with Shift by ten", nudge(-1, 0)],
  ["ArrowRight", "", nudge(1, 0)],
  ["ArrowUp", "", nudge(0, -1)],
  ["ArrowDown", "", nudge(0, 1)],
  ["Ctrl+a", "Select all lines and people", (e) => e.selectAll()],
  ["Enter", "End a path or a region", (e) => e.pointer.finish()],
  ["Escape", "Select nothing, and leave what is begun", (e) => e.escape()],
  ["Backspace", "", (e) => e.motion.remove(e.selection)],
  ["Ctrl + drag", "A box that begins on a line"],
  ["Shift + drag", "Move the whole person, not a joint"],
  ["Alt + drag", "Move the view; also the middle or right button, or two fingers"],
  ["wheel", "Zoom, once the canvas was clicked; on a touch screen two fingers"],
];

const ALL = [...ACTIONS, ...MORE.map((row) => ["", ...row])];

export const HELP = ALL
  .filter(([, , text]) => text)
  .map(([name, key, text]) => `${`${key}  ${name}`.padEnd(16)}${text}`)
  .join("\n");

export function actionOf({ key, ctrlKey, metaKey, shiftKey }) {
  const small = key.toLowerCase();
  const letter = shiftKey && small === "z" ? "y" : small;
  const name = key === " " ? "Space" : key;
  const wanted = ctrlKey || metaKey ? `Ctrl+${letter}` : name;
  return ALL.find(([, own]) => own === wanted);
}

export function run(editor, [name, , , work], far) {
  if (work) work(editor, far);
  else editor.tool = name;
  editor.changed();
}

// Hidden joints appear where the other keyframe has them.
function turnJoint(editor) {
  const { motion, joint, selection } = editor;
  editor.joint = null;
  motion.begin();
  if (joint) motion.changePart(joint, (n, i) => (i === 3 * joint.index + 2 ? 0 : n));
  for (const id of joint ? [] : selection.people) {
    const { first, last } = motion.row("people", id) ?? {};
    if (!first || !last) continue;
    for (const [which, other] of [["first", last], ["last", first]])
      motion.changePart({ id, which, part: BODY }, (n, i, numbers) => {
        const isSeen = numbers[i - (i % 3) + 2];
        return isSeen ? n : n || (other[BODY]?.[i] ?? 0);
      });
  }
  motion.commit();
}
