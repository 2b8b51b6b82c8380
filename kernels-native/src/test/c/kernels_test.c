/* Compares the compiled kernels with packed_reference.h: products, gated layers, quantised activations and attention bit
 * for bit; attention also with double precision, to within 1e-5 of a head's largest output.
 *
 *   kernels_test [INSTRUCTION_SET [SEED]]
 *
 * INSTRUCTION_SET is 1 AVX2, 2 AVX-512, 3 AMX, 4 NEON, or 0, the default: all that this processor has. Inputs end at an
 * inaccessible page, and outputs lie between bytes that must stay as they are. run.sh builds and runs it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "packed_reference.h"

int32_t mx_instruction_sets(void);
void mx_matmul(int32_t isa, int32_t type, const uint8_t *w, int64_t rows, int64_t cols, const int8_t *codes,
    int64_t codes_stride, const float *meta, int64_t meta_stride, int64_t from, int64_t tokens, float *out,
    int64_t out_at, int64_t out_stride);
void mx_gate_up(int32_t isa, int32_t type, const uint8_t *w, int64_t first_run, int64_t runs, int64_t cols,
    const int8_t *codes, int64_t codes_stride, const float *meta, int64_t meta_stride, int64_t from, int64_t tokens,
    int8_t *hidden_codes, int64_t hidden_codes_stride, float *hidden_meta, int64_t hidden_meta_stride);
void mx_quantize(int32_t isa, const float *x, int64_t x_at, int64_t cols, int8_t *codes, int64_t codes_at, float *meta,
    int64_t meta_at);
void mx_attention(int32_t isa, int32_t kv_type, const float *q, int64_t q_at, int64_t q_stride, int64_t rows,
    int64_t heads, int64_t head_dim, const int64_t *blocks, int64_t keys_at, int64_t values_at, int64_t positions,
    int64_t from_chunk, int64_t to_chunk, float scale, float *out, int64_t out_at, int64_t out_stride);

enum { FROM = 2, MAX_TOKENS = 19, ALL_TOKENS = FROM + MAX_TOKENS, MAX_ROWS = 40, PANELS = 3 };
enum { P8_0 = 4, UNTOUCHED = 0xa5 };

static const char *const set_names[] = {"", "AVX2", "AVX-512", "AMX", "NEON"};
static const double MAX_ERROR = 1e-5;

static uint64_t state;
/* Of all results that are defined to the bit: the same for a seed on every instruction set and processor. */
static uint64_t digest;
static int32_t isa;

/* SplitMix64 (doi 10.1145/2714064.2660195). */
static uint64_t next(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
static int below(int n) { return (int)(next() % (uint64_t)n); }
static float uniform(void) { return (float)(int32_t)(next() >> 32) * 0x1p-31f; }

/* A finite binary16 of either sign, of magnitude below 2^(top - 14); from `bottom` 0 on also subnormal ones. */
static void put_half(uint8_t *p, int bottom, int top) {
    int bits = below(2) << 15 | (bottom + below(top + 1 - bottom)) << 10 | below(1024);
    p[0] = (uint8_t)bits;
    p[1] = (uint8_t)(bits >> 8);
}

/* Memory that ends at an inaccessible page and begins not far behind one. */
struct guarded {
    char *map;
    size_t map_bytes;
    void *at;
};
static struct guarded guarded_new(int64_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = ((size_t)bytes + page - 1) / page * page;
    struct guarded g = {.map_bytes = whole + 2 * page};
    g.map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.map == MAP_FAILED || mprotect(g.map, page, PROT_NONE) != 0
        || mprotect(g.map + page + whole, page, PROT_NONE) != 0) {
        perror("kernels_test: memory with guards");
        exit(2);
    }
    g.at = g.map + page + whole - bytes;
    return g;
}
static void guarded_free(struct guarded g) { munmap(g.map, g.map_bytes); }

static void *untouched_new(int64_t bytes) {
    void *p = malloc((size_t)bytes);
    memset(p, UNTOUCHED, (size_t)bytes);
    return p;
}

