import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInline, safeUrl } from "../../main/resources/web/inline.js";
import { parseMarkdown } from "../../main/resources/web/markdown.js";

const blocks = (text, open) => parseMarkdown(text, open).map(({ block }) => block);
const strong = (...children) => ({ type: "strong", children });
const em = (...children) => ({ type: "em", children });
const link = (href, ...children) => ({ type: "link", href, children });
const paragraph = (...text) => ({ type: "paragraph", text });

test("paragraphs, headings and rules", () => {
    assert.deepEqual(blocks("# One #\n\ntext\nmore\n\n---\n## Two"), [
        { type: "heading", level: 1, text: ["One"] },
        paragraph("text", { type: "break" }, "more"),
        { type: "rule" },
        { type: "heading", level: 2, text: ["Two"] },
    ]);
    assert.deepEqual(blocks("  f() {\n    x;\n}"), [
        paragraph("f() {", { type: "break" }, "    x;", { type: "break" }, "}"),
    ]);
    assert.deepEqual(blocks("#hashtag"), [paragraph("#hashtag")]);
    assert.deepEqual(blocks(" \n\n"), []);
});

test("blocks know where they stand", () => {
    const text = "# One\n\ntext\n\n- a\n- b\n";
    assert.deepEqual(
        parseMarkdown(text).map(({ start, end }) => text.slice(start, end).trim()),
        ["# One", "text", "- a\n- b"],
    );
});

test("fenced code keeps its text, closed or not", () => {
    assert.deepEqual(blocks("```java\nint x = *y;\n\n  <b>\n```\nafter"), [
        { type: "code", language: "java", text: "int x = *y;\n\n  <b>" },
        paragraph("after"),
    ]);
    assert.deepEqual(blocks("~~~~\n```\n~~~\n~~~~"), [{ type: "code", language: "", text: "```\n~~~" }]);
    assert.deepEqual(blocks("text\n```py title=x\nprint(1)", true), [
        paragraph("text"),
        { type: "code", language: "py", text: "print(1)" },
    ]);
});

test("lists nest, whatever the indentation, and keep their start", () => {
    const nested = [{ type: "list", ordered: false, start: 1, loose: false, items: [[paragraph("b")]] }];
    for (const indent of ["  ", "   ", "    "]) {
        assert.deepEqual(blocks(`3. a\n${indent}- b\n4. c`), [
            {
                type: "list",
                ordered: true,
                start: 3,
                loose: false,
                items: [[paragraph("a"), ...nested], [paragraph("c")]],
            },
        ]);
    }
    const [loose] = blocks("* a\n\n* b\n\nafter");
    assert.equal(loose.loose, true);
    assert.equal(loose.items.length, 2);
    assert.deepEqual(blocks("1. a\n\n   ```\n   code\n   ```\n2. b")[0].items[0][1], {
        type: "code",
        language: "",
        text: "code",
    });
    assert.deepEqual(blocks("born in\n1984. A year."), [paragraph("born in", { type: "break" }, "1984. A year.")]);
});

test("quotes hold blocks", () => {
    assert.deepEqual(blocks("> # a\n> b\nlazy\n\nout"), [
        {
            type: "quote",
            blocks: [{ type: "heading", level: 1, text: ["a"] }, paragraph("b", { type: "break" }, "lazy")],
        },
        paragraph("out"),
    ]);
});

test("tables, with alignment, escaped bars and short rows", () => {
    assert.deepEqual(blocks("| a | b |\n|:-:|--:|\n| 1 \\| 2 | `x` |\n| 3 |\n\nend"), [
        {
            type: "table",
            align: ["center", "right"],
            head: [["a"], ["b"]],
            rows: [
                [["1 | 2"], [{ type: "code", text: "x" }]],
                [["3"], []],
            ],
        },
        paragraph("end"),
    ]);
    assert.deepEqual(blocks("a | b\nc"), [paragraph("a | b", { type: "break" }, "c")]);
});

test("a table is one from its first line while it is written", () => {
    for (const text of ["| a | b |", "| a | b |\n|-", "| a | b |\n|---|---|\n| 1"]) {
        assert.equal(blocks(text, true)[0].type, "table", text);
    }
    assert.equal(blocks("| a | b |")[0].type, "paragraph");
});

