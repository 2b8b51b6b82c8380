package dev.mixtral.tensor;

import java.util.Optional;

/// How [PackedMatrix] stores weights: the information of one quantised [DType], with 16 rows side by side.
///
/// A *panel* is 16 rows. Along its columns it is a run of super-blocks of 32 or 256 columns, each a header and its
/// sub-blocks of 32 columns. A *quad* is 4 neighbouring columns of one row; quad `j` of a sub-block holds columns
/// `4j .. 4j + 3`. All numbers are little-endian; `[16]` runs over the rows of the panel:
///
/// ```
/// super-block = f16 d[16], f16 dmin[16] if it has minima      (types of 256 columns only)
///               sub-block × (32 or 256) / 32
/// sub-block   = scales                                        (see Scales)
///               low plane: byte [16][4] per quad
///                 8 bits: quad 0 … quad 7                     (512 bytes)
///                 4 bits: quads j and j + 4 as low and high nibble, j = 0 … 3   (256 bytes)
///                 2 bits: quads 4p … 4p + 3 at bits 0, 2, 4, 6, p = 0, 1        (128 bytes)
///               high plane: byte [16][4]
///                 1 bit:  quad j at bit j                     (64 bytes)
///                 2 bits: as above                            (128 bytes)
/// ```
///
/// A code `c = low | high << lowBits` stands for the integer `c - offset`, or for an entry of a table. One vector
/// register of 64 bytes thus holds the same quad of 16 rows: what an integer dot product of 4 neighbours (VNNI, or a
/// tile of AMX) takes as it is, with nothing summed across lanes.
public enum PackedType {
    /// [DType#Q4_0]: `d · (c - 8)`.
    P4_0(0, DType.Q4_0, Scales.HALF, 4, 0, 8),
    /// [DType#Q4_1]: `d · c + m`.
    P4_1(1, DType.Q4_1, Scales.HALF_WITH_MIN, 4, 0, 0),
    /// [DType#Q5_0]: `d · (c - 16)`.
    P5_0(2, DType.Q5_0, Scales.HALF, 4, 1, 16),
    /// [DType#Q5_1]: `d · c + m`.
    P5_1(3, DType.Q5_1, Scales.HALF_WITH_MIN, 4, 1, 0),
    /// [DType#Q8_0]: `d · (c - 128)`.
    P8_0(4, DType.Q8_0, Scales.HALF, 8, 0, 128),
    /// [DType#Q2_K]: `d · s · c - dmin · m`, groups of 16.
    P2_K(5, DType.Q2_K, Scales.NIBBLES_16, 2, 0, 0),
    /// [DType#Q3_K]: `d · s · (c - 4)`, groups of 16.
    P3_K(6, DType.Q3_K, Scales.BYTES_16, 2, 1, 4),
    /// [DType#Q4_K]: `d · s · c - dmin · m`.
    P4_K(7, DType.Q4_K, Scales.BYTES_WITH_MIN, 4, 0, 0),
    /// [DType#Q5_K]: `d · s · c - dmin · m`.
    P5_K(8, DType.Q5_K, Scales.BYTES_WITH_MIN, 4, 1, 0),
    /// [DType#Q6_K]: `d · s · (c - 32)`, groups of 16.
    P6_K(9, DType.Q6_K, Scales.BYTES_16, 4, 2, 32),
    /// [DType#IQ4_NL]: `d · table[c]`.
    P4_NL(10, DType.IQ4_NL, Scales.HALF, 4, 0, 128),
    /// [DType#IQ4_XS]: `d · s · table[c]`.
    P4_XS(11, DType.IQ4_XS, Scales.BYTES, 4, 0, 128),
    /// [DType#NL3]: `d · s · table[c]`.
    P3_NL(12, DType.NL3, Scales.BYTES, 2, 1, 128);

    /// Rows of a panel.
    public static final int ROWS = 16;

    /// Columns of a sub-block.
    public static final int COLS = 32;

    private static final int HALVES = 2 * ROWS;

    /// What a sub-block says about its scales.
    public enum Scales {
        /// `f16 d[16]`.
        HALF(HALVES, false, false),
        /// `f16 d[16], f16 m[16]`.
        HALF_WITH_MIN(2 * HALVES, true, false),
        /// `i8 s[16]`.
        BYTES(ROWS, false, false),
        /// `i8 s[16], u8 m[16]`.
        BYTES_WITH_MIN(2 * ROWS, true, false),
        /// `i8 s[16]` of columns 0 … 15, then of columns 16 … 31.
        BYTES_16(2 * ROWS, false, true),
        /// The same with scale and minimum as the low and high nibble of one byte.
        NIBBLES_16(2 * ROWS, true, true);

