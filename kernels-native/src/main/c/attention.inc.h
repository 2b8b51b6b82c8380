/* Attention of neighbouring rows over the cache of their sequence, for the query heads that share a KV head. Layouts are
 * those of dev.mixtral.kvcache.KvLayout, the arithmetic is defined by dev.mixtral.kernel.Kernels to the last bit. The
 * includer defines a vector of floats and its operations:
 *
 *   vfloat, VLEN, vload, vload_half, vload_bytes, vstore, vset1, vadd, vmul, vmax, vfma, vexp
 *
 * and perhaps MX_VALUES, the elements of values that are summed at a time, and MX_GROUPS, the groups of 16 keys that are
 * scored at a time: together with four heads as many sums as hide the latency of vfma and fit the registers.
 *
 * Positions are taken in chunks of MX_CHUNK from the beginning of the sequence, each with a softmax of its own, which
 * are then joined in order (flash attention, arXiv 2205.14135): scores stay in the cache, and the result depends on the
 * sequence alone. Of several rows, all are scored against some keys before the next keys, and likewise with values: what
 * was read and decoded serves all of them.
 */
#ifndef MX_VALUES
#define MX_VALUES 64
#endif
#ifndef MX_GROUPS
#define MX_GROUPS 1
#endif
enum { MX_CHUNK = 512, MX_BLOCK = 64, MX_GROUP = 16, MX_RUN = 32, MX_MAX_HEADS = 4, MX_TILE_ROWS = 8 };
enum { MX_KEY_VECTORS = MX_GROUPS * MX_GROUP / VLEN, MX_GROUP_VECTORS = MX_GROUP / VLEN };

/* Bytes of one row of `dim` elements, and of its scales. */
MX_INLINE int64_t kv_scales(enum mx_kv_type type, int64_t dim) {
    return type == MX_Q8_0 ? (dim + MX_RUN - 1) / MX_RUN * 2 : 0;
}
MX_INLINE int64_t kv_element(enum mx_kv_type type) { return type == MX_F32 ? 4 : type == MX_F16 ? 2 : 1; }
MX_INLINE int64_t kv_row(enum mx_kv_type type, int64_t dim) { return kv_scales(type, dim) + kv_element(type) * dim; }

/* Elements, which scales are yet to multiply where there are any. */
MX_INLINE vfloat kv_load(enum mx_kv_type type, const char *p) {
    return type == MX_F32 ? vload((const float *)p)
        : type == MX_F16  ? vload_half((const uint16_t *)p)
                          : vload_bytes((const int8_t *)p);
}

/* A row of a tile: its queries, and what is known of its H heads. */
struct mx_row {
    const float *q;
    float *scores; /* [H][MX_CHUNK] */
    float *part;   /* [H][head_dim], this chunk's weighted values */
    int64_t n;     /* positions of this chunk */
    float part_max[MX_MAX_HEADS], part_sum[MX_MAX_HEADS];
    float max[MX_MAX_HEADS], sum[MX_MAX_HEADS];
};

