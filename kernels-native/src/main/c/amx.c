/* AMX with 8-bit integers for 8 and 16 tokens at once; for fewer, and for everything else, the AVX-512 kernels. */
#define MX_LARGE_TILES(name, ...) MX_AMX_TILE(name, 8, __VA_ARGS__) MX_AMX_TILE(name, 16, __VA_ARGS__)
#define MX_LARGE_TILE_NAMES(name) amx_##name##_8, amx_##name##_16
#define MX_KERNELS mx_amx
#include "avx512.c"
