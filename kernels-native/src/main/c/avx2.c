/* AVX2 with FMA and F16C: a quad of 16 rows is two registers of 8 rows, and products of bytes are summed in 16 bits
 * for as long as they fit. */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "mixtral_kernels.h"

/* Prefetched ahead, in bytes, and the most tokens of a tile. */
enum { MX_PREFETCH = 4608, MX_MAX_TOKENS = 4 };

MX_INLINE __m256i shifted(__m256i v, int left) {
    return left > 0 ? _mm256_slli_epi16(v, left) : left < 0 ? _mm256_srli_epi16(v, -left) : v;
}

MX_INLINE __m256i load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }

/* Whether codes are kept as signed integers, because unsigned ones would overflow 16 bits after one addition. */
MX_INLINE int is_signed(struct mx_type t) { return t.low_bits == 8 || t.table; }

/* Codes of columns [4 * j, 4 * j + 4) of 8 rows: unsigned, or the integers they stand for where is_signed. */
MX_INLINE __m256i quad(struct mx_type t, const uint8_t *planes, int j) {
    if (t.low_bits == 8) return _mm256_xor_si256(load(planes + 64 * j), _mm256_set1_epi8((char)128));
    /* A plane of 4 bits has 4 quads in its low halves and 4 in the high ones; one of 2 bits has two times 4. */
    __m256i low = t.low_bits == 4 ? shifted(load(planes + 64 * (j % 4)), j < 4 ? 0 : -4)
                                  : shifted(load(planes + 64 * (j / 4)), -2 * (j % 4));
    __m256i u = _mm256_and_si256(low, _mm256_set1_epi8((char)((1 << t.low_bits) - 1)));
    if (t.high_bits > 0) {
        const uint8_t *high = planes + mx_low_bytes(t);
        __m256i bits = t.high_bits == 1 ? shifted(load(high), t.low_bits - j)
                                        : shifted(load(high + 64 * (j / 4)), t.low_bits - 2 * (j % 4));
        const __m256i mask = _mm256_set1_epi8((char)(((1 << t.high_bits) - 1) << t.low_bits));
        u = _mm256_or_si256(u, _mm256_and_si256(bits, mask));
    }
    if (t.table) {
        const __m128i table = t.table == 1 ? _mm_setr_epi8(MX_TABLE_1_BYTES) : _mm_setr_epi8(MX_TABLE_2_BYTES);
        const __m256i both = _mm256_xor_si256(_mm256_broadcastsi128_si256(table), _mm256_set1_epi8((char)128));
        u = _mm256_shuffle_epi8(both, u);
    }
    return u;
}

MX_INLINE __m256 halves(const uint8_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
MX_INLINE __m256i eight_bytes(const uint8_t *p, int is_signed_byte) {
    __m128i v = _mm_loadl_epi64((const __m128i *)p);
    return is_signed_byte ? _mm256_cvtepi8_epi32(v) : _mm256_cvtepu8_epi32(v);
}
MX_INLINE __m256 signed_bytes(const uint8_t *p) { return _mm256_cvtepi32_ps(eight_bytes(p, 1)); }
MX_INLINE __m256 unsigned_bytes(const uint8_t *p) { return _mm256_cvtepi32_ps(eight_bytes(p, 0)); }

/* Scales and, with the sign that adds them, minima of both halves of a sub-block, for rows [8 * h, 8 * h + 8). */
MX_INLINE void scales(struct mx_type t, __m256 d, __m256 dmin, const uint8_t *sub, int h, __m256 s[2], __m256 m[2]) {
    const __m256 zero = _mm256_setzero_ps();
    switch (t.scales) {
        case MX_HALF_MIN: m[0] = halves(sub + 32 + 16 * h); /* fall through */
        case MX_HALF: s[0] = halves(sub + 16 * h); break;
        case MX_BYTES_MIN:
            m[0] = _mm256_sub_ps(zero, _mm256_mul_ps(dmin, unsigned_bytes(sub + 16 + 8 * h))); /* fall through */
        case MX_BYTES: s[0] = _mm256_mul_ps(d, signed_bytes(sub + 8 * h)); break;
        case MX_BYTES_16:
            s[0] = _mm256_mul_ps(d, signed_bytes(sub + 8 * h));
            s[1] = _mm256_mul_ps(d, signed_bytes(sub + 16 + 8 * h));
            break;
        case MX_NIBBLES_16:
            for (int half = 0; half < 2; half++) {
                __m256i pair = eight_bytes(sub + 16 * half + 8 * h, 0);
                __m256i low = _mm256_and_si256(pair, _mm256_set1_epi32(15));
                s[half] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(low));
                m[half] = _mm256_sub_ps(zero, _mm256_mul_ps(dmin, _mm256_cvtepi32_ps(_mm256_srli_epi32(pair, 4))));
            }
            break;
    }
}