/* scores[h][j] = q_h · k_j / sqrt(head_dim) for MX_GROUPS groups of keys. `ahead` is where the next ones lie. */
MX_INLINE void score(enum mx_kv_type type, const int H, const float *q, int64_t dim, const char *keys, const char *ahead,
    vfloat scale, float *scores) {
    const int64_t group = MX_GROUP * kv_row(type, dim), line = 64 / (MX_GROUP * kv_element(type));
    const char *elements = keys + MX_GROUP * kv_scales(type, dim);
    vfloat sum[MX_MAX_HEADS][MX_KEY_VECTORS];
    for (int h = 0; h < H; h++)
        for (int v = 0; v < MX_KEY_VECTORS; v++) sum[h][v] = vset1(0);
    for (int64_t run = 0; run < dim; run += MX_RUN) {
        vfloat d[MX_KEY_VECTORS];
        for (int v = 0; v < MX_KEY_VECTORS; v++)
            if (type == MX_Q8_0)
                d[v] = vload_half((const uint16_t *)(keys + v / MX_GROUP_VECTORS * group) + run / MX_RUN * MX_GROUP
                    + v % MX_GROUP_VECTORS * VLEN);
        const int64_t end = run + MX_RUN < dim ? run + MX_RUN : dim;
        for (int64_t i = run; i < end; i++) {
            vfloat k[MX_KEY_VECTORS];
            for (int v = 0; v < MX_KEY_VECTORS; v++) {
                k[v] = kv_load(type, elements + v / MX_GROUP_VECTORS * group
                        + kv_element(type) * (MX_GROUP * i + v % MX_GROUP_VECTORS * VLEN));
                if (type == MX_Q8_0) k[v] = vmul(k[v], d[v]);
            }
            for (int g = 0; ahead && g < MX_GROUPS; g++)
                if (line < 2 || i % line == 0) __builtin_prefetch(ahead + g * group + kv_element(type) * MX_GROUP * i);
            for (int h = 0; h < H; h++) {
                vfloat x = vset1(q[h * dim + i]);
                for (int v = 0; v < MX_KEY_VECTORS; v++) sum[h][v] = vfma(k[v], x, sum[h][v]);
            }
        }
    }
    for (int h = 0; h < H; h++)
        for (int v = 0; v < MX_KEY_VECTORS; v++) vstore(scores + h * MX_CHUNK + v * VLEN, vmul(sum[h][v], scale));
}

/* Decodes MX_GROUPS groups of keys into groups of floats. */
MX_INLINE void decode_keys(enum mx_kv_type type, int64_t dim, const char *keys, float *decoded) {
    const int64_t group = MX_GROUP * kv_row(type, dim);
    for (int g = 0; g < MX_GROUPS; g++, keys += group, decoded += MX_GROUP * dim) {
        const char *elements = keys + MX_GROUP * kv_scales(type, dim);
        for (int64_t i = 0; i < MX_GROUP * dim; i += VLEN) {
            vfloat x = kv_load(type, elements + kv_element(type) * i);
            if (type == MX_Q8_0)
                x = vmul(x, vload_half((const uint16_t *)keys + i / (MX_RUN * MX_GROUP) * MX_GROUP + i % MX_GROUP));
            vstore(decoded + i, x);
        }
    }
}

/* part[h][i] += Σ_j p[h][j] v_j[i] for N vectors of elements and the first n positions of a block. Rows of values are `stride`
 * elements apart; the first element is number `first` of its row, and d[j * runs + i / 32] the scale of element i of row
 * j. `ahead` is where the same elements of the next block lie. */
MX_INLINE void add_values(enum mx_kv_type type, const int H, const int N, const char *values, int64_t stride,
    const float *d, int64_t runs, int64_t first, const char *ahead, int64_t n, const float *p, int64_t dim,
    float *part) {
    vfloat sum[MX_MAX_HEADS][MX_VALUES / VLEN];
    for (int h = 0; h < H; h++)
        for (int v = 0; v < N; v++) sum[h][v] = vload(part + h * dim + v * VLEN);
    for (int64_t j = 0; j < n; j++) {
        vfloat x[MX_VALUES / VLEN];
        for (int v = 0; v < N; v++) {
            x[v] = kv_load(type, values + kv_element(type) * (j * stride + v * VLEN));
            if (type == MX_Q8_0) x[v] = vmul(x[v], vset1(d[j * runs + (first + v * VLEN) / MX_RUN]));
        }
        for (int64_t b = 0; ahead && b < N * VLEN * kv_element(type); b += 64)
            __builtin_prefetch(ahead + kv_element(type) * j * stride + b);
        for (int h = 0; h < H; h++) {
            vfloat weight = vset1(p[h * MX_CHUNK + j]);
            for (int v = 0; v < N; v++) sum[h][v] = vfma(x[v], weight, sum[h][v]);
        }
    }
    for (int h = 0; h < H; h++)
        for (int v = 0; v < N; v++) vstore(part + h * dim + v * VLEN, sum[h][v]);
}

