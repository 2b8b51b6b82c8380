/* Attention of one position over a cached sequence, for the query heads that share a KV head; layouts are those of
 * dev.mixtral.kvcache.KvLayout. The includer defines a vector of floats and its operations:
 *
 *   vfloat, VLEN, vload, vload_half, vstore, vset1, vadd, vmul, vmax, vfma, vexp
 *
 * and perhaps MX_VALUES, the elements of values that are summed at a time: a multiple of 16.
 *
 * Positions are taken in chunks of MX_CHUNK from the beginning of the sequence, each with a softmax of its own, which
 * are then joined (flash attention, arXiv 2205.14135): scores stay in the first-level cache, and the result depends on
 * the sequence alone.
 */
#ifndef MX_VALUES
#define MX_VALUES 64
#endif
enum { MX_CHUNK = 512, MX_BLOCK = 64, MX_MAX_HEADS = 4, MX_KEY_AHEAD = 2048 };

MX_INLINE vfloat kv_load(const int is_half, const void *p, int64_t i) {
    return is_half ? vload_half((const uint16_t *)p + i) : vload((const float *)p + i);
}

/* scores[h][j] = q_h · k_j / sqrt(head_dim) for 16 positions: even and odd elements are summed apart. */
MX_INLINE void key_group(const int is_half, const int H, const float *q, int64_t head_dim, const void *keys,
    vfloat scale, float *scores) {
    for (int part = 0; part < 16; part += VLEN) {
        vfloat even[MX_MAX_HEADS], odd[MX_MAX_HEADS];
        for (int h = 0; h < H; h++) even[h] = odd[h] = vset1(0);
        for (int64_t i = 0; i < head_dim; i += 2) {
            vfloat k0 = kv_load(is_half, keys, 16 * i + part), k1 = kv_load(is_half, keys, 16 * i + 16 + part);
            __builtin_prefetch((const char *)keys + (is_half ? 2 : 4) * 16 * i + MX_KEY_AHEAD);
            for (int h = 0; h < H; h++) {
                even[h] = vfma(k0, vset1(q[h * head_dim + i]), even[h]);
                odd[h] = vfma(k1, vset1(q[h * head_dim + i + 1]), odd[h]);
            }
        }
        for (int h = 0; h < H; h++) vstore(scores + h * MX_CHUNK + part, vmul(vadd(even[h], odd[h]), scale));
    }
}

/* out[h][i] = out[h][i] * factor[h] + Σ_j p[h][j] v_j[i] for `n` positions of a block and N vectors of elements. */
MX_INLINE void add_values(const int is_half, const int H, const int N, const void *values, int64_t head_dim, int64_t n,
    const float *p, float *out) {
    vfloat sum[MX_MAX_HEADS][MX_VALUES / VLEN];
    for (int h = 0; h < H; h++)
        for (int v = 0; v < N; v++) sum[h][v] = vload(out + h * head_dim + v * VLEN);
    for (int64_t j = 0; j < n; j++) {
        for (int v = 0; v < N; v++) {
            vfloat x = kv_load(is_half, values, j * head_dim + v * VLEN);
            for (int h = 0; h < H; h++) sum[h][v] = vfma(x, vset1(p[h * MX_CHUNK + j]), sum[h][v]);
        }
        __builtin_prefetch((const char *)values + (is_half ? 2 : 4) * (j + 16) * head_dim);
    }
    for (int h = 0; h < H; h++)
        for (int v = 0; v < N; v++) vstore(out + h * head_dim + v * VLEN, sum[h][v]);
}

/* Turns scores of `n` positions into exp(score - max), with the maximum so far, and returns what earlier sums are to be
 * multiplied by. */
