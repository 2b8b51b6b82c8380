// The page at `/`: puts the parts together and runs one request at a time.

import { ApiError, listModels, streamChat } from "./api.js";
import { ChatView, sends } from "./chat.js";
import { Conversation, count, number } from "./conversation.js";
import { byId, h } from "./dom.js";
import { Meter } from "./meter.js";
import { Panels } from "./panels.js";
import { RoutingPanel } from "./routing-panel.js";
import { Settings, storageOrMemory } from "./settings.js";

/**
 * @typedef {import("./api.js").Model} Model
 * @typedef {import("./api.js").Chunk} Chunk
 * @typedef {import("./conversation.js").Message} Message
 * @typedef {import("./conversation.js").AnswerStats} AnswerStats
 */

const SUGGESTIONS = ["What is 87 + 43?", "Say this in French: The cat sleeps.", "Who are you?"];
const SAVE_EVERY_MS = 1000;
const DEFAULT_RETRY_SECONDS = 5;
const KEY_HINT = "Kept until this tab is closed, never stored on disk.";

const storage = storageOrMemory(() => localStorage);
const session = storageOrMemory(() => sessionStorage);
const settings = new Settings(storage, session);
const conversation = new Conversation(storage);
const routing = new RoutingPanel();
const panels = new Panels(["routing", "settings"], storage, () => routing.refresh());
const chat = new ChatView({ regenerate, edit });

const prompt = /** @type {HTMLTextAreaElement} */ (byId("prompt"));
const modelSelect = /** @type {HTMLSelectElement} */ (byId("model"));

/** @type {Model[]} */
let models = [];
/** @type {AbortController | null} the running request */
let running = null;
/** @type {(() => void) | null} takes an error message and its timer away */
let dismissError = null;

// ---- models

async function loadModels() {
    try {
        models = await listModels(settings.key);
    } catch (error) {
        models = [];
        showModels(error instanceof ApiError && error.status === 401 ? "API key needed" : "No connection");
        showFailure(error, loadModels);
        return;
    }
    dismissError?.();
    byId("key-hint").textContent = KEY_HINT;
    showModels("No model");
}

/** @param {string} none what to say if there is no model */
function showModels(none) {
    const chosen = storage.getItem("mixtral.model");
    modelSelect.replaceChildren(...models.map(({ id }) => h("option", { value: id, selected: id === chosen }, id)));
    if (models.length === 0) modelSelect.append(h("option", { value: "" }, none));
    modelSelect.disabled = models.length < 2;
    showWelcome();
    showStatus();
}

function chosenModel() {
    return models.find(({ id }) => id === modelSelect.value);
}

// ---- one request

function send(/** @type {string} */ text) {
    if (running || text === "" || !readyToSend()) return false;
    conversation.addUser(text);
    showConversation();
    void answer();
    return true;
}

function regenerate() {
    if (running || !readyToSend()) return;
    conversation.dropAnswer();
    showConversation();
    void answer();
}

/** @param {string} text */
function edit(text) {
    if (running || !readyToSend()) return;
    conversation.dropQuestion();
    send(text);
}

function readyToSend() {
    if (models.length === 0) {
        void loadModels();
        return false;
    }
    if (settings.valid()) return true;
    panels.open("settings");
    settings.valid(); // again: the browser points only at fields in sight
    return false;
}

/** Asks for an answer to the conversation and shows it as it arrives. */
async function answer() {
    dismissError?.();
    running = new AbortController();
    const request = {
        ...settings.parameters(),
        model: modelSelect.value,
        messages: conversation.toRequest(settings.system),
        x_timing: true,
        ...(routing.recording ? { x_routing: true } : {}),
    };
    const message = conversation.addAnswer(modelSelect.value);
    chat.beginAnswer(message);
    const meter = new Meter(message.stats);
    const ticks = setInterval(() => showStatus(meter.describe()), 200);
    const saves = setInterval(save, SAVE_EVERY_MS);
    showRunning();
    let failure = null;
    try {
        for await (const chunk of streamChat(request, settings.key, running.signal)) take(chunk, message, meter);
    } catch (error) {
        message.stats.finishReason = running.signal.aborted ? "stopped" : "error";
        if (!running.signal.aborted) failure = error;
    }
    clearInterval(ticks);
    clearInterval(saves);
    running = null;
    finish(message, failure);
}

/**
 * @param {Chunk} chunk
 * @param {Message & {stats: AnswerStats}} message
 * @param {Meter} meter
 */
function take(chunk, message, meter) {
    if (chunk.x_routing) routing.add(chunk.x_routing);
    const choice = chunk.choices?.[0];
    if (choice?.delta?.content) {
        meter.token();
        message.content += choice.delta.content;
        chat.growAnswer();
    }
    if (choice?.logprobs?.content) (message.logprobs ??= []).push(...choice.logprobs.content);
    if (choice?.finish_reason) message.stats.finishReason = choice.finish_reason;
    if (chunk.usage) meter.usage(chunk.usage);
}

/**
 * @param {Message & {stats: AnswerStats}} message
 * @param {unknown} failure
 */
function finish(message, failure) {
    if (message.content === "" && message.stats.finishReason !== "stop" && message.stats.finishReason !== "length") {
        conversation.dropAnswer();
    }
    if (message.stats.promptTokens !== undefined) routing.endTurn(message.stats.promptTokens);
    showConversation();
    showRunning();
    showStatus();
    save();
    if (failure) showFailure(failure, regenerate);
    else
        byId("announcer").textContent =
            document.querySelector("article:last-of-type .body > :last-child")?.textContent ?? "";
    if (matchMedia("(pointer: fine)").matches && document.activeElement === document.body) prompt.focus();
}

/**
 * @param {unknown} error
 * @param {() => void} retry
 */
