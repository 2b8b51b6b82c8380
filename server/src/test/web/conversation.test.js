import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, describeStats, rate, seconds } from "../../main/resources/web/conversation.js";
import { SAMPLING_FIELDS, stopTexts } from "../../main/resources/web/settings.js";

function storageWith(value) {
    const values = new Map(value === undefined ? [] : [["mixtral.conversation", value]]);
    return {
        values,
        getItem: (key) => values.get(key) ?? null,
        setItem: (key, text) => void values.set(key, text),
        removeItem: (key) => void values.delete(key),
    };
}

function conversationOf(...contents) {
    const conversation = new Conversation(storageWith());
    contents.forEach((content, index) => {
        if (index % 2 === 0) conversation.addUser(content);
        else conversation.addAnswer("m").content = content;
    });
    return conversation;
}

test("a request has the system prompt first, and no empty answers", () => {
    const conversation = conversationOf("a", "b", "c", "");
    assert.deepEqual(conversation.toRequest("be kind"), [
        { role: "system", content: "be kind" },
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
        { role: "user", content: "c" },
    ]);
    assert.equal(conversation.toRequest("")[0].role, "user");
});

test("regenerate drops the answer, edit the question and all after it", () => {
    const conversation = conversationOf("a", "b", "c", "d");
    conversation.dropAnswer();
    conversation.dropAnswer();
    assert.deepEqual(
        conversation.messages.map(({ content }) => content),
        ["a", "b", "c"],
    );
    assert.equal(conversation.dropQuestion(), "c");
    assert.deepEqual(
        conversation.messages.map(({ content }) => content),
        ["a", "b"],
    );
    assert.equal(new Conversation(storageWith()).dropQuestion(), "");
});

test("it comes back as it was saved, without probabilities", () => {
    const saved = conversationOf("a", "b");
    saved.messages[1].logprobs = [{ token: "b", logprob: -1 }];
    assert.equal(saved.save(), true);
    const loaded = new Conversation(saved.storage);
    loaded.load();
    const { logprobs, ...answer } = saved.messages[1];
    assert.deepEqual(loaded.messages, [saved.messages[0], answer]);
    loaded.messages = [];
    loaded.save();
    assert.equal(loaded.storage.values.size, 0);
});

test("what was stored may be damaged, and the storage may refuse", () => {
    for (const damaged of ["{", "7", "null", '{"a":1}', '[{"role":"system","content":"x"},{"role":"user"},null]']) {
        const conversation = new Conversation(storageWith(damaged));
        conversation.load();
        assert.deepEqual(conversation.messages, [], damaged);
    }
    const refusing = {
        ...storageWith(),
        setItem: () => {
            throw new Error("full");
        },
    };
    const conversation = new Conversation(refusing);
    conversation.addUser("a");
    assert.equal(conversation.save(), false);
});

test("figures of an answer", () => {
    assert.equal(
        describeStats({
            model: "m",
            finishReason: "length",
            completionTokens: 1,
            tokensPerSecond: 12.345,
            ttftSeconds: 0.0306,
            promptTokens: 1234,
            cachedTokens: 1000,
        }),
        "1 token · 12.3 tokens/s · first after 31 ms · prompt 1,234 (1,000 cached) · cut at the token limit",
    );
    assert.equal(describeStats({ model: "m", finishReason: "stopped" }), "stopped");
    assert.deepEqual([0.5, 12.34, 1234.5].map(rate), ["0.50", "12.3", "1,235"]);
    assert.deepEqual([0, 0.25, 2.04, 125].map(seconds), ["1 ms", "250 ms", "2.0 s", "2 min 5 s"]);
});

test("stop texts: one per line, with escapes", () => {
    assert.deepEqual(stopTexts("\nEnd\n\\n\\n\na\\\\n\n"), ["End", "\n\n", "a\\n"]);
    assert.deepEqual(stopTexts(""), []);
});

test("no sampling parameter is offered twice", () => {
    const names = SAMPLING_FIELDS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
});