MX_INLINE float soften(float *scores, int64_t n, float *max, float *sum) {
    int64_t padded = (n + 15) / 16 * 16;
    for (int64_t j = n; j < padded; j++) scores[j] = -__builtin_inff();
    vfloat biggest = vset1(*max);
    for (int64_t j = 0; j < padded; j += VLEN) biggest = vmax(biggest, vload(scores + j));
    float lanes[VLEN] __attribute__((aligned(64)));
    vstore(lanes, biggest);
    float new_max = lanes[0];
    for (int i = 1; i < VLEN; i++) new_max = lanes[i] > new_max ? lanes[i] : new_max;
    vfloat total = vset1(0), minus = vset1(-new_max);
    for (int64_t j = 0; j < padded; j += VLEN) {
        vfloat e = vexp(vadd(vload(scores + j), minus));
        vstore(scores + j, e);
        total = vadd(total, e);
    }
    vstore(lanes, vexp(vset1(*max - new_max)));
    float factor = lanes[0];
    vstore(lanes, total);
    float chunk_sum = 0;
    for (int i = 0; i < VLEN; i++) chunk_sum += lanes[i];
    *sum = *sum * factor + chunk_sum;
    *max = new_max;
    return factor;
}

MX_INLINE void attend(const int is_half, const int H, const struct mx_attention *a, const float *q, float *out) {
    float scores[MX_MAX_HEADS * MX_CHUNK] __attribute__((aligned(64)));
    float max[MX_MAX_HEADS], sum[MX_MAX_HEADS];
    const int64_t dim = a->head_dim, bytes = is_half ? 2 : 4;
    const vfloat scale = vset1(a->scale);
    for (int h = 0; h < H; h++) {
        max[h] = -__builtin_inff();
        sum[h] = 0;
    }
    memset(out, 0, (size_t)(H * dim) * sizeof(float));
    for (int64_t from = 0; from < a->positions; from += MX_CHUNK) {
        int64_t n = a->positions - from < MX_CHUNK ? a->positions - from : MX_CHUNK;
        for (int64_t j = 0; j < n; j += 16) {
            const char *block = (const char *)(intptr_t)a->blocks[(from + j) / MX_BLOCK];
            const char *keys = block + a->keys_at + j % MX_BLOCK * dim * bytes;
            key_group(is_half, H, q, dim, keys, scale, scores + j);
        }
        for (int h = 0; h < H; h++) {
            float factor = soften(scores + h * MX_CHUNK, n, &max[h], &sum[h]);
            for (int64_t i = 0; from > 0 && i < dim; i += VLEN)
                vstore(out + h * dim + i, vmul(vload(out + h * dim + i), vset1(factor)));
        }
        for (int64_t j = 0; j < n; j += MX_BLOCK) {
            const char *values = (const char *)(intptr_t)a->blocks[(from + j) / MX_BLOCK] + a->values_at;
            int64_t rows = n - j < MX_BLOCK ? n - j : MX_BLOCK, i = 0;
            for (; i + MX_VALUES <= dim; i += MX_VALUES)
                add_values(is_half, H, MX_VALUES / VLEN, values + i * bytes, dim, rows, scores + j, out + i);
            for (; i < dim; i += 16)
                add_values(is_half, H, 16 / VLEN, values + i * bytes, dim, rows, scores + j, out + i);
        }
    }
    for (int h = 0; h < H; h++)
        for (int64_t i = 0; i < dim; i += VLEN)
            vstore(out + h * dim + i, vmul(vload(out + h * dim + i), vset1(1 / sum[h])));
}

#define MX_ATTEND(name, is_half, H)                                                                                 \
    static __attribute__((noinline)) void name(const struct mx_attention *a, const float *q, float *out) {          \
        attend(is_half, H, a, q, out);                                                                              \
    }
MX_ATTEND(attend_half_4, 1, 4)
MX_ATTEND(attend_half_1, 1, 1)
MX_ATTEND(attend_full_4, 0, 4)
MX_ATTEND(attend_full_1, 0, 1)

/* Heads by fours, then one by one: a head's result does not depend on its company. */
static void attention(const struct mx_attention *a) {
    int64_t h = 0;
    for (; h + 4 <= a->heads; h += 4)
        (a->is_half ? attend_half_4 : attend_full_4)(a, a->q + h * a->head_dim, a->out + h * a->head_dim);
    for (; h < a->heads; h++)
        (a->is_half ? attend_half_1 : attend_full_1)(a, a->q + h * a->head_dim, a->out + h * a->head_dim);
}
