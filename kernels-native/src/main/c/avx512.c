/* AVX-512 with VNNI: one register holds a quad of 16 rows, and a dot product of 4 neighbours is one instruction. */
#include <immintrin.h>
#include <string.h>

#include "mixtral_kernels.h"

enum { MX_PREFETCH = 1152 };

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
        const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(MX_TABLE_BYTES));
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

MX_INLINE __m512i dot4(__m512i sum, const __m512i *u, const int8_t *q) {
    for (int j = 0; j < 4; j++) {
        int32_t quad;
        memcpy(&quad, q + 4 * j, 4);
        sum = _mm512_dpbusd_epi32(sum, u[j], _mm512_set1_epi32(quad));
    }
    return sum;
}

/* Σ c·q as a float, less offset · Σ q. Integers below 2^24 throughout: exact. */
MX_INLINE __m512 signed_sum(struct mx_type t, __m512i sum, const float *sum_of_codes) {
    __m512 f = _mm512_cvtepi32_ps(sum);
    return t.offset ? _mm512_fnmadd_ps(_mm512_set1_ps((float)t.offset), _mm512_set1_ps(*sum_of_codes), f) : f;
}

MX_INLINE __m512 add_sub_block(struct mx_type t, __m512 acc, const __m512i *u, const __m512 *s, const __m512 *m,
    const int8_t *q, const float *meta) {
    __m512i zero = _mm512_setzero_si512();
    __m512 d = _mm512_set1_ps(meta[0]);
    __m512i first = dot4(zero, u, q);
    if (mx_half_groups(t)) {
        __m512i second = dot4(zero, u + 4, q + 16);
        acc = _mm512_fmadd_ps(signed_sum(t, first, meta + 5), _mm512_mul_ps(s[0], d), acc);
        acc = _mm512_fmadd_ps(signed_sum(t, second, meta + 6), _mm512_mul_ps(s[1], d), acc);
        if (mx_has_min(t)) {
            acc = _mm512_fmadd_ps(m[0], _mm512_set1_ps(meta[2]), acc);
            acc = _mm512_fmadd_ps(m[1], _mm512_set1_ps(meta[3]), acc);
        }
        return acc;
    }
    acc = _mm512_fmadd_ps(signed_sum(t, dot4(first, u + 4, q + 16), meta + 4), _mm512_mul_ps(s[0], d), acc);
    return mx_has_min(t) ? _mm512_fmadd_ps(m[0], _mm512_set1_ps(meta[1]), acc) : acc;
}

MX_INLINE void tile(struct mx_type t, const int P, const int N, const uint8_t *w, int64_t panel_bytes,
    struct mx_rows x, int64_t token, float *out) {
    __m512 acc[2][16];
    for (int p = 0; p < P; p++)
        for (int n = 0; n < N; n++) acc[p][n] = _mm512_setzero_ps();
    const int8_t *codes = x.codes + token * x.codes_stride;
    const float *meta = x.meta + token * x.meta_stride;
    for (int64_t col = 0; col < x.cols; col += t.super_cols) {
        __m512 d[2], dmin[2];
        for (int p = 0; p < P; p++) {
            d[p] = mx_has_super(t) ? halves(w + p * panel_bytes) : _mm512_setzero_ps();
            dmin[p] = mx_has_super(t) && mx_has_min(t) ? halves(w + p * panel_bytes + 32) : _mm512_setzero_ps();
        }
        w += mx_super_header(t);
        for (int sub = 0; sub < t.super_cols / MX_COLS; sub++) {
            for (int p = 0; p < P; p++) {
                const uint8_t *block = w + p * panel_bytes;
                if (N <= 4) {
                    for (int i = 0; i < mx_sub_bytes(t); i += 64)
                        _mm_prefetch((const char *)block + MX_PREFETCH + i, _MM_HINT_T0);
                }
                __m512i u[MX_QUADS];
                __m512 s[2], m[2];
                unpack(t, block + mx_scale_bytes(t), u);
                scales(t, d[p], dmin[p], block, s, m);
#pragma GCC unroll 16
                for (int n = 0; n < N; n++)
                    acc[p][n] = add_sub_block(t, acc[p][n], u, s, m, codes + n * x.codes_stride + 32 * sub,
                        meta + n * x.meta_stride + MX_META * sub);
            }
            w += mx_sub_bytes(t);
        }
        codes += t.super_cols;
        meta += t.super_cols / MX_COLS * MX_META;
    }
    for (int p = 0; p < P; p++)
        for (int n = 0; n < N; n++) _mm512_storeu_ps(out + (p * N + n) * MX_ROWS, acc[p][n]);
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
    int zero = max < 1e-30f;
    __m512 inverse = _mm512_set1_ps(zero ? 0 : 127 / max);
    __m512i qa = _mm512_setzero_si512(), qb = qa;
    if (!zero) {
        qa = _mm512_cvtps_epi32(_mm512_mul_ps(a, inverse));
        qb = _mm512_cvtps_epi32(_mm512_mul_ps(b, inverse));
    }
    _mm_storeu_si128((__m128i *)codes, _mm512_cvtepi32_epi8(qa));
    _mm_storeu_si128((__m128i *)(codes + 16), _mm512_cvtepi32_epi8(qb));
    float first = (float)_mm512_reduce_add_epi32(qa), second = (float)_mm512_reduce_add_epi32(qb);
    float d = finite ? (zero ? 0 : max / 127) : __builtin_nanf("");
    meta[0] = d;
    meta[1] = d * (first + second);
    meta[2] = d * first;
    meta[3] = d * second;
    meta[4] = first + second;
    meta[5] = first;
    meta[6] = second;
    meta[7] = 0;
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

#define MX_LARGE_TILES(name, ...) MX_TILE(name, 1, 8, __VA_ARGS__) MX_TILE(name, 1, 16, __VA_ARGS__)
#define MX_LARGE_TILE_NAMES(name) tile_##name##_1_8, tile_##name##_1_16
#include "tile.inc.h"

const struct mx_kernels mx_avx512 = {
    .tiles = {MX_FOR_EACH_TYPE(MX_TILE_ROW)},
    .silu_run = silu_run,
    .quantize = quantize,
};
