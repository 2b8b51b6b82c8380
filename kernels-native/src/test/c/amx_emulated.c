/* The AMX tiles on an emulation of the tile instructions, compared with the AVX-512 tiles: they must give the same
 * bits. Exits with 0 and prints a line if they do. Needs a processor with AVX-512 VNNI, none with AMX. */
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct emulated_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes_per_row[16];
    uint8_t rows[16];
};
static struct emulated_config config;
static uint8_t tiles[8][16][64];

static void emulated_loadconfig(const void *c) { memcpy(&config, c, sizeof config); }
static void emulated_release(void) { memset(&config, 0, sizeof config); }
static void emulated_zero(int t) { memset(tiles[t], 0, sizeof tiles[t]); }
static void emulated_loadd(int t, const void *p, int64_t stride) {
    memset(tiles[t], 0, sizeof tiles[t]);
    for (int r = 0; r < config.rows[t]; r++)
        memcpy(tiles[t][r], (const uint8_t *)p + r * stride, config.bytes_per_row[t]);
}
static void emulated_stored(int t, void *p, int64_t stride) {
    for (int r = 0; r < config.rows[t]; r++)
        memcpy((uint8_t *)p + r * stride, tiles[t][r], config.bytes_per_row[t]);
}
/* TDPBSUD of Intel's manual: signed bytes of `a` by unsigned bytes of `b`. */
static void emulated_dpbsud(int c, int a, int b) {
    for (int m = 0; m < config.rows[c]; m++)
        for (int k = 0; k < config.bytes_per_row[a] / 4; k++)
            for (int n = 0; n < config.bytes_per_row[c] / 4; n++) {
                int32_t sum;
                memcpy(&sum, &tiles[c][m][4 * n], 4);
                for (int i = 0; i < 4; i++) sum += (int8_t)tiles[a][m][4 * k + i] * tiles[b][k][4 * n + i];
                memcpy(&tiles[c][m][4 * n], &sum, 4);
            }
}

#undef _tile_loadconfig
#define _tile_loadconfig emulated_loadconfig
#undef _tile_release
#define _tile_release emulated_release
#undef _tile_zero
#define _tile_zero emulated_zero
#undef _tile_loadd
#define _tile_loadd emulated_loadd
#undef _tile_stored
#define _tile_stored emulated_stored
#undef _tile_dpbsud
#define _tile_dpbsud emulated_dpbsud

#include "../../main/c/amx.c"

static uint32_t state = 12345;
static uint32_t next(void) { return state = state * 1664525u + 1013904223u; }

#define MX_SIZE(name, number, ...) [number] = {__VA_ARGS__},
static const struct mx_type types[MX_NUM_TYPES] = {MX_FOR_EACH_TYPE(MX_SIZE)};

int main(void) {
    const int64_t cols = 1024, tokens = 16;
    const int64_t codes_stride = cols + 64, meta_stride = cols / MX_COLS * MX_META + 16;
    int8_t *codes = malloc((size_t)(tokens * codes_stride));
    float *meta = malloc((size_t)(tokens * meta_stride) * sizeof(float));
    for (int64_t i = 0; i < tokens * codes_stride; i++) codes[i] = (int8_t)((int)(next() >> 8) % 255 - 127);
    for (int64_t i = 0; i < tokens * meta_stride; i++) meta[i] = (float)((int)(next() >> 8) % 4001 - 2000) / 128;
    struct mx_rows x = {codes, meta, codes_stride, meta_stride, cols};
    for (int type = 0; type < MX_NUM_TYPES; type++) {
        int64_t bytes = mx_panel_bytes(types[type], cols);
        uint8_t *w = malloc((size_t)bytes + 4096);
        /* Small exponents wherever a half may lie: no NaN, whose bits need not agree. */
        for (int64_t i = 0; i < bytes; i++) w[i] = (uint8_t)(next() >> 16) & 0xbf;
        for (int tile = MX_TOKENS_8; tile <= MX_TOKENS_16; tile++) {
            float amx[16 * MX_ROWS], avx[16 * MX_ROWS];
            int n = tile == MX_TOKENS_8 ? 8 : 16;
            mx_amx.tiles[type][tile](w, bytes, x, 0, amx);
            for (int t = 0; t < n; t++) mx_amx.tiles[type][MX_TOKENS_1](w, bytes, x, t, avx + t * MX_ROWS);
            if (memcmp(amx, avx, (size_t)(n * MX_ROWS) * sizeof(float)) != 0) {
                printf("type %d, %d tokens: the AMX tile differs\n", type, n);
                return 1;
            }
        }
        free(w);
    }
    printf("AMX tiles of %d types agree with AVX-512\n", MX_NUM_TYPES);
    return 0;
}
