/* The kernels in plain C, one element at a time: what every instruction set is compared with. It follows PackedType,
 * PackedDecoder, PackedProducts, QuantizedRows and FloatMath of the Java code, and shares nothing with the kernels.
 *
 * Compile without contraction of floating-point operations (-ffp-contract=off).
 */
#ifndef PACKED_REFERENCE_H
#define PACKED_REFERENCE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { REF_ROWS = 16, REF_RUN = 32, REF_META = 8, REF_BLOCK = 64, REF_NUM_TYPES = 13 };

enum ref_scales { REF_HALF, REF_HALF_MIN, REF_BYTES, REF_BYTES_MIN, REF_BYTES_16, REF_NIBBLES_16 };

struct ref_type {
    const char *name;
    enum ref_scales scales;
    int super_cols, low_bits, high_bits, offset;
    const int8_t *table;
};

/* kvalues_iq4nl of ggml, and NonLinearQuants.nl3Value. */
static const int8_t ref_nl4[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const int8_t ref_nl3[] = {-127, -79, -45, -14, 14, 45, 79, 127};

/* PackedType, by number. */
static const struct ref_type ref_types[REF_NUM_TYPES] = {
    {"P4_0", REF_HALF, 32, 4, 0, 8, NULL},
    {"P4_1", REF_HALF_MIN, 32, 4, 0, 0, NULL},
    {"P5_0", REF_HALF, 32, 4, 1, 16, NULL},
    {"P5_1", REF_HALF_MIN, 32, 4, 1, 0, NULL},
    {"P8_0", REF_HALF, 32, 8, 0, 128, NULL},
    {"P2_K", REF_NIBBLES_16, 256, 2, 0, 0, NULL},
    {"P3_K", REF_BYTES_16, 256, 2, 1, 4, NULL},
    {"P4_K", REF_BYTES_MIN, 256, 4, 0, 0, NULL},
    {"P5_K", REF_BYTES_MIN, 256, 4, 1, 0, NULL},
    {"P6_K", REF_BYTES_16, 256, 4, 2, 32, NULL},
    {"P4_NL", REF_HALF, 32, 4, 0, 0, ref_nl4},
    {"P4_XS", REF_BYTES, 256, 4, 0, 0, ref_nl4},
    {"P3_NL", REF_BYTES, 256, 2, 1, 0, ref_nl3},
};

static int ref_has_min(const struct ref_type *t) {
    return t->scales == REF_HALF_MIN || t->scales == REF_BYTES_MIN || t->scales == REF_NIBBLES_16;
}
static int ref_half_groups(const struct ref_type *t) {
    return t->scales == REF_BYTES_16 || t->scales == REF_NIBBLES_16;
}
static int ref_has_super(const struct ref_type *t) { return t->super_cols > REF_RUN; }
static int64_t ref_super_header(const struct ref_type *t) {
    return !ref_has_super(t) ? 0 : ref_has_min(t) ? 4 * REF_ROWS : 2 * REF_ROWS;
}
static int64_t ref_scale_bytes(const struct ref_type *t) {
    static const int64_t bytes[] = {
        [REF_HALF] = 32, [REF_HALF_MIN] = 64, [REF_BYTES] = 16, [REF_BYTES_MIN] = 32, [REF_BYTES_16] = 32,
        [REF_NIBBLES_16] = 32};
    return bytes[t->scales];
}
static int64_t ref_sub_bytes(const struct ref_type *t) {
    return ref_scale_bytes(t) + REF_ROWS * REF_RUN * (t->low_bits + t->high_bits) / 8;
}
static int64_t ref_super_bytes(const struct ref_type *t) {
    return ref_super_header(t) + t->super_cols / REF_RUN * ref_sub_bytes(t);
}
static int64_t ref_panel_bytes(const struct ref_type *t, int64_t cols) {
    return cols / t->super_cols * ref_super_bytes(t);
}

/* A packed matrix. */
struct ref_matrix {
    const struct ref_type *type;
    int64_t cols;
    const uint8_t *data;
};

static const uint8_t *ref_super_block(const struct ref_matrix *w, int64_t row, int64_t sub) {
    const struct ref_type *t = w->type;
    return w->data + row / REF_ROWS * ref_panel_bytes(t, w->cols)
        + sub / (t->super_cols / REF_RUN) * ref_super_bytes(t);
}
static const uint8_t *ref_sub_block(const struct ref_matrix *w, int64_t row, int64_t sub) {
    const struct ref_type *t = w->type;
    return ref_super_block(w, row, sub) + ref_super_header(t) + sub % (t->super_cols / REF_RUN) * ref_sub_bytes(t);
}

/* Decodes a finite little-endian binary16. */
static float ref_half(const uint8_t *p) {
    int bits = p[0] | p[1] << 8;
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float magnitude = exponent == 0 ? ldexpf((float)fraction, -24) : ldexpf((float)(1024 + fraction), exponent - 25);
    return bits >> 15 ? -magnitude : magnitude;
}

static int ref_pair(const uint8_t *plane, int quad, int in_quad) {
    return plane[64 * (quad / 4) + in_quad] >> (2 * (quad % 4)) & 3;
}

/* PackedDecoder.integer: the integer that a code stands for. */
static int ref_integer(const struct ref_matrix *w, int64_t row, int64_t col) {
    const struct ref_type *t = w->type;
    const uint8_t *plane = ref_sub_block(w, row, col / REF_RUN) + ref_scale_bytes(t);
    const uint8_t *high = plane + REF_ROWS * REF_RUN * t->low_bits / 8;
    int quad = (int)(col % REF_RUN / 4), in_quad = (int)(4 * (row % REF_ROWS) + col % 4);
    int code = t->low_bits == 8 ? plane[64 * quad + in_quad]
        : t->low_bits == 4 ? plane[64 * (quad % 4) + in_quad] >> (4 * (quad / 4)) & 15
                           : ref_pair(plane, quad, in_quad);
    if (t->high_bits == 1) code |= (high[in_quad] >> quad & 1) << t->low_bits;
    if (t->high_bits == 2) code |= ref_pair(high, quad, in_quad) << t->low_bits;
    return t->table != NULL ? t->table[code] : code - t->offset;
}

/* PackedDecoder.scale: what the integers of a group are multiplied by. */
static float ref_scale(const struct ref_matrix *w, int64_t row, int64_t sub, int group) {
    const uint8_t *at = ref_sub_block(w, row, sub);
    int64_t lane = row % REF_ROWS;
    float d = ref_half((ref_has_super(w->type) ? ref_super_block(w, row, sub) : at) + 2 * lane);
    switch (w->type->scales) {
        case REF_BYTES:
        case REF_BYTES_MIN: return d * (float)(int8_t)at[lane];
        case REF_BYTES_16: return d * (float)(int8_t)at[REF_ROWS * group + lane];
        case REF_NIBBLES_16: return d * (float)(at[REF_ROWS * group + lane] & 15);
        default: return d;
    }
}

/* PackedDecoder.min: what is added to each weight of a group. */
static float ref_min(const struct ref_matrix *w, int64_t row, int64_t sub, int group) {
    const uint8_t *at = ref_sub_block(w, row, sub);
    const uint8_t *dmin = ref_super_block(w, row, sub) + 2 * (REF_ROWS + row % REF_ROWS);
    int64_t lane = row % REF_ROWS;
    switch (w->type->scales) {
        case REF_HALF_MIN: return ref_half(at + 2 * (REF_ROWS + lane));
        case REF_BYTES_MIN: return -(ref_half(dmin) * (float)at[REF_ROWS + lane]);
        case REF_NIBBLES_16: return -(ref_half(dmin) * (float)(at[REF_ROWS * group + lane] >> 4));
        default: return 0;
    }
}

/* Quantised activations, rows a stride apart. */
struct ref_rows {
    int8_t *codes;
    float *meta;
    int64_t codes_stride, meta_stride, cols;
};

/* PackedProducts.dot; `integers` are those of the row. */
static float ref_dot(const struct ref_matrix *w, int64_t row, const int *integers, const struct ref_rows *x,
    int64_t token) {
    const struct ref_type *t = w->type;
    const int8_t *q = x->codes + token * x->codes_stride;
    const float *meta = x->meta + token * x->meta_stride;
    float acc = 0;
    for (int64_t sub = 0; sub < w->cols / REF_RUN; sub++, meta += REF_META) {
        int sum[2] = {0, 0};
        for (int64_t c = 0; c < REF_RUN; c++) sum[c / 16] += integers[REF_RUN * sub + c] * q[REF_RUN * sub + c];
        if (ref_half_groups(t)) {
            for (int g = 0; g < 2; g++) acc = fmaf((float)sum[g], ref_scale(w, row, sub, g) * meta[0], acc);
            for (int g = 0; g < 2 && ref_has_min(t); g++) acc = fmaf(ref_min(w, row, sub, g), meta[2 + g], acc);
        } else {
            acc = fmaf((float)(sum[0] + sum[1]), ref_scale(w, row, sub, 0) * meta[0], acc);
            if (ref_has_min(t)) acc = fmaf(ref_min(w, row, sub, 0), meta[1], acc);
        }
    }
    return acc;
}

/* out[token][row] = w · x, `rows` floats for each token. */
static void ref_matmul(const struct ref_matrix *w, int64_t rows, const struct ref_rows *x, int64_t tokens, float *out) {
    int *integers = malloc((size_t)w->cols * sizeof *integers);
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t c = 0; c < w->cols; c++) integers[c] = ref_integer(w, row, c);
        for (int64_t token = 0; token < tokens; token++) out[token * rows + row] = ref_dot(w, row, integers, x, token);
    }
    free(integers);
}

