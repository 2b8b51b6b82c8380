// The optional view of probabilities: each token tinted by how sure the model was, and the alternatives of one.

import { h } from "./dom.js";
import { visibleToken } from "./routing.js";

/** @typedef {import("./api.js").TokenLogprob} TokenLogprob */

/**
 * @param {TokenLogprob[]} tokens
 * @returns {HTMLElement}
 */
export function probabilities(tokens) {
    const alternatives = h(
        "p",
        { class: "alternatives", "aria-live": "polite" },
        "Point at a token, or use the arrow keys.",
    );
    const list = h("div", { class: "tokens" });
    const details = h("details", { class: "probabilities" }, h("summary", {}, summary(tokens)), list, alternatives);
    // Thousands of nodes that are rarely wanted: made when they are
    details.addEventListener("toggle", () => fill(list, tokens, alternatives), { once: true });
    return details;
}

/** @param {TokenLogprob[]} tokens */
function summary(tokens) {
    const mean = tokens.reduce((sum, { logprob }) => sum + logprob, 0) / tokens.length;
    return `Probability of each token (perplexity ${Math.exp(-mean).toFixed(2)})`;
}

/**
 * @param {HTMLElement} list
 * @param {TokenLogprob[]} tokens
 * @param {HTMLElement} alternatives
 */
function fill(list, tokens, alternatives) {
    const buttons = tokens.map((token, index) => {
        const show = () => alternatives.replaceChildren(...describe(token));
        const button = h(
            "button",
            { type: "button", tabindex: index === 0 ? 0 : -1, focus: show, mouseenter: show, click: show },
            visibleToken(token.token),
        );
        button.style.setProperty("--doubt", String(1 - Math.exp(token.logprob)));
        return button;
    });
    list.append(...buttons);
    list.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
        const next = step === undefined ? undefined : buttons[at + step];
        if (!next) return;
        event.preventDefault();
        buttons[at].tabIndex = -1; // one stop for the Tab key, however many tokens
        next.tabIndex = 0;
        next.focus();
    });
}

/** @param {TokenLogprob} token */
function describe({ token, logprob, top_logprobs: top = [] }) {
    const entry = (/** @type {{token: string, logprob: number}} */ each) =>
        `${visibleToken(each.token)} ${(Math.exp(each.logprob) * 100).toFixed(1)} %`;
    const others = top.filter((each) => each.token !== token).map(entry);
    return [h("b", {}, entry({ token, logprob })), others.length ? ` rather than ${others.join(", ")}` : ""];
}