function showFailure(error, retry) {
    dismissError?.();
    const { message, status, retryAfter } = error instanceof ApiError ? error : new ApiError(String(error));
    let timer = 0;
    const again = () => {
        dismissError?.();
        retry();
    };
    const waits = status === 429 || status === 503;
    const cancel = h("button", { type: "button", class: "quiet", click: () => dismissError?.() }, "Cancel");
    const box = chat.showError(
        message,
        h("button", { type: "button", click: again }, waits ? "Try now" : "Try again"),
        ...(waits ? [cancel] : []),
    );
    dismissError = () => {
        clearInterval(timer);
        box.remove();
        dismissError = null;
    };
    if (status === 401) {
        panels.open("settings");
        byId("key-hint").textContent = message; // on a phone the panel covers the error
        byId("key").focus();
    }
    if (waits) {
        const due = performance.now() + Math.max(1, retryAfter ?? DEFAULT_RETRY_SECONDS) * 1000;
        const tick = () => {
            const left = Math.ceil((due - performance.now()) / 1000);
            if (left <= 0) again();
            else box.setCountdown(`Trying again in ${left} s.`);
        };
        tick();
        timer = window.setInterval(tick, 500);
    }
}

// ---- what is on screen

function showConversation() {
    chat.show(conversation.messages);
    showWelcome();
}

function showWelcome() {
    const model = chosenModel();
    byId("welcome").hidden = conversation.messages.length > 0 || !model;
    if (!model) return;
    const context = model.max_model_len ? `, with a context of ${count(model.max_model_len, "token")}` : "";
    byId("about").textContent = `${model.id}${context}, runs on this server. Nothing you write leaves it.`;
}

function showRunning() {
    byId("send").hidden = running !== null;
    byId("stop").hidden = running === null;
}

/** @param {string} [text] while an answer is written; else the use of the context */
function showStatus(text) {
    const stats = conversation.messages.at(-1)?.stats;
    const context = chosenModel()?.max_model_len;
    // An answer that was stopped has no count of its prompt.
    const used = stats?.promptTokens ? stats.promptTokens + (stats.completionTokens ?? 0) : 0;
    const idle = context && used ? `${number(used)} of ${count(context, "token")} of context used` : "";
    byId("status").textContent = text ?? idle;
}

/** @param {string} text @param {...HTMLElement} buttons */
function notice(text, ...buttons) {
    const box = h("div", {}, text, ...buttons);
    byId("notice").replaceChildren(box);
    setTimeout(() => box.remove(), 8000);
}

function save() {
    if (!conversation.save()) notice("This browser's storage is full or forbidden: the conversation is not kept.");
}

// ---- events

function newChat() {
    running?.abort();
    const before = conversation.messages;
    conversation.messages = [];
    dismissError?.();
    routing.clear();
    showConversation();
    showStatus();
    save();
    prompt.focus();
    if (before.length === 0) return;
    const undo = h("button", { type: "button", class: "quiet" }, "Undo");
    undo.addEventListener("click", () => {
        running?.abort();
        conversation.messages = before;
        showConversation();
        save();
        byId("notice").replaceChildren();
    });
    notice("A new chat has begun.", undo);
}

function exportConversation() {
    const content = {
        exported: new Date().toISOString(),
        model: modelSelect.value,
        system: settings.system,
        parameters: settings.parameters(),
        messages: conversation.messages,
        routing: routing.log,
    };
    const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
    h("a", { href: url, download: "mixtral-conversation.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function clearStored() {
    conversation.messages = []; // leaving the page saves it once more
    for (const name of ["conversation", "settings", "model", "panel", "theme"]) storage.removeItem(`mixtral.${name}`);
    session.removeItem("mixtral.key");
    location.reload();
}

/** @param {string} theme "light", "dark" or "" for the system's */
function setTheme(theme) {
    if (theme === "") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    if (theme === "") storage.removeItem("mixtral.theme");
    else storage.setItem("mixtral.theme", theme);
    routing.redraw();
}

function listen() {
    byId("composer").addEventListener("submit", (event) => {
        event.preventDefault();
        if (!send(prompt.value.trim())) return;
        prompt.value = "";
        growPrompt();
    });
    prompt.addEventListener("keydown", (event) => {
        if (sends(event)) /** @type {HTMLFormElement} */ (byId("composer")).requestSubmit();
    });
    prompt.addEventListener("input", growPrompt);
    byId("stop").addEventListener("click", () => running?.abort());
    byId("new-chat").addEventListener("click", newChat);
    byId("key").addEventListener("change", () => void loadModels());
    byId("export").addEventListener("click", exportConversation);
    byId("reset").addEventListener("click", () => settings.reset());
    byId("clear").addEventListener("click", clearStored);
    modelSelect.addEventListener("change", () => storage.setItem("mixtral.model", modelSelect.value));
    const theme = /** @type {HTMLSelectElement} */ (byId("theme"));
    theme.value = document.documentElement.dataset.theme ?? "";
    theme.addEventListener("change", () => setTheme(theme.value));
    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !event.defaultPrevented && running) running.abort();
    });
    window.addEventListener("pagehide", () => conversation.save());
}

function growPrompt() {
    prompt.style.height = "auto";
    prompt.style.height = `${prompt.scrollHeight}px`;
}

function start() {
    conversation.load();
    byId("suggestions").append(
        ...SUGGESTIONS.map((text) => h("li", {}, h("button", { type: "button", click: () => send(text) }, text))),
    );
    byId("key-hint").textContent = KEY_HINT;
    listen();
    panels.restore("routing");
    showConversation();
    chat.scrollToEnd();
    void loadModels();
    if (matchMedia("(pointer: fine)").matches) prompt.focus();
}

start();