/* FloatMath.exp. */
static float ref_exp(float x) {
    if (isnan(x)) return x;
    if (x < -87.33655f) return 0;
    if (x > 88.37f) return INFINITY;
    float n = x * 1.442695f + 12582912.0f - 12582912.0f;
    float r = fmaf(n, -355.0f / 512, x);
    r = fmaf(n, 2.1219444e-4f, r);
    float p = fmaf(1.9875691e-4f, r, 0.0013981999f);
    p = fmaf(p, r, 0.008333452f);
    p = fmaf(p, r, 0.041665796f);
    p = fmaf(p, r, 0.16666666f);
    p = fmaf(p, r, 0.5f);
    p = fmaf(p, r * r, r) + 1;
    return ldexpf(1, (int)n) * p;
}

/* FloatMath.silu. */
static float ref_silu(float z) { return z / (1 + ref_exp(-z)); }

/* QuantizedRows.quantize of one run. */
static void ref_quantize(const float *x, int8_t *codes, float *meta) {
    float max = 0;
    int finite = 1;
    for (int i = 0; i < REF_RUN; i++) {
        finite &= isfinite(x[i]) != 0;
        max = fmaxf(max, fabsf(x[i]));
    }
    int zero = max < 1e-30f;
    float sum[2] = {0, 0};
    for (int i = 0; i < REF_RUN; i++) {
        codes[i] = !finite || zero ? 0 : (int8_t)rintf(x[i] * (127 / max));
        sum[i / 16] += codes[i];
    }
    float d = !finite ? NAN : zero ? 0 : max / 127;
    const float of_run[REF_META] = {
        d, d * (sum[0] + sum[1]), d * sum[0], d * sum[1], sum[0] + sum[1], sum[0], sum[1], 0};
    memcpy(meta, of_run, sizeof of_run);
}