/* Whether floats are the same bits. What a NaN looks like beside being one is not defined. */
static int same(float a, float b) { return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)); }

static void add_to_digest(const void *p, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i++) digest = (digest ^ ((const uint8_t *)p)[i]) * 0x100000001b3;
}

static int is_untouched(const void *p, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i++)
        if (((const uint8_t *)p)[i] != UNTOUCHED) return 0;
    return 1;
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    printf("FAILED, %s: ", set_names[isa]);
    vprintf(format, arguments);
    printf("\n");
    __builtin_va_end(arguments);
    exit(1);
}

/* Checks the elements of a buffer of rows that were to be written, [at, at + n) of each, and that others were not. */
static void check_floats(const char *what, const float *got, int64_t size, int64_t at, int64_t stride, int64_t rows,
    int64_t n, const float *expected, int64_t expected_stride) {
    int64_t end = 0;
    for (int64_t row = 0; row < rows; row++) {
        int64_t begin = at + row * stride;
        if (!is_untouched(got + end, (begin - end) * 4)) fail("%s: floats before row %d overwritten", what, (int)row);
        for (int64_t i = 0; i < n; i++) {
            float e = expected[row * expected_stride + i], g = got[begin + i];
            if (!same(e, g)) fail("%s: row %d, float %d: expected %a, got %a", what, (int)row, (int)i, e, g);
            if (!isnan(g)) add_to_digest(&g, sizeof g);
        }
        end = begin + n;
    }
    if (!is_untouched(got + end, (size - end) * 4)) fail("%s: floats behind the last row overwritten", what);
}
static void check_codes(const char *what, const int8_t *got, int64_t size, int64_t at, int64_t stride, int64_t rows,
    int64_t n, const int8_t *expected, int64_t expected_stride) {
    int64_t end = 0;
    for (int64_t row = 0; row < rows; row++) {
        int64_t begin = at + row * stride;
        if (!is_untouched(got + end, begin - end)) fail("%s: codes before row %d overwritten", what, (int)row);
        if (memcmp(expected + row * expected_stride, got + begin, (size_t)n) != 0)
            fail("%s: row %d: codes differ", what, (int)row);
        add_to_digest(got + begin, n);
        end = begin + n;
    }
    if (!is_untouched(got + end, size - end)) fail("%s: codes behind the last row overwritten", what);
}

/* Any bits for codes and scales, now and then a sub-block of extremes; halves are finite. */
static void fill_weights(const struct ref_type *t, uint8_t *w, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i++) w[i] = (uint8_t)next();
    for (uint8_t *super = w; super < w + bytes; super += ref_super_bytes(t)) {
        int64_t halves = ref_has_super(t) ? ref_super_header(t) : ref_scale_bytes(t);
        for (int64_t i = 0; i < halves; i += 2) put_half(super + i, 0, below(16) == 0 ? 30 : 12);
        uint8_t *sub = super + ref_super_header(t);
        for (; sub < super + ref_super_bytes(t); sub += ref_sub_bytes(t)) {
            int64_t planes = ref_sub_bytes(t) - ref_scale_bytes(t);
            if (below(8) == 0) memset(sub + ref_scale_bytes(t), below(2) ? 0xff : 0, (size_t)planes);
        }
    }
}

/* One run of 32 floats: of any kind that quantising treats apart, or else of magnitudes up to `scale`. */
static void fill_run(float *x, float scale) {
    static const float edges[] = {0, 0x1p-149f, 0.99e-30f, 1e-30f, 1.01e-30f, 0x1p-90f, 0x1p100f, 0x1.fffffep127f};
    int kind = below(6);
    float edge = edges[below(8)];
    for (int i = 0; i < REF_RUN; i++) x[i] = uniform() * scale;
    if (kind == 0) {
        /* Ties: x · (127 / 127) is a whole number and a half. */
        for (int i = 0; i < REF_RUN; i++) x[i] = (float)(below(253) - 126) + 0.5f;
        x[below(REF_RUN)] = below(2) ? 127 : -127;
    } else if (kind == 1) {
        for (int i = 0; i < REF_RUN; i++) x[i] = below(2) ? edge : -edge;
    } else if (kind == 2) {
        for (int i = 0; i < REF_RUN; i++) x[i] = uniform() * edge;
    } else if (kind == 3) {
        for (int i = 0; i < REF_RUN; i++) x[i] = scale;
    }
}

