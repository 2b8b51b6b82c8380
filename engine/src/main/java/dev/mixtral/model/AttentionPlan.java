package dev.mixtral.model;

import dev.mixtral.kernel.AttentionParts;
import java.util.Arrays;

/// How the attention of a batch is cut into pieces of about equal work, one for each KV head and
///
/// - a tile of neighbouring rows of one sequence, which share what they read, or
/// - some chunks of one row, where there are more threads than other work (flash-decoding).
///
/// The result does not depend on the cut: see [dev.mixtral.kernel.Kernels]. Made once for a batch, used in all
/// layers. Confined to one forward pass.
final class AttentionPlan {
    /// Rows of a tile: as many as kernels compute at once.
    static final int TILE_ROWS = 8;

    /// Pieces for each thread: few enough to be worth a task, enough that threads end together.
    private static final int PIECES_PER_THREAD = 4;

    private final int numKvHeads;
    private final int numThreads;
    private int numPieces;
    private int[] firstRow = new int[0];
    private int[] numRows = new int[0];
    private int[] fromChunk = new int[0];
    private int[] toChunk = new int[0];

    /// Pieces of each row, and what one KV head's parts of it begin at if there are several.
    private int[] piecesOfRow = new int[0];

    private int[] firstPart = new int[0];
    private int numParts;

    AttentionPlan(int numKvHeads, int numThreads) {
        this.numKvHeads = numKvHeads;
        this.numThreads = numThreads;
    }

    /// Cuts a batch.
    void prepare(Batch batch) {
        int size = batch.size();
        numPieces = 0;
        numParts = 0;
        if (piecesOfRow.length < size) {
            piecesOfRow = new int[size];
            firstPart = new int[size];
        }
        int work = workOfPiece(batch);
        int row = 0;
        while (row < size) {
            int rows = neighbours(batch, row);
            int numChunks = numChunks(batch, row + rows - 1);
            int tile = Math.clamp(work / numChunks, 1, rows);
            int pieces = tile > 1 ? 1 : Math.ceilDiv(numChunks(batch, row), work);
            addPieces(batch, row, tile, pieces);
            row += tile;
        }
    }

    /// Returns how many chunks of how many rows a piece should have.
    private int workOfPiece(Batch batch) {
        long total = 0;
        for (int row = 0; row < batch.size(); row++) {
            total += numChunks(batch, row);
        }
        long numTasks = (long) numThreads * PIECES_PER_THREAD;
        // A single thread has nobody to share with.
        return numThreads == 1 ? Integer.MAX_VALUE : Math.toIntExact(Math.ceilDiv(total * numKvHeads, numTasks));
    }

    /// Returns how many rows from `row` on are neighbouring positions of one sequence, at most a tile.
    private static int neighbours(Batch batch, int row) {
        int end = row + 1;
        while (end < Math.min(batch.size(), row + TILE_ROWS)
                && batch.caches()[end] == batch.caches()[row]
                && batch.positions()[end] == batch.positions()[row] + end - row) {
            end++;
        }
        return end - row;
    }

    private void addPieces(Batch batch, int row, int rows, int pieces) {
        int numChunks = numChunks(batch, row);
        Arrays.fill(piecesOfRow, row, row + rows, pieces);
        for (int piece = 0; piece < pieces; piece++) {
            ensurePiece();
            firstRow[numPieces] = row;
            numRows[numPieces] = rows;
            fromChunk[numPieces] = (int) ((long) numChunks * piece / pieces);
            toChunk[numPieces] = (int) ((long) numChunks * (piece + 1) / pieces);
            numPieces++;
        }
        if (pieces > 1) {
            firstPart[row] = numParts;
            numParts += numChunks * numKvHeads;
        }
    }

    private void ensurePiece() {
        if (numPieces == firstRow.length) {
            int length = Math.max(16, 2 * numPieces);
            firstRow = Arrays.copyOf(firstRow, length);
            numRows = Arrays.copyOf(numRows, length);
            fromChunk = Arrays.copyOf(fromChunk, length);
            toChunk = Arrays.copyOf(toChunk, length);
        }
    }

    private static int numChunks(Batch batch, int row) {
        return AttentionParts.numChunks(batch.positions()[row] + 1);
    }

    /// Returns the number of pieces of one KV head.
    int numPieces() {
        return numPieces;
    }

    /// Returns the first row of a piece.
    int firstRow(int piece) {
        return firstRow[piece];
    }

    /// Returns the number of rows of a piece.
    int numRows(int piece) {
        return numRows[piece];
    }

    /// Returns the first chunk of a piece of one row of several.
    int fromChunk(int piece) {
        return fromChunk[piece];
    }

    /// Returns the end of the chunks of a piece of one row of several.
    int toChunk(int piece) {
        return toChunk[piece];
    }

    /// Returns the number of pieces that a row is cut into; more than one have the row to themselves.
    int piecesOfRow(int row) {
        return piecesOfRow[row];
    }

    /// Returns the number of the first part of a row that is cut into several pieces, of one KV head.
    ///
    /// @param numChunks chunks of the row
    int firstPart(int row, int kvHead, int numChunks) {
        return firstPart[row] + kvHead * numChunks;
    }

    /// Returns the number of parts of all rows that are cut, of all KV heads.
    int numParts() {
        return numParts;
    }
}