/* One run of Kernels.gateUp, given 64 rows of the product: gate, up, gate, up, 16 each. */
static void ref_gate_up(const float *product, int8_t *codes, float *meta) {
    float inner[REF_RUN];
    for (int i = 0; i < REF_RUN; i++) {
        const float *gate = product + 2 * REF_ROWS * (i / REF_ROWS) + i % REF_ROWS;
        inner[i] = ref_silu(gate[0]) * gate[REF_ROWS];
    }
    ref_quantize(inner, codes, meta);
}

/* Keys and values of one layer and KV head in blocks of 64 positions: KvLayout. */
enum ref_kv_type { REF_F32, REF_F16, REF_Q8_0 };
struct ref_cache {
    const int64_t *blocks;
    int64_t head_dim, keys_at, values_at;
    enum ref_kv_type type;
};
enum { REF_CHUNK = 512, REF_KV_RUN = 32 };

static int64_t ref_kv_scales(const struct ref_cache *kv) {
    return kv->type == REF_Q8_0 ? (kv->head_dim + REF_KV_RUN - 1) / REF_KV_RUN : 0;
}
static int64_t ref_kv_element(const struct ref_cache *kv) { return kv->type == REF_F32 ? 4 : kv->type == REF_F16 ? 2 : 1; }
static int64_t ref_kv_row(const struct ref_cache *kv) {
    return 2 * ref_kv_scales(kv) + ref_kv_element(kv) * kv->head_dim;
}
/* Offsets in a block. */
static int64_t ref_key_scale_at(const struct ref_cache *kv, int64_t j, int64_t i) {
    int64_t group = kv->keys_at + j / REF_ROWS * REF_ROWS * ref_kv_row(kv);
    return group + 2 * (i / REF_KV_RUN * REF_ROWS + j % REF_ROWS);
}
static int64_t ref_key_at(const struct ref_cache *kv, int64_t j, int64_t i) {
    int64_t group = kv->keys_at + j / REF_ROWS * REF_ROWS * ref_kv_row(kv);
    return group + 2 * REF_ROWS * ref_kv_scales(kv) + ref_kv_element(kv) * (i * REF_ROWS + j % REF_ROWS);
}
static int64_t ref_value_scale_at(const struct ref_cache *kv, int64_t j, int64_t i) {
    return kv->values_at + 2 * (j * ref_kv_scales(kv) + i / REF_KV_RUN);
}
static int64_t ref_value_at(const struct ref_cache *kv, int64_t j, int64_t i) {
    return kv->values_at + 2 * REF_BLOCK * ref_kv_scales(kv) + ref_kv_element(kv) * (j * kv->head_dim + i);
}