/* Turns scores of `n` positions into exp(score - max), and returns their sum: that of lane j % 16 first. */
MX_INLINE float soften(float *scores, int64_t n, float *max) {
    int64_t padded = (n + MX_GROUP - 1) / MX_GROUP * MX_GROUP;
    for (int64_t j = n; j < padded; j++) scores[j] = -__builtin_inff();
    vfloat biggest = vload(scores);
    for (int64_t j = VLEN; j < padded; j += VLEN) biggest = vmax(biggest, vload(scores + j));
    float lanes[MX_GROUP] __attribute__((aligned(64)));
    vstore(lanes, biggest);
    float m = lanes[0];
    for (int i = 1; i < VLEN; i++) m = lanes[i] > m ? lanes[i] : m;
    vfloat total[MX_GROUP_VECTORS], minus = vset1(-m);
    for (int v = 0; v < MX_GROUP_VECTORS; v++) total[v] = vset1(0);
    for (int64_t j = 0; j < padded; j += MX_GROUP) {
        for (int v = 0; v < MX_GROUP_VECTORS; v++) {
            vfloat e = vexp(vadd(vload(scores + j + v * VLEN), minus));
            vstore(scores + j + v * VLEN, e);
            total[v] = vadd(total[v], e);
        }
    }
    for (int v = 0; v < MX_GROUP_VECTORS; v++) vstore(lanes + v * VLEN, total[v]);
    float sum = 0;
    for (int i = 0; i < MX_GROUP; i++) sum += lanes[i];
    *max = m;
    return sum;
}

MX_INLINE float exp_one(float x) {
    float lanes[VLEN] __attribute__((aligned(64)));
    vstore(lanes, vexp(vset1(x)));
    return lanes[0];
}

/* Scores of a chunk, softened. */
MX_INLINE void score_chunk(enum mx_kv_type type, const int H, const struct mx_attention *a, int64_t from,
    struct mx_row *rows, int num_rows) {
    enum { STEP = MX_GROUPS * MX_GROUP };
    float decoded[STEP * MX_MAX_HEAD_DIM] __attribute__((aligned(64)));
    const int64_t dim = a->head_dim, row_bytes = kv_row(type, dim), n = rows[num_rows - 1].n;
    const vfloat scale = vset1(a->scale);
    for (int64_t j = 0; j < n; j += STEP) {
        const char *keys = (const char *)(intptr_t)a->blocks[(from + j) / MX_BLOCK] + a->keys_at + j % MX_BLOCK * row_bytes;
        if (num_rows == 1) {
            int64_t next = j + STEP < n ? j + STEP : j;
            const char *ahead =
                (const char *)(intptr_t)a->blocks[(from + next) / MX_BLOCK] + a->keys_at + next % MX_BLOCK * row_bytes;
            score(type, H, rows->q, dim, keys, ahead, scale, rows->scores + j);
            continue;
        }
        decode_keys(type, dim, keys, decoded);
        for (int r = 0; r < num_rows; r++)
            if (j < rows[r].n) score(MX_F32, H, rows[r].q, dim, (const char *)decoded, NULL, scale, rows[r].scores + j);
    }
    for (int r = 0; r < num_rows; r++)
        for (int h = 0; h < H && rows[r].n > 0; h++)
            rows[r].part_sum[h] = soften(rows[r].scores + h * MX_CHUNK, rows[r].n, &rows[r].part_max[h]);
}

/* Weighted values of one block, N vectors from element `i` on, for all rows. */
MX_INLINE void weigh_slice(enum mx_kv_type type, const int H, const int N, int64_t dim, const char *values,
    const char *ahead, const float *d, int64_t i, int64_t j, struct mx_row *rows, int num_rows) {
    const int64_t runs = kv_scales(type, dim) / 2;
    if (num_rows == 1) {
        int64_t n = rows->n - j < MX_BLOCK ? rows->n - j : MX_BLOCK;
        add_values(type, H, N, values, dim, d, runs, i, ahead, n, rows->scores + j, dim, rows->part + i);
        return;
    }
    float decoded[MX_BLOCK * MX_VALUES] __attribute__((aligned(64)));
    int64_t last = rows[num_rows - 1].n - j < MX_BLOCK ? rows[num_rows - 1].n - j : MX_BLOCK;
    for (int64_t k = 0; k < last; k++) {
        for (int v = 0; v < N; v++) {
            vfloat x = kv_load(type, values + kv_element(type) * (k * dim + v * VLEN));
            if (type == MX_Q8_0) x = vmul(x, vset1(d[k * runs + (i + v * VLEN) / MX_RUN]));
            vstore(decoded + k * N * VLEN + v * VLEN, x);
        }
    }
    for (int r = 0; r < num_rows; r++) {
        int64_t n = rows[r].n - j < MX_BLOCK ? rows[r].n - j : MX_BLOCK;
        add_values(MX_F32, H, N, (const char *)decoded, N * VLEN, NULL, 0, 0, NULL, n, rows[r].scores + j, dim,
            rows[r].part + i);
    }
}