test("emphasis", () => {
    assert.deepEqual(parseInline("a **b *c* d** e"), ["a ", strong("b ", em("c"), " d"), " e"]);
    assert.deepEqual(parseInline("***x***"), [strong(em("x"))]);
    assert.deepEqual(parseInline("_x_ and ~~y~~"), [em("x"), " and ", { type: "del", children: ["y"] }]);
    assert.deepEqual(parseInline("**a *b**"), [strong("a *b")]);
    for (const text of ["2*3*4 = 24", "snake_case_name", "5 * 3 * 2", "** a **", "a*", "****", "~x~"]) {
        assert.deepEqual(parseInline(text), [text]);
    }
});

test("emphasis that is being written is shown as meant, and never flashes its marks", () => {
    assert.deepEqual(parseInline("so **bol", true), ["so ", strong("bol")]);
    assert.deepEqual(parseInline("so **", true), ["so "]);
    assert.deepEqual(parseInline("so **bold*", true), ["so ", strong("bold")]);
    assert.deepEqual(parseInline("use `cod", true), ["use ", { type: "code", text: "cod" }]);
    assert.deepEqual(parseInline("so **bol"), ["so **bol"]);
});

test("inline code takes everything literally", () => {
    assert.deepEqual(parseInline("`a*b*` ``c`d`` `open"), [
        { type: "code", text: "a*b*" },
        " ",
        { type: "code", text: "c`d" },
        " `open",
    ]);
});

test("escapes", () => assert.deepEqual(parseInline("\\*a\\* \\n C:\\dir"), ["*a* \\n C:\\dir"]));

test("links: only http, https and mailto", () => {
    assert.deepEqual(parseInline('[a *b*](https://x.org/p_(q) "t").'), [
        link("https://x.org/p_(q)", "a ", em("b")),
        ".",
    ]);
    assert.deepEqual(parseInline("![pic](https://x.org/i.png)"), [link("https://x.org/i.png", "pic")]);
    assert.deepEqual(parseInline("see https://x.org/a_b_c, ok"), [
        "see ",
        link("https://x.org/a_b_c", "https://x.org/a_b_c"),
        ", ok",
    ]);
    for (const bad of [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//x.org",
        "/path",
        "file:///etc",
    ]) {
        assert.equal(safeUrl(bad), null, bad);
        assert.deepEqual(parseInline(`[a](${bad})`), [`[a](${bad})`]);
    }
    assert.equal(safeUrl("mailto:a@b.c"), "mailto:a@b.c");
});

test("HTML is text", () => {
    assert.deepEqual(parseInline("<img src=x onerror=alert(1)> &amp;"), ["<img src=x onerror=alert(1)> &amp;"]);
    assert.deepEqual(blocks("<script>\nx\n</script>"), [
        paragraph("<script>", { type: "break" }, "x", { type: "break" }, "</script>"),
    ]);
});

test("growing by one character, finished blocks never change", () => {
    const text =
        "# T\n\nSome **bold** text\n- a\n- b\n  - c\n\n1. x\n\n```js\n1\n```\n| a | b |\n|--|--|\n| 1 | 2 |\n\n> q\n\nend";
    let before = [];
    for (let length = 1; length <= text.length; length++) {
        const now = blocks(text.slice(0, length), true);
        const settled = before.slice(0, -2);
        assert.deepEqual(now.slice(0, settled.length), settled, text.slice(0, length));
        before = now;
    }
});

test("hostile text takes linear time and bounded depth", () => {
    const size = 50_000;
    for (const piece of [
        "*",
        "**a ",
        "[",
        "[a](",
        "`",
        "``a`",
        "> ",
        "- ",
        "_a",
        "|",
        "\\",
        "<",
        "h",
        "https://(",
        "~~",
        "#",
        "1. ",
        "| a\n",
    ]) {
        const text = piece.repeat(size / piece.length);
        const start = process.hrtime.bigint();
        parseMarkdown(text, true);
        parseMarkdown(text, false);
        const millis = Number(process.hrtime.bigint() - start) / 1e6;
        // A quadratic pass over 50,000 characters takes minutes; this only tells the two apart
        assert.ok(millis < 20_000, `${JSON.stringify(piece)} took ${millis} ms`);
    }
});
