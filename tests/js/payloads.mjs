// What Edit Motion sends to its canvas, and how the tests read it.

export const PART = "pose_keypoints_2d";

// A body of three joints that show, shifted by dx.
export function person(dx = 0) {
    const numbers = new Array(54).fill(0);
    numbers.splice(0, 9, 100 + dx, 50, 1, 100 + dx, 80, 1, 80 + dx, 80, 1);
    return { [PART]: numbers };
}

export const FIRST = [[10, 20], [110, 20]];
export const LAST = [[12.5, 30.123456], [112.5, 30]];
export const SHIFTED = [[10, 200], [110, 200]];

export function payload(more = {}) {
    return {
        size: [640, 480],
        pictures: { first: null, last: null },
        matches: [
            { id: 0, first: FIRST, last: LAST, score: 0.9 },
            { id: 5, first: SHIFTED, last: SHIFTED, score: 0.5 },
        ],
        people: [
            { id: 0, first: person(), last: person(40) },
            { id: 1, first: person(200), last: null },
            { id: 2, first: null, last: person(300) },
        ],
        paths: [{ id: 0, points: [[1, 2]], speed: "uniform" }],
        assigned: { matches: {}, people: {} },
        stale: { matches: [], people: [] },
        ...more,
    };
}

export const only = (kind, ...ids) => ({ [kind]: new Set(ids) });
export const rowsOf = (document) => JSON.parse(document.toText());