/* How many quads can be summed up in 16 bits: neighbouring products make 2 * 127 times the greatest code each. */
MX_INLINE int quads_in_16_bits(struct mx_type t) {
    int bits = t.low_bits + t.high_bits;
    return is_signed(t) ? 1 : bits <= 4 && !mx_half_groups(t) ? 8 : bits <= 5 ? 4 : 2;
}

/* A sum that the compiler leaves where it stands: put off, dozens of products would wait in memory. */
MX_INLINE __m256i sum_now(__m256i sum, __m256i product) {
    sum = _mm256_add_epi16(sum, product);
    __asm__("" : "+x"(sum));
    return sum;
}

/* Dot products of a sub-block, 16 rows, with N tokens: of its first 16 columns in sums[n][0] and of the others in
 * sums[n][1], for rows [8 * h, 8 * h + 8) in sums[n][.][h]; or all of it in sums[n][1]. Quad by quad for all rows and
 * tokens at once, so that the halves of the rows share a broadcast activation, and the sums of 4 tokens leave
 * registers for two quads. */
MX_INLINE void dot(struct mx_type t, const int N, const uint8_t *planes, const int8_t *codes, int64_t stride,
    __m256i sums[MX_MAX_TOKENS][2][2]) {
    const __m256i ones = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
    const int run = quads_in_16_bits(t);
    __m256i s[MX_MAX_TOKENS][2];
#pragma GCC unroll 8
    for (int j = 0; j < MX_QUADS; j++) {
        const __m256i u[2] = {quad(t, planes, j), quad(t, planes + 32, j)};
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) {
            int32_t activations;
            memcpy(&activations, codes + n * stride + 4 * j, 4);
            const __m256i a = _mm256_set1_epi32(activations);
#pragma GCC unroll 2
            for (int h = 0; h < 2; h++) {
                /* The absolute value of -128 is right as an unsigned byte, and no activation is -128. */
                __m256i product = is_signed(t) ? _mm256_maddubs_epi16(_mm256_abs_epi8(u[h]), _mm256_sign_epi8(a, u[h]))
                                               : _mm256_maddubs_epi16(u[h], a);
                s[n][h] = j % run == 0 ? product : sum_now(s[n][h], product);
                if (j % run == run - 1) {
                    int half = mx_half_groups(t) ? j / 4 : 1;
                    int is_first = j == run - 1 || (mx_half_groups(t) && j == 4 + run - 1);
                    __m256i wide = _mm256_madd_epi16(s[n][h], ones);
                    sums[n][half][h] = _mm256_add_epi32(is_first ? zero : sums[n][half][h], wide);
                }
            }
        }
    }
}

/* The dot product as a float, less offset · Σ q. Integers below 2^24 throughout: exact. */
MX_INLINE __m256 signed_sum(struct mx_type t, __m256i sum, const float *sum_of_codes) {
    __m256 f = _mm256_cvtepi32_ps(sum);
    return t.offset && !is_signed(t)
        ? _mm256_fnmadd_ps(_mm256_set1_ps((float)t.offset), _mm256_set1_ps(*sum_of_codes), f) : f;
}

