// Markdown as language models write it: CommonMark's everyday part and GitHub's tables, parsed into plain objects. It
// parses halves of documents as well, since an answer grows while it is shown: with `open`, whatever has been begun at
// the end of the text (bold, code, a table) counts as meant. Every pass is linear in the text, and nesting is bounded.

import { parseInline } from "./inline.js";

/**
 * @typedef {import("./inline.js").Inline} Inline
 *
 * @typedef {{type: "paragraph", text: Inline[]}
 *     | {type: "heading", level: number, text: Inline[]}
 *     | {type: "code", language: string, text: string}
 *     | {type: "quote", blocks: Block[]}
 *     | {type: "list", ordered: boolean, start: number, loose: boolean, items: Block[][]}
 *     | {type: "table", align: string[], head: Inline[][], rows: Inline[][][]}
 *     | {type: "rule"}} Block
 *
 * @typedef {{block: Block, start: number, end: number}} PlacedBlock where in the text a block was found
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:( {1,4})(?=\S)|[ \t]*$)/;
const TABLE_LINE = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const MAX_BLOCK_DEPTH = 8;

/**
 * Parses text into blocks.
 *
 * @param {string} text
 * @param {boolean} [open] whether more text will follow
 * @returns {PlacedBlock[]}
 */
export function parseMarkdown(text, open = false) {
    const lines = text.split("\n");
    const offsets = [0];
    for (const line of lines) offsets.push(/** @type {number} */ (offsets.at(-1)) + line.length + 1);
    const parser = new BlockParser(
        lines.map((line) => line.replace(/\r$/, "").replace(/\t/g, "    ")),
        open,
        0,
    );
    return parser.parse().map(({ block, from, to }) => ({
        block,
        start: offsets[from],
        end: Math.min(offsets[to], text.length),
    }));
}

class BlockParser {
    #at = 0;

    /**
     * @param {string[]} lines
     * @param {boolean} open
     * @param {number} depth
     */
    constructor(lines, open, depth) {
        this.lines = lines;
        this.open = open;
        this.depth = depth;
    }

