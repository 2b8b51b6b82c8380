// Server-Sent Events from a byte stream. EventSource cannot POST or send a key, so the page parses for itself.

/** Splits text, in whatever pieces it arrives, into the data of events (HTML standard, section 9.2.6). */
export class SseParser {
    #rest = "";
    /** @type {string[]} */
    #data = [];
    #started = false;

    /**
     * Takes the next piece of the stream.
     *
     * @param {string} text
     * @returns {string[]} data of the events that this piece completes
     */
    push(text) {
        let buffer = this.#rest + text;
        if (!this.#started && buffer.length > 0) {
            this.#started = true;
            if (buffer.startsWith("\uFEFF")) buffer = buffer.slice(1);
        }
        const events = [];
        let from = 0;
        for (const end of buffer.matchAll(/\r\n|\n|\r/g)) {
            // A carriage return at the very end may be the first half of a line end: wait for the next piece.
            if (end[0] === "\r" && end.index === buffer.length - 1) break;
            const event = this.#line(buffer.slice(from, end.index));
            if (event !== null) events.push(event);
            from = end.index + end[0].length;
        }
        this.#rest = buffer.slice(from);
        return events;
    }

    /**
     * @param {string} line
     * @returns {string | null} the data of an event, if the line ends one
     */
    #line(line) {
        if (line === "") {
            if (this.#data.length === 0) return null;
            const event = this.#data.join("\n");
            this.#data = [];
            return event;
        }
        if (line === "data") this.#data.push("");
        if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
        return null; // comments keep the connection alive; event, id and retry have no use here
    }
}

/**
 * Reads a response body as events, until it ends.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<string>}
 */
export async function* readEvents(body) {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            yield* parser.push(decoder.decode(value, { stream: true }));
        }
    } finally {
        reader.releaseLock();
    }
}
