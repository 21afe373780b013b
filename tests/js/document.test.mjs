import assert from "node:assert/strict";
import { test } from "node:test";

import { MotionDocument } from "../../web/js/motion/document.js";
import { FIRST, LAST, PART, SHIFTED, only, payload, person, rowsOf } from "./payloads.mjs";

const FIRST_LINE = { kind: "lines", id: 0, which: "first" };
const opened = (more) => new MotionDocument("", payload(more));

test("found rows are no edits", () => {
    const document = opened();
    assert.equal(document.toText(), "");
    assert.deepEqual(document.size, [640, 480]);
    assert.deepEqual(document.lines.map((row) => [row.id, row.edit, row.stale]), [
        [0, undefined, undefined],
        [5, undefined, undefined],
    ]);
    assert.equal(document.people.length, 3);
    assert.equal(document.paths[0].fixed, true);
});

test("nothing is known before the first run", () => {
    const document = new MotionDocument();
    assert.equal(document.size, null);
    assert.equal(document.lines.length, 0);
    assert.equal(document.toText(), "");
});

test("a moved line says where it was; what did not move keeps its digits", () => {
    const document = opened();
    document.move(only("lines", 0), "last", 1.001, 0);
    assert.deepEqual(rowsOf(document).matches, [
        {
            id: 0,
            first: FIRST,
            last: [[13.5, 30.123456], [113.5, 30]],
            score: 0.9,
            edit: "moved",
            found: { first: FIRST, last: LAST },
        },
    ]);
});

test("a drag is one step, and its moves count from its begin", () => {
    const document = opened();
    const told = [];
    document.onChange = (done) => told.push(done);
    document.begin();
    for (const dx of [1, 2, 3.004]) document.move(only("lines", 5), "both", dx, -1);
    document.commit();
    assert.deepEqual(told, [false, false, false, true]);
    assert.deepEqual(document.row("lines", 5).first, [[13, 199], [113, 199]]);
    document.undo();
    assert.equal(document.toText(), "");
    assert.equal(document.canUndo, false);
    document.redo();
    assert.deepEqual(document.row("lines", 5).last, [[13, 199], [113, 199]]);
    assert.equal(document.canRedo, false);
});

test("a drag that ends where it began is no step", () => {
    const document = opened();
    document.begin();
    document.move(only("lines", 0), "first", 5, 5);
    document.move(only("lines", 0), "first", 0, 0);
    document.commit();
    assert.equal(document.toText(), "");
    assert.equal(document.canUndo, false);
});

test("a cancelled drag leaves nothing", () => {
    const document = opened();
    document.begin();
    document.movePoint({ ...FIRST_LINE, index: 1 }, 3, 4);
    assert.deepEqual(document.lines[0].first[1], [3, 4]);
    document.cancel();
    assert.equal(document.toText(), "");
    assert.deepEqual(document.lines[0].first, FIRST);
});

test("one end moves, rounded to what a hand can tell", () => {
    const document = opened();
    document.movePoint({ ...FIRST_LINE, which: "last", index: 0 }, 1.23456, 9);
    assert.deepEqual(document.lines[0].last, [[1.23, 9], LAST[1]]);
});

test("drawn rows get free ids from 99999 downwards", () => {
    const document = opened();
    assert.equal(document.draw("lines", { first: FIRST, last: LAST }), 99999);
    assert.equal(document.draw("lines", { first: FIRST, last: LAST }), 99998);
    assert.equal(document.draw("paths", { points: [[1.005, 2]] }), 99999);
    assert.equal(document.draw("holds", { points: [[0, 0], [9, 0], [9, 9]] }), 99999);
    const { matches, paths, holds } = rowsOf(document);
    const last = [[12.5, 30.12], [112.5, 30]];
    assert.deepEqual(matches[0], { id: 99999, first: FIRST, last, edit: "drawn" });
    assert.deepEqual(paths, [{ id: 99999, points: [[1, 2]] }]);
    assert.deepEqual(holds, [{ id: 99999, points: [[0, 0], [9, 0], [9, 9]] }]);
});

test("deleted found rows stay as edits, drawn rows are gone", () => {
    const document = opened();
    const id = document.draw("lines", { first: FIRST, last: LAST });
    document.remove(only("lines", 0, id));
    assert.deepEqual(document.lines.map((row) => [row.id, row.edit]), [
        [0, "deleted"],
        [5, undefined],
    ]);
    document.restore(only("lines", 0, 5));
    assert.equal(document.toText(), "");
    document.undo();
    assert.equal(rowsOf(document).matches[0].edit, "deleted");
});

