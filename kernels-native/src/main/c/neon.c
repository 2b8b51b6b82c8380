/* NEON with dot products of bytes (FEAT_DotProd): a quad of 16 rows is four registers of 4 rows each. Dot products take
 * signed bytes on both sides, so codes become the integers they stand for as soon as they are unpacked. */
#include <arm_neon.h>
#include <string.h>

#include "mixtral_kernels.h"

enum { MX_PREFETCH = 4608, MX_LANES = 4, MX_PARTS = MX_ROWS / MX_LANES };

MX_INLINE uint8x16_t shifted(uint8x16_t v, int left) { return left > 0 ? v << left : left < 0 ? v >> -left : v; }

/* The table of a type that has one, signed. */
MX_INLINE int8x16_t table_of(struct mx_type t) {
    static const uint8_t tables[][16] = {{MX_TABLE_1_BYTES}, {MX_TABLE_2_BYTES}};
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(tables[t.table - 1]), vdupq_n_u8(128)));
}

/* Codes of 32 columns of 4 rows as the integers they stand for. */
MX_INLINE void unpack(struct mx_type t, const uint8_t *planes, int8x16_t c[MX_QUADS]) {
    uint8x16_t u[MX_QUADS];
    if (t.low_bits == 8) {
        for (int j = 0; j < 8; j++) u[j] = vld1q_u8(planes + 64 * j);
    } else if (t.low_bits == 4) {
        for (int j = 0; j < 4; j++) {
            uint8x16_t v = vld1q_u8(planes + 64 * j);
            u[j] = vandq_u8(v, vdupq_n_u8(15));
            u[j + 4] = shifted(v, -4);
        }
    } else {
        for (int j = 0; j < 8; j++)
            u[j] = vandq_u8(shifted(vld1q_u8(planes + 64 * (j / 4)), -2 * (j % 4)), vdupq_n_u8(3));
    }
    const uint8_t *high = planes + mx_low_bytes(t);
    const uint8x16_t high_mask = vdupq_n_u8((uint8_t)(((1 << t.high_bits) - 1) << t.low_bits));
    if (t.high_bits == 1) {
        uint8x16_t h = vld1q_u8(high);
        for (int j = 0; j < 8; j++) u[j] = vorrq_u8(u[j], vandq_u8(shifted(h, t.low_bits - j), high_mask));
    } else if (t.high_bits == 2) {
        for (int j = 0; j < 8; j++) {
            uint8x16_t h = vld1q_u8(high + 64 * (j / 4));
            u[j] = vorrq_u8(u[j], vandq_u8(shifted(h, t.low_bits - 2 * (j % 4)), high_mask));
        }
    }
    for (int j = 0; j < 8; j++) {
        c[j] = t.table ? vqtbl1q_s8(table_of(t), u[j])
            : vreinterpretq_s8_u8(t.offset ? vsubq_u8(u[j], vdupq_n_u8((uint8_t)t.offset)) : u[j]);
    }
}

MX_INLINE float32x4_t halves(const uint8_t *p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }
MX_INLINE uint32x2_t four_bytes(const uint8_t *p) {
    uint32_t bytes;
    memcpy(&bytes, p, 4);
    return vdup_n_u32(bytes);
}
MX_INLINE float32x4_t signed_bytes(const uint8_t *p) {
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(four_bytes(p))))));
}
MX_INLINE uint32x4_t widened(const uint8_t *p) {
    return vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(four_bytes(p)))));
}

/* Scales and, with the sign that adds them, minima of both halves of a sub-block, for rows [4 * part, 4 * part + 4). */
MX_INLINE void scales(struct mx_type t, const uint8_t *super, const uint8_t *sub, int part, float32x4_t s[2],
    float32x4_t m[2]) {
    const float32x4_t zero = vdupq_n_f32(0);
    const float32x4_t d = mx_has_super(t) ? halves(super + 8 * part) : zero;
    const float32x4_t dmin = mx_has_super(t) && mx_has_min(t) ? halves(super + 32 + 8 * part) : zero;
    const uint8_t *bytes = sub + 4 * part;
    switch (t.scales) {
        case MX_HALF_MIN: m[0] = halves(sub + 32 + 8 * part); /* fall through */
        case MX_HALF: s[0] = halves(sub + 8 * part); break;
        case MX_BYTES_MIN: m[0] = vnegq_f32(vmulq_f32(dmin, vcvtq_f32_u32(widened(bytes + 16)))); /* fall through */
        case MX_BYTES: s[0] = vmulq_f32(d, signed_bytes(bytes)); break;
        case MX_BYTES_16:
            s[0] = vmulq_f32(d, signed_bytes(bytes));
            s[1] = vmulq_f32(d, signed_bytes(bytes + 16));
            break;
        case MX_NIBBLES_16:
            for (int half = 0; half < 2; half++) {
                uint32x4_t pair = widened(bytes + 16 * half);
                s[half] = vmulq_f32(d, vcvtq_f32_u32(vandq_u32(pair, vdupq_n_u32(15))));
                m[half] = vnegq_f32(vmulq_f32(dmin, vcvtq_f32_u32(vshrq_n_u32(pair, 4))));
            }
            break;
    }
}

