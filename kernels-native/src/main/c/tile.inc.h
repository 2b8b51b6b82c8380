/* Compiles the tiles of every packed type. The includer defines, for its vector width,
 *
 *   MX_INLINE void tile(struct mx_type t, int P, int N, w, panel_bytes, x, token, out)
 *
 * as mx_tile_fn describes it, and with MX_LARGE_TILES the tiles of 8 and 16 tokens if it has them.
 */
#define MX_TILE(name, P, N, ...)                                                                         \
    static __attribute__((noinline)) void tile_##name##_##P##_##N(                                       \
        const uint8_t *w, int64_t panel_bytes, struct mx_rows x, int64_t token, float *out) {            \
        const struct mx_type t = {__VA_ARGS__};                                                          \
        tile(t, P, N, w, panel_bytes, x, token, out);                                                    \
    }
#define MX_TILES(name, number, ...)                                                                     \
    MX_TILE(name, 2, 1, __VA_ARGS__)                                                                     \
    MX_TILE(name, 1, 1, __VA_ARGS__)                                                                     \
    MX_TILE(name, 1, 2, __VA_ARGS__)                                                                     \
    MX_TILE(name, 1, 3, __VA_ARGS__)                                                                     \
    MX_TILE(name, 1, 4, __VA_ARGS__)                                                                     \
    MX_LARGE_TILES(name, __VA_ARGS__)
MX_FOR_EACH_TYPE(MX_TILES)

#define MX_TILE_ROW(name, number, ...)                                                                  \
    [number] = {tile_##name##_2_1, tile_##name##_1_1, tile_##name##_1_2, tile_##name##_1_3, \
                tile_##name##_1_4, MX_LARGE_TILE_NAMES(name)},
