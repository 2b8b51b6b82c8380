// Markdown within a paragraph: emphasis, code, links. See markdown.js.

/**
 * @typedef {string
 *     | {type: "code", text: string}
 *     | {type: "strong" | "em" | "del", children: Inline[]}
 *     | {type: "link", href: string, children: Inline[]}
 *     | {type: "break"}} Inline
 */

const MAX_INLINE_DEPTH = 16;
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
        else if (char === "!" && this.text[this.#at + 1] === "[")
            this.#at++; // an image becomes a link to it
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
        const trimmed = match[0].replace(/[.,:;!?'"*_~)\]]+$/, (tail) =>
            tail.startsWith(")") && match[0].includes("(") ? ")" : "",
        );
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
            this.#top().nodes.push({
                type: mark === "~~" ? "del" : mark.length === 2 ? "strong" : "em",
                children: nodes,
            });
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
