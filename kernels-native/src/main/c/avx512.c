/* AVX-512 with VNNI: one register holds a quad of 16 rows, and a dot product of 4 neighbours is one instruction. */
#include <immintrin.h>
#include <string.h>

#include "mixtral_kernels.h"

enum { MX_PREFETCH = 4608 };

MX_INLINE __m512i shifted(__m512i v, int left) {
    return left > 0 ? _mm512_slli_epi16(v, (unsigned)left) : left < 0 ? _mm512_srli_epi16(v, (unsigned)-left) : v;
}

/* Codes of 32 columns as unsigned bytes. Shifts are of 16 bits: what crosses a byte is masked away. */
MX_INLINE void unpack(struct mx_type t, const uint8_t *planes, __m512i u[MX_QUADS]) {
    if (t.low_bits == 8) {
        for (int j = 0; j < 8; j++) u[j] = _mm512_loadu_si512(planes + 64 * j);
    } else if (t.low_bits == 4) {
        const __m512i mask = _mm512_set1_epi8(15);
        for (int j = 0; j < 4; j++) {
            __m512i v = _mm512_loadu_si512(planes + 64 * j);
            u[j] = _mm512_and_si512(v, mask);
            u[j + 4] = _mm512_and_si512(_mm512_srli_epi16(v, 4), mask);
        }
    } else {
        const __m512i mask = _mm512_set1_epi8(3);
        for (int j = 0; j < 8; j++)
            u[j] = _mm512_and_si512(shifted(_mm512_loadu_si512(planes + 64 * (j / 4)), -2 * (j % 4)), mask);
    }
    const uint8_t *high = planes + mx_low_bytes(t);
    if (t.high_bits == 1) {
        const __m512i mask = _mm512_set1_epi8((char)(1 << t.low_bits));
        __m512i h = _mm512_loadu_si512(high);
        for (int j = 0; j < 8; j++) u[j] = _mm512_or_si512(u[j], _mm512_and_si512(shifted(h, t.low_bits - j), mask));
    } else if (t.high_bits == 2) {
        const __m512i mask = _mm512_set1_epi8((char)(3 << t.low_bits));
        for (int j = 0; j < 8; j++) {
            __m512i h = _mm512_loadu_si512(high + 64 * (j / 4));
            u[j] = _mm512_or_si512(u[j], _mm512_and_si512(shifted(h, t.low_bits - 2 * (j % 4)), mask));
        }
    }
    if (t.table) {
        const __m512i table = _mm512_broadcast_i32x4(t.table == 1 ? _mm_setr_epi8(MX_TABLE_1_BYTES) : _mm_setr_epi8(MX_TABLE_2_BYTES));
        for (int j = 0; j < 8; j++) u[j] = _mm512_shuffle_epi8(table, u[j]);
    }
}

