import assert from "node:assert/strict";
import { test } from "node:test";

import { MotionDocument, selectionOf } from "../../web/js/motion/document.js";
import { stateAt } from "../../web/js/motion/inbetween.js";
import { hit } from "../../web/js/motion/picking.js";

const LINE = '{"id": 7, "first": [[1, 2], [3.5, 4]], "last": [[1, 2], [3, 4]]';
const textOf = (...rows) =>
    `{"version": 2, "size": [64, 48], "matches": [\n${rows.join(",\n")}\n]}\n`;
const pathOf = (speed) =>
    `{"version": 2, "size": [5, 5], "paths": [{"points": [[0, 0]], "speed": ${speed}}]}`;
const personOf = (numbers) =>
    '{"version": 2, "size": [5, 5], "people": [{"id": 0, "last": null, ' +
    `"first": {"pose_keypoints_2d": ${numbers}}}]}`;

test("unknown keys and letters of other tongues stay", () => {
    const text =
        '{"version": 2, "size": [64, 48], "by": "Zoë \\n [1]", "matches": [\n' +
        `${LINE}, "score": 0.5, "edit": "drawn", "locked": true, "note": {"a": [null, 0.5]}}\n` +
        '], "people": [\n{"id": 1, "first": null, "last": null, "edit": "deleted", ' +
        '"found": {"first": {"pose_keypoints_2d": []}, "last": null}}\n' +
        '], "paths": [\n{"id": 0, "points": [[1, 2]], "speed": [0, 1]}\n' +
        '], "holds": [\n{"id": 0, "points": [[0, 0], [1, 0], [1, 1.25]], "name": "空"}\n]}\n';
    assert.equal(new MotionDocument(text).toText(), text);
});

test("a row that says nothing but where it was found is left out", () => {
    assert.equal(new MotionDocument(textOf(`${LINE}}`)).toText(), "");
});

test("a found that is null is no found", () => {
    const document = new MotionDocument(textOf(`${LINE}, "found": null, "locked": true}`));
    assert.equal(document.lines[0].stale, false);
});

test("paths without id and speed are shown, with an id", () => {
    const paths = '[{"points": [[1, 2]]}, {"id": 0, "points": [[3, 4]]}]';
    const document = new MotionDocument(`{"version": 2, "size": [64, 48], "paths": ${paths}}`);
    assert.deepEqual(document.paths.map(({ id }) => id), [99999, 0]);
    assert.deepEqual(stateAt(document, 0.5).paths.get(0), [3, 4, 1, 0]);
});

test("rows that share an id are all kept, each with its own", () => {
    const text = textOf(`${LINE}, "edit": "drawn"}`, `${LINE}, "edit": "drawn"}`);
    const document = new MotionDocument(text);
    assert.deepEqual(document.lines.map(({ id }) => id), [7, 99999]);
});

test("a newer version says which", () => {
    const message = /version 3, but this editor reads version 2: update ComfyUI-FCVG/;
    assert.throws(() => new MotionDocument('{"version": 3, "size": 4}'), message);
});

for (const [text, message] of [
    ["{", /does not hold the edits of a motion: .*JSON/],
    ["7", /version is undefined/],
    ["null", /version is undefined/],
    ['{"version": 1, "size": [1, 1]}', /version is 1/],
    ['{"version": 2}', /size is not \[width, height\]/],
    ['{"version": 2, "size": [0, 5]}', /size is not/],
    ['{"version": 2, "size": [5, 5], "matches": {}}', /matches is not a list/],
    ['{"version": 2, "size": [5, 5], "people": [7]}', /row 1 of people is 7/],
    ['{"version": 2, "size": [5, 5], "holds": [{"id": 1, "points": [[0, 0]]}]}', /row 1 of holds/],
    ['{"version": 2, "size": [5, 5], "paths": [{"points": []}]}', /row 1 of paths/],
    [textOf(`${LINE}}`, '{"id": 8, "first": [[1, 2]]}'), /row 2 of matches is {"id":8/],
    [textOf(`${LINE}, "found": {"first": 3, "last": 4}}`), /row 1 of matches/],
    [textOf(`${LINE}, "edit": "bent"}`), /row 1 of matches/],
    [textOf(`${LINE}, "edit": "moved"}`), /row 1 of matches/],
    [pathOf('"constructor"'), /row 1 of paths/],
    [pathOf('"reference"'), /row 1 of paths/],
]) {
    test(`nonsense is told: ${text.replaceAll("\n", "").slice(28, 120)}`, () => {
        assert.throws(() => new MotionDocument(text), message);
    });
}

for (const text of [
    textOf(LINE.replace("7", '"7"') + "}"),
    textOf(LINE.replace('"id": 7, ', "") + "}"),
    '{"version": 2, "size": [5, 5], "paths": [{"points": [[0, 0], [1, 1]]}]}',
    pathOf("[0, 2]"),
    pathOf("[0]"),
    pathOf('["a", {}]'),
    personOf('"abc"'),
    personOf("[1, 2]"),
    personOf("7"),
]) {
    test(`what only Python refuses does no harm: ${text.replaceAll("\n", "").slice(28, 120)}`, () => {
        const document = new MotionDocument(text);
        const all = selectionOf();
        for (const [kind, ids] of Object.entries(all)) {
            for (const row of document[kind]) ids.add(row.id);
        }
        document.move(all, "both", 1, 1);
        stateAt(document, 0.5);
        hit(document, "first", [1, 1], 9, all);
        document.undo();
        assert.equal(document.toText(), new MotionDocument(text).toText());
    });
}
