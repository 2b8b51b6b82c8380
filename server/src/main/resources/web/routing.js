// Which experts each token of the conversation went to: the `x_routing` entries of the server, in arrays that hold
// thousands of tokens of 32 layers, and the statistics over them.

/**
 * @typedef {object} RoutingEntry one token, as the server sends it
 * @property {number} position in the sequence, prompt included
 * @property {string} token
 * @property {number} id
 * @property {number[][]} experts per layer, the experts that the router chose, best first
 * @property {number[][]} weights per layer, the weights of their outputs
 */

const MAX_EXPERTS = 256;

/** The routing of one sequence of tokens, by row; rows are in the order of their positions. */
export class RoutingLog {
    numLayers = 0;
    numExpertsPerToken = 0;
    /** Highest expert seen, plus one. */
    numExperts = 0;
    /** Rows held. */
    length = 0;
    /** Raised with every change, so that views know when to draw. */
    version = 0;
    /** @type {string[]} */
    #tokens = [];
    #positions = new Int32Array(0);
    #ids = new Int32Array(0);
    #experts = new Uint8Array(0);
    #weights = new Float32Array(0);
    /** Tokens per layer and expert; how often a layer's first expert was that of the token before. */
    #counts = new Uint32Array(0);
    #repeats = new Uint32Array(0);

    clear() {
        this.#reshape(0, 0);
        this.version++;
    }

    /**
     * Takes a token, which belongs at the end of the sequence or replaces its rest: a request repeats the conversation,
     * and the server sends what it computes from the first token on that was not in its cache, as it does again after it
     * had to take a request's cache away.
     *
     * @param {RoutingEntry} entry
     */
    add({ position, token, id, experts, weights }) {
        if (experts.length === 0) return; // a dense model
        if (experts.length !== this.numLayers || experts[0].length !== this.numExpertsPerToken) {
            this.#reshape(experts.length, experts[0].length);
        }
        this.#truncate(this.#firstAt(position));
        const row = this.length;
        this.#grow();
        this.#tokens[row] = token;
        this.#positions[row] = position;
        this.#ids[row] = id;
        const width = this.numLayers * this.numExpertsPerToken;
        for (let i = 0; i < width; i++) {
            const [layer, choice] = [Math.floor(i / this.numExpertsPerToken), i % this.numExpertsPerToken];
            this.#experts[row * width + i] = experts[layer][choice];
            this.#weights[row * width + i] = weights[layer][choice];
            this.numExperts = Math.max(this.numExperts, experts[layer][choice] + 1);
        }
        this.#count(row);
        this.version++;
    }

    /** @param {number} row */
    token(row) {
        return this.#tokens[row];
    }

    /** @param {number} row */
    id(row) {
        return this.#ids[row];
    }

    /** @param {number} row */
    position(row) {
        return this.#positions[row];
    }

    /**
     * @param {number} row
     * @param {number} layer
     * @param {number} choice 0 for the expert of the largest weight
     */
    expert(row, layer, choice) {
        return this.#experts[(row * this.numLayers + layer) * this.numExpertsPerToken + choice];
    }

    /**
     * @param {number} row
     * @param {number} layer
     * @param {number} choice
     */
    weight(row, layer, choice) {
        return this.#weights[(row * this.numLayers + layer) * this.numExpertsPerToken + choice];
    }

    /** @param {number} row @returns {number} tokens missing before this row: the server had them in its prefix cache */
    gapBefore(row) {
        return this.#positions[row] - (row === 0 ? 0 : this.#positions[row - 1] + 1);
    }

    /** @returns {Balance} */
    balance() {
        const layers = Array.from({ length: this.numLayers }, (_, layer) =>
            this.#counts.subarray(layer * MAX_EXPERTS, layer * MAX_EXPERTS + this.numExperts),
        );
        const sums = new Uint32Array(this.numExperts);
        for (const counts of layers) counts.forEach((count, expert) => (sums[expert] += count));
        const perLayer = layers.map(shares);
        const overall = shares(sums);
        let pairs = 0;
        for (let row = 1; row < this.length; row++) if (this.gapBefore(row) === 0) pairs++;
        const repeats = this.#repeats.reduce((sum, count) => sum + count, 0);
        return {
            overall,
            perLayer,
            effective: effectiveExperts(overall),
            effectivePerLayer: perLayer.map(effectiveExperts),
            repeats: pairs === 0 ? NaN : repeats / (pairs * this.numLayers),
        };
    }