MX_INLINE __m512 halves(const uint8_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
MX_INLINE __m512 signed_bytes(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
MX_INLINE __m512 unsigned_bytes(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

/* Scales and, with the sign that adds them, minima of both halves of a sub-block. */
MX_INLINE void scales(struct mx_type t, __m512 d, __m512 dmin, const uint8_t *sub, __m512 s[2], __m512 m[2]) {
    const __m512 zero = _mm512_setzero_ps();
    switch (t.scales) {
        case MX_HALF_MIN: m[0] = halves(sub + 32); /* fall through */
        case MX_HALF: s[0] = halves(sub); break;
        case MX_BYTES_MIN:
            m[0] = _mm512_sub_ps(zero, _mm512_mul_ps(dmin, unsigned_bytes(sub + 16))); /* fall through */
        case MX_BYTES: s[0] = _mm512_mul_ps(d, signed_bytes(sub)); break;
        case MX_BYTES_16:
            s[0] = _mm512_mul_ps(d, signed_bytes(sub));
            s[1] = _mm512_mul_ps(d, signed_bytes(sub + 16));
            break;
        case MX_NIBBLES_16:
            for (int half = 0; half < 2; half++) {
                __m512i pair = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(sub + 16 * half)));
                __m512i low = _mm512_and_si512(pair, _mm512_set1_epi32(15));
                s[half] = _mm512_mul_ps(d, _mm512_cvtepi32_ps(low));
                m[half] = _mm512_sub_ps(
                    zero, _mm512_mul_ps(dmin, _mm512_cvtepi32_ps(_mm512_srli_epi32(pair, 4))));
            }
            break;
    }
}

/* Sum of products with four quads at `q`. In assembly, because compilers load and broadcast apart, which makes the
 * innermost loop half as long again. */
MX_INLINE __m512i dot4(__m512i sum, const __m512i *u, const int8_t *q) {
    __asm__("vpdpbusd (%5)%{1to16%}, %1, %0\n\t"
            "vpdpbusd 4(%5)%{1to16%}, %2, %0\n\t"
            "vpdpbusd 8(%5)%{1to16%}, %3, %0\n\t"
            "vpdpbusd 12(%5)%{1to16%}, %4, %0"
            : "+v"(sum)
            : "v"(u[0]), "v"(u[1]), "v"(u[2]), "v"(u[3]), "r"(q), "m"(*(const int8_t(*)[16])q));
    return sum;
}

/* Σ c·q - offset · Σ q as a float. Subtracted as integers: the units that multiply floats have the products to do. */
MX_INLINE __m512 signed_sum(struct mx_type t, __m512i sum, const float *sum_of_codes) {
    if (t.offset) {
        __m512i codes = _mm512_cvttps_epi32(_mm512_set1_ps(*sum_of_codes));
        sum = _mm512_sub_epi32(sum, _mm512_slli_epi32(codes, (unsigned)__builtin_ctz((unsigned)t.offset)));
    }
    return _mm512_cvtepi32_ps(sum);
}

/* Adds a sub-block's contribution to 16 sums, given the dot products of its halves; of types with groups of 32 the first
 * is that of both. Integers stay below 2^24 throughout, so that their floats are exact. */
MX_INLINE __m512 accumulate(struct mx_type t, __m512 acc, __m512i first, __m512i second, const __m512 *s,
    const __m512 *m, const float *meta) {
    __m512 d = _mm512_set1_ps(meta[0]);
    if (mx_half_groups(t)) {
        acc = _mm512_fmadd_ps(signed_sum(t, first, meta + 5), _mm512_mul_ps(s[0], d), acc);
        acc = _mm512_fmadd_ps(signed_sum(t, second, meta + 6), _mm512_mul_ps(s[1], d), acc);
        if (mx_has_min(t)) {
            acc = _mm512_fmadd_ps(m[0], _mm512_set1_ps(meta[2]), acc);
            acc = _mm512_fmadd_ps(m[1], _mm512_set1_ps(meta[3]), acc);
        }
        return acc;
    }
    acc = _mm512_fmadd_ps(signed_sum(t, first, meta + 4), _mm512_mul_ps(s[0], d), acc);
    return mx_has_min(t) ? _mm512_fmadd_ps(m[0], _mm512_set1_ps(meta[1]), acc) : acc;
}

MX_INLINE __m512 add_sub_block(struct mx_type t, __m512 acc, const __m512i *u, const __m512 *s, const __m512 *m,
    const int8_t *q, const float *meta) {
    __m512i zero = _mm512_setzero_si512();
    /* Two sums of four products rather than one of eight: half the latency, more tokens under way. */
    __m512i first = dot4(zero, u, q), second = dot4(zero, u + 4, q + 16);
    if (!mx_half_groups(t)) first = _mm512_add_epi32(first, second);
    return accumulate(t, acc, first, second, s, m, meta);
}

/* Each of up to 16 sums is a variable of its own: an array would be kept in memory. */
#define MX_FOR_EACH_SUM(X) \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

/* One sub-block of one panel. */
struct sub_block {
    __m512i u[MX_QUADS];
    __m512 s[2], m[2];
};

MX_INLINE struct sub_block read_sub_block(struct mx_type t, const uint8_t *block, __m512 d, __m512 dmin) {
    struct sub_block b;
    unpack(t, block + mx_scale_bytes(t), b.u);
    scales(t, d, dmin, block, b.s, b.m);
    return b;
}

MX_INLINE void prefetch(struct mx_type t, const uint8_t *block) {
    for (int i = 0; i < mx_sub_bytes(t); i += 64) _mm_prefetch((const char *)block + MX_PREFETCH + i, _MM_HINT_T0);
}

/* Two panels of one token: two streams keep more cache misses in flight than one. */
MX_INLINE void two_panels(
    struct mx_type t, const uint8_t *w, int64_t panel_bytes, struct mx_rows x, int64_t token, float *out) {
    const int8_t *codes = x.codes + token * x.codes_stride;
    const float *meta = x.meta + token * x.meta_stride;
    __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, d0 = sum0, d1 = sum0, dmin0 = sum0, dmin1 = sum0;
    for (int64_t col = 0; col < x.cols; col += t.super_cols) {
        if (mx_has_super(t)) {
            d0 = halves(w);
            d1 = halves(w + panel_bytes);
            if (mx_has_min(t)) {
                dmin0 = halves(w + 32);
                dmin1 = halves(w + panel_bytes + 32);
            }
        }
        w += mx_super_header(t);
        for (int sub = 0; sub < t.super_cols / MX_COLS; sub++) {
            prefetch(t, w);
            prefetch(t, w + panel_bytes);
            struct sub_block b = read_sub_block(t, w, d0, dmin0);
            sum0 = add_sub_block(t, sum0, b.u, b.s, b.m, codes, meta);
            b = read_sub_block(t, w + panel_bytes, d1, dmin1);
            sum1 = add_sub_block(t, sum1, b.u, b.s, b.m, codes, meta);
            w += mx_sub_bytes(t);
            codes += MX_COLS;
            meta += MX_META;
        }
    }
    _mm512_storeu_ps(out, sum0);
    _mm512_storeu_ps(out + MX_ROWS, sum1);
}

MX_INLINE void tile(struct mx_type t, const int P, const int N, const uint8_t *w, int64_t panel_bytes,
    struct mx_rows x, int64_t token, float *out) {
    if (P == 2) {
        two_panels(t, w, panel_bytes, x, token, out);
        return;
    }
    const int8_t *codes = x.codes + token * x.codes_stride;
    const float *meta = x.meta + token * x.meta_stride;
    const int64_t cs = x.codes_stride, ms = x.meta_stride;
    __m512 d = _mm512_setzero_ps(), dmin = d;
#define MX_BEGIN(n) __m512 sum##n = _mm512_setzero_ps();
    MX_FOR_EACH_SUM(MX_BEGIN)
    for (int64_t col = 0; col < x.cols; col += t.super_cols) {
        if (mx_has_super(t)) {
            d = halves(w);
            if (mx_has_min(t)) dmin = halves(w + 32);
        }
        w += mx_super_header(t);
        for (int sub = 0; sub < t.super_cols / MX_COLS; sub++) {
            prefetch(t, w);
            struct sub_block b = read_sub_block(t, w, d, dmin);
            /* Pointers step from token to token: the empty assembly keeps compilers from holding one for each, which
             * would not fit the registers. */
            const int8_t *q = codes;
            const float *m = meta;
#define MX_STEP(n)                                                 \
    if (n < N) {                                                   \
        sum##n = add_sub_block(t, sum##n, b.u, b.s, b.m, q, m);    \
        q += cs;                                                   \
        m += ms;                                                   \
        __asm__("" : "+r"(q), "+r"(m));                            \
    }
            MX_FOR_EACH_SUM(MX_STEP)
            w += mx_sub_bytes(t);
            codes += MX_COLS;
            meta += MX_META;
        }
    }
#define MX_END(n) if (n < N) _mm512_storeu_ps(out + n * MX_ROWS, sum##n);
    MX_FOR_EACH_SUM(MX_END)
}

/* FloatMath.exp, lane by lane. */
MX_INLINE __m512 vexp(__m512 x) {
    const __m512 low = _mm512_set1_ps(-87.33655f), high = _mm512_set1_ps(88.37f), round = _mm512_set1_ps(12582912.0f);
    __m512 bounded = _mm512_max_ps(_mm512_min_ps(x, high), low);
    __m512 n = _mm512_sub_ps(_mm512_add_ps(_mm512_mul_ps(bounded, _mm512_set1_ps(1.442695f)), round), round);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-355.0f / 512), bounded);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.1219444e-4f), r);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(1.9875691e-4f), r, _mm512_set1_ps(0.0013981999f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.008333452f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.041665796f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.16666666f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1));
    __m512i power = _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvttps_epi32(n), _mm512_set1_epi32(127)), 23);
    __m512 e = _mm512_mul_ps(p, _mm512_castsi512_ps(power));
    e = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, low, _CMP_LT_OQ), e, _mm512_setzero_ps());
    e = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, high, _CMP_GT_OQ), e, _mm512_set1_ps(__builtin_inff()));
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), e, x);
}

