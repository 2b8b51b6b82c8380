// The figures of an answer while it is written.

import { count, rate, seconds } from "./conversation.js";

/** Counts tokens and time on this side; the server's figures replace these when they come. */
export class Meter {
    #start = performance.now();
    #first = 0;
    #tokens = 0;

    /** @param {import("./conversation.js").AnswerStats} stats filled in as figures become known */
    constructor(stats) {
        this.stats = stats;
    }

    token() {
        this.stats.completionTokens = ++this.#tokens;
        const now = performance.now();
        if (this.#first === 0) this.#first = now;
        this.stats.ttftSeconds = (this.#first - this.#start) / 1000;
        if (now > this.#first) this.stats.tokensPerSecond = (this.#tokens - 1) / ((now - this.#first) / 1000);
    }

    /** @param {import("./api.js").Usage} usage */
    usage({ prompt_tokens, completion_tokens, prompt_tokens_details, x_timing }) {
        this.stats.promptTokens = prompt_tokens;
        this.stats.completionTokens = completion_tokens;
        this.stats.cachedTokens = prompt_tokens_details?.cached_tokens;
        if (x_timing?.ttft_ms !== undefined) this.stats.ttftSeconds = x_timing.ttft_ms / 1000;
        if (x_timing?.tokens_per_second) this.stats.tokensPerSecond = x_timing.tokens_per_second;
    }

    describe() {
        if (this.#tokens === 0)
            return `Waiting for the first token, ${seconds((performance.now() - this.#start) / 1000)}`;
        const speed = this.stats.tokensPerSecond ? `, ${rate(this.stats.tokensPerSecond)} tokens/s` : "";
        return `${count(this.#tokens, "token")}${speed}`;
    }
}
