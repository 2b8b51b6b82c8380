// Uses the page as a reader would, in a headless Chromium, against a running server. Not part of ./check, which needs
// neither Node nor a browser. In a folder outside the repository:
//
//     apt install chromium && npm install playwright-core
//     ./mixtral serve &                                        # from the repository
//     node REPOSITORY/server/src/test/web/browser-check.mjs http://localhost:8080/ shots
//
// It ends with 1 if anything is wrong, and leaves screenshots in the folder named last (default: shots).

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const { chromium } = createRequire(path.join(process.cwd(), "x.js"))("playwright-core");
const [url = "http://localhost:8080/", folder = "shots"] = process.argv.slice(2);
const QUESTION = process.env.QUESTION ?? "What is 87 + 43?";
const problems = [];

function check(holds, what) {
    console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
    if (!holds) problems.push(what);
}

/** Runs inside the page: text whose contrast is below 4.5 (3 if large), and controls without a name. */
function audit() {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, bottom) => [0, 1, 2].map((i) => top[i] * top[3] + bottom[i] * (1 - top[3]));
    const background = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
        return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
        return (high + 0.05) / (low + 0.05);
    };
    const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const hasText = [...element.childNodes].some(
            (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim(),
        );
        if (!hasText || !seen(element) || element.closest(".visually-hidden, .skip, option, noscript, script"))
            continue;
        const style = getComputedStyle(element);
        const back = background(element);
        const ratio = contrast(over(rgba(style.color), back), back);
        const size = Number.parseFloat(style.fontSize);
        const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
        if (ratio < needed)
            found.push(
                `contrast ${ratio.toFixed(2)} of "${element.textContent.trim().slice(0, 40)}" (${element.className || element.tagName})`,
            );
    }
    for (const control of document.querySelectorAll(
        "button, input, select, textarea, a[href], [tabindex='0'], [role='listbox']",
    )) {
        if (!seen(control)) continue;
        const name =
            control.getAttribute("aria-label") ||
            [...(control.labels ?? [])].map((label) => label.textContent).join("") ||
            control.textContent.trim();
        if (!name) found.push(`no name: ${control.outerHTML.slice(0, 80)}`);
    }
    for (const { id } of document.querySelectorAll("[id]")) {
        if (document.querySelectorAll(`[id="${CSS.escape(id)}"]`).length > 1) found.push(`id ${id} twice`);
    }
    for (const attribute of ["aria-controls", "aria-labelledby", "aria-describedby", "aria-activedescendant"]) {
        for (const element of document.querySelectorAll(`[${attribute}]`)) {
            if (!document.getElementById(element.getAttribute(attribute)))
                found.push(`${attribute} to nowhere: ${element.id}`);
        }
    }
    if (document.querySelector("[style*=';'] script, body script")) found.push("a script in the body");
    if (document.documentElement.scrollWidth > innerWidth)
        found.push(`scrolls sideways: ${document.documentElement.scrollWidth} > ${innerWidth}`);
    return found;
}

