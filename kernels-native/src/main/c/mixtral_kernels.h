/* Kernels on packed weights: what Java calls, and the table of types that all instruction sets share.
 *
 * The layout of packed weights is dev.mixtral.tensor.PackedType's; quantised activations are
 * dev.mixtral.tensor.QuantizedRows; the arithmetic is defined, operation by operation, by dev.mixtral.kernel.Kernels.
 * Results are the same bits on every instruction set. For that, nothing here may be compiled with contraction of
 * floating-point operations or any other unsafe optimisation.
 */
#ifndef MIXTRAL_KERNELS_H
#define MIXTRAL_KERNELS_H

#include <stdint.h>

#define MX_EXPORT __attribute__((visibility("default")))
#define MX_INLINE static inline __attribute__((always_inline))

enum { MX_ROWS = 16, MX_COLS = 32, MX_META = 8, MX_QUADS = 8, MX_MAX_HEAD_DIM = 256 };

/* How a sub-block stores its scales: PackedType.Scales, in its order. */
enum mx_scales { MX_HALF, MX_HALF_MIN, MX_BYTES, MX_BYTES_MIN, MX_BYTES_16, MX_NIBBLES_16 };

/* One packed type. Passed by value with constant fields into functions that are always inlined, so that every loop is
 * compiled for its type. */
struct mx_type {
    enum mx_scales scales;
    int super_cols;
    int low_bits;
    int high_bits;
    int offset;
    int table;
};

/* X(name, number of PackedType, scales, super_cols, low_bits, high_bits, offset, table) */
#define MX_FOR_EACH_TYPE(X)                    \
    X(p4_0, 0, MX_HALF, 32, 4, 0, 8, 0)        \
    X(p4_1, 1, MX_HALF_MIN, 32, 4, 0, 0, 0)    \
    X(p5_0, 2, MX_HALF, 32, 4, 1, 16, 0)       \
    X(p5_1, 3, MX_HALF_MIN, 32, 4, 1, 0, 0)    \
    X(p8_0, 4, MX_HALF, 32, 8, 0, 128, 0)      \
    X(p2_k, 5, MX_NIBBLES_16, 256, 2, 0, 0, 0) \
    X(p3_k, 6, MX_BYTES_16, 256, 2, 1, 4, 0)   \
    X(p4_k, 7, MX_BYTES_MIN, 256, 4, 0, 0, 0)  \
    X(p5_k, 8, MX_BYTES_MIN, 256, 4, 1, 0, 0)  \
    X(p6_k, 9, MX_BYTES_16, 256, 4, 2, 32, 0)  \
    X(p4_nl, 10, MX_HALF, 32, 4, 0, 128, 1)    \
    X(p4_xs, 11, MX_BYTES, 256, 4, 0, 128, 1)   \
    X(p3_nl, 12, MX_BYTES, 256, 2, 1, 128, 2)
enum { MX_NUM_TYPES = 13 };

MX_INLINE int mx_has_min(struct mx_type t) {
    return t.scales == MX_HALF_MIN || t.scales == MX_BYTES_MIN || t.scales == MX_NIBBLES_16;
}
MX_INLINE int mx_half_groups(struct mx_type t) { return t.scales == MX_BYTES_16 || t.scales == MX_NIBBLES_16; }
MX_INLINE int mx_has_super(struct mx_type t) { return t.super_cols > MX_COLS; }
MX_INLINE int mx_super_header(struct mx_type t) { return mx_has_super(t) ? (mx_has_min(t) ? 64 : 32) : 0; }
MX_INLINE int mx_scale_bytes(struct mx_type t) {
    return t.scales == MX_HALF_MIN ? 64 : t.scales == MX_BYTES ? 16 : 32;
}
MX_INLINE int mx_low_bytes(struct mx_type t) { return 64 * t.low_bits; }
MX_INLINE int mx_sub_bytes(struct mx_type t) { return mx_scale_bytes(t) + 64 * (t.low_bits + t.high_bits); }
MX_INLINE int64_t mx_super_bytes(struct mx_type t) {
    return mx_super_header(t) + (int64_t)(t.super_cols / MX_COLS) * mx_sub_bytes(t);
}
MX_INLINE int64_t mx_panel_bytes(struct mx_type t, int64_t cols) { return cols / t.super_cols * mx_super_bytes(t); }

