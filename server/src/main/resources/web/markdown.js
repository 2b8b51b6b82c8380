// Markdown as language models write it: CommonMark's everyday part and GitHub's tables, parsed into plain objects. It
// parses halves of documents as well, since an answer grows while it is shown: with `open`, whatever has been begun at
// the end of the text (bold, code, a table) counts as meant. Every pass is linear in the text, and nesting is bounded.

/**
 * @typedef {string
 *     | {type: "code", text: string}
 *     | {type: "strong" | "em" | "del", children: Inline[]}
 *     | {type: "link", href: string, children: Inline[]}
 *     | {type: "break"}} Inline
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
const MAX_INLINE_DEPTH = 16;

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
            loose ||= blankInside || (this.lines[this.#at - 1].trim() === "" && more !== null && isOrdered(more) === ordered);
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
        return QUOTE.test(line) || (item !== null && item[3] !== undefined && (!isOrdered(item) || /^1[.)]/.test(item[2])));
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
        return next !== undefined && next.includes("-") && TABLE_LINE.test(next) && cells(next).length === cells(line).length;
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
    const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
    return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

const LINK = /\[([^[\]]*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/y;
const URL = /https?:\/\/[^\s<>`"]+/y;
const ESCAPE = /\\([!-/:-@[-`{-~])/y;
const PLAIN = /[^\\`![<*_~h\n]+|h(?!ttps?:)/y;

/**
 * Parses the text of a paragraph, heading or cell.
 *
 * @param {string} text
 * @param {boolean} [open] whether more text will follow
 * @returns {Inline[]}
 */
export function parseInline(text, open = false) {
    return new InlineParser(text, open).parse();
}

class InlineParser {
    #at = 0;
    /** @type {{mark: string, nodes: Inline[]}[]} the innermost emphasis last */
    #frames = [{ mark: "", nodes: [] }];
    /** Lengths of backtick runs that have no partner further on. */
    #unpaired = new Set();

    /**
     * @param {string} text
     * @param {boolean} open
     */
    constructor(text, open) {
        this.text = text;
        this.open = open;
    }