/* Sum of products with four quads. */
MX_INLINE int32x4_t dot4(int32x4_t sum, const int8x16_t *c, int8x16_t q) {
    sum = vdotq_laneq_s32(sum, c[0], q, 0);
    sum = vdotq_laneq_s32(sum, c[1], q, 1);
    sum = vdotq_laneq_s32(sum, c[2], q, 2);
    return vdotq_laneq_s32(sum, c[3], q, 3);
}

MX_INLINE float32x4_t add_sub_block(struct mx_type t, float32x4_t acc, const int8x16_t *c, const float32x4_t *s,
    const float32x4_t *m, const int8_t *q, const float *meta) {
    const int32x4_t zero = vdupq_n_s32(0);
    const float32x4_t x = vld1q_f32(meta);
    int32x4_t first = dot4(zero, c, vld1q_s8(q));
    int32x4_t second = dot4(mx_half_groups(t) ? zero : first, c + 4, vld1q_s8(q + 16));
    if (mx_half_groups(t)) {
        acc = vfmaq_f32(acc, vcvtq_f32_s32(first), vmulq_laneq_f32(s[0], x, 0));
        acc = vfmaq_f32(acc, vcvtq_f32_s32(second), vmulq_laneq_f32(s[1], x, 0));
        if (mx_has_min(t)) {
            acc = vfmaq_laneq_f32(acc, m[0], x, 2);
            acc = vfmaq_laneq_f32(acc, m[1], x, 3);
        }
        return acc;
    }
    acc = vfmaq_f32(acc, vcvtq_f32_s32(second), vmulq_laneq_f32(s[0], x, 0));
    return mx_has_min(t) ? vfmaq_laneq_f32(acc, m[0], x, 1) : acc;
}

/* Four rows at a time, so that their integers stay in registers for all tokens. Sums are kept at `out`: loading and
 * storing them once in eight dot products costs little, and leaves registers for any number of tokens. */
MX_INLINE void tile(struct mx_type t, const int P, const int N, const uint8_t *w, int64_t panel_bytes,
    struct mx_rows x, int64_t token, float *out) {
    memset(out, 0, (size_t)(P * N * MX_ROWS) * sizeof(float));
    const int8_t *codes = x.codes + token * x.codes_stride;
    const float *meta = x.meta + token * x.meta_stride;
    for (int64_t col = 0; col < x.cols; col += t.super_cols) {
        const uint8_t *super = w;
        w += mx_super_header(t);
        for (int sub = 0; sub < t.super_cols / MX_COLS; sub++) {
            for (int p = 0; p < P; p++) {
                const uint8_t *block = w + p * panel_bytes;
                for (int i = 0; i < mx_sub_bytes(t); i += 64) __builtin_prefetch(block + MX_PREFETCH + i);
                /* Not unrolled: compilers would unpack all parts first, for which there are not enough registers. */
#pragma GCC unroll 1
                for (int part = 0; part < MX_PARTS; part++) {
                    int8x16_t c[MX_QUADS];
                    float32x4_t s[2], m[2];
                    unpack(t, block + mx_scale_bytes(t) + 16 * part, c);
                    scales(t, super + p * panel_bytes, block, part, s, m);
                    float *sum = out + p * MX_ROWS + MX_LANES * part;
#pragma GCC unroll 4
                    for (int n = 0; n < N; n++, sum += MX_ROWS)
                        vst1q_f32(sum, add_sub_block(t, vld1q_f32(sum), c, s, m, codes + n * x.codes_stride,
                            meta + n * x.meta_stride));
                }
            }
            w += mx_sub_bytes(t);
            codes += MX_COLS;
            meta += MX_META;
        }
    }
}

/* FloatMath.exp, lane by lane. */
MX_INLINE float32x4_t vexp(float32x4_t x) {
    const float32x4_t low = vdupq_n_f32(-87.33655f), high = vdupq_n_f32(88.37f), round = vdupq_n_f32(12582912.0f);
    float32x4_t bounded = vmaxq_f32(vminq_f32(x, high), low);
    float32x4_t n = vsubq_f32(vaddq_f32(vmulq_f32(bounded, vdupq_n_f32(1.442695f)), round), round);
    float32x4_t r = vfmaq_f32(bounded, n, vdupq_n_f32(-355.0f / 512));
    r = vfmaq_f32(r, n, vdupq_n_f32(2.1219444e-4f));
    float32x4_t p = vfmaq_f32(vdupq_n_f32(0.0013981999f), vdupq_n_f32(1.9875691e-4f), r);
    p = vfmaq_f32(vdupq_n_f32(0.008333452f), p, r);
    p = vfmaq_f32(vdupq_n_f32(0.041665796f), p, r);
    p = vfmaq_f32(vdupq_n_f32(0.16666666f), p, r);
    p = vfmaq_f32(vdupq_n_f32(0.5f), p, r);
    p = vaddq_f32(vfmaq_f32(r, p, vmulq_f32(r, r)), vdupq_n_f32(1));
    int32x4_t power = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    float32x4_t e = vmulq_f32(p, vreinterpretq_f32_s32(power));
    e = vbslq_f32(vcltq_f32(x, low), vdupq_n_f32(0), e);
    e = vbslq_f32(vcgtq_f32(x, high), vdupq_n_f32(__builtin_inff()), e);
    return vbslq_f32(vceqq_f32(x, x), e, x);
}