static float magnitude(void) { return ldexpf(1, below(20) - 16); }

static struct ref_rows new_rows(struct guarded memory[2], int64_t cols) {
    struct ref_rows x = {.cols = cols, .codes_stride = cols + 64, .meta_stride = cols / REF_RUN * REF_META + 16};
    /* The last row has no gap behind it. */
    memory[0] = guarded_new(ALL_TOKENS * x.codes_stride - 64);
    memory[1] = guarded_new((ALL_TOKENS * x.meta_stride - 16) * 4);
    x.codes = memory[0].at;
    x.meta = memory[1].at;
    return x;
}

/* Activations whose last row holds a run that is not finite. */
static void fill_rows(struct ref_rows *x) {
    for (int64_t token = 0; token < ALL_TOKENS; token++) {
        float scale = magnitude();
        for (int64_t run = 0; run < x->cols / REF_RUN; run++) {
            float values[REF_RUN];
            fill_run(values, scale);
            for (int i = 0; i < REF_RUN; i++) values[i] = fmaxf(-64, fminf(values[i], 64));
            if (token == ALL_TOKENS - 1 && run == 0) values[5] = NAN;
            ref_quantize(values, x->codes + token * x->codes_stride + REF_RUN * run,
                x->meta + token * x->meta_stride + REF_META * run);
        }
    }
}

/* Weights of P8_0 and 64 columns, of which a row uses one: of gates the first, of ups the first of the other run. One
 * lane in 32 has an up, so that the scale of the inner layer's run is one silu(z) · up, to the last bit. */
static void fill_single_weights(const struct ref_type *t, uint8_t *w, int64_t bytes) {
    int chosen = 0;
    for (int panel = 0; panel < bytes / ref_panel_bytes(t, 2 * REF_RUN); panel++) {
        if (panel % 4 == 0) chosen = below(REF_RUN);
        for (int run = 0; run < 2; run++, w += ref_sub_bytes(t)) {
            for (int lane = 0; lane < REF_ROWS; lane++) put_half(w + 2 * lane, 10, 15);
            uint8_t *codes = w + ref_scale_bytes(t);
            memset(codes, 128, (size_t)(ref_sub_bytes(t) - ref_scale_bytes(t)));
            for (int lane = 0; lane < REF_ROWS; lane++) {
                int of_gate = panel % 2 == 0 && run == 0;
                int of_up = panel % 2 == 1 && run == 1 && panel % 4 / 2 * REF_ROWS + lane == chosen;
                if (of_gate || of_up) codes[4 * lane] = (uint8_t)next();
            }
        }
    }
}

/* Activations for them: gates up to some hundreds, and ups so large that the smallest silu shows. */
static void fill_single_rows(struct ref_rows *x) {
    for (int64_t token = 0; token < ALL_TOKENS; token++) {
        float runs[2][REF_RUN] = {{uniform() * ldexpf(1, below(8) - 6)}, {uniform() * ldexpf(1, below(90))}};
        for (int run = 0; run < 2; run++)
            ref_quantize(runs[run], x->codes + token * x->codes_stride + REF_RUN * run,
                x->meta + token * x->meta_stride + REF_META * run);
    }
}