/* Adds a sub-block of 8 rows, given its dot products with the first and with all or the last columns. */
MX_INLINE __m256 add_sub_block(struct mx_type t, __m256 acc, __m256i first, __m256i second, const __m256 *s,
    const __m256 *m, const float *meta) {
    __m256 d = _mm256_set1_ps(meta[0]);
    if (mx_half_groups(t)) {
        acc = _mm256_fmadd_ps(signed_sum(t, first, meta + 5), _mm256_mul_ps(s[0], d), acc);
        acc = _mm256_fmadd_ps(signed_sum(t, second, meta + 6), _mm256_mul_ps(s[1], d), acc);
        if (mx_has_min(t)) {
            acc = _mm256_fmadd_ps(m[0], _mm256_set1_ps(meta[2]), acc);
            acc = _mm256_fmadd_ps(m[1], _mm256_set1_ps(meta[3]), acc);
        }
        return acc;
    }
    acc = _mm256_fmadd_ps(signed_sum(t, second, meta + 4), _mm256_mul_ps(s[0], d), acc);
    return mx_has_min(t) ? _mm256_fmadd_ps(m[0], _mm256_set1_ps(meta[1]), acc) : acc;
}

MX_INLINE void tile(struct mx_type t, const int P, const int N, const uint8_t *w, int64_t panel_bytes,
    struct mx_rows x, int64_t token, float *out) {
    __m256 acc[2][MX_MAX_TOKENS][2];
    for (int p = 0; p < P; p++)
        for (int n = 0; n < N; n++) acc[p][n][0] = acc[p][n][1] = _mm256_setzero_ps();
    const int8_t *codes = x.codes + token * x.codes_stride;
    const float *meta = x.meta + token * x.meta_stride;
    for (int64_t col = 0; col < x.cols; col += t.super_cols) {
        const uint8_t *super = w;
        w += mx_super_header(t);
        for (int sub = 0; sub < t.super_cols / MX_COLS; sub++) {
            for (int p = 0; p < P; p++) {
                const uint8_t *block = w + p * panel_bytes;
                for (int i = 0; i < mx_sub_bytes(t); i += 64)
                    _mm_prefetch((const char *)block + MX_PREFETCH + i, _MM_HINT_T0);
                __m256i sums[MX_MAX_TOKENS][2][2];
                dot(t, N, block + mx_scale_bytes(t), codes + MX_COLS * sub, x.codes_stride, sums);
                for (int h = 0; h < 2; h++) {
                    const uint8_t *of_super = super + p * panel_bytes + 16 * h;
                    __m256 d = mx_has_super(t) ? halves(of_super) : _mm256_setzero_ps();
                    __m256 dmin = mx_has_super(t) && mx_has_min(t) ? halves(of_super + 32) : _mm256_setzero_ps();
                    __m256 s[2], m[2];
                    scales(t, d, dmin, block, h, s, m);
#pragma GCC unroll 4
                    for (int n = 0; n < N; n++)
                        acc[p][n][h] = add_sub_block(t, acc[p][n][h], sums[n][0][h], sums[n][1][h], s, m,
                            meta + n * x.meta_stride + MX_META * sub);
                }
            }
            w += mx_sub_bytes(t);
        }
        codes += t.super_cols;
        meta += t.super_cols / MX_COLS * MX_META;
    }
    for (int p = 0; p < P; p++)
        for (int n = 0; n < N; n++)
            for (int h = 0; h < 2; h++) _mm256_storeu_ps(out + (p * N + n) * MX_ROWS + 8 * h, acc[p][n][h]);
}