        private final int bytes;
        private final boolean hasMin;
        private final boolean halfGroups;

        Scales(int bytes, boolean hasMin, boolean halfGroups) {
            this.bytes = bytes;
            this.hasMin = hasMin;
            this.halfGroups = halfGroups;
        }

        /// Returns whether groups have a minimum beside their scale.
        public boolean hasMin() {
            return hasMin;
        }

        /// Returns whether a group is 16 columns rather than 32.
        public boolean halfGroups() {
            return halfGroups;
        }
    }

    private final int number;
    private final DType source;
    private final Scales scales;
    private final int lowBits;
    private final int highBits;
    private final int offset;

    PackedType(int number, DType source, Scales scales, int lowBits, int highBits, int offset) {
        this.number = number;
        this.source = source;
        this.scales = scales;
        this.lowBits = lowBits;
        this.highBits = highBits;
        this.offset = offset;
    }

    /// Returns the packed form of a type, or empty if it is plain numbers, which have none.
    public static Optional<PackedType> of(DType source) {
        for (PackedType type : values()) {
            if (type.source == source) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /// Returns the number that native kernels know the type by.
    public int number() {
        return number;
    }

    /// Returns the type whose information this one holds.
    public DType source() {
        return source;
    }

    /// Returns how scales are stored.
    public Scales scales() {
        return scales;
    }

    /// Returns the columns of a super-block: 32 or 256, as many as a block of the source.
    public int superCols() {
        return source.blockSize();
    }

    /// Returns the bits of a code in the low plane.
    public int lowBits() {
        return lowBits;
    }

    /// Returns the bits of a code in the high plane, perhaps 0.
    public int highBits() {
        return highBits;
    }

    /// Returns what is subtracted from a code; of types with a table: from the table's entries as unsigned bytes.
    public int offset() {
        return offset;
    }

    /// Returns whether codes index a table of [NonLinearQuants].
    public boolean hasTable() {
        return this == P4_NL || this == P4_XS || this == P3_NL;
    }

    /// Returns the integer that a code stands for.
    public int integer(int code) {
        return switch (this) {
            case P4_NL, P4_XS -> NonLinearQuants.value(code);
            case P3_NL -> NonLinearQuants.nl3Value(code);
            default -> code - offset;
        };
    }

    /// Returns whether a super-block has a header of its own.
    public boolean hasSuperScales() {
        return superCols() > COLS;
    }

    /// Returns the bytes in front of the first sub-block of a super-block.
    public int superHeaderBytes() {
        if (!hasSuperScales()) {
            return 0;
        }
        return scales.hasMin() ? 2 * HALVES : HALVES;
    }

    /// Returns the bytes of a sub-block: 16 rows of 32 columns.
    public int subBlockBytes() {
        return scales.bytes + planeBytes();
    }

    /// Returns the bytes of the scales in front of a sub-block's planes.
    public int scaleBytes() {
        return scales.bytes;
    }

    /// Returns the bytes of the low plane of a sub-block.
    public int lowPlaneBytes() {
        return ROWS * COLS * lowBits / Byte.SIZE;
    }

    private int planeBytes() {
        return ROWS * COLS * (lowBits + highBits) / Byte.SIZE;
    }

    /// Returns the bytes of a super-block.
    public int superBlockBytes() {
        return superHeaderBytes() + superCols() / COLS * subBlockBytes();
    }

    /// Returns the bytes of a panel.
    ///
    /// @param cols a multiple of [#superCols()]
    /// @throws IllegalArgumentException if it is not
    public long panelBytes(int cols) {
        if (cols % superCols() != 0) {
            throw new IllegalArgumentException(this + " holds multiples of " + superCols() + " columns, not " + cols);
        }
        return (long) (cols / superCols()) * superBlockBytes();
    }

    /// Returns where a sub-block starts.
    ///
    /// @param cols columns of the matrix
    /// @param panel number of the panel
    /// @param sub number of the sub-block in its panel
    public long subBlockOffset(int cols, int panel, int sub) {
        int subsPerSuper = superCols() / COLS;
        return superBlockOffset(cols, panel, sub) + superHeaderBytes() + (long) (sub % subsPerSuper) * subBlockBytes();
    }

    /// Returns where the super-block of a sub-block starts.
    public long superBlockOffset(int cols, int panel, int sub) {
        return panel * panelBytes(cols) + (long) (sub / (superCols() / COLS)) * superBlockBytes();
    }
}