static int test_matmul(int type, int64_t cols) {
    static const int64_t some_rows[] = {1, 15, 16, 17, MAX_ROWS};
    const struct ref_type *t = &ref_types[type];
    const int64_t panel_bytes = ref_panel_bytes(t, cols), stride = MAX_ROWS + 3, at = 5;
    const int64_t size = at + MAX_TOKENS * stride + 16;
    struct guarded memory[2], expected = guarded_new(ALL_TOKENS * MAX_ROWS * 4);
    struct ref_rows x = new_rows(memory, cols);
    fill_rows(&x);
    int calls = 0;
    struct guarded all = guarded_new(PANELS * panel_bytes);
    fill_weights(t, all.at, PANELS * panel_bytes);
    ref_matmul(&(struct ref_matrix){t, cols, all.at}, MAX_ROWS, &x, ALL_TOKENS, expected.at);
    for (int r = 0; r < 5; r++) {
        /* No panel more than there are rows for. */
        int64_t rows = some_rows[r], bytes = (rows + REF_ROWS - 1) / REF_ROWS * panel_bytes;
        struct guarded w = guarded_new(bytes);
        memcpy(w.at, all.at, (size_t)bytes);
        for (int64_t tokens = 1; tokens <= MAX_TOKENS; tokens++, calls++) {
            float *out = untouched_new(size * 4);
            char what[96];
            snprintf(what, sizeof what, "matmul %s, %d rows of %d columns, %d tokens", t->name, (int)rows, (int)cols,
                (int)tokens);
            mx_matmul(isa, type, w.at, rows, cols, x.codes, x.codes_stride, x.meta, x.meta_stride, FROM, tokens, out,
                at, stride);
            check_floats(what, out, size, at, stride, tokens, rows, (float *)expected.at + FROM * MAX_ROWS, MAX_ROWS);
            free(out);
        }
        guarded_free(w);
    }
    guarded_free(all);
    guarded_free(expected);
    guarded_free(memory[0]);
    guarded_free(memory[1]);
    return calls;
}

/* One call for runs [first, first + runs) and tokens [FROM, FROM + tokens) against what is expected of all. */
static void gate_up_call(int type, const struct guarded *w, const struct ref_rows *x, int64_t first, int64_t runs,
    int64_t tokens, const struct ref_rows *expected) {
    const int64_t codes_size = ALL_TOKENS * expected->codes_stride, meta_size = ALL_TOKENS * expected->meta_stride;
    int8_t *codes = untouched_new(codes_size);
    float *meta = untouched_new(meta_size * 4);
    char what[96];
    snprintf(what, sizeof what, "gate_up %s, %d columns, runs %d to %d, %d tokens", ref_types[type].name, (int)x->cols,
        (int)first, (int)(first + runs - 1), (int)tokens);
    const uint8_t *from = (uint8_t *)w->at + 4 * first * ref_panel_bytes(&ref_types[type], x->cols);
    mx_gate_up(isa, type, from, first, runs, x->cols, x->codes, x->codes_stride, x->meta, x->meta_stride, FROM, tokens,
        codes, expected->codes_stride, meta, expected->meta_stride);
    int64_t codes_at = FROM * expected->codes_stride + REF_RUN * first;
    int64_t meta_at = FROM * expected->meta_stride + REF_META * first;
    check_codes(what, codes, codes_size, codes_at, expected->codes_stride, tokens, REF_RUN * runs,
        expected->codes + codes_at, expected->codes_stride);
    check_floats(what, meta, meta_size, meta_at, expected->meta_stride, tokens, REF_META * runs,
        expected->meta + meta_at, expected->meta_stride);
    free(codes);
    free(meta);
}

static int test_gate_up(int type, int64_t cols, void (*fill_w)(const struct ref_type *, uint8_t *, int64_t),
    void (*fill_x)(struct ref_rows *)) {
    enum { RUNS = 3 };
    const struct ref_type *t = &ref_types[type];
    const int64_t bytes = 4 * RUNS * ref_panel_bytes(t, cols), rows = 2 * RUNS * REF_RUN;
    struct guarded memory[4], w = guarded_new(bytes), product = guarded_new(ALL_TOKENS * rows * 4);
    struct ref_rows x = new_rows(memory, cols), expected = new_rows(memory + 2, RUNS * REF_RUN);
    fill_w(t, w.at, bytes);
    fill_x(&x);
    ref_matmul(&(struct ref_matrix){t, cols, w.at}, rows, &x, ALL_TOKENS, product.at);
    for (int64_t token = 0; token < ALL_TOKENS; token++)
        for (int64_t run = 0; run < RUNS; run++)
            ref_gate_up((float *)product.at + token * rows + 2 * REF_RUN * run,
                expected.codes + token * expected.codes_stride + REF_RUN * run,
                expected.meta + token * expected.meta_stride + REF_META * run);
    int calls = 0;
    for (int64_t first = 0; first < RUNS; first++)
        for (int64_t tokens = 1; tokens <= MAX_TOKENS; tokens++, calls++)
            gate_up_call(type, &w, &x, first, RUNS - first, tokens, &expected);
    guarded_free(w);
    guarded_free(product);
    for (int i = 0; i < 4; i++) guarded_free(memory[i]);
    return calls;
}

