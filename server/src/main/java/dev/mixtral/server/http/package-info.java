/// The listening server: HTTP/1.1 over Vert.x, with its limits and timeouts, and a virtual thread per request.
///
/// The only package that knows the HTTP library. May use `dev.mixtral.server`, `wire` and `api`. Entry class:
/// [dev.mixtral.server.http.MixtralServer].
@NullMarked
package dev.mixtral.server.http;

import org.jspecify.annotations.NullMarked;
