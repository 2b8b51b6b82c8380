// The routing panel: the heat map, the experts of one token in words, and the balance over the conversation.

import { count, number } from "./conversation.js";
import { byId, h } from "./dom.js";
import { HeatMap } from "./heatmap.js";
import { expertColour, RoutingLog, visibleToken } from "./routing.js";

const BALANCE_EVERY_MS = 300;
const HINT = "Point at a token, tap it, or use the arrow keys, to see its experts.";

export class RoutingPanel {
    log = new RoutingLog();
    #heatmap = new HeatMap(
        byId("heatmap"),
        this.log,
        (row) => this.#describe(row),
        (row) => this.#showToken(row),
    );
    #shownVersion = -1;
    #nextBalance = 0;
    #expert = -1;
    #missing = false;

    constructor() {
        this.#showToken(-1);
        this.refresh();
    }

    /** Whether the reader wants routing recorded. */
    get recording() {
        return /** @type {HTMLInputElement} */ (byId("record-routing")).checked;
    }

    /** @param {import("./routing.js").RoutingEntry[]} entries */
    add(entries) {
        for (const entry of entries) this.log.add(entry);
        this.refresh();
    }

    /** @param {number} promptTokens length of the prompt of the answer that has ended */
    endTurn(promptTokens) {
        this.#heatmap.setPromptEnd(promptTokens);
        this.#missing = this.recording && this.log.length === 0;
        this.refresh();
    }

    clear() {
        this.log.clear();
        this.#missing = false;
        this.#showToken(-1);
        this.refresh();
    }

    /** Draws what has changed, if the panel is open. */
    refresh() {
        const { log } = this;
        if (byId("routing").hidden) return;
        byId("routing-views").hidden = log.length === 0;
        if (log.length === 0) byId("routing-summary").textContent = this.#summary();
        else this.#heatmap.draw();
        if (log.length === 0 || this.#shownVersion === log.version || this.#nextBalance > 0) return;
        byId("routing-summary").textContent = this.#summary();
        this.#showBalance();
        // Not with every token: nobody reads bars that fast. What arrives in between is shown when the time is over.
        this.#nextBalance = window.setTimeout(() => {
            this.#nextBalance = 0;
            this.refresh();
        }, BALANCE_EVERY_MS);
    }

    redraw() {
        this.#heatmap.draw();
    }

    #summary() {
        const { log } = this;
        if (log.length > 0) {
            let missing = 0;
            for (let row = 0; row < log.length; row++) missing += log.gapBefore(row);
            const shape = `${count(log.length, "token")} in ${count(log.numLayers, "layer")}, ${log.numExpertsPerToken} experts each.`;
            return missing === 0
                ? shape
                : `${shape} ${count(missing, "token")} came from the prefix cache and were not routed again.`;
        }
        return this.#missing
            ? "The server sent no routing: the model has no experts, or all is cached, or the server does not know the extension."
            : "Send a message to see which experts each of its tokens goes to, layer by layer.";
    }

    /** @param {number} row */
    #describe(row) {
        const { log } = this;
        const layers = Array.from(
            { length: log.numLayers },
            (_, layer) => `layer ${layer}: ${this.#choices(row, layer).join(" and ")}`,
        );
        return `Token ${log.position(row)}, ${JSON.stringify(log.token(row))}. ${layers.join("; ")}`;
    }

    /**
     * @param {number} row
     * @param {number} layer
     */
    #choices(row, layer) {
        return Array.from({ length: this.log.numExpertsPerToken }, (_, choice) => {
            return `expert ${this.log.expert(row, layer, choice)} ${percent(this.log.weight(row, layer, choice))}`;
        });
    }

    /** @param {number} row or -1 for none */
    #showToken(row) {
        const { log } = this;
        const section = byId("token");
        if (row < 0 || row >= log.length) {
            section.replaceChildren(h("p", { class: "muted" }, HINT));
            return;
        }
        const items = Array.from({ length: log.numLayers }, (_, layer) => {
            const chips = Array.from({ length: log.numExpertsPerToken }, (_, choice) =>
                h(
                    "span",
                    {},
                    chip(log.expert(row, layer, choice)),
                    ` ${Math.round(log.weight(row, layer, choice) * 100)}`,
                ),
            );
            return h(
                "li",
                { "aria-label": `Layer ${layer}: ${this.#choices(row, layer).join(", ")}` },
                h("b", {}, String(layer)),
                ...chips,
            );
        });
        section.replaceChildren(
            h(
                "p",
                {},
                h("code", {}, visibleToken(log.token(row))),
                h(
                    "span",
                    { class: "muted" },
                    ` position ${number(log.position(row))}, id ${log.id(row)}; weights in percent`,
                ),
            ),
            h("ol", { class: "choices" }, ...items),
        );
    }

    #showBalance() {
        const { log } = this;
        const balance = log.balance();
        this.#shownVersion = log.version;
        this.#showLegend(balance.overall);
        const chance = percent(1 / log.numExperts);
        const repeats = Number.isNaN(balance.repeats)
            ? ""
            : ` A token's first expert is that of the token before in ${percent(balance.repeats)} of cases; by chance, ${chance}.`;
        byId("balance-summary").textContent =
            `As mixed as ${balance.effective.toFixed(2)} equally busy experts of ${log.numExperts}.${repeats}`;
        const experts = balance.overall.map((_, expert) => expert);
        byId("balance").replaceChildren(
            h(
                "caption",
                { class: "visually-hidden" },
                "Share of each expert in the assignments of a layer, in percent",
            ),
            h(
                "thead",
                {},
                h(
                    "tr",
                    {},
                    h("th", { scope: "col" }, "Layer"),
                    ...experts.map((expert) =>
                        h("th", { scope: "col", "aria-label": `Expert ${expert}` }, chip(expert)),
                    ),
                    h("th", { scope: "col", title: "As mixed as so many equally busy experts" }, "Mix"),
                ),
            ),
            h(
                "tbody",
                {},
                balanceRow("All", balance.overall, balance.effective),
                ...balance.perLayer.map((layer, index) =>
                    balanceRow(String(index), layer, balance.effectivePerLayer[index]),
                ),
            ),
        );
    }

    /** @param {number[]} overall */
    #showLegend(overall) {
        const legend = byId("legend");
        while (legend.children.length > overall.length) legend.lastElementChild?.remove();
        overall.forEach((share, expert) => {
            const button = /** @type {HTMLElement} */ (
                legend.children[expert] ?? legend.appendChild(this.#legendButton(expert))
            );
            button.style.setProperty("--share", String(share * overall.length * 0.5));
            /** @type {HTMLElement} */ (button.lastElementChild).textContent = percent(share);
            button.setAttribute("aria-label", `Expert ${expert}, ${percent(share)} of all assignments`);
        });
    }

    /** @param {number} expert */
    #legendButton(expert) {
        const toggle = () => {
            this.#expert = this.#expert === expert ? -1 : expert;
            this.#heatmap.showExpert(this.#expert);
            for (const [index, button] of [...byId("legend").children].entries()) {
                button.setAttribute("aria-pressed", String(index === this.#expert));
            }
        };
        const button = h(
            "button",
            { type: "button", "aria-pressed": "false", click: toggle },
            h("span", { class: "bar-track" }, h("span", { class: "bar-fill" })),
            h("b", {}, `E${expert}`),
            h("span", {}),
        );
        button.style.setProperty("--expert", expertColour(expert));
        return button;
    }
}

/**
 * @param {string} name
 * @param {number[]} shares
 * @param {number} effective
 */
function balanceRow(name, shares, effective) {
    const cells = shares.map((share, expert) => {
        const cell = h("td", {}, h("span", {}, String(Math.round(share * 100))));
        cell.style.setProperty("--expert", expertColour(expert));
        // Twice the even share fills the cell
        cell.style.setProperty("--share", String(Math.min(1, (share * shares.length) / 2)));
        return cell;
    });
    return h("tr", {}, h("th", { scope: "row" }, name), ...cells, h("td", { class: "mix" }, effective.toFixed(1)));
}

/** @param {number} expert */
function chip(expert) {
    const element = h("span", { class: "chip" }, `E${expert}`);
    element.style.setProperty("--expert", expertColour(expert));
    return element;
}

/** @param {number} share */
function percent(share) {
    return `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`;
}