async function auditPage(page, name) {
    const found = await page.evaluate(audit);
    check(
        found.length === 0,
        `${name}: names, contrast and width${found.length ? `\n       ${found.join("\n       ")}` : ""}`,
    );
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

/** Opens the page and listens for anything that it complains of. */
async function open(browser, options) {
    const context = await browser.newContext({ ...options, permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    page.on(
        "console",
        (message) => ["error", "warning"].includes(message.type()) && problems.push(`console: ${message.text()}`),
    );
    page.on("pageerror", (error) => problems.push(`page error: ${error}`));
    page.on(
        "requestfailed",
        (request) => request.failure()?.errorText !== "net::ERR_ABORTED" && problems.push(`failed: ${request.url()}`),
    );
    page.on(
        "request",
        (request) =>
            !request.url().startsWith(url) &&
            !/^(data|blob):/.test(request.url()) &&
            problems.push(`left the server: ${request.url()}`),
    );
    await page.goto(url);
    await page.waitForFunction(() => document.querySelector("#model")?.value);
    return page;
}

const answered = (page, count) =>
    page.waitForFunction(
        (n) => document.querySelectorAll(".assistant .stats").length === n && !document.querySelector("#send").hidden,
        count,
        { timeout: 120_000 },
    );

async function converse(page) {
    await page.keyboard.type(QUESTION); // the field has the focus from the start
    await page.keyboard.press("Enter");
    await answered(page, 1);
    const text = await page.textContent(".assistant .body");
    check(text.trim().length > 0 && text !== "No text.", `an answer came: ${JSON.stringify(text.slice(0, 60))}`);
    const stats = await page.textContent(".assistant .stats");
    check(/\d tokens? · .*first after .*prompt \d/.test(stats), `figures: ${stats}`);
    check((await page.textContent("#announcer")).length > 0, "a screen reader hears it");
}

async function regenerateAndEdit(page) {
    await page.click("text=Regenerate");
    await answered(page, 1);
    await page.click("text=Edit");
    await page.fill(".user textarea", "Who are you?");
    await page.keyboard.press("Enter");
    await answered(page, 1);
    check((await page.textContent(".user .body")) === "Who are you?", "edit replaces the question");
    await page.reload();
    await page.waitForFunction(() => document.querySelector("#model")?.value);
    check((await page.textContent(".user .body")) === "Who are you?", "the conversation survives a reload");
}

/** An answer may hold anything; here it comes from the storage, as it would after a reload. */
async function distrustAnswers(page) {
    const content =
        '<img src=x onerror="document.title=1"> [a](javascript:alert(1)) [b](https://example.org) **c**\n\n<script>1</script>';
    const messages = [
        { role: "user", content: "<b>x</b>" },
        { role: "assistant", content },
    ];
    await page.evaluate((text) => {
        window.addEventListener("pagehide", () => localStorage.setItem("mixtral.conversation", text), { once: true });
    }, JSON.stringify(messages));
    await page.reload();
    await page.waitForSelector(".assistant strong");
    const made = await page.$$eval(".message .body *", (nodes) => nodes.map((node) => node.tagName).sort());
    check(made.join(" ") === "A P P STRONG", `markup of a model stays text: ${made.join(" ")}`);
    check((await page.getAttribute(".assistant a", "rel")).includes("noopener"), "links do not hand over the page");
    check((await page.title()) === "Mixtral", "no handler ran");
    await page.click("#new-chat");
}

async function lookAtRouting(page) {
    if (await page.isHidden("#routing")) await page.click("#show-routing");
    check(await page.isVisible("#routing-views"), "routing arrived");
    await page.focus("#heatmap");
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    check((await page.textContent("#heatmap-row")).startsWith("Token "), "the keyboard reads the heat map");
    check((await page.locator("#token .choices li").count()) > 0, "experts of a token");
    const shares = await page.$$eval("#balance tbody tr:first-child td span", (cells) =>
        cells.map((cell) => Number(cell.textContent)),
    );
    check(
        Math.abs(shares.reduce((a, b) => a + b, 0) - 100) <= shares.length / 2,
        `balance sums to 100: ${shares.join(" ")}`,
    );
}

async function lookAtSettings(page) {
    await page.click("#show-settings");
    await page.fill("#temperature", "7");
    await page.fill("#prompt", "x");
    await page.press("#prompt", "Enter");
    check((await page.locator(".user").count()) === 1, "a temperature of 7 is not sent");
    await page.fill("#temperature", "0");
    await page.fill("#seed", "5");
    await page.check("[name=logprobs]");
    await page.fill("#max_completion_tokens", "5");
}

async function askWithSettings(page) {
    let sent;
    page.once("request", (request) => (sent = request.postDataJSON()));
    await page.fill("#prompt", QUESTION);
    await page.press("#prompt", "Enter");
    await answered(page, 2);
    check(
        sent.temperature === 0 && sent.seed === 5 && sent.max_completion_tokens === 5 && sent.top_logprobs === 5,
        "settings are sent",
    );
    await page.click("summary");
    check((await page.locator(".tokens button").count()) > 0, "probabilities of tokens");
    await page.hover(".tokens button");
    check(/%/.test(await page.textContent(".alternatives")), "alternatives of a token");
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
for (const [name, options] of [
    ["light", { ...desktop, colorScheme: "light" }],
    ["dark", { ...desktop, colorScheme: "dark" }],
    ["phone", { ...phone, colorScheme: "light" }],
    ["phone-dark", { ...phone, colorScheme: "dark" }],
]) {
    const page = await open(browser, options);
    await auditPage(page, `${name}-1-welcome`);
    if (name.startsWith("phone")) await page.tap("#prompt");
    await converse(page);
    await auditPage(page, `${name}-2-answer`);
    await lookAtRouting(page);
    await auditPage(page, `${name}-3-routing`);
    if (name.startsWith("phone")) await page.click("#close-routing");
    await page.click("#show-settings");
    await auditPage(page, `${name}-4-settings`);
    if (name === "light") {
        await page.click("#show-settings");
        await regenerateAndEdit(page);
        await lookAtSettings(page);
        await askWithSettings(page);
        await auditPage(page, `${name}-5-probabilities`);
        await distrustAnswers(page);
    }
    await page.context().close();
}
await browser.close();
console.log(problems.length === 0 ? "all well" : `${problems.length} problems:\n${problems.join("\n")}`);
process.exitCode = problems.length === 0 ? 0 : 1;
