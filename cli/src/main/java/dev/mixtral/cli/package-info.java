/// The `mixtral` command: parses arguments, reads and writes the standard streams, and calls the engine.
///
/// Conventions of all commands: results go to stdout and everything else to stderr; `--json` where a program would
/// read it; the exit code is 0 for success, 1 for failure, 2 for wrong usage. Entry class: [dev.mixtral.cli.Main].
@NullMarked
package dev.mixtral.cli;

import org.jspecify.annotations.NullMarked;
