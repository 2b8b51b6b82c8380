// The settings panel: a form whose values become the parameters of a request.

import { byId, h } from "./dom.js";

/**
 * @typedef {object} Field
 * @property {string} name parameter of the API
 * @property {string} label
 * @property {string} hint
 * @property {number} [min]
 * @property {number} [max]
 * @property {string} fallback what holds if it is not sent
 * @property {boolean} [integer]
 */

/** @type {Field[]} */
export const SAMPLING_FIELDS = [
    { name: "temperature", label: "Temperature", hint: "0 takes the likeliest token", min: 0, max: 2, fallback: "1" },
    { name: "top_p", label: "Top-p", hint: "smallest set with this mass", min: 0, max: 1, fallback: "1" },
    { name: "top_k", label: "Top-k", hint: "likeliest tokens kept; 0 is all", min: 0, fallback: "0", integer: true },
    { name: "min_p", label: "Min-p", hint: "share of the likeliest token", min: 0, max: 1, fallback: "0" },
    { name: "typical_p", label: "Typical", hint: "mass of the typical tokens", min: 0, max: 1, fallback: "1" },
    {
        name: "repetition_penalty",
        label: "Repetition penalty",
        hint: "over prompt and answer",
        min: 0.01,
        max: 2,
        fallback: "1",
    },
    {
        name: "frequency_penalty",
        label: "Frequency penalty",
        hint: "per use in the answer",
        min: -2,
        max: 2,
        fallback: "0",
    },
    {
        name: "presence_penalty",
        label: "Presence penalty",
        hint: "once used in the answer",
        min: -2,
        max: 2,
        fallback: "0",
    },
    {
        name: "max_completion_tokens",
        label: "Max tokens",
        hint: "most of an answer",
        min: 1,
        fallback: "all",
        integer: true,
    },
    { name: "seed", label: "Seed", hint: "same seed, same answer", fallback: "random", integer: true },
];

const STORE = "mixtral.settings";
const KEY = "mixtral.key";
const TOP_LOGPROBS = 5;

/** The form, and where its values are kept: in the browser's storage, the key in this tab's only. */
export class Settings {
    #form = /** @type {HTMLFormElement} */ (byId("settings-form"));

    /**
     * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage
     * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} session
     */
    constructor(storage, session) {
        this.storage = storage;
        this.session = session;
        byId("sampling").append(...SAMPLING_FIELDS.flatMap(samplingField));
        this.#load();
        this.#form.addEventListener("input", () => this.#save());
        this.#form.addEventListener("submit", (event) => event.preventDefault());
    }

    get key() {
        return this.#input("key").value.trim();
    }

    get system() {
        return this.#input("system").value.trim();
    }

    /** Whether all values can be sent; if not, the browser shows at the field what is wrong. */
    valid() {
        const stop = this.#input("stop");
        stop.setCustomValidity(stopTexts(stop.value).length > 4 ? "At most four stop texts" : "");
        return this.#form.reportValidity();
    }

    /** @returns {Record<string, unknown>} parameters of a request: those that were filled in */
    parameters() {
        /** @type {Record<string, unknown>} */
        const parameters = {};
        for (const { name } of SAMPLING_FIELDS) {
            const { value } = this.#input(name);
            if (value !== "") parameters[name] = Number(value);
        }
        const stop = stopTexts(this.#input("stop").value);
        if (stop.length > 0) parameters.stop = stop;
        if (this.#input("logprobs").checked) Object.assign(parameters, { logprobs: true, top_logprobs: TOP_LOGPROBS });
        return parameters;
    }

    /** Empties the form but for the key. */
    reset() {
        const { key } = this;
        this.#form.reset();
        this.#input("key").value = key;
        this.#save();
    }

    #load() {
        this.#input("key").value = this.session.getItem(KEY) ?? "";
        let saved;
        try {
            saved = JSON.parse(this.storage.getItem(STORE) ?? "{}") ?? {};
        } catch {
            return; // not ours; the next change overwrites it
        }
        for (const [name, value] of Object.entries(saved)) {
            const input = this.#form.elements.namedItem(name);
            if (input instanceof HTMLInputElement && input.type === "checkbox") input.checked = value === true;
            else if (input && name !== "key") this.#input(name).value = String(value);
        }
    }

    #save() {
        /** @type {Record<string, string | boolean>} */
        const values = {};
        for (const name of ["system", "stop", ...SAMPLING_FIELDS.map((field) => field.name)]) {
            if (this.#input(name).value !== "") values[name] = this.#input(name).value;
        }
        if (this.#input("logprobs").checked) values.logprobs = true;
        this.storage.setItem(STORE, JSON.stringify(values));
        if (this.key === "") this.session.removeItem(KEY);
        else this.session.setItem(KEY, this.key);
    }

    /** @param {string} name @returns {HTMLInputElement} */
    #input(name) {
        return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name));
    }
}

/**
 * @param {Field} field
 * @returns {HTMLElement[]}
 */
function samplingField({ name, label, hint, min, max, fallback, integer = false }) {
    return [
        h("label", { for: name }, label, h("span", { class: "hint" }, hint)),
        h("input", {
            id: name,
            name,
            type: "number",
            inputmode: min !== undefined && min >= 0 ? (integer ? "numeric" : "decimal") : null,
            // Beyond these, a JavaScript number is no longer the integer that was typed.
            min: min ?? Number.MIN_SAFE_INTEGER,
            max: max ?? Number.MAX_SAFE_INTEGER,
            step: integer ? 1 : 0.01,
            placeholder: fallback,
        }),
    ];
}

/**
 * @param {string} text one stop text per line; `\n`, `\t` and `\\` are escapes
 * @returns {string[]}
 */
export function stopTexts(text) {
    /** @type {Record<string, string>} */
    const escapes = { n: "\n", t: "\t", "\\": "\\" };
    return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.replace(/\\([nt\\])/g, (_, char) => escapes[char]));
}

/**
 * A storage that forgets with the page, for browsers that forbid the real one.
 *
 * @param {() => Storage} real
 * @returns {Pick<Storage, "getItem" | "setItem" | "removeItem">}
 */
export function storageOrMemory(real) {
    try {
        const storage = real();
        storage.getItem("mixtral");
        return storage;
    } catch {
        const memory = new Map();
        return {
            getItem: (key) => memory.get(key) ?? null,
            setItem: (key, value) => void memory.set(key, value),
            removeItem: (key) => void memory.delete(key),
        };
    }
}
