import assert from "node:assert/strict";
import { test } from "node:test";
import { SseParser, readEvents } from "../../main/resources/web/sse.js";

const parse = (...pieces) => {
    const parser = new SseParser();
    return pieces.flatMap((piece) => parser.push(piece));
};

test("events end with a blank line", () => {
    assert.deepEqual(parse('data: {"a":1}\n\ndata: [DONE]\n\n'), ['{"a":1}', "[DONE]"]);
    assert.deepEqual(parse("data: not yet\n"), []);
});

test("comments and other fields are passed over", () => {
    assert.deepEqual(parse(": keep-alive\n\nevent: x\nid: 1\ndata: a\nretry: 5\n\n\n\n"), ["a"]);
});

test("lines of data are joined, and one blank after the colon is not data", () => {
    assert.deepEqual(parse("data:a\ndata:  b\ndata\ndata:\n\n"), ["a\n b\n\n"]);
});

test("any line end, any cut, and a byte-order mark", () => {
    const lines = ["data: ä€😀", "data: two", "", ": note", "data: three", "", ""];
    const expected = ["ä€😀\ntwo", "three"];
    for (const end of ["\n", "\r\n", "\r"]) {
        const text = "\uFEFF" + lines.join(end) + (end === "\r" ? ":" : "");
        for (let cut = 0; cut <= text.length; cut++) {
            assert.deepEqual(parse(text.slice(0, cut), text.slice(cut)), expected, `${JSON.stringify(end)} at ${cut}`);
        }
        assert.deepEqual(parse(...text), expected);
    }
});

test("characters cut between chunks of bytes are put together", async () => {
    const bytes = new TextEncoder().encode("data: ä€😀\n\n");
    const body = new ReadableStream({
        start(controller) {
            for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
            controller.close();
        },
    });
    const events = [];
    for await (const event of readEvents(body)) events.push(event);
    assert.deepEqual(events, ["ä€😀"]);
});