test("deleted rows neither move nor pair; they can be locked, so that they stay deleted", () => {
    const document = opened();
    document.remove({ ...only("lines", 0), ...only("people", 0) });
    const text = document.toText();
    document.move({ ...only("lines", 0), ...only("people", 0) }, "both", 9, 9);
    document.repair("lines", 0, 5);
    document.unpair(only("people", 0));
    assert.equal(document.toText(), text);
    document.setLocked(only("lines", 0), true);
    document.restore(only("lines", 0));
    const { edit, locked } = document.row("lines", 0);
    assert.deepEqual([edit, locked], ["deleted", true]);
});

test("two lines exchange their last places, and back", () => {
    const document = opened();
    document.repair("lines", 0, 5);
    assert.deepEqual(document.lines.map((row) => row.last), [SHIFTED, LAST]);
    document.repair("lines", 0, 5);
    assert.equal(document.toText(), "");
});

test("ends swapped by hand are kept; swapped again they are found by the shortest way", () => {
    const document = opened();
    document.swapEnds(only("lines", 0));
    assert.equal(document.lines[0].ends, "kept");
    assert.deepEqual(document.lines[0].last, [LAST[1], LAST[0]]);
    document.swapEnds(only("lines", 0));
    assert.equal(document.toText(), "");
});

test("ends swapped by hand stay swapped before a run", () => {
    const matches = [{ id: 3, first: FIRST, last: [LAST[1], LAST[0]], score: 1 }];
    const document = opened({ matches });
    document.swapEnds(only("lines", 3));
    assert.deepEqual(document.row("lines", 3).last, matches[0].last);
    assert.equal(new MotionDocument(document.text).toText(), document.text);
});

test("ends that the input keeps are no edit", () => {
    const matches = [{ id: 3, first: FIRST, last: [LAST[1], LAST[0]], score: 1, ends: "kept" }];
    const document = opened({ matches });
    document.move(only("lines", 3), "first", 1, 0);
    assert.equal(rowsOf(document).matches[0].ends, "kept");
    document.restore(only("lines", 3));
    assert.equal(document.toText(), "");
});

test("locked rows do not change, and are kept as they were found", () => {
    const document = opened();
    document.setLocked(only("lines", 0), true);
    document.setLocked(only("people", 1), true);
    for (const change of [
        () => document.move({ ...only("lines", 0), ...only("people", 1) }, "both", 9, 9),
        () => document.remove(only("lines", 0)),
        () => document.repair("lines", 0, 5),
        () => document.repair("people", 1, 2),
        () => document.swapEnds(only("lines", 0)),
    ]) {
        change();
        const { matches, people } = rowsOf(document);
        assert.deepEqual(matches, [{ id: 0, first: FIRST, last: LAST, score: 0.9, locked: true }]);
        assert.deepEqual(people, [{ id: 1, first: person(200), last: null, locked: true }]);
    }
    document.setLocked({ ...only("lines", 0), ...only("people", 1) }, false);
    assert.equal(document.toText(), "");
});

test("joints move and hide", () => {
    const document = opened();
    const joint = { kind: "people", id: 0, which: "first", part: PART, index: 2 };
    document.movePoint(joint, 70.126, 90);
    document.changePart(joint, (number, i) => (i === 5 ? 0 : number));
    const { first } = document.people[0];
    assert.deepEqual(first[PART].slice(0, 9), [100, 50, 1, 100, 80, 0, 70.13, 90, 1]);
    document.restore(only("people", 0));
    assert.equal(document.toText(), "");
});

test("people become one and two", () => {
    const document = opened();
    document.repair("people", 1, 2);
    assert.deepEqual(document.row("people", 1).last, person(300));
    assert.equal(document.row("people", 2).edit, "deleted");
    document.undo();
    document.unpair(only("people", 0));
    const [one, two] = rowsOf(document).people;
    assert.deepEqual([one.last, one.edit], [null, "moved"]);
    assert.deepEqual(two, { id: 99999, first: null, last: person(40), edit: "drawn" });
    document.repair("people", 0, 99999);
    assert.equal(document.toText(), "");
});

test("a person moves with every joint that has a place", () => {
    const document = opened();
    document.move(only("people", 1), "both", 0.5, 1);
    const { first, last } = document.row("people", 1);
    assert.deepEqual(first[PART].slice(0, 12), [300.5, 51, 1, 300.5, 81, 1, 280.5, 81, 1, 0, 0, 0]);
    assert.equal(last, null);
});

test("a point on a path takes its handles along; the input's path does not move", () => {
    const document = opened();
    const id = document.draw("paths", { points: [[0, 0], [10, 0], [20, 0], [30, 0]] });
    document.movePoint({ kind: "paths", id, index: 3 }, 30, 5);
    document.movePoint({ kind: "paths", id, index: 1 }, 10, -4);
    document.change("paths", id, { speed: [0, 0.2, 1] });
    const { points, speed } = document.row("paths", id);
    assert.deepEqual(points, [[0, 0], [10, -4], [20, 5], [30, 5]]);
    assert.deepEqual(speed, [0, 0.2, 1]);
    document.move(only("paths", 0), "both", 3, 3);
    document.remove(only("paths", 0));
    assert.deepEqual(document.row("paths", 0).points, [[1, 2]]);
    assert.equal(rowsOf(document).paths.length, 1);
});