/* The tables, as unsigned bytes: entry + 128. 1: kvalues_iq4nl of ggml, 2: DType.NL3 (twice, as only 8 are used). */
#define MX_TABLE_1_BYTES                                                                                     \
    (char)1, (char)24, (char)45, (char)63, (char)79, (char)93, (char)106, (char)118, (char)129, (char)141,   \
        (char)153, (char)166, (char)181, (char)197, (char)217, (char)241
#define MX_TABLE_2_BYTES                                                                                     \
    (char)1, (char)49, (char)83, (char)114, (char)142, (char)173, (char)207, (char)255, (char)1, (char)49,   \
        (char)83, (char)114, (char)142, (char)173, (char)207, (char)255

/* Quantised rows of activations: MX_COLS columns share MX_META floats. Strides are in elements. */
struct mx_rows {
    const int8_t *codes;
    const float *meta;
    int64_t codes_stride;
    int64_t meta_stride;
    int64_t cols;
};

/* Whether a run of QuantizedRows is all zeros: below this the inverse of its greatest magnitude could overflow. */
MX_INLINE int mx_is_zero(float max) { return max < 1e-30f; }

/* The floats of a run of QuantizedRows, given its greatest magnitude (0 where a number is not finite) and the sums of the
 * first and last 16 codes. */
MX_INLINE void mx_put_meta(int finite, float max, float first, float second, float *meta) {
    float d = finite ? (mx_is_zero(max) ? 0 : max / 127) : __builtin_nanf("");
    meta[0] = d;
    meta[1] = d * (first + second);
    meta[2] = d * first;
    meta[3] = d * second;
    meta[4] = first + second;
    meta[5] = first;
    meta[6] = second;
    meta[7] = 0;
}

/* out[p][n][r] = w · x for P neighbouring panels and N tokens from `token` on, 16 floats each. */
typedef void mx_tile_fn(const uint8_t *w, int64_t panel_bytes, struct mx_rows x, int64_t token, float *out);

/* The tiles of one packed type: two panels of one token, then one panel of so many tokens. */
enum {
    MX_TWO_PANELS,
    MX_TOKENS_1,
    MX_TOKENS_2,
    MX_TOKENS_3,
    MX_TOKENS_4,
    MX_TOKENS_8,
    MX_TOKENS_16,
    MX_NUM_TILES
};

/* How keys and values are stored: dev.mixtral.kvcache.KvType, by its numbers. */
enum mx_kv_type { MX_F32, MX_F16, MX_Q8_0 };

/* Attention of neighbouring rows over the cache of their sequence, for the query heads that share a KV head: of all
 * chunks, joined, or of one row's chunks [from_chunk, to_chunk) apart. */
struct mx_attention {
    const float *q;        /* [rows][heads][head_dim], rotated; rows are q_stride apart */
    float *out;            /* the same, out_stride apart; or [to_chunk - from_chunk][heads][head_dim + 2] */
    const int64_t *blocks; /* addresses of the blocks of 64 positions */
    int64_t rows;
    int64_t q_stride;
    int64_t out_stride;
    int64_t heads;         /* query heads that share the KV head */
    int64_t head_dim;      /* a multiple of 16, at most MX_MAX_HEAD_DIM */
    int64_t keys_at;       /* offset in a block of this layer's and head's keys: 4 groups, KvLayout */
    int64_t values_at;     /* likewise of the values */
    int64_t positions;     /* positions that the first row attends to; each further row one more */
    int64_t from_chunk;
    int64_t to_chunk;      /* 0: all, joined */
    float scale;           /* 1 / sqrt(head_dim) */
    enum mx_kv_type type;
};

/* The kernels of one instruction set. */
struct mx_kernels {
    /* NULL for tiles that do not fit the registers, or do not pay. */
    mx_tile_fn *tiles[MX_NUM_TYPES][MX_NUM_TILES];
    /* Quantises silu(gate) * up of 32 columns, given as two halves. */
    void (*silu_run)(const float *gate0, const float *up0, const float *gate1, const float *up1, int8_t *codes,
        float *meta);
    void (*quantize)(const float *x, int64_t cols, int8_t *codes, float *meta);
    void (*attention)(const struct mx_attention *a);
};

extern const struct mx_kernels mx_avx2, mx_avx512, mx_amx, mx_neon;

#endif