/* One row of runs, of which one now and then is not finite. */
static void test_quantize(int64_t cols) {
    const int64_t x_at = 3, codes_at = 7, meta_at = 9, runs = cols / REF_RUN;
    struct guarded x = guarded_new((x_at + cols) * 4);
    float *values = (float *)x.at + x_at, *meta = untouched_new((meta_at + REF_META * runs + 8) * 4);
    int8_t *codes = untouched_new(codes_at + cols + 64);
    int8_t *expected_codes = malloc((size_t)cols);
    float *expected_meta = malloc((size_t)(REF_META * runs) * sizeof(float));
    for (int64_t run = 0; run < runs; run++) {
        static const float strange[] = {NAN, INFINITY, -INFINITY};
        fill_run(values + REF_RUN * run, magnitude());
        if (below(8) == 0) values[REF_RUN * run + below(REF_RUN)] = strange[below(3)];
        ref_quantize(values + REF_RUN * run, expected_codes + REF_RUN * run, expected_meta + REF_META * run);
    }
    char what[64];
    snprintf(what, sizeof what, "quantize %d columns", (int)cols);
    mx_quantize(isa, x.at, x_at, cols, codes, codes_at, meta, meta_at);
    check_codes(what, codes, codes_at + cols + 64, codes_at, 0, 1, cols, expected_codes, 0);
    check_floats(what, meta, meta_at + REF_META * runs + 8, meta_at, 0, 1, REF_META * runs, expected_meta, 0);
    guarded_free(x);
    free(meta);
    free(codes);
    free(expected_codes);
    free(expected_meta);
}

static const char *const kv_names[] = {"f32", "f16", "q8_0"};

/* A block of 64 positions of which `written` hold numbers: the others hold NaN or nonsense, which must not show. */
static void fill_block(const struct ref_cache *kv, uint8_t *block, int64_t written) {
    memset(block, 0xff, (size_t)(kv->values_at + REF_BLOCK * ref_kv_row(kv)));
    for (int64_t j = 0; j < written; j++) {
        for (int64_t i = 0; i < kv->head_dim; i++) {
            uint8_t *at[] = {block + ref_key_at(kv, j, i), block + ref_value_at(kv, j, i)};
            uint8_t *scale_at[] = {block + ref_key_scale_at(kv, j, i), block + ref_value_scale_at(kv, j, i)};
            for (int side = 0; side < 2; side++) {
                float x = uniform() * 2;
                if (kv->type == REF_F16) put_half(at[side], below(32) == 0 ? 0 : 9, 15);
                else if (kv->type == REF_F32) memcpy(at[side], &x, 4);
                else *at[side] = (uint8_t)(int8_t)(below(255) - 127);
                if (kv->type == REF_Q8_0 && i % REF_KV_RUN == 0) put_half(scale_at[side], below(32) == 0 ? 0 : 5, 8);
            }
        }
    }
}

enum { MAX_HEADS = 7, MAX_DIM = 128, MAX_CHUNKS = 4, MAX_ATTENTION_ROWS = 11, Q_AT = 5, OUT_AT = 3 };

/* Expects MAX_HEADS heads of one row from the definition, and returns the largest error of any of them beside double
 * precision, relative to the head's largest output. */