test("an edit stands in the place of the found row that Python names", () => {
    const before = opened();
    before.move(only("lines", 0), "first", 1, 1);
    const text = before.toText();
    const matches = [
        { id: 0, first: SHIFTED, last: SHIFTED, score: 0.7 },
        { id: 12, first: FIRST, last: [[13, 30], [113, 30]], score: 0.8 },
    ];
    const assigned = { matches: { 0: 12 }, people: {} };
    const after = new MotionDocument(text, payload({ matches, assigned }));
    assert.deepEqual(after.lines.map((row) => [row.id, row.edit]), [[0, undefined], [12, "moved"]]);
    assert.equal(after.text, text);
    const next = [matches[0], { ...matches[1], id: 8, last: [[14, 30], [114, 30]] }];
    after.setPayload(payload({ matches: next, assigned: { matches: { 0: 8 }, people: {} } }));
    assert.deepEqual(after.lines.map((row) => [row.id, row.edit]), [[0, undefined], [8, "moved"]]);
    after.move(only("lines", 0), "first", 1, 1);
    for (const again of [() => {}, () => after.undo(), () => after.redo()]) {
        again();
        assert.ok(after.lines.every((row) => !row.stale));
    }
    assert.deepEqual(rowsOf(after).matches.map((row) => row.id), [0, 8]);
    after.undo();
    assert.equal(after.text, text);
    after.restore(only("lines", 0, 8));
    assert.equal(after.toText(), "");
});

test("what no longer applies is shown and kept until it is removed", () => {
    const before = opened();
    before.move(only("lines", 0), "first", 1, 1);
    before.setLocked(only("lines", 5), true);
    const matches = [{ id: 0, first: SHIFTED, last: LAST, score: 1 }];
    const stale = { matches: [0], people: [] };
    const document = new MotionDocument(before.toText(), payload({ matches, stale }));
    assert.deepEqual(document.lines.map((row) => [row.id, row.edit, row.stale]), [
        [0, undefined, undefined],
        [99999, "moved", true],
        [5, undefined, false],
    ]);
    document.restore(only("lines", 99999));
    assert.equal(document.text, before.text);
    document.remove(only("lines", 99999));
    assert.deepEqual(rowsOf(document).matches.map((row) => row.id), [5]);
});

test("a run keeps the steps that can be undone", () => {
    const document = opened();
    document.move(only("lines", 0), "first", 1, 1);
    const text = document.toText();
    document.setPayload(payload({ assigned: { matches: { 0: 0 }, people: {} } }));
    assert.equal(document.toText(), text);
    document.undo();
    assert.equal(document.toText(), "");
    document.redo();
    assert.equal(document.toText(), text);
});

test("a payload waits until a drag ends", () => {
    const document = opened();
    document.begin();
    document.move(only("lines", 0), "first", 1, 1);
    document.setPayload(payload({ matches: [{ id: 5, first: SHIFTED, last: SHIFTED, score: 1 }] }));
    assert.equal(document.lines.length, 2);
    document.commit();
    assert.deepEqual(document.lines.map((row) => [row.id, row.stale]), [[5, undefined], [0, true]]);
});

test("edits are scaled to pictures of another size", () => {
    const document = opened();
    document.draw("lines", { first: FIRST, last: FIRST });
    document.move(only("people", 0), "first", 1, 1);
    document.setPayload(payload({ size: [1280, 240], matches: [], people: [] }));
    assert.deepEqual(document.lines[0].first, [[20, 10], [220, 10]]);
    assert.deepEqual(document.people[0].first[PART].slice(0, 3), [202, 25.5, 1]);
    assert.deepEqual(document.people[0].found.first[PART].slice(0, 3), [200, 25, 1]);
    assert.deepEqual(rowsOf(document).size, [1280, 240]);
});

test("without a payload the saved edits are shown, and go back to what was found", () => {
    const before = opened();
    before.move(only("lines", 0), "first", 1, 1);
    before.remove(only("lines", 5));
    const document = new MotionDocument(before.toText());
    assert.deepEqual(document.lines.map((row) => row.edit), ["moved", "deleted"]);
    assert.equal(document.toText(), before.toText());
    document.restore(only("lines", 0, 5));
    assert.deepEqual(document.lines.map((row) => row.first), [FIRST, SHIFTED]);
    assert.equal(document.toText(), "");
});

test("100 steps can be undone", () => {
    const document = opened();
    for (let i = 1; i <= 120; i += 1) document.movePoint({ ...FIRST_LINE, index: 0 }, i, 0);
    let count = 0;
    for (; document.canUndo; count += 1) document.undo();
    assert.equal(count, 100);
    assert.deepEqual(document.lines[0].first[0], [20, 0]);
});