/* Weighted values of a chunk. */
MX_INLINE void weigh_chunk(enum mx_kv_type type, const int H, const struct mx_attention *a, int64_t from,
    struct mx_row *rows, int num_rows) {
    float d[MX_BLOCK * MX_MAX_HEAD_DIM / MX_RUN] __attribute__((aligned(64)));
    const int64_t dim = a->head_dim, scales = kv_scales(type, dim), n = rows[num_rows - 1].n;
    for (int r = 0; r < num_rows; r++) memset(rows[r].part, 0, (size_t)(H * dim) * sizeof(float));
    for (int64_t j = 0; j < n; j += MX_BLOCK) {
        const int64_t *block = a->blocks + (from + j) / MX_BLOCK;
        const char *at = (const char *)(intptr_t)block[0] + a->values_at, *values = at + MX_BLOCK * scales;
        const char *ahead = j + MX_BLOCK < n ? (const char *)(intptr_t)block[1] + a->values_at + MX_BLOCK * scales : values;
        for (int64_t k = 0; type == MX_Q8_0 && k < MX_BLOCK * scales / 2; k += VLEN)
            vstore(d + k, vload_half((const uint16_t *)at + k));
        int64_t i = 0;
        for (; i + MX_VALUES <= dim; i += MX_VALUES)
            weigh_slice(type, H, MX_VALUES / VLEN, dim, values + kv_element(type) * i, ahead + kv_element(type) * i, d, i,
                j, rows, num_rows);
        for (; i < dim; i += MX_GROUP)
            weigh_slice(type, H, MX_GROUP_VECTORS, dim, values + kv_element(type) * i, ahead + kv_element(type) * i, d, i,
                j, rows, num_rows);
    }
}

/* Joins a chunk's part with what comes before it. */
MX_INLINE void join(struct mx_row *row, int h, int64_t dim, float *out) {
    float max = row->part_max[h] > row->max[h] ? row->part_max[h] : row->max[h];
    float before = exp_one(row->max[h] - max), now = exp_one(row->part_max[h] - max);
    row->sum[h] = __builtin_fmaf(row->part_sum[h], now, row->sum[h] * before);
    row->max[h] = max;
    for (int64_t i = 0; i < dim; i += VLEN)
        vstore(out + i, vfma(vload(row->part + h * dim + i), vset1(now), vmul(vload(out + i), vset1(before))));
}

/* H heads of up to MX_TILE_ROWS rows, of which the first attends to `positions`. */
MX_INLINE void attend(enum mx_kv_type type, const int H, const struct mx_attention *a, const float *q, float *out,
    int num_rows, int64_t positions) {
    float scores[MX_TILE_ROWS * MX_MAX_HEADS * MX_CHUNK] __attribute__((aligned(64)));
    float parts[MX_TILE_ROWS * MX_MAX_HEADS * MX_MAX_HEAD_DIM] __attribute__((aligned(64)));
    struct mx_row rows[MX_TILE_ROWS];
    const int64_t dim = a->head_dim;
    for (int r = 0; r < num_rows; r++) {
        rows[r].q = q + r * a->q_stride;
        rows[r].scores = scores + r * MX_MAX_HEADS * MX_CHUNK;
        rows[r].part = parts + r * MX_MAX_HEADS * MX_MAX_HEAD_DIM;
        for (int h = 0; h < H; h++) {
            rows[r].max[h] = -__builtin_inff();
            rows[r].sum[h] = 0;
            memset(out + r * a->out_stride + h * dim, 0, (size_t)dim * sizeof(float));
        }
    }
    /* Rows that have no position in the last chunk come first. */
    int first = 0;
    for (int64_t from = 0; from < positions + num_rows - 1; from += MX_CHUNK) {
        for (int r = 0; r < num_rows; r++) {
            int64_t n = positions + r - from;
            rows[r].n = n < MX_CHUNK ? n : MX_CHUNK;
            if (n <= 0) first = r + 1;
        }
        score_chunk(type, H, a, from, rows + first, num_rows - first);
        weigh_chunk(type, H, a, from, rows + first, num_rows - first);
        for (int r = first; r < num_rows; r++)
            for (int h = 0; h < H; h++) join(&rows[r], h, dim, out + r * a->out_stride + h * dim);
    }
    for (int r = 0; r < num_rows; r++)
        for (int h = 0; h < H; h++)
            for (int64_t i = 0; i < dim; i += VLEN) {
                float *at = out + r * a->out_stride + h * dim + i;
                vstore(at, vmul(vload(at), vset1(1 / rows[r].sum[h])));
            }
}