/* FloatMath.exp, lane by lane. */
MX_INLINE __m256 vexp(__m256 x) {
    const __m256 low = _mm256_set1_ps(-87.33655f), high = _mm256_set1_ps(88.37f), round = _mm256_set1_ps(12582912.0f);
    __m256 bounded = _mm256_max_ps(_mm256_min_ps(x, high), low);
    __m256 n = _mm256_sub_ps(_mm256_add_ps(_mm256_mul_ps(bounded, _mm256_set1_ps(1.442695f)), round), round);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-355.0f / 512), bounded);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(2.1219444e-4f), r);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(1.9875691e-4f), r, _mm256_set1_ps(0.0013981999f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.008333452f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.041665796f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.16666666f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1));
    __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvttps_epi32(n), _mm256_set1_epi32(127)), 23);
    __m256 e = _mm256_mul_ps(p, _mm256_castsi256_ps(power));
    e = _mm256_blendv_ps(e, _mm256_setzero_ps(), _mm256_cmp_ps(x, low, _CMP_LT_OQ));
    e = _mm256_blendv_ps(e, _mm256_set1_ps(__builtin_inff()), _mm256_cmp_ps(x, high, _CMP_GT_OQ));
    return _mm256_blendv_ps(e, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

MX_INLINE __m256 silu_times(__m256 z, __m256 up) {
    __m256 minus = _mm256_xor_ps(z, _mm256_set1_ps(-0.0f));
    return _mm256_mul_ps(_mm256_div_ps(z, _mm256_add_ps(_mm256_set1_ps(1), vexp(minus))), up);
}

MX_INLINE float max_of(__m256 v) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

MX_INLINE float sum_of(__m256i v) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return (float)_mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

/* QuantizedRows.quantize. */
MX_INLINE void quantize_run(const __m256 x[4], int8_t *codes, float *meta) {
    const __m256 sign = _mm256_set1_ps(-0.0f), infinite = _mm256_set1_ps(__builtin_inff());
    __m256 biggest = _mm256_setzero_ps();
    int finite = 0xff;
    for (int i = 0; i < 4; i++) {
        __m256 magnitude = _mm256_andnot_ps(sign, x[i]);
        finite &= _mm256_movemask_ps(_mm256_cmp_ps(magnitude, infinite, _CMP_LT_OQ));
        biggest = _mm256_max_ps(biggest, magnitude);
    }
    float max = finite == 0xff ? max_of(biggest) : 0;
    int zero = mx_is_zero(max);
    __m256i q[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    if (!zero) {
        __m256 inverse = _mm256_set1_ps(127 / max);
        for (int i = 0; i < 4; i++) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(x[i], inverse));
    }
    /* Packing works on 128-bit lanes; the permutation puts their quads of bytes into order. */
    __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)codes, bytes);
    float first = sum_of(_mm256_add_epi32(q[0], q[1])), second = sum_of(_mm256_add_epi32(q[2], q[3]));
    mx_put_meta(finite == 0xff, max, first, second, meta);
}

static void silu_run(const float *gate0, const float *up0, const float *gate1, const float *up1, int8_t *codes,
    float *meta) {
    __m256 x[4] = {
        silu_times(_mm256_loadu_ps(gate0), _mm256_loadu_ps(up0)),
        silu_times(_mm256_loadu_ps(gate0 + 8), _mm256_loadu_ps(up0 + 8)),
        silu_times(_mm256_loadu_ps(gate1), _mm256_loadu_ps(up1)),
        silu_times(_mm256_loadu_ps(gate1 + 8), _mm256_loadu_ps(up1 + 8)),
    };
    quantize_run(x, codes, meta);
}

static void quantize(const float *x, int64_t cols, int8_t *codes, float *meta) {
    for (int64_t c = 0; c < cols; c += MX_COLS, meta += MX_META) {
        __m256 run[4];
        for (int i = 0; i < 4; i++) run[i] = _mm256_loadu_ps(x + c + 8 * i);
        quantize_run(run, codes + c, meta);
    }
}

/* Eight tokens would need more registers than there are. */
#define MX_LARGE_TILES(name, ...)
#define MX_LARGE_TILE_NAMES(name) NULL, NULL
#include "tile.inc.h"

typedef __m256 vfloat;
enum { VLEN = 8 };
/* Sums of four heads in 8 registers, half of all. */
#define MX_VALUES 16
MX_INLINE vfloat vload(const float *p) { return _mm256_loadu_ps(p); }
MX_INLINE vfloat vload_half(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
MX_INLINE vfloat vload_bytes(const int8_t *p) { return signed_bytes((const uint8_t *)p); }
MX_INLINE void vstore(float *p, vfloat v) { _mm256_storeu_ps(p, v); }
MX_INLINE vfloat vset1(float x) { return _mm256_set1_ps(x); }
MX_INLINE vfloat vadd(vfloat a, vfloat b) { return _mm256_add_ps(a, b); }
MX_INLINE vfloat vmul(vfloat a, vfloat b) { return _mm256_mul_ps(a, b); }
MX_INLINE vfloat vmax(vfloat a, vfloat b) { return _mm256_max_ps(a, b); }
MX_INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) { return _mm256_fmadd_ps(a, b, c); }
#include "attention.inc.h"

const struct mx_kernels mx_avx2 = {
    .tiles = {MX_FOR_EACH_TYPE(MX_TILE_ROW)},
    .silu_run = silu_run,
    .quantize = quantize,
    .attention = attention,
};
