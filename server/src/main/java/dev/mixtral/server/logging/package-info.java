/// Logging of the server: one line per request, and whatever else is logged, as text or JSON on stderr.
///
/// Over `java.util.logging`, which the engine (through [System.Logger]), Vert.x and Netty already end in. Logback was
/// weighed: it would add two libraries and a second configuration file to write lines to one stream. Entry classes:
/// [dev.mixtral.server.logging.LogSetup], [dev.mixtral.server.logging.RequestLog]. May use the server's root package.
@NullMarked
package dev.mixtral.server.logging;

import org.jspecify.annotations.NullMarked;
