/* What Java calls: dispatch, and the loops over panels and tokens that all instruction sets share. */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "mixtral_kernels.h"

static const struct mx_type types[MX_NUM_TYPES] = {
#define MX_TYPE_ENTRY(name, number, ...) [number] = {__VA_ARGS__},
    MX_FOR_EACH_TYPE(MX_TYPE_ENTRY)
};

/* Instruction sets, by the numbers that Java uses. */
enum { MX_AVX2 = 1, MX_AVX512 = 2, MX_AMX = 3, MX_NEON = 4 };

static const struct mx_kernels *kernels_of(int32_t isa) {
#if defined(__x86_64__)
    return isa == MX_AMX ? &mx_amx : isa == MX_AVX512 ? &mx_avx512 : &mx_avx2;
#else
    (void)isa;
    return &mx_neon;
#endif
}

#if defined(__x86_64__)
/* Not every compiler's __builtin_cpu_supports knows it. */
static int has_f16c(void) {
    enum { F16C = 1 << 29 };
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & F16C);
}

/* Whether the processor has AMX with 8-bit integers and the operating system lets this process use it, which has to be
 * asked for once (Linux 5.16). */
static int may_use_amx(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18, TILE = 1 << 24, INT8 = 1 << 25 };
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & TILE) || !(d & INT8)) return 0;
#if defined(__linux__)
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
    return 0;
#endif
}
#endif

/* Returns a mask of the instruction sets that this processor and operating system can run: bit (1 << number). */
MX_EXPORT int32_t mx_instruction_sets(void) {
    int32_t mask = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    if (avx2) mask |= 1 << MX_AVX2;
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vnni"))
        mask |= 1 << MX_AVX512;
    if (mask & 1 << MX_AVX512 && may_use_amx()) mask |= 1 << MX_AMX;
#elif defined(__aarch64__)
    /* Dot products of bytes are optional before ARMv8.4, and in every server processor. */
    if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) mask |= 1 << MX_NEON;
#endif
    return mask;
}

static void put(const float *lanes, float *out, int64_t n) {
    if (n >= MX_ROWS) {
        memcpy(out, lanes, MX_ROWS * sizeof(float));
    } else {
        memcpy(out, lanes, (size_t)n * sizeof(float));
    }
}

static const int tile_tokens[MX_NUM_TILES] = {1, 1, 2, 3, 4, 8, 16};

/* Chooses the tile for the next of the tokens left: the largest, or one of even tiles where there are such, since a
 * tile of one token takes nearly as long as one of two: 5 tokens are 3 and 2 where 4 are the most. A row's result does
 * not depend on it. */
static int tile_for(mx_tile_fn *const *tiles, int64_t left, int *tokens) {
    int largest = MX_NUM_TILES - 1;
    while (tiles[largest] == NULL) largest--;
    int64_t needed = (left + tile_tokens[largest] - 1) / tile_tokens[largest];
    int64_t even = (left + needed - 1) / needed;
    int tile = largest;
    while (tiles[tile] == NULL || tile_tokens[tile] > even) tile--;
    if (tile_tokens[tile] < even)
        for (tile = largest; tiles[tile] == NULL || tile_tokens[tile] > left;) tile--;
    *tokens = tile_tokens[tile];
    return tile;
}

/* out[t * out_stride + r] = w · x[t] for `rows` rows of the panels at `w`, of which the last may be cut, and for
 * tokens [from, from + tokens). `out[out_at]` is the first of those rows of token `from`. */
MX_EXPORT void mx_matmul(int32_t isa, int32_t type, const uint8_t *w, int64_t rows, int64_t cols, const int8_t *codes,
    int64_t codes_stride, const float *meta, int64_t meta_stride, int64_t from, int64_t tokens, float *out,
    int64_t out_at, int64_t out_stride) {
    mx_tile_fn *const *tiles = kernels_of(isa)->tiles[type];
    int64_t panel_bytes = mx_panel_bytes(types[type], cols);
    struct mx_rows x = {codes, meta, codes_stride, meta_stride, cols};
    float lanes[16][MX_ROWS] __attribute__((aligned(64)));
    out += out_at;
    if (tokens == 1) {
        int64_t r = 0;
        /* Two panels side by side: two streams keep more cache misses in flight than one. */
        for (; rows - r > MX_ROWS; r += 2 * MX_ROWS) {
            tiles[MX_TWO_PANELS](w + r / MX_ROWS * panel_bytes, panel_bytes, x, from, lanes[0]);
            put(lanes[0], out + r, MX_ROWS);
            put(lanes[1], out + r + MX_ROWS, rows - r - MX_ROWS);
        }
        if (r < rows) {
            tiles[MX_TOKENS_1](w + r / MX_ROWS * panel_bytes, panel_bytes, x, from, lanes[0]);
            put(lanes[0], out + r, rows - r);
        }
        return;
    }
    int n;
    /* Panels inside: they and the activations of a tile stay in the second-level cache. */
    for (int64_t t = 0; t < tokens; t += n) {
        int tile = tile_for(tiles, tokens - t, &n);
        for (int64_t r = 0; r < rows; r += MX_ROWS) {
            tiles[tile](w + r / MX_ROWS * panel_bytes, panel_bytes, x, from + t, lanes[0]);
            for (int i = 0; i < n; i++) put(lanes[i], out + (t + i) * out_stride + r, rows - r);
        }
    }
}

