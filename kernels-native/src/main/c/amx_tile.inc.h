/* One panel of up to 16 tokens on AMX.
 *
 * The unpacked quads of a sub-block are a B tile as they are, and the codes of 16 tokens an A tile where they lie: one
 * instruction multiplies 16 rows by 16 tokens. Its integers are scaled and added in AVX-512 for each sub-block, in the
 * order of all other kernels: half of what AMX could do, and the same bits. Tiles are configured and released within a
 * call, as Java threads must not carry their state.
 *
 * Where a compiler offers no _tile_* functions, the includer may bring its own: a test emulates them.
 */
#define MX_TILE_C 0
#define MX_TILE_A 1
#define MX_TILE_B 2

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes_per_row[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

MX_INLINE void configure(int tokens, int quads) {
    struct tile_config c = {.palette = 1};
    c.rows[MX_TILE_C] = (uint8_t)tokens;
    c.bytes_per_row[MX_TILE_C] = 64;
    c.rows[MX_TILE_A] = (uint8_t)tokens;
    c.bytes_per_row[MX_TILE_A] = (uint16_t)(4 * quads);
    c.rows[MX_TILE_B] = (uint8_t)quads;
    c.bytes_per_row[MX_TILE_B] = 64;
    _tile_loadconfig(&c);
}

/* products[n][r] = Σ over `quads` quads of the codes of token n and the weights of row r. */
#define MX_TILE_PRODUCTS(products, codes, stride, weights) \
    _tile_zero(MX_TILE_C);                                 \
    _tile_loadd(MX_TILE_A, codes, stride);                 \
    _tile_loadd(MX_TILE_B, weights, 64);                   \
    _tile_dpbsud(MX_TILE_C, MX_TILE_A, MX_TILE_B);         \
    _tile_stored(MX_TILE_C, products, 64)

MX_INLINE void amx_tile(
    struct mx_type t, const int N, const uint8_t *w, struct mx_rows x, int64_t token, float *out) {
    int8_t weights[MX_QUADS * 64] __attribute__((aligned(64)));
    int32_t products[2][16][MX_ROWS] __attribute__((aligned(64)));
    const int8_t *codes = x.codes + token * x.codes_stride;
    const float *meta = x.meta + token * x.meta_stride;
    __m512 d = _mm512_setzero_ps(), dmin = d;
    configure(N, mx_half_groups(t) ? MX_QUADS / 2 : MX_QUADS);
    MX_FOR_EACH_SUM(MX_BEGIN)
    for (int64_t col = 0; col < x.cols; col += t.super_cols) {
        if (mx_has_super(t)) {
            d = halves(w);
            if (mx_has_min(t)) dmin = halves(w + 32);
        }
        w += mx_super_header(t);
        for (int sub = 0; sub < t.super_cols / MX_COLS; sub++) {
            struct sub_block b = read_sub_block(t, w, d, dmin);
            for (int j = 0; j < MX_QUADS; j++) _mm512_store_si512(weights + 64 * j, b.u[j]);
            MX_TILE_PRODUCTS(products[0], codes, x.codes_stride, weights);
            if (mx_half_groups(t)) {
                MX_TILE_PRODUCTS(products[1], codes + 16, x.codes_stride, weights + 4 * 64);
            }
            const float *m = meta;
#define MX_AMX_STEP(n)                                                                                \
    if (n < N) {                                                                                      \
        __m512i first = _mm512_load_si512(products[0][n]);                                            \
        __m512i second = mx_half_groups(t) ? _mm512_load_si512(products[1][n]) : first;               \
        sum##n = accumulate(t, sum##n, first, second, b.s, b.m, m);                                   \
        m += x.meta_stride;                                                                           \
        __asm__("" : "+r"(m));                                                                        \
    }
            MX_FOR_EACH_SUM(MX_AMX_STEP)
            w += mx_sub_bytes(t);
            codes += MX_COLS;
            meta += MX_META;
        }
    }
    MX_FOR_EACH_SUM(MX_END)
    _tile_release();
}

#define MX_AMX_TILE(name, N, ...)                                                                        \
    static __attribute__((noinline)) void amx_##name##_##N(                                              \
        const uint8_t *w, int64_t panel_bytes, struct mx_rows x, int64_t token, float *out) {            \
        const struct mx_type t = {__VA_ARGS__};                                                          \
        (void)panel_bytes;                                                                               \
        amx_tile(t, N, w, x, token, out);                                                                \
    }
