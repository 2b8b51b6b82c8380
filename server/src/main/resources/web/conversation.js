// The conversation as data: what is sent, what is kept, what is exported.

/**
 * @typedef {object} AnswerStats
 * @property {string} model
 * @property {string | null} finishReason null while it is written; "stopped" if the reader stopped it; "error"
 * @property {number} [promptTokens]
 * @property {number} [cachedTokens] of the prompt
 * @property {number} [completionTokens]
 * @property {number} [ttftSeconds] time to first token
 * @property {number} [tokensPerSecond] after the first
 *
 * @typedef {object} Message
 * @property {"user" | "assistant"} role
 * @property {string} content
 * @property {AnswerStats} [stats]
 * @property {import("./api.js").TokenLogprob[]} [logprobs]
 */

const KEY = "mixtral.conversation";

/** The messages of one conversation, kept in a browser's storage. */
export class Conversation {
    /** @type {Message[]} */
    messages = [];

    /** @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage */
    constructor(storage) {
        this.storage = storage;
    }

    /** Brings back what was saved; what cannot be understood is left out. */
    load() {
        try {
            const saved = JSON.parse(this.storage.getItem(KEY) ?? "[]");
            this.messages = Array.isArray(saved) ? saved.filter(isMessage) : [];
        } catch {
            this.messages = [];
        }
    }

    /** @returns {boolean} whether it could be saved: the storage may be full, or forbidden */
    save() {
        try {
            // Probabilities are many times the size of the text, and soon would fill the storage.
            const kept = this.messages.map(({ logprobs, ...message }) => message);
            if (kept.length === 0) this.storage.removeItem(KEY);
            else this.storage.setItem(KEY, JSON.stringify(kept));
            return true;
        } catch {
            return false;
        }
    }

    /**
     * @param {string} content
     * @returns {Message}
     */
    addUser(content) {
        /** @type {Message} */
        const message = { role: "user", content };
        this.messages.push(message);
        return message;
    }

    /**
     * @param {string} model
     * @returns {Message & {stats: AnswerStats}}
     */
    addAnswer(model) {
        /** @type {Message & {stats: AnswerStats}} */
        const message = { role: "assistant", content: "", stats: { model, finishReason: null } };
        this.messages.push(message);
        return message;
    }

    /** Takes the last answer away, so that another can take its place. */
    dropAnswer() {
        if (this.messages.at(-1)?.role === "assistant") this.messages.pop();
    }

    /**
     * Takes the last question and all after it away.
     *
     * @returns {string} its text
     */
    dropQuestion() {
        const index = this.messages.findLastIndex(({ role }) => role === "user");
        return index < 0 ? "" : this.messages.splice(index)[0].content;
    }

    /**
     * @param {string} system system prompt, or ""
     * @returns {{role: string, content: string}[]} `messages` of a request: answers that stayed empty are left out
     */
    toRequest(system) {
        const turns = this.messages.filter(({ role, content }) => role === "user" || content !== "");
        return [
            ...(system === "" ? [] : [{ role: "system", content: system }]),
            ...turns.map(({ role, content }) => ({ role, content })),
        ];
    }
}

/** @param {any} value */
function isMessage(value) {
    return (value?.role === "user" || value?.role === "assistant") && typeof value.content === "string";
}

/**
 * What is known of an answer, in a line.
 *
 * @param {AnswerStats} stats
 * @returns {string}
 */
export function describeStats(stats) {
    const parts = [];
    if (stats.completionTokens !== undefined) parts.push(count(stats.completionTokens, "token"));
    if (stats.tokensPerSecond) parts.push(`${rate(stats.tokensPerSecond)} tokens/s`);
    if (stats.ttftSeconds !== undefined) parts.push(`first after ${seconds(stats.ttftSeconds)}`);
    if (stats.promptTokens !== undefined) {
        const cached = stats.cachedTokens ? ` (${number(stats.cachedTokens)} cached)` : "";
        parts.push(`prompt ${number(stats.promptTokens)}${cached}`);
    }
    if (stats.finishReason === "length") parts.push("cut at the token limit");
    if (stats.finishReason === "stopped") parts.push("stopped");
    return parts.join(" · ");
}

/** @param {number} value */
export function number(value) {
    return value.toLocaleString("en");
}

/** @param {number} value @param {string} unit */
export function count(value, unit) {
    return `${number(value)} ${unit}${value === 1 ? "" : "s"}`;
}

/** @param {number} value @returns {string} three significant digits at most, never an exponent */
export function rate(value) {
    return value >= 100 ? number(Math.round(value)) : value.toFixed(value >= 10 ? 1 : 2);
}

/** @param {number} value */
export function seconds(value) {
    if (value < 1) return `${Math.max(1, Math.round(value * 1000))} ms`;
    return value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}
