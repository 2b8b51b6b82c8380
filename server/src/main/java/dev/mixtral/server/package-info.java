/// The HTTP server: settings, and what other parts are told about requests.
///
/// Packages, lowest first: this one; `wire`, which reads requests and writes answers in the three dialects; `api`,
/// which carries requests out; `http`, the listening server over Vert.x. May use the engine's API packages. Entry
/// class: [dev.mixtral.server.ServerConfig].
@NullMarked
package dev.mixtral.server;

import org.jspecify.annotations.NullMarked;
