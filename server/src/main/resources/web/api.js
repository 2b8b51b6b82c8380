// The server's HTTP API, as far as this page uses it. Paths are relative, so that the page works behind a prefix.

import { readEvents } from "./sse.js";

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {string} [name]
 * @property {number} [max_model_len] tokens of prompt and answer together
 */

/**
 * @typedef {object} Usage
 * @property {number} prompt_tokens
 * @property {number} completion_tokens
 * @property {number} total_tokens
 * @property {{cached_tokens?: number}} [prompt_tokens_details]
 * @property {{ttft_ms?: number, tokens_per_second?: number}} [x_timing]
 */

/**
 * @typedef {{token: string, logprob: number, top_logprobs?: {token: string, logprob: number}[]}} TokenLogprob
 */

/**
 * @typedef {object} Chunk one event of a streamed answer
 * @property {{delta?: {content?: string | null}, finish_reason?: string | null,
 *     logprobs?: {content?: TokenLogprob[] | null} | null}[]} [choices]
 * @property {Usage | null} [usage]
 * @property {import("./routing.js").RoutingEntry[]} [x_routing]
 * @property {{message?: string, code?: string | number | null}} [error]
 */

/** What went wrong, in the server's words where it gave any. */
export class ApiError extends Error {
    /**
     * @param {string} message
     * @param {{status?: number, retryAfter?: number}} [details] status 0: no answer at all; retryAfter in seconds
     */
    constructor(message, { status = 0, retryAfter } = {}) {
        super(message);
        this.name = "ApiError";
        this.status = status;
        this.retryAfter = retryAfter;
    }
}

const LOST = "The connection to the server was lost. Is it still running?";

/**
 * Asks which models the server has.
 *
 * @param {string} key API key, or ""
 * @returns {Promise<Model[]>}
 * @throws {ApiError}
 */
export async function listModels(key) {
    const response = await send("v1/models", { headers: headers(key) });
    const list = await response.json().catch(() => null);
    if (!Array.isArray(list?.data)) throw new ApiError("The server's list of models could not be read.");
    return list.data;
}

/**
 * Asks for an answer and yields its chunks as they arrive.
 *
 * @param {object} request body of a chat completion
 * @param {string} key API key, or ""
 * @param {AbortSignal} signal ends the request; the server then stops computing
 * @returns {AsyncGenerator<Chunk>}
 * @throws {ApiError} also when the stream breaks off before its end
 */
export async function* streamChat(request, key, signal) {
    const response = await send("v1/chat/completions", {
        method: "POST",
        headers: { ...headers(key), "Content-Type": "application/json" },
        body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
        signal,
    });
    if (!response.body) throw new ApiError(LOST);
    try {
        for await (const data of readEvents(response.body)) {
            if (data === "[DONE]") return;
            const chunk = parse(data);
            if (chunk.error) throw new ApiError(chunk.error.message ?? "The server ended the answer with an error.");
            yield chunk;
        }
    } catch (error) {
        throw error instanceof TypeError ? new ApiError(LOST) : error;
    }
    throw new ApiError(LOST);
}

/**
 * @param {string} data
 * @returns {Chunk}
 */
function parse(data) {
    try {
        return JSON.parse(data);
    } catch {
        throw new ApiError(`The server sent an event that is not JSON: ${data.slice(0, 80)}`);
    }
}

/**
 * @param {string} key
 * @returns {Record<string, string>}
 */
function headers(key) {
    return key === "" ? {} : { Authorization: `Bearer ${key}` };
}

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function send(path, init) {
    let response;
    try {
        response = await fetch(path, init);
    } catch (error) {
        if (init.signal?.aborted) throw error;
        // fetch refuses a key that no header can hold, before anything is sent
        if (error instanceof TypeError && /header|ByteString|ISO-8859/i.test(error.message)) {
            throw new ApiError("The API key has characters that cannot be sent. Paste it again.", { status: 401 });
        }
        throw new ApiError(LOST);
    }
    if (!response.ok) throw await failure(response);
    return response;
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function failure(response) {
    const body = await response.json().catch(() => null);
    const message = body?.error?.message ?? `The server answered ${response.status} ${response.statusText}`.trim();
    return new ApiError(message, { status: response.status, retryAfter: retryAfter(response.headers) });
}

/**
 * @param {Headers} headers
 * @returns {number | undefined} seconds
 */
function retryAfter(headers) {
    const millis = Number.parseFloat(headers.get("retry-after-ms") ?? "");
    if (millis >= 0) return millis / 1000;
    const seconds = Number.parseFloat(headers.get("retry-after") ?? "");
    return seconds >= 0 ? seconds : undefined;
}