    /** @returns {{block: Block, from: number, to: number}[]} blocks and their lines */
    parse() {
        const blocks = [];
        for (;;) {
            while (this.#at < this.lines.length && this.lines[this.#at].trim() === "") this.#at++;
            if (this.#at === this.lines.length) return blocks;
            const from = this.#at;
            const block = this.#block();
            blocks.push({ block, from, to: this.#at });
        }
    }

    /** @returns {Block} */
    #block() {
        const line = this.lines[this.#at];
        const nested = this.depth < MAX_BLOCK_DEPTH;
        let match;
        if ((match = FENCE.exec(line))) return this.#code(match[1], match[2].trim());
        if ((match = HEADING.exec(line))) return this.#heading(match[1].length, match[2] ?? "");
        if (RULE.test(line)) {
            this.#at++;
            return { type: "rule" };
        }
        if (nested && QUOTE.test(line)) return this.#quote();
        if (nested && (match = ITEM.exec(line))) return this.#list(match);
        if (this.#startsTable(this.#at)) return this.#table();
        return this.#paragraph();
    }

    /**
     * @param {string} fence
     * @param {string} language
     * @returns {Block}
     */
    #code(fence, language) {
        const indent = this.lines[this.#at].indexOf(fence);
        const text = [];
        for (this.#at++; this.#at < this.lines.length; this.#at++) {
            const line = this.lines[this.#at];
            const end = line.trim();
            if (end.startsWith(fence) && end === fence[0].repeat(end.length)) {
                this.#at++;
                break;
            }
            text.push(line.slice(Math.min(indent, line.length - line.trimStart().length)));
        }
        return { type: "code", language: language.split(/\s/)[0], text: text.join("\n") };
    }

    /**
     * @param {number} level
     * @param {string} text
     * @returns {Block}
     */
    #heading(level, text) {
        this.#at++;
        return { type: "heading", level, text: this.#inline(text.trim().replace(/(^|[ \t])#+$/, "")) };
    }

    /** @returns {Block} */
    #quote() {
        const inner = [];
        while (this.#at < this.lines.length) {
            const line = this.lines[this.#at];
            if (!QUOTE.test(line) && (line.trim() === "" || this.#interrupts(this.#at))) break;
            inner.push(line.replace(QUOTE, ""));
            this.#at++;
        }
        return { type: "quote", blocks: this.#nested(inner) };
    }

    /**
     * @param {RegExpExecArray} first
     * @returns {Block}
     */
    #list(first) {
        const ordered = isOrdered(first);
        const items = [];
        let loose = false;
        while (this.#at < this.lines.length) {
            const match = ITEM.exec(this.lines[this.#at]);
            if (!match || isOrdered(match) !== ordered || RULE.test(this.lines[this.#at])) break;
            const { lines, blankInside } = this.#item(match);
            items.push(this.#nested(lines));
            const more = ITEM.exec(this.lines[this.#at] ?? "");
            loose ||=
                blankInside || (this.lines[this.#at - 1].trim() === "" && more !== null && isOrdered(more) === ordered);
        }
        return { type: "list", ordered, start: ordered ? Number.parseInt(first[2], 10) : 1, loose, items };
    }

    /**
     * Takes the lines of an item. Models indent by two, three or four blanks under any marker; two are enough here.
     *
     * @param {RegExpExecArray} match
     */
    #item(match) {
        const width = match[1].length + match[2].length + (match[3]?.length ?? 1);
        const lines = [this.lines[this.#at].slice(width)];
        let blankInside = false;
        for (this.#at++; this.#at < this.lines.length; this.#at++) {
            const line = this.lines[this.#at];
            const indent = line.length - line.trimStart().length;
            const afterBlank = this.lines[this.#at - 1].trim() === "";
            if (line.trim() === "") {
                lines.push("");
                continue;
            }
            if (indent < 2 && (afterBlank || this.#interrupts(this.#at) || ITEM.test(line))) break;
            if (indent < match[1].length + 2 && ITEM.test(line)) break;
            blankInside ||= afterBlank && indent < width + 2 && !ITEM.test(line.slice(Math.min(indent, width)));
            lines.push(line.slice(Math.min(indent, width)));
        }
        return { lines, blankInside };
    }

    /** @returns {Block} */
    #table() {
        const head = cells(this.lines[this.#at]);
        const align = cells(this.lines[this.#at + 1] ?? "").map((cell) =>
            cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left",
        );
        this.#at = Math.min(this.#at + 2, this.lines.length);
        const rows = [];
        while (this.#at < this.lines.length) {
            const line = this.lines[this.#at];
            if (line.trim() === "" || this.#interrupts(this.#at)) break;
            const row = cells(line);
            rows.push(head.map((_, column) => this.#inline(row[column] ?? "")));
            this.#at++;
        }
        return { type: "table", align, head: head.map((cell) => this.#inline(cell)), rows };
    }

    /** @returns {Block} */
    #paragraph() {
        const from = this.#at;
        do this.#at++;
        while (
            this.#at < this.lines.length &&
            this.lines[this.#at].trim() !== "" &&
            !this.#interrupts(this.#at) &&
            !this.#startsTable(this.#at)
        );
        // Indentation within stays: small models write code without a fence.
        const lines = this.lines.slice(from, this.#at).map((line) => line.trimEnd());
        return { type: "paragraph", text: this.#inline(lines.join("\n").trimStart()) };
    }

    /**
     * Whether a line ends a paragraph without a blank line between. A number does only if it is 1, as in CommonMark:
     * a sentence may break before a year.
     *
     * @param {number} at
     */
    #interrupts(at) {
        const line = this.lines[at];
        if (FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return true;
        if (this.depth >= MAX_BLOCK_DEPTH) return false;
        const item = ITEM.exec(line);
        return (
            QUOTE.test(line) || (item !== null && item[3] !== undefined && (!isOrdered(item) || /^1[.)]/.test(item[2])))
        );
    }

    /** @param {number} at */
    #startsTable(at) {
        const line = this.lines[at];
        if (!line.includes("|")) return false;
        const next = this.lines[at + 1];
        // While it is written, a line that begins with a bar will be a table's head.
        if (this.open && (next === undefined || at + 2 === this.lines.length) && line.trimStart().startsWith("|")) {
            return /^[ \t|:-]*$/.test(next ?? "");
        }
        return (
            next !== undefined &&
            next.includes("-") &&
            TABLE_LINE.test(next) &&
            cells(next).length === cells(line).length
        );
    }

    /** @param {string[]} lines */
    #nested(lines) {
        return new BlockParser(lines, this.open, this.depth + 1).parse().map(({ block }) => block);
    }

    /** @param {string} text */
    #inline(text) {
        return parseInline(text, this.open && this.#at >= this.lines.length);
    }
}

/** @param {RegExpExecArray} item */
function isOrdered(item) {
    return item[2].length > 1;
}

/**
 * @param {string} line
 * @returns {string[]} cells of a table's row; `\|` is a bar inside one
 */
function cells(line) {
    const inner = line
        .trim()
        .replace(/^\|/, "")
        .replace(/(?<!\\)\|$/, "");
    return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}