MX_INLINE float32x4_t silu_times(const float *gate, const float *up) {
    float32x4_t z = vld1q_f32(gate);
    return vmulq_f32(vdivq_f32(z, vaddq_f32(vdupq_n_f32(1), vexp(vnegq_f32(z)))), vld1q_f32(up));
}

/* QuantizedRows.quantize. */
MX_INLINE void quantize_run(const float32x4_t x[8], int8_t *codes, float *meta) {
    float32x4_t biggest = vdupq_n_f32(0);
    uint32x4_t below_infinity = vdupq_n_u32(UINT32_MAX);
    for (int i = 0; i < 8; i++) {
        float32x4_t magnitude = vabsq_f32(x[i]);
        below_infinity = vandq_u32(below_infinity, vcltq_f32(magnitude, vdupq_n_f32(__builtin_inff())));
        biggest = vmaxq_f32(biggest, magnitude);
    }
    int finite = vminvq_u32(below_infinity) != 0;
    float max = finite ? vmaxvq_f32(biggest) : 0;
    int zero = mx_is_zero(max);
    float32x4_t inverse = vdupq_n_f32(zero ? 0 : 127 / max);
    int32x4_t q[8];
    for (int i = 0; i < 8; i++) q[i] = zero ? vdupq_n_s32(0) : vcvtnq_s32_f32(vmulq_f32(x[i], inverse));
    int32_t sums[2];
    for (int half = 0; half < 2; half++) {
        const int32x4_t *h = q + 4 * half;
        int16x8_t low = vcombine_s16(vmovn_s32(h[0]), vmovn_s32(h[1]));
        int16x8_t high = vcombine_s16(vmovn_s32(h[2]), vmovn_s32(h[3]));
        vst1q_s8(codes + 16 * half, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
        sums[half] = vaddvq_s32(vaddq_s32(vaddq_s32(h[0], h[1]), vaddq_s32(h[2], h[3])));
    }
    float first = (float)sums[0], second = (float)sums[1];
    mx_put_meta(finite, max, first, second, meta);
}

static void silu_run(const float *gate0, const float *up0, const float *gate1, const float *up1, int8_t *codes,
    float *meta) {
    float32x4_t x[8];
    for (int i = 0; i < 4; i++) {
        x[i] = silu_times(gate0 + 4 * i, up0 + 4 * i);
        x[i + 4] = silu_times(gate1 + 4 * i, up1 + 4 * i);
    }
    quantize_run(x, codes, meta);
}

static void quantize(const float *x, int64_t cols, int8_t *codes, float *meta) {
    for (int64_t c = 0; c < cols; c += MX_COLS, meta += MX_META) {
        float32x4_t run[8];
        for (int i = 0; i < 8; i++) run[i] = vld1q_f32(x + c + 4 * i);
        quantize_run(run, codes + c, meta);
    }
}

#define MX_LARGE_TILES(name, ...) MX_TILE(name, 1, 8, __VA_ARGS__) MX_TILE(name, 1, 16, __VA_ARGS__)
#define MX_LARGE_TILE_NAMES(name) tile_##name##_1_8, tile_##name##_1_16
#include "tile.inc.h"

typedef float32x4_t vfloat;
enum { VLEN = 4 };
/* Sums of four heads in 16 registers, half of all. */
#define MX_VALUES 16
MX_INLINE vfloat vload(const float *p) { return vld1q_f32(p); }
MX_INLINE vfloat vload_half(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
MX_INLINE vfloat vload_bytes(const int8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
}
MX_INLINE void vstore(float *p, vfloat v) { vst1q_f32(p, v); }
MX_INLINE vfloat vset1(float x) { return vdupq_n_f32(x); }
MX_INLINE vfloat vadd(vfloat a, vfloat b) { return vaddq_f32(a, b); }
MX_INLINE vfloat vmul(vfloat a, vfloat b) { return vmulq_f32(a, b); }
MX_INLINE vfloat vmax(vfloat a, vfloat b) { return vmaxq_f32(a, b); }
MX_INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) { return vfmaq_f32(c, a, b); }
#include "attention.inc.h"

const struct mx_kernels mx_neon = {
    .tiles = {MX_FOR_EACH_TYPE(MX_TILE_ROW)},
    .silu_run = silu_run,
    .quantize = quantize,
    .attention = attention,
};