MX_INLINE __m512 silu_times(__m512 z, __m512 up) {
    __m512 minus = _mm512_xor_ps(z, _mm512_set1_ps(-0.0f));
    return _mm512_mul_ps(_mm512_div_ps(z, _mm512_add_ps(_mm512_set1_ps(1), vexp(minus))), up);
}

/* QuantizedRows.quantize. */
MX_INLINE void quantize_run(__m512 a, __m512 b, int8_t *codes, float *meta) {
    const __m512 infinite = _mm512_set1_ps(__builtin_inff());
    __m512 abs_a = _mm512_abs_ps(a), abs_b = _mm512_abs_ps(b);
    int finite = (_mm512_cmp_ps_mask(abs_a, infinite, _CMP_LT_OQ) & _mm512_cmp_ps_mask(abs_b, infinite, _CMP_LT_OQ))
        == 0xffff;
    float max = finite ? _mm512_reduce_max_ps(_mm512_max_ps(abs_a, abs_b)) : 0;
    int zero = mx_is_zero(max);
    __m512 inverse = _mm512_set1_ps(zero ? 0 : 127 / max);
    __m512i qa = _mm512_setzero_si512(), qb = qa;
    if (!zero) {
        qa = _mm512_cvtps_epi32(_mm512_mul_ps(a, inverse));
        qb = _mm512_cvtps_epi32(_mm512_mul_ps(b, inverse));
    }
    _mm_storeu_si128((__m128i *)codes, _mm512_cvtepi32_epi8(qa));
    _mm_storeu_si128((__m128i *)(codes + 16), _mm512_cvtepi32_epi8(qb));
    float first = (float)_mm512_reduce_add_epi32(qa), second = (float)_mm512_reduce_add_epi32(qb);
    mx_put_meta(finite, max, first, second, meta);
}

