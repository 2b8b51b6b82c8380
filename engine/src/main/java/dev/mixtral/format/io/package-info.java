/// What every file format needs: mapped files, strict JSON, and writing a file so that it is whole or absent.
///
/// Not exported. May use `error` and `tensor`. Entry classes: [dev.mixtral.format.io.MappedFile],
/// [dev.mixtral.format.io.StrictJson], [dev.mixtral.format.io.AtomicFile].
@NullMarked
package dev.mixtral.format.io;

import org.jspecify.annotations.NullMarked;