static float ref_kv(const struct ref_cache *kv, int64_t position, int64_t at, int64_t scale_at) {
    const uint8_t *block = (const uint8_t *)(intptr_t)kv->blocks[position / REF_BLOCK];
    float full;
    if (kv->type == REF_F16) return ref_half(block + at);
    if (kv->type == REF_Q8_0) return (float)(int8_t)block[at] * ref_half(block + scale_at);
    memcpy(&full, block + at, 4);
    return full;
}
static float ref_key(const struct ref_cache *kv, int64_t position, int64_t i) {
    int64_t j = position % REF_BLOCK;
    return ref_kv(kv, position, ref_key_at(kv, j, i), ref_key_scale_at(kv, j, i));
}
static float ref_value(const struct ref_cache *kv, int64_t position, int64_t i) {
    int64_t j = position % REF_BLOCK;
    return ref_kv(kv, position, ref_value_at(kv, j, i), ref_value_scale_at(kv, j, i));
}

/* out = softmax(q · kᵀ · scale) · v for one query head, in double. */
static void ref_attention(const struct ref_cache *kv, const float *q, int64_t positions, float scale, double *out) {
    double *p = malloc((size_t)positions * sizeof *p), max = -INFINITY, sum = 0;
    for (int64_t j = 0; j < positions; j++) {
        p[j] = 0;
        for (int64_t i = 0; i < kv->head_dim; i++) p[j] += (double)q[i] * (double)ref_key(kv, j, i);
        p[j] *= (double)scale;
        max = fmax(max, p[j]);
    }
    for (int64_t i = 0; i < kv->head_dim; i++) out[i] = 0;
    for (int64_t j = 0; j < positions; j++) {
        p[j] = exp(p[j] - max);
        sum += p[j];
        for (int64_t i = 0; i < kv->head_dim; i++) out[i] += p[j] * (double)ref_value(kv, j, i);
    }
    for (int64_t i = 0; i < kv->head_dim; i++) out[i] /= sum;
    free(p);
}

/* One chunk of one query head as Kernels defines it: weighted values, the maximum, the sum. */
static void ref_attention_chunk(const struct ref_cache *kv, const float *q, int64_t chunk, int64_t positions, float scale,
    float *part) {
    const int64_t dim = kv->head_dim, from = chunk * REF_CHUNK;
    const int64_t n = positions - from < REF_CHUNK ? positions - from : REF_CHUNK;
    float p[REF_CHUNK], max = -INFINITY, lanes[REF_ROWS] = {0}, sum = 0;
    for (int64_t j = 0; j < n; j++) {
        p[j] = 0;
        for (int64_t i = 0; i < dim; i++) p[j] = fmaf(ref_key(kv, from + j, i), q[i], p[j]);
        p[j] *= scale;
        max = fmaxf(max, p[j]);
    }
    for (int64_t j = 0; j < n; j++) lanes[j % REF_ROWS] += p[j] = ref_exp(p[j] - max);
    for (int i = 0; i < REF_ROWS; i++) sum += lanes[i];
    for (int64_t i = 0; i < dim; i++) {
        part[i] = 0;
        for (int64_t j = 0; j < n; j++) part[i] = fmaf(p[j], ref_value(kv, from + j, i), part[i]);
    }
    part[dim] = max;
    part[dim + 1] = sum;
}

/* Joins the chunks of one query head as Kernels defines it. */
static void ref_attention_join(const float *parts, int64_t chunks, int64_t stride, int64_t dim, float *out) {
    float max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < dim; i++) out[i] = 0;
    for (int64_t c = 0; c < chunks; c++, parts += stride) {
        float new_max = fmaxf(max, parts[dim]), before = ref_exp(max - new_max), now = ref_exp(parts[dim] - new_max);
        sum = fmaf(parts[dim + 1], now, sum * before);
        for (int64_t i = 0; i < dim; i++) out[i] = fmaf(parts[i], now, out[i] * before);
        max = new_max;
    }
    for (int64_t i = 0; i < dim; i++) out[i] *= 1 / sum;
}

#endif
