// Markdown blocks as DOM nodes, and a text that grows: finished blocks keep their nodes, so nothing flickers, a
// selection stays, and the cost of a new token does not grow with the answer.

import { copyButton, h } from "./dom.js";
import { parseMarkdown } from "./markdown.js";

/**
 * @typedef {import("./markdown.js").Block} Block
 * @typedef {import("./inline.js").Inline} Inline
 * @typedef {import("./markdown.js").PlacedBlock} PlacedBlock
 */

/** Shows a Markdown text inside an element, and follows it as it grows. */
export class MarkdownView {
    #text = "";
    /** @type {{block: Block, source: string, start: number, open: boolean, node: HTMLElement}[]} */
    #shown = [];

    /** @param {HTMLElement} element */
    constructor(element) {
        this.element = element;
    }

    /**
     * Shows a text.
     *
     * @param {string} text
     * @param {boolean} open whether it will grow
     */
    update(text, open) {
        // The last block may turn into another kind, or join the one before; those before these two are settled.
        const settled = text.startsWith(this.#text) ? Math.max(0, this.#shown.length - 2) : 0;
        const from = settled === 0 ? 0 : this.#shown[settled].start;
        const placed = parseMarkdown(text.slice(from), open);
        placed.forEach((found, index) =>
            this.#place(found, settled + index, from, text, open && index === placed.length - 1),
        );
        for (const { node } of this.#shown.splice(settled + placed.length)) node.remove();
        this.#text = text;
    }

    /**
     * @param {PlacedBlock} found
     * @param {number} index
     * @param {number} from where the parsed part of the text starts
     * @param {string} text
     * @param {boolean} open
     */
    #place({ block, start, end }, index, from, text, open) {
        const source = text.slice(from + start, from + end);
        const old = this.#shown[index];
        if (old?.source === source && old.open === open) return;
        const node = (old && updateCode(old.block, block, old.node)) ?? renderBlock(block);
        if (!old) this.element.append(node);
        else if (node !== old.node) old.node.replaceWith(node);
        this.#shown[index] = { block, source, start: from + start, open, node };
    }
}

/**
 * Lets a growing code block keep its node, with the reader's selection and scroll position.
 *
 * @param {Block} old
 * @param {Block} block
 * @param {HTMLElement} node
 * @returns {HTMLElement | undefined} the node, if it could be kept
 */
function updateCode(old, block, node) {
    if (old.type !== "code" || block.type !== "code" || old.language !== block.language) return undefined;
    const code = /** @type {HTMLElement} */ (node.querySelector("code"));
    const last = code.lastChild;
    if (last instanceof Text && block.text.startsWith(old.text)) last.appendData(block.text.slice(old.text.length));
    else code.textContent = block.text;
    return node;
}

/**
 * @param {Block} block
 * @returns {HTMLElement}
 */
function renderBlock(block) {
    switch (block.type) {
        case "paragraph":
            return h("p", {}, ...inline(block.text));
        case "heading":
            // The page's own headings are h1 and h2; an answer's lie below them.
            return h(/** @type {"h3"} */ (`h${Math.min(block.level + 2, 6)}`), {}, ...inline(block.text));
        case "code":
            return codeBlock(block.language, block.text);
        case "quote":
            return h("blockquote", {}, ...block.blocks.map(renderBlock));
        case "list":
            return list(block);
        case "table":
            return table(block);
        case "rule":
            return h("hr");
    }
}

/**
 * @param {string} language
 * @param {string} text
 */
function codeBlock(language, text) {
    const code = h("code", {}, text);
    const label = language === "" ? "Code" : language;
    return h(
        "figure",
        { class: "code" },
        h(
            "figcaption",
            {},
            h("span", {}, label),
            copyButton(() => code.textContent ?? "", "quiet"),
        ),
        // Focusable, so that the keyboard can scroll long lines
        h("pre", { tabindex: 0, role: "region", "aria-label": label }, code),
    );
}

/** @param {Extract<Block, {type: "list"}>} block */
function list({ ordered, start, loose, items }) {
    const nodes = items.map((blocks) =>
        h(
            "li",
            {},
            ...blocks.flatMap((block) =>
                !loose && block.type === "paragraph" ? inline(block.text) : [renderBlock(block)],
            ),
        ),
    );
    return ordered ? h("ol", { start: start === 1 ? null : start }, ...nodes) : h("ul", {}, ...nodes);
}

/** @param {Extract<Block, {type: "table"}>} block */
function table({ align, head, rows }) {
    const row = (/** @type {"th" | "td"} */ tag, /** @type {Inline[][]} */ cells) =>
        h("tr", {}, ...cells.map((cell, column) => h(tag, { class: align[column] ?? null }, ...inline(cell))));
    return h(
        "div",
        { class: "table", tabindex: 0, role: "region", "aria-label": "Table" },
        h("table", {}, h("thead", {}, row("th", head)), h("tbody", {}, ...rows.map((cells) => row("td", cells)))),
    );
}

/**
 * @param {Inline[]} nodes
 * @returns {(Node | string)[]}
 */
function inline(nodes) {
    return nodes.map((node) => {
        if (typeof node === "string") return node;
        switch (node.type) {
            case "code":
                return h("code", {}, node.text);
            case "break":
                return h("br");
            case "link":
                return h(
                    "a",
                    { href: node.href, target: "_blank", rel: "noopener noreferrer" },
                    ...inline(node.children),
                );
            default:
                return h(node.type, {}, ...inline(node.children));
        }
    });
}
