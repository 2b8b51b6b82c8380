import assert from "node:assert/strict";
import { test } from "node:test";
import { RoutingLog, effectiveExperts, visibleToken } from "../../main/resources/web/routing.js";

/** A token of one layer and two experts per layer given as pairs. */
const entry = (position, ...pairs) => ({
    position,
    token: `t${position}`,
    id: 100 + position,
    experts: pairs,
    weights: pairs.map(() => [0.75, 0.25]),
});

function logOf(...entries) {
    const log = new RoutingLog();
    entries.forEach((each) => log.add(each));
    return log;
}

const positions = (log) => Array.from({ length: log.length }, (_, row) => log.position(row));

test("tokens come back as they went in", () => {
    const entries = [entry(0, [3, 5], [0, 7]), entry(1, [1, 2], [4, 6])];
    const log = logOf(...entries);
    assert.equal(log.numLayers, 2);
    assert.equal(log.numExperts, 8);
    assert.deepEqual(log.toJSON(), entries);
    assert.equal(log.expert(1, 1, 0), 4);
    assert.equal(log.weight(1, 1, 1), 0.25);
});

test("it grows", () => {
    const log = logOf();
    for (let i = 0; i < 3000; i++) log.add(entry(i, [i % 8, (i + 1) % 8]));
    assert.equal(log.length, 3000);
    assert.equal(log.token(2999), "t2999");
    assert.equal(log.expert(2999, 0, 0), 2999 % 8);
    assert.deepEqual(log.balance().overall, Array(8).fill(1 / 8));
});

test("balance: shares, effective experts and repeats", () => {
    const log = logOf(entry(0, [0, 1], [2, 3]), entry(1, [0, 1], [0, 3]), entry(2, [1, 0], [0, 2]));
    const balance = log.balance();
    assert.deepEqual(balance.perLayer, [
        [1 / 2, 1 / 2, 0, 0],
        [2 / 6, 0, 2 / 6, 2 / 6],
    ]);
    assert.ok(Math.abs(balance.overall.reduce((a, b) => a + b) - 1) < 1e-12);
    assert.ok(Math.abs(balance.effectivePerLayer[0] - 2) < 1e-12);
    assert.ok(Math.abs(balance.effectivePerLayer[1] - 3) < 1e-12);
    assert.equal(balance.repeats, 2 / 4); // layer 0: 0→0, layer 1: 0→0, of two pairs in two layers
});

test("effective experts", () => {
    assert.equal(effectiveExperts([1, 0, 0]), 1);
    assert.ok(Math.abs(effectiveExperts(Array(8).fill(1 / 8)) - 8) < 1e-12);
    assert.ok(Number.isNaN(logOf(entry(0, [0, 1])).balance().repeats));
});

test("a new turn keeps the cached prefix and drops what followed it", () => {
    const log = logOf(entry(0, [0, 1]), entry(1, [0, 1]), entry(2, [7, 6]), entry(3, [7, 6]));
    log.add(entry(2, [2, 3]));
    assert.deepEqual(positions(log), [0, 1, 2]);
    assert.deepEqual(log.balance().overall.slice(0, 4), [2 / 6, 2 / 6, 1 / 6, 1 / 6]);
    assert.equal(log.balance().overall[7], 0);
});

test("a prefix that was never seen is a gap, and no repeat is counted across it", () => {
    const log = logOf(entry(40, [0, 1]), entry(41, [0, 1]));
    log.add(entry(50, [0, 1]));
    assert.deepEqual(
        [0, 1, 2].map((row) => log.gapBefore(row)),
        [40, 0, 8],
    );
    assert.equal(log.balance().repeats, 1);
    log.add(entry(45, [0, 1]));
    assert.deepEqual(positions(log), [40, 41, 45]);
});

test("tokens computed again, after a preemption, replace themselves", () => {
    const again = [entry(1, [6, 7]), entry(2, [4, 5])];
    const log = logOf(entry(0, [0, 1]), entry(1, [2, 3]), entry(2, [4, 5]), ...again);
    assert.deepEqual(log.toJSON(), [entry(0, [0, 1]), ...again]);
    assert.deepEqual(log.balance().overall, [1 / 6, 1 / 6, 0, 0, 1 / 6, 1 / 6, 1 / 6, 1 / 6]);
});

test("another model's shape starts over, and a dense model has no routing", () => {
    const log = logOf(entry(0, [0, 1]));
    log.add(entry(1, [0, 1], [2, 3]));
    assert.equal(log.length, 1);
    assert.equal(log.numLayers, 2);
    log.clear();
    log.add({ position: 0, token: "x", id: 1, experts: [], weights: [] });
    assert.equal(log.length, 0);
    assert.equal(log.balance().overall.length, 0);
});

test("random turns agree with a plain model of them", () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`repeat with SEED=${seed}`);
    let state = seed;
    const random = (bound) => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) % bound;
    const log = new RoutingLog();
    let model = [];
    for (let turn = 0; turn < 50; turn++) {
        const from = random(model.length + 5);
        const kept = model.filter(({ position }) => position < from);
        const added = Array.from({ length: 1 + random(30) }, (_, i) =>
            entry(from + i, [random(8), random(8)], [random(8), random(8)]),
        );
        added.forEach((each) => log.add(each));
        model = [...kept, ...added];
        assert.deepEqual(log.toJSON(), model);
        const counts = Array(8).fill(0);
        for (const each of model) for (const pair of each.experts) for (const expert of pair) counts[expert]++;
        const total = counts.reduce((a, b) => a + b);
        log.balance().overall.forEach((share, expert) => assert.ok(Math.abs(share - counts[expert] / total) < 1e-9));
    }
});

test("blanks of a token are seen", () => assert.equal(visibleToken(" a\n"), "·a⏎"));