/* `runs` runs of 32 columns of an expert's inner layer, quantised. `w` starts with the gate panel of the first run,
 * which is run `first_run` of the rows at `hidden_codes` and `hidden_meta`. */
MX_EXPORT void mx_gate_up(int32_t isa, int32_t type, const uint8_t *w, int64_t first_run, int64_t runs, int64_t cols,
    const int8_t *codes, int64_t codes_stride, const float *meta, int64_t meta_stride, int64_t from, int64_t tokens,
    int8_t *hidden_codes, int64_t hidden_codes_stride, float *hidden_meta, int64_t hidden_meta_stride) {
    const struct mx_kernels *kernels = kernels_of(isa);
    mx_tile_fn *const *tiles = kernels->tiles[type];
    int64_t panel_bytes = mx_panel_bytes(types[type], cols);
    struct mx_rows x = {codes, meta, codes_stride, meta_stride, cols};
    /* Panel p of token i is at p * n + i. */
    float lanes[4 * 16][MX_ROWS] __attribute__((aligned(64)));
    int n;
    for (int64_t t = 0; t < tokens; t += n) {
        int tile = tile_for(tiles, tokens - t, &n);
        for (int64_t run = 0; run < runs; run++) {
            const uint8_t *panel = w + 4 * run * panel_bytes;
            if (tokens == 1) {
                for (int p = 0; p < 4; p += 2)
                    tiles[MX_TWO_PANELS](panel + p * panel_bytes, panel_bytes, x, from, lanes[p]);
            } else {
                for (int p = 0; p < 4; p++)
                    tiles[tile](panel + p * panel_bytes, panel_bytes, x, from + t, lanes[p * n]);
            }
            for (int i = 0; i < n; i++) {
                int64_t row = from + t + i;
                kernels->silu_run(lanes[i], lanes[n + i], lanes[2 * n + i], lanes[3 * n + i],
                    hidden_codes + row * hidden_codes_stride + (first_run + run) * MX_COLS,
                    hidden_meta + row * hidden_meta_stride + (first_run + run) * MX_META);
            }
        }
    }
}

/* Quantises one row of `cols` columns. */
MX_EXPORT void mx_quantize(int32_t isa, const float *x, int64_t x_at, int64_t cols, int8_t *codes, int64_t codes_at,
    float *meta, int64_t meta_at) {
    kernels_of(isa)->quantize(x + x_at, cols, codes + codes_at, meta + meta_at);
}

/* Attention of neighbouring rows for the query heads of one KV head; see struct mx_attention. */
MX_EXPORT void mx_attention(int32_t isa, int32_t kv_type, const float *q, int64_t q_at, int64_t q_stride, int64_t rows,
    int64_t heads, int64_t head_dim, const int64_t *blocks, int64_t keys_at, int64_t values_at, int64_t positions,
    int64_t from_chunk, int64_t to_chunk, float scale, float *out, int64_t out_at, int64_t out_stride) {
    struct mx_attention a = {
        .q = q + q_at,
        .out = out + out_at,
        .blocks = blocks,
        .rows = rows,
        .q_stride = q_stride,
        .out_stride = out_stride,
        .heads = heads,
        .head_dim = head_dim,
        .keys_at = keys_at,
        .values_at = values_at,
        .positions = positions,
        .from_chunk = from_chunk,
        .to_chunk = to_chunk,
        .scale = scale,
        .type = (enum mx_kv_type)kv_type,
    };
    kernels_of(isa)->attention(&a);
}

enum { HUGE_PAGE = 2 << 20 };

/* Returns zeroed memory on a huge-page boundary, in huge pages where the system gives them, or NULL. */
MX_EXPORT void *mx_allocate(int64_t bytes) {
    size_t whole = ((size_t)bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    char *mapped = mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    size_t skip = (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE) % HUGE_PAGE;
    if (skip > 0) munmap(mapped, skip);
    if (skip < HUGE_PAGE) munmap(mapped + skip + whole, HUGE_PAGE - skip);
    madvise(mapped + skip, whole, MADV_HUGEPAGE);
    return mapped + skip;
}

/* Returns the memory of mx_allocate. */
MX_EXPORT void mx_release(void *memory, int64_t bytes) {
    munmap(memory, ((size_t)bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
}
