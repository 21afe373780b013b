import assert from "node:assert/strict";
import { test } from "node:test";

import { ACTIONS, actionOf, run } from "../../web/js/motion/actions.js";
import { MotionDocument, selectionOf } from "../../web/js/motion/document.js";
import { PART, only, payload } from "./payloads.mjs";

// What the actions need of an editor.
function editorOf(ids) {
    const motion = new MotionDocument("", payload());
    return { motion, joint: null, selection: selectionOf(ids), changed: () => {} };
}

const act = (editor, name) => run(editor, ACTIONS.find(([own]) => own === name));
const jointOf = (editor, which, i) =>
    editor.motion.row("people", 0)[which][PART].slice(3 * i, 3 * i + 3);

test("the clicked joint hides; with none hidden joints show where the other frame has them", () => {
    const editor = editorOf({ people: [0] });
    editor.joint = { kind: "people", id: 0, which: "first", part: PART, index: 1 };
    act(editor, "joint");
    assert.deepEqual(jointOf(editor, "first", 1), [100, 80, 0]);
    assert.equal(editor.joint, null);
    editor.motion.changePart({ id: 0, which: "last", part: PART }, (n, i) => (i < 3 ? 0 : n));
    act(editor, "joint");
    assert.deepEqual(jointOf(editor, "first", 1), [100, 80, 1]);
    assert.deepEqual(jointOf(editor, "last", 0), [100, 50, 1]);
    assert.deepEqual(jointOf(editor, "first", 9), [0, 0, 0]);
});

test("lock keeps the selection, and unlocks it if a part of it is locked", () => {
    const editor = editorOf({ lines: [0, 5] });
    editor.motion.setLocked(only("lines", 5), true);
    act(editor, "lock");
    assert.equal(editor.motion.text, "");
    act(editor, "lock");
    assert.deepEqual(editor.motion.lines.map((row) => row.locked), [true, true]);
});

test("an action is found by its key", () => {
    const nameOf = (event) => actionOf(event)?.[0];
    assert.equal(nameOf({ key: "z", ctrlKey: true }), "undo");
    assert.equal(nameOf({ key: "Z", ctrlKey: true, shiftKey: true }), "redo");
    assert.equal(nameOf({ key: "z", metaKey: true, shiftKey: true }), "redo");
    assert.equal(nameOf({ key: " " }), "play");
    assert.equal(nameOf({ key: "?", shiftKey: true }), "help");
    assert.equal(nameOf({ key: "x" }), undefined);
});
