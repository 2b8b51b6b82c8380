// The panels beside the chat: one is open at a time; on a small screen it covers the rest.

import { byId } from "./dom.js";

const STORE = "mixtral.panel";

export class Panels {
    #narrow = matchMedia("(max-width: 60rem)"); // as in style.css

    /**
     * @param {string[]} names ids of the panels; `show-…` are those of their buttons
     * @param {Pick<Storage, "getItem" | "setItem">} storage
     * @param {() => void} onChange called after a panel was opened or closed
     */
    constructor(names, storage, onChange) {
        this.names = names;
        this.storage = storage;
        this.onChange = onChange;
        for (const name of names) this.#listen(name);
        this.#narrow.addEventListener("change", () => this.#shield());
    }

    /** @param {string} first panel for a reader who is here for the first time */
    restore(first) {
        const name = this.storage.getItem(STORE) ?? first;
        this.open(!this.#narrow.matches && this.names.includes(name) ? name : "");
    }

    /** @param {string} name the others close; "" closes all */
    open(name) {
        for (const panel of this.names) {
            byId(panel).hidden = panel !== name;
            byId(`show-${panel}`).setAttribute("aria-expanded", String(panel === name));
        }
        this.#shield();
        if (name !== "" && this.#narrow.matches) byId(`close-${name}`).focus();
        this.storage.setItem(STORE, name);
        this.onChange();
    }

    /** @param {string} name */
    #listen(name) {
        const close = () => {
            this.open("");
            byId(`show-${name}`).focus();
        };
        byId(`show-${name}`).addEventListener("click", () => this.open(byId(name).hidden ? name : ""));
        byId(`close-${name}`).addEventListener("click", close);
        byId(name).addEventListener("keydown", (event) => {
            if (event.key !== "Escape" || event.defaultPrevented) return;
            event.preventDefault();
            close();
        });
    }

    /** Keeps the keyboard and screen readers out of what a panel covers. */
    #shield() {
        const covered = this.#narrow.matches && this.names.some((name) => !byId(name).hidden);
        for (const part of document.querySelectorAll("header, main")) part.toggleAttribute("inert", covered);
    }
}