    /** @returns {RoutingEntry[]} all rows in the form they came in, weights with four decimals */
    toJSON() {
        const choices = Array.from({ length: this.numExpertsPerToken }, (_, choice) => choice);
        const layers = Array.from({ length: this.numLayers }, (_, layer) => layer);
        return Array.from({ length: this.length }, (_, row) => ({
            position: this.position(row),
            token: this.token(row),
            id: this.id(row),
            experts: layers.map((layer) => choices.map((choice) => this.expert(row, layer, choice))),
            weights: layers.map((layer) =>
                choices.map((choice) => Math.round(this.weight(row, layer, choice) * 1e4) / 1e4),
            ),
        }));
    }

    /** @param {number} position @returns {number} first row at or after a position */
    #firstAt(position) {
        if (this.length === 0 || this.#positions[this.length - 1] < position) return this.length;
        let [low, high] = [0, this.length - 1];
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.#positions[middle] < position) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /** @param {number} length */
    #truncate(length) {
        if (length === this.length) return;
        this.length = length;
        this.#tokens.length = length;
        this.#counts.fill(0);
        this.#repeats.fill(0);
        for (let row = 0; row < length; row++) this.#count(row);
    }

    /** @param {number} row */
    #count(row) {
        const follows = row > 0 && this.gapBefore(row) === 0;
        for (let layer = 0; layer < this.numLayers; layer++) {
            for (let choice = 0; choice < this.numExpertsPerToken; choice++) {
                this.#counts[layer * MAX_EXPERTS + this.expert(row, layer, choice)]++;
            }
            if (follows && this.expert(row, layer, 0) === this.expert(row - 1, layer, 0)) this.#repeats[layer]++;
        }
    }

    #grow() {
        this.length++;
        if (this.length <= this.#positions.length) return;
        const capacity = Math.max(256, this.#positions.length * 2);
        const width = this.numLayers * this.numExpertsPerToken;
        this.#positions = enlarged(this.#positions, new Int32Array(capacity));
        this.#ids = enlarged(this.#ids, new Int32Array(capacity));
        this.#experts = enlarged(this.#experts, new Uint8Array(capacity * width));
        this.#weights = enlarged(this.#weights, new Float32Array(capacity * width));
    }

    /**
     * Forgets all rows, for a model of another shape.
     *
     * @param {number} numLayers
     * @param {number} numExpertsPerToken
     */
    #reshape(numLayers, numExpertsPerToken) {
        this.numLayers = numLayers;
        this.numExpertsPerToken = numExpertsPerToken;
        this.numExperts = 0;
        this.length = 0;
        this.#tokens = [];
        this.#positions = new Int32Array(0);
        this.#ids = new Int32Array(0);
        this.#experts = new Uint8Array(0);
        this.#weights = new Float32Array(0);
        this.#counts = new Uint32Array(numLayers * MAX_EXPERTS);
        this.#repeats = new Uint32Array(numLayers);
    }
}

/**
 * @typedef {object} Balance
 * @property {number[]} overall share of all assignments that each expert got; they sum to 1
 * @property {number[][]} perLayer the same within each layer
 * @property {number} effective see effectiveExperts
 * @property {number[]} effectivePerLayer
 * @property {number} repeats share of tokens whose first expert was that of the token before, over all layers; NaN
 *     before there are two tokens. By chance it is one over the number of experts (arXiv 2401.04088, table 5)
 */

/**
 * How many experts of equal load would be as mixed as these: the exponential of the entropy. All equal: their number;
 * one does it all: 1.
 *
 * @param {number[]} load shares that sum to 1
 */
export function effectiveExperts(load) {
    return Math.exp(-load.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0));
}

/**
 * @param {ArrayLike<number>} counts
 * @returns {number[]}
 */
function shares(counts) {
    const values = Array.from(counts);
    const total = values.reduce((sum, value) => sum + value, 0);
    return values.map((value) => (total === 0 ? 0 : value / total));
}

/**
 * @template {Int32Array | Uint8Array | Float32Array} T
 * @param {T} from
 * @param {T} to
 * @returns {T}
 */
function enlarged(from, to) {
    to.set(from);
    return to;
}

// Told apart by hue and by lightness, on white and on near-black; more experts than these get hues in between.
const COLOURS = ["#4477cc", "#ee8833", "#3f9f5f", "#d64550", "#8d6bc4", "#c9a227", "#2fa7b8", "#b0698f"];

/**
 * @param {number} expert
 * @returns {string} a CSS colour
 */
export function expertColour(expert) {
    return COLOURS[expert] ?? `hsl(${Math.round((expert * 137.5) % 360)} 55% 50%)`;
}

/**
 * @param {string} token
 * @returns {string} the token with its blanks and line ends made visible
 */
export function visibleToken(token) {
    return token === "" ? "∅" : token.replace(/ /g, "·").replace(/\n/g, "⏎").replace(/\t/g, "⇥");
}