static double expect_row(const struct ref_cache *kv, const float *q, int64_t positions, float scale, float *parts,
    float *expected) {
    const int64_t dim = kv->head_dim, chunks = (positions + REF_CHUNK - 1) / REF_CHUNK;
    double exact[MAX_DIM], worst = 0;
    for (int64_t h = 0; h < MAX_HEADS; h++) {
        for (int64_t c = 0; c < chunks; c++)
            ref_attention_chunk(kv, q + h * dim, c, positions, scale, parts + (c * MAX_HEADS + h) * (dim + 2));
        ref_attention_join(parts + h * (dim + 2), chunks, MAX_HEADS * (dim + 2), dim, expected + h * dim);
        ref_attention(kv, q + h * dim, positions, scale, exact);
        double largest = 0, error = 0;
        for (int64_t i = 0; i < dim; i++) {
            double e = fabs((double)expected[h * dim + i] - exact[i]);
            largest = fmax(largest, fabs(exact[i]));
            if (!(e <= error)) error = e;
        }
        if (!(error <= MAX_ERROR * largest))
            fail("attention of %d positions, %d elements, %s: error %g of %g", (int)positions, (int)dim,
                kv_names[kv->type], error, largest);
        worst = fmax(worst, error / largest);
    }
    return worst;
}

/* Every number of heads of one row, and its chunks apart. */
static void single_rows(const struct ref_cache *kv, const float *q, int64_t positions, float scale, const float *parts,
    const float *expected) {
    const int64_t dim = kv->head_dim, chunks = (positions + REF_CHUNK - 1) / REF_CHUNK, part = MAX_HEADS * (dim + 2);
    const int64_t size = OUT_AT + MAX_CHUNKS * part + 16;
    char what[96];
    for (int64_t heads = 1; heads <= MAX_HEADS; heads++) {
        snprintf(what, sizeof what, "attention of %d positions, %d elements, %s, %d heads", (int)positions, (int)dim,
            kv_names[kv->type], (int)heads);
        float *out = untouched_new(size * 4);
        mx_attention(isa, (int32_t)kv->type, q, Q_AT, 0, 1, heads, dim, kv->blocks, kv->keys_at, kv->values_at, positions,
            0, 0, scale, out, OUT_AT, 0);
        check_floats(what, out, size, OUT_AT, 0, 1, heads * dim, expected, 0);
        free(out);
    }
    for (int64_t from = 0; from < chunks; from++) {
        snprintf(what, sizeof what, "attention of %d positions, %d elements, %s, from chunk %d", (int)positions, (int)dim,
            kv_names[kv->type], (int)from);
        float *out = untouched_new(size * 4);
        mx_attention(isa, (int32_t)kv->type, q, Q_AT, 0, 1, MAX_HEADS, dim, kv->blocks, kv->keys_at, kv->values_at,
            positions, from, chunks, scale, out, OUT_AT, 0);
        check_floats(what, out, size, OUT_AT, 0, 1, (chunks - from) * part, parts + from * part, 0);
        free(out);
    }
}

/* The last 1 to 11 rows of a sequence at once, and single ones. */
static double attention_calls(const struct ref_cache *kv, int64_t positions) {
    const int64_t dim = kv->head_dim, stride = MAX_HEADS * dim + 9, size = OUT_AT + MAX_ATTENTION_ROWS * stride + 16;
    const float scale = 1 / sqrtf((float)dim);
    float *q = malloc((size_t)(Q_AT + MAX_ATTENTION_ROWS * stride) * 4), *expected = malloc((size_t)size * 4);
    float *parts = malloc(MAX_CHUNKS * MAX_HEADS * (MAX_DIM + 2) * 4);
    int64_t rows = 1 + below((int)(positions < MAX_ATTENTION_ROWS ? positions : MAX_ATTENTION_ROWS));
    double worst = 0;
    for (int64_t i = 0; i < Q_AT + rows * stride; i++) q[i] = uniform() * ldexpf(1, below(5) - 2);
    for (int64_t r = 0; r < rows; r++)
        worst = fmax(worst,
            expect_row(kv, q + Q_AT + r * stride, positions - rows + 1 + r, scale, parts, expected + r * stride));
    char what[96];
    snprintf(what, sizeof what, "attention of %d rows up to %d positions, %d elements, %s", (int)rows, (int)positions,
        (int)dim, kv_names[kv->type]);
    float *out = untouched_new(size * 4);
    mx_attention(isa, (int32_t)kv->type, q, Q_AT, stride, rows, MAX_HEADS, dim, kv->blocks, kv->keys_at, kv->values_at,
        positions - rows + 1, 0, 0, scale, out, OUT_AT, stride);
    check_floats(what, out, size, OUT_AT, stride, rows, MAX_HEADS * dim, expected, stride);
    free(out);
    expect_row(kv, q + Q_AT, positions, scale, parts, expected);
    single_rows(kv, q, positions, scale, parts, expected);
    free(parts);
    free(expected);
    free(q);
    return worst;
}