    /** @returns {Inline[]} */
    parse() {
        while (this.#at < this.text.length) this.#next();
        while (this.#frames.length > 1) this.#fold(this.open && this.#top().nodes.length > 0);
        return this.#frames[0].nodes;
    }

    #next() {
        const char = this.text[this.#at];
        const plain = this.#match(PLAIN);
        if (plain) this.#add(plain[0]);
        else if (char === "\\") this.#escape();
        else if (char === "`") this.#code();
        else if (char === "!" && this.text[this.#at + 1] === "[") this.#at++; // an image becomes a link to it
        else if (char === "[") this.#link();
        else if (char === "h") this.#url();
        else if (char === "*" || char === "_" || char === "~") this.#emphasis(char);
        else if (char === "\n") this.#push({ type: "break" }, 1);
        else if (char === "<" && /^<https?:\/\/[^\s<>]+>/.test(this.text.slice(this.#at, this.#at + 2000))) this.#at++;
        else this.#literal(1);
    }

    #escape() {
        const match = this.#match(ESCAPE);
        if (match) this.#add(match[1]);
        else this.#literal(1);
    }

    #code() {
        const run = this.#run("`");
        const from = this.#at + run.length;
        let end = this.#unpaired.has(run.length) ? -1 : closing(this.text, run, from);
        if (end < 0) {
            this.#unpaired.add(run.length);
            if (!this.open || from === this.text.length) return this.#literal(run.length);
            end = this.text.length;
        }
        const text = this.text.slice(from, end).replace(/\n/g, " ");
        const padded = /^ .*[^ ].* $/.test(text) || /^ `.*` $/.test(text);
        this.#push({ type: "code", text: padded ? text.slice(1, -1) : text }, end + run.length - this.#at);
    }

    #link() {
        const match = this.#match(LINK);
        if (!match) return this.#literal(1);
        const href = safeUrl(match[2]);
        const children = parseInline(match[1]);
        if (href) this.#top().nodes.push({ type: "link", href, children: children.length ? children : [match[2]] });
        else this.#add(match[0]);
    }

    #url() {
        const match = this.#match(URL);
        if (!match) return this.#literal(1);
        const trimmed = match[0].replace(/[.,:;!?'"*_~)\]]+$/, (tail) => (tail.startsWith(")") && match[0].includes("(") ? ")" : ""));
        this.#at -= match[0].length - trimmed.length;
        const bracketed = this.text[this.#at - trimmed.length - 1] === "<" && this.text[this.#at] === ">";
        const href = safeUrl(trimmed);
        if (href) this.#top().nodes.push({ type: "link", href, children: [trimmed] });
        else this.#add(trimmed);
        if (bracketed) this.#at++;
    }

    /** @param {string} char */
    #emphasis(char) {
        const run = this.#run(char);
        const before = this.text[this.#at - 1] ?? " ";
        const after = this.text[this.#at + run.length] ?? " ";
        // Products are not emphasis: 2*3*4, and names are not: snake_case_name.
        const product = char === "*" && /\d/.test(before) && /[\d(]/.test(after);
        const inWord = char === "_" && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after);
        if (run.length > 3 || product || inWord || (char === "~" && run.length !== 2)) return this.#literal(run.length);
        let left = run.length;
        while (left > 0 && /\S/.test(before)) {
            const closed = this.#close(char, left);
            if (closed === 0) break;
            left -= closed;
            this.#at += closed;
        }
        if (left === 0) return;
        if (this.open && this.#at + left === this.text.length) {
            this.#at += left; // what it means is not known yet: show nothing rather than the wrong thing
            return;
        }
        if (!/\S/.test(after) || this.#frames.length > MAX_INLINE_DEPTH) return this.#literal(left);
        if (left === 3) this.#frames.push({ mark: char.repeat(2), nodes: [] }, { mark: char, nodes: [] });
        else this.#frames.push({ mark: char.repeat(left), nodes: [] });
        this.#at += left;
    }

    /**
     * Ends the innermost emphasis that a run of `length` characters can end.
     *
     * @param {string} char
     * @param {number} length
     * @returns {number} characters used
     */
    #close(char, length) {
        const marks = this.#frames.map(({ mark }) => mark);
        const whole = marks.lastIndexOf(char.repeat(length));
        const index = whole > 0 ? whole : marks.findLastIndex((mark) => mark[0] === char && mark.length <= length);
        if (index < 1) return 0;
        const { mark, nodes } = this.#frames[index];
        if (nodes.length === 0 && index === this.#frames.length - 1) return 0;
        while (this.#frames.length > index + 1) this.#fold(false);
        this.#fold(true);
        return mark.length;
    }

    /**
     * Ends the innermost frame: as emphasis, or as the characters that seemed to begin one.
     *
     * @param {boolean} emphasised
     */
    #fold(emphasised) {
        const { mark, nodes } = /** @type {{mark: string, nodes: Inline[]}} */ (this.#frames.pop());
        if (emphasised) {
            this.#top().nodes.push({ type: mark === "~~" ? "del" : mark.length === 2 ? "strong" : "em", children: nodes });
        } else {
            this.#add(mark);
            for (const node of nodes) typeof node === "string" ? this.#add(node) : this.#top().nodes.push(node);
        }
    }

    #top() {
        return /** @type {{mark: string, nodes: Inline[]}} */ (this.#frames.at(-1));
    }

    /** @param {RegExp} pattern a sticky one */
    #match(pattern) {
        pattern.lastIndex = this.#at;
        const match = pattern.exec(this.text);
        if (match) this.#at += match[0].length;
        return match;
    }

    /** @param {string} char */
    #run(char) {
        let end = this.#at;
        while (this.text[end] === char) end++;
        return this.text.slice(this.#at, end);
    }

    /** @param {number} length */
    #literal(length) {
        this.#add(this.text.slice(this.#at, this.#at + length));
        this.#at += length;
    }

    /**
     * @param {Inline} node
     * @param {number} length
     */
    #push(node, length) {
        this.#top().nodes.push(node);
        this.#at += length;
    }

    /** @param {string} text */
    #add(text) {
        const { nodes } = this.#top();
        if (typeof nodes.at(-1) === "string") nodes[nodes.length - 1] += text;
        else nodes.push(text);
    }
}

/**
 * @param {string} text
 * @param {string} run backticks
 * @param {number} from
 * @returns {number} start of the next run of exactly that length, or -1
 */
function closing(text, run, from) {
    for (let at = text.indexOf(run, from); at >= 0; at = text.indexOf(run, at)) {
        let end = at;
        while (text[end] === "`") end++;
        if (end - at === run.length) return at;
        at = end;
    }
    return -1;
}

/**
 * @param {string} url as a model wrote it
 * @returns {string | null} null unless it is an absolute http, https or mailto address
 */
export function safeUrl(url) {
    return /^(?:https?:\/\/|mailto:)[^\s\u0000-\u001f]+$/i.test(url) ? url : null;
}