/* The parts of some chunks, for H heads of one row: weighted values, then the maximum and the sum. */
MX_INLINE void attend_apart(enum mx_kv_type type, const int H, const struct mx_attention *a, const float *q, float *out) {
    float scores[MX_MAX_HEADS * MX_CHUNK] __attribute__((aligned(64)));
    float part[MX_MAX_HEADS * MX_MAX_HEAD_DIM] __attribute__((aligned(64)));
    const int64_t dim = a->head_dim;
    struct mx_row row = {.q = q, .scores = scores, .part = part};
    for (int64_t chunk = a->from_chunk; chunk < a->to_chunk; chunk++) {
        int64_t from = chunk * MX_CHUNK, n = a->positions - from;
        row.n = n < MX_CHUNK ? n : MX_CHUNK;
        score_chunk(type, H, a, from, &row, 1);
        weigh_chunk(type, H, a, from, &row, 1);
        float *at = out + (chunk - a->from_chunk) * a->heads * (dim + 2);
        for (int h = 0; h < H; h++, at += dim + 2) {
            memcpy(at, part + h * dim, (size_t)dim * sizeof(float));
            at[dim] = row.part_max[h];
            at[dim + 1] = row.part_sum[h];
        }
    }
}

typedef void mx_attend_fn(const struct mx_attention *a, int64_t head);

/* Heads [head, head + H) of all rows. */
MX_INLINE void attend_heads(enum mx_kv_type type, const int H, const struct mx_attention *a, int64_t head) {
    const float *q = a->q + head * a->head_dim;
    if (a->to_chunk > 0) {
        attend_apart(type, H, a, q, a->out + head * (a->head_dim + 2));
        return;
    }
    float *out = a->out + head * a->head_dim;
    for (int64_t r = 0; r < a->rows; r += MX_TILE_ROWS) {
        int n = a->rows - r < MX_TILE_ROWS ? (int)(a->rows - r) : MX_TILE_ROWS;
        attend(type, H, a, q + r * a->q_stride, out + r * a->out_stride, n, a->positions + r);
    }
}

#define MX_ATTEND(name, type, H) \
    static __attribute__((noinline)) void name(const struct mx_attention *a, int64_t head) { attend_heads(type, H, a, head); }
#define MX_ATTEND_TYPE(name, type) \
    MX_ATTEND(attend_##name##_1, type, 1) MX_ATTEND(attend_##name##_2, type, 2) MX_ATTEND(attend_##name##_4, type, 4)
MX_ATTEND_TYPE(f32, MX_F32)
MX_ATTEND_TYPE(f16, MX_F16)
MX_ATTEND_TYPE(q8_0, MX_Q8_0)

/* Heads by fours, then by two and one: a head's result does not depend on its company. */
static void attention(const struct mx_attention *a) {
    static mx_attend_fn *const of_type[][3] = {
        {attend_f32_1, attend_f32_2, attend_f32_4},
        {attend_f16_1, attend_f16_2, attend_f16_4},
        {attend_q8_0_1, attend_q8_0_2, attend_q8_0_4},
    };
    int64_t head = 0;
    for (int size = 2; size >= 0; size--)
        for (; head + (1 << size) <= a->heads; head += 1 << size) of_type[a->type][size](a, head);
}
