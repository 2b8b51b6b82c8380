// The conversation on screen: one article per message, and what can be done with each.

import { describeStats } from "./conversation.js";
import { byId, copyButton, h, oncePerFrame } from "./dom.js";
import { probabilities } from "./logprobs.js";
import { MarkdownView } from "./render.js";

/**
 * @typedef {import("./conversation.js").Message} Message
 *
 * @typedef {object} ChatActions
 * @property {() => void} regenerate
 * @property {(text: string) => void} edit sends another text in place of the last question
 */

const NEAR_END = 60;

export class ChatView {
    #list = byId("messages");
    #scroll = byId("scroll");
    #toEnd = byId("to-end");
    /** @type {{message: Message, markdown: MarkdownView, article: HTMLElement, announced: number} | null} */
    #answer = null;
    #following = true;

    /** Shows the answer's new text soon. */
    growAnswer = oncePerFrame(() => this.#grow());

    /** @param {ChatActions} actions */
    constructor(actions) {
        this.actions = actions;
        this.#scroll.addEventListener("scroll", () => this.#onScroll(), { passive: true });
        this.#toEnd.addEventListener("click", () => this.scrollToEnd());
        new ResizeObserver(() => this.#follow()).observe(this.#list);
    }

    /**
     * Shows all messages anew.
     *
     * @param {Message[]} messages
     */
    show(messages) {
        this.#answer = null;
        const lastQuestion = messages.findLastIndex(({ role }) => role === "user");
        this.#list.replaceChildren(
            ...messages.map((message, index) =>
                message.role === "user"
                    ? this.#question(message, index === lastQuestion)
                    : this.#finishedAnswer(message, index === messages.length - 1),
            ),
        );
    }

    /**
     * Shows an answer that is about to be written.
     *
     * @param {Message} message
     */
    beginAnswer(message) {
        const body = h(
            "div",
            { class: "body" },
            h("p", { class: "waiting", "aria-label": "Waiting for the answer" }, h("span"), h("span"), h("span")),
        );
        const article = h("article", { class: "message assistant", "aria-label": "Answer", "aria-busy": "true" }, body);
        this.#list.append(article);
        this.#answer = { message, markdown: new MarkdownView(body), article, announced: 0 };
        byId("announcer").textContent = "Answering";
        this.scrollToEnd();
    }

    /**
     * Says that something went wrong, below the messages.
     *
     * @param {string} text
     * @param {...HTMLElement} buttons
     * @returns {{setCountdown: (text: string) => void, remove: () => void}}
     */
    showError(text, ...buttons) {
        const countdown = h("p", { class: "muted" }); // outside the alert: nobody wants each second read out
        const box = h(
            "div",
            { class: "error" },
            h("p", { role: "alert" }, text),
            countdown,
            h("div", { class: "actions" }, ...buttons),
        );
        this.#list.append(box);
        this.scrollToEnd();
        return { setCountdown: (left) => (countdown.textContent = left), remove: () => box.remove() };
    }

    scrollToEnd() {
        this.#following = true;
        this.#follow();
    }

    #grow() {
        if (!this.#answer) return;
        const { message, markdown, article } = this.#answer;
        if (message.content === "") return;
        article.querySelector(".waiting")?.remove();
        markdown.update(message.content, true);
        this.#announce(this.#answer);
    }

    /**
     * Lets a screen reader speak each paragraph when it is complete, not each token.
     *
     * @param {{markdown: MarkdownView, announced: number}} answer
     */
    #announce(answer) {
        const blocks = answer.markdown.element.children;
        if (blocks.length - 1 <= answer.announced) return;
        byId("announcer").textContent = blocks[answer.announced].textContent;
        answer.announced++;
    }

    #follow() {
        if (this.#following) this.#scroll.scrollTop = this.#scroll.scrollHeight;
        this.#onScroll();
    }

    #onScroll() {
        const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
        this.#following = scrollTop + clientHeight >= scrollHeight - NEAR_END;
        this.#toEnd.hidden = this.#following;
    }

    /**
     * @param {Message} message
     * @param {boolean} isLast
     */
    #question(message, isLast) {
        const article = h(
            "article",
            { class: "message user", "aria-label": "Question" },
            h("div", { class: "body" }, message.content),
        );
        const edit = h("button", { type: "button", class: "quiet", click: () => this.#edit(article, message) }, "Edit");
        article.append(
            h(
                "div",
                { class: "actions" },
                copyButton(() => message.content, "quiet"),
                ...(isLast ? [edit] : []),
            ),
        );
        return article;
    }

    /**
     * @param {Message} message
     * @param {boolean} isLast
     */
    #finishedAnswer(message, isLast) {
        const body = h("div", { class: "body" });
        if (message.content === "") body.append(h("p", { class: "muted" }, "No text."));
        else new MarkdownView(body).update(message.content, false);
        const again = h(
            "button",
            { type: "button", class: "quiet", click: () => this.actions.regenerate() },
            "Regenerate",
        );
        return h(
            "article",
            { class: "message assistant", "aria-label": "Answer" },
            body,
            ...(message.logprobs?.length ? [probabilities(message.logprobs)] : []),
            h(
                "div",
                { class: "actions" },
                copyButton(() => message.content, "quiet"),
                ...(isLast ? [again] : []),
                h("span", { class: "stats" }, message.stats ? describeStats(message.stats) : ""),
            ),
        );
    }

    /**
     * @param {HTMLElement} article
     * @param {Message} message
     */
    #edit(article, message) {
        const before = [...article.childNodes];
        const field = h("textarea", {
            "aria-label": "Edit the question",
            rows: Math.min(12, message.content.split("\n").length + 1),
        });
        field.value = message.content;
        const cancel = () => {
            article.classList.remove("editing");
            article.replaceChildren(...before);
            /** @type {HTMLElement | null} */ (article.querySelector(".actions button:last-child"))?.focus();
        };
        const send = (/** @type {Event} */ event) => {
            event.preventDefault();
            if (field.value.trim() !== "") this.actions.edit(field.value.trim());
        };
        const form = h(
            "form",
            { submit: send },
            field,
            h(
                "div",
                { class: "actions" },
                h("button", { type: "button", click: cancel }, "Cancel"),
                h("button", { type: "submit", class: "primary" }, "Send"),
            ),
        );
        form.addEventListener("keydown", (event) => {
            if (event.key === "Escape") cancel();
            if (sends(event)) form.requestSubmit();
        });
        article.classList.add("editing");
        article.replaceChildren(form);
        field.focus();
    }
}

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} whether this key press sends a message, as Enter does unless it picks a word of an input method
 */
export function sends(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !(event.target instanceof HTMLTextAreaElement))
        return false;
    event.preventDefault();
    return true;
}
