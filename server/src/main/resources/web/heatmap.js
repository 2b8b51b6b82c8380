// The heat map: a row per token, a column per layer, in each cell the experts in their colours, stronger where the
// weight is larger. Only the rows in sight are drawn, on one canvas, so thousands of tokens of 32 layers scroll as
// smoothly as ten.

import { h, oncePerFrame } from "./dom.js";
import { expertColour, visibleToken } from "./routing.js";

const ROW = 18;
const HEAD = 20;
const MAX_CELL = 96;
const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";

/** @typedef {import("./routing.js").RoutingLog} RoutingLog */

export class HeatMap {
    #canvas = h("canvas", { "aria-hidden": "true" });
    #spacer = h("div", { class: "spacer" });
    /** What a screen reader reads: the one row that the keyboard is on. */
    #option = h("div", { role: "option", id: "heatmap-row", class: "visually-hidden", "aria-selected": "true" });
    #selected = -1;
    #hovered = -1;
    #expert = -1;
    #promptEnd = 0;

    /** Draws soon; call after the log has changed. */
    draw = oncePerFrame(() => this.#draw());

    /**
     * @param {HTMLElement} host an element that scrolls
     * @param {RoutingLog} log
     * @param {(row: number) => string} describe a row in words
     * @param {(row: number) => void} onPoint called with the row that the pointer or the keyboard is on, or -1
     */
    constructor(host, log, describe, onPoint) {
        this.host = host;
        this.log = log;
        this.describe = describe;
        this.onPoint = onPoint;
        host.append(this.#canvas, this.#spacer, this.#option);
        host.addEventListener("scroll", this.draw, { passive: true });
        host.addEventListener(
            "pointermove",
            (event) => event.pointerType === "mouse" && this.#hover(this.#rowAt(event)),
        );
        host.addEventListener("pointerleave", () => this.#hover(-1));
        host.addEventListener("click", (event) => this.#select(this.#rowAt(event)));
        host.addEventListener("keydown", (event) => this.#key(event));
        new ResizeObserver(this.draw).observe(host);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.draw);
    }

    /** @param {number} expert shown alone, or -1 for all */
    showExpert(expert) {
        this.#expert = expert;
        this.draw();
    }

    /** @param {number} position first position of the latest answer: the tokens before it are drawn fainter */
    setPromptEnd(position) {
        this.#promptEnd = position;
        this.draw();
    }

    #follow() {
        const { host } = this;
        const wasAtEnd = host.scrollTop + host.clientHeight >= host.scrollHeight - ROW;
        const height = `${Math.max(0, HEAD + this.log.length * ROW - host.clientHeight)}px`;
        if (this.#spacer.style.height === height) return;
        this.#spacer.style.height = height;
        if (wasAtEnd && this.#selected < 0) host.scrollTop = host.scrollHeight;
    }

    #draw() {
        const { host, log } = this;
        if (host.clientWidth === 0) return;
        if (this.#selected >= log.length) this.#select(-1);
        this.#follow();
        const context = this.#prepare();
        const style = getComputedStyle(host);
        const first = Math.floor(host.scrollTop / ROW);
        const offset = HEAD - (host.scrollTop - first * ROW);
        const last = Math.min(log.length, first + Math.ceil(host.clientHeight / ROW) + 1);
        for (let row = first; row < last; row++) this.#drawRow(context, row, offset + (row - first) * ROW, style.color);
        context.clearRect(0, 0, host.clientWidth, HEAD - 1);
        this.#drawHead(context, style.color);
    }

    /** @returns {CanvasRenderingContext2D} of a canvas that is as sharp as the screen, and empty */
    #prepare() {
        const { clientWidth: width, clientHeight: height } = this.host;
        const ratio = devicePixelRatio;
        const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (this.#canvas.width !== pixelWidth || this.#canvas.height !== pixelHeight) {
            Object.assign(this.#canvas, { width: pixelWidth, height: pixelHeight });
        }
        const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, width, height);
        return context;
    }

    #columns() {
        const width = this.host.clientWidth;
        const label = Math.min(150, Math.max(72, Math.round(width * 0.24)));
        return { label, cell: Math.min(MAX_CELL, (width - label - 4) / Math.max(1, this.log.numLayers)) };
    }

    /**
     * @param {CanvasRenderingContext2D} context
     * @param {string} colour
     */
    #drawHead(context, colour) {
        const { label, cell } = this.#columns();
        context.globalAlpha = 0.75;
        context.fillStyle = colour;
        context.font = `11px system-ui, sans-serif`;
        context.textAlign = "left";
        context.fillText("layer", 2, 13);
        context.textAlign = "center";
        const every = Math.max(1, Math.ceil(20 / cell));
        for (let layer = 0; layer < this.log.numLayers; layer += every) {
            context.fillText(String(layer), label + (layer + 0.5) * cell, 13);
        }
        context.globalAlpha = 1;
    }

    /**
     * @param {CanvasRenderingContext2D} context
     * @param {number} row
     * @param {number} y
     * @param {string} colour of text
     */
    #drawRow(context, row, y, colour) {
        const { log } = this;
        const { label, cell } = this.#columns();
        if (row === this.#hovered || row === this.#selected) {
            context.globalAlpha = 0.12;
            context.fillStyle = colour;
            context.fillRect(0, y, this.host.clientWidth, ROW);
        }
        const isPrompt = log.position(row) < this.#promptEnd;
        context.globalAlpha = isPrompt ? 0.65 : 1;
        context.fillStyle = colour;
        context.font = `12px ${FONT}`;
        context.textAlign = "left";
        context.save();
        context.beginPath();
        context.rect(0, y, label - 6, ROW);
        context.clip();
        context.fillText(visibleToken(log.token(row)), 2, y + 13);
        context.restore();
        const gap = cell > 6 ? 1 : 0.5;
        const height = (ROW - 2) / log.numExpertsPerToken;
        for (let layer = 0; layer < log.numLayers; layer++) {
            for (let choice = 0; choice < log.numExpertsPerToken; choice++) {
                const expert = log.expert(row, layer, choice);
                context.globalAlpha =
                    this.#expert < 0 || this.#expert === expert ? 0.2 + 0.8 * log.weight(row, layer, choice) : 0.06;
                context.fillStyle = expertColour(expert);
                context.fillRect(label + layer * cell, y + 1 + choice * height, cell - gap, height);
            }
        }
        if (log.gapBefore(row) > 0 || (row > 0 && log.position(row) === this.#promptEnd)) {
            context.globalAlpha = 0.6;
            context.fillStyle = colour;
            context.fillRect(0, y, this.host.clientWidth, 1);
        }
        context.globalAlpha = 1;
    }

    /** @param {MouseEvent} event */
    #rowAt(event) {
        const y = event.clientY - this.host.getBoundingClientRect().top - HEAD;
        const row = Math.floor((y + this.host.scrollTop) / ROW);
        return y >= 0 && row < this.log.length ? row : -1;
    }

    /** @param {number} row */
    #hover(row) {
        if (row === this.#hovered) return;
        this.#hovered = row;
        this.onPoint(row < 0 ? this.#selected : row);
        this.draw();
    }

    /** @param {number} row */
    #select(row) {
        this.#selected = row === this.#selected ? -1 : row;
        this.#option.textContent = this.#selected < 0 ? "" : this.describe(row);
        if (this.#selected < 0) this.host.removeAttribute("aria-activedescendant");
        else this.host.setAttribute("aria-activedescendant", this.#option.id);
        this.onPoint(this.#selected);
        this.draw();
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const last = this.log.length - 1;
        const page = Math.max(1, Math.floor(this.host.clientHeight / ROW) - 2);
        const at = this.#selected < 0 ? last + 1 : this.#selected;
        /** @type {Record<string, number>} */
        const targets = {
            ArrowUp: at - 1,
            ArrowDown: at + 1,
            PageUp: at - page,
            PageDown: at + page,
            Home: 0,
            End: last,
            Escape: -1,
        };
        if (!(event.key in targets) || last < 0 || (event.key === "Escape" && this.#selected < 0)) return;
        event.preventDefault();
        const row = event.key === "Escape" ? -1 : Math.min(last, Math.max(0, targets[event.key]));
        if (row !== this.#selected) this.#select(row);
        if (row >= 0) this.#show(row);
    }

    /** @param {number} row */
    #show(row) {
        const { host } = this;
        const top = row * ROW;
        if (top < host.scrollTop) host.scrollTop = top;
        const bottom = top + HEAD + ROW - host.clientHeight;
        if (bottom > host.scrollTop) host.scrollTop = bottom;
    }
}