static double test_attention(enum ref_kv_type type, int64_t head_dim, int64_t positions) {
    enum { MAX_BLOCKS = 24 };
    struct guarded memory[MAX_BLOCKS];
    int64_t blocks[MAX_BLOCKS];
    struct ref_cache kv = {.blocks = blocks, .head_dim = head_dim, .keys_at = 64, .type = type};
    kv.values_at = kv.keys_at + REF_BLOCK * ref_kv_row(&kv);
    int num_blocks = (int)((positions + REF_BLOCK - 1) / REF_BLOCK);
    for (int b = 0; b < num_blocks; b++) {
        int64_t left = positions - REF_BLOCK * b;
        memory[b] = guarded_new(kv.values_at + REF_BLOCK * ref_kv_row(&kv));
        blocks[b] = (int64_t)(intptr_t)memory[b].at;
        fill_block(&kv, memory[b].at, left < REF_BLOCK ? left : REF_BLOCK);
    }
    double worst = attention_calls(&kv, positions);
    for (int b = 0; b < num_blocks; b++) guarded_free(memory[b]);
    return worst;
}

static void test_products(void) {
    static const int64_t of_32[] = {32, 96, 256, 1056}, of_256[] = {256, 512, 768, 1280};
    int matmul = 0, gate_up = 0;
    for (int type = 0; type < REF_NUM_TYPES; type++) {
        const int64_t *cols = ref_has_super(&ref_types[type]) ? of_256 : of_32;
        for (int i = 0; i < 4; i++) matmul += test_matmul(type, cols[i]);
        for (int i = 0; i < 4; i++) gate_up += test_gate_up(type, cols[i], fill_weights, fill_rows);
    }
    for (int i = 0; i < 50; i++) gate_up += test_gate_up(P8_0, 2 * REF_RUN, fill_single_weights, fill_single_rows);
    printf("%s: %d matmul and %d gate_up calls over %d types: same bits; digest %016llx\n", set_names[isa], matmul,
        gate_up, REF_NUM_TYPES, (unsigned long long)digest);
}

static void test_set(void) {
    static const int64_t dims[] = {32, 64, 80, 128}, positions[] = {1, 15, 16, 63, 64, 65, 511, 512, 513, 1500};
    const int rows = 200;
    for (int i = 0; i < rows; i++) test_quantize(REF_RUN * (1 + below(40)));
    printf("%s: %d rows quantised: same bits\n", set_names[isa], rows);
    test_products();
    double worst = 0;
    for (int type = 0; type < 3; type++)
        for (int d = 0; d < 4; d++)
            for (int p = 0; p < 10; p++)
                worst = fmax(worst, test_attention((enum ref_kv_type)type, dims[d], positions[p]));
    printf("%s: attention: same bits for any rows and heads, within %.2g; digest %016llx\n", set_names[isa], worst,
        (unsigned long long)digest);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    int asked = argc > 1 ? atoi(argv[1]) : 0, mask = mx_instruction_sets();
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    if (mask == 0 || asked < 0 || asked > 4 || (asked > 0 && !(mask >> asked & 1))) {
        fprintf(stderr, "kernels_test: this processor cannot run it; its instruction sets: %#x (bits)\n", mask);
        return 2;
    }
    for (isa = 1; isa <= 4; isa++) {
        if ((asked > 0 && isa != asked) || !(mask >> isa & 1)) continue;
        state = seed;
        digest = 0xcbf29ce484222325;
        test_set();
    }
    return 0;
}