static void silu_run(const float *gate0, const float *up0, const float *gate1, const float *up1, int8_t *codes,
    float *meta) {
    quantize_run(silu_times(_mm512_loadu_ps(gate0), _mm512_loadu_ps(up0)),
        silu_times(_mm512_loadu_ps(gate1), _mm512_loadu_ps(up1)), codes, meta);
}

static void quantize(const float *x, int64_t cols, int8_t *codes, float *meta) {
    for (int64_t c = 0; c < cols; c += MX_COLS, meta += MX_META)
        quantize_run(_mm512_loadu_ps(x + c), _mm512_loadu_ps(x + c + 16), codes + c, meta);
}

#ifndef MX_LARGE_TILES
#define MX_LARGE_TILES(name, ...) MX_TILE(name, 1, 8, __VA_ARGS__) MX_TILE(name, 1, 16, __VA_ARGS__)
#define MX_LARGE_TILE_NAMES(name) tile_##name##_1_8, tile_##name##_1_16
#define MX_KERNELS mx_avx512
#else
#include "amx_tile.inc.h"
#endif
#include "tile.inc.h"

typedef __m512 vfloat;
enum { VLEN = 16 };
/* Scores of four heads in 8 registers: fewer would wait for each other. */
#define MX_GROUPS 2
MX_INLINE vfloat vload(const float *p) { return _mm512_loadu_ps(p); }
MX_INLINE vfloat vload_half(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
MX_INLINE vfloat vload_bytes(const int8_t *p) { return signed_bytes((const uint8_t *)p); }
MX_INLINE void vstore(float *p, vfloat v) { _mm512_storeu_ps(p, v); }
MX_INLINE vfloat vset1(float x) { return _mm512_set1_ps(x); }
MX_INLINE vfloat vadd(vfloat a, vfloat b) { return _mm512_add_ps(a, b); }
MX_INLINE vfloat vmul(vfloat a, vfloat b) { return _mm512_mul_ps(a, b); }
MX_INLINE vfloat vmax(vfloat a, vfloat b) { return _mm512_max_ps(a, b); }
MX_INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) { return _mm512_fmadd_ps(a, b, c); }
#include "attention.inc.h"

const struct mx_kernels MX_KERNELS = {
    .tiles = {MX_FOR_EACH_TYPE(MX_TILE_ROW)},
    .silu_run = silu_run,
    .quantize = quantize,
    .attention = attention,
};
