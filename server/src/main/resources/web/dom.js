// Elements without innerHTML: text stays text, whatever a model writes.

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes] a function is an event listener under the event's name; false, null and
 *     undefined leave the attribute out
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") element.addEventListener(name, /** @type {EventListener} */ (value));
        else if (value === true) element.setAttribute(name, "");
        else if (value !== false && value != null) element.setAttribute(name, String(value));
    }
    element.append(...children);
    return element;
}

/**
 * Finds an element of index.html.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
    const element = document.getElementById(id);
    if (!element) throw new Error(`index.html has no element with id ${id}`);
    return /** @type {T} */ (element);
}

/**
 * Calls a function at most once per frame.
 *
 * @param {() => void} action
 * @returns {() => void}
 */
export function oncePerFrame(action) {
    let asked = false;
    return () => {
        if (asked) return;
        asked = true;
        requestAnimationFrame(() => {
            asked = false;
            action();
        });
    };
}

/**
 * A button that copies text and says so.
 *
 * @param {() => string} text
 * @param {string} className
 */
export function copyButton(text, className) {
    const button = h("button", { type: "button", class: className }, "Copy");
    button.addEventListener("click", async () => {
        const copied = await copy(text());
        button.textContent = copied ? "Copied" : "Not allowed";
        setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    return button;
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser allowed it
 */
async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        // The clipboard API wants HTTPS or localhost; a server in the local network has neither.
        const field = h("textarea", { class: "visually-hidden", "aria-hidden": "true" }, text);
        document.body.append(field);
        field.select();
        const copied = document.execCommand("copy");
        field.remove();
        return copied;
    }
}
