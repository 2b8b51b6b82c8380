/// Carries requests out: routes, keys, models, generations, and the answers of every endpoint.
///
/// Blocking code, one virtual thread per request, that knows the HTTP library only through
/// [dev.mixtral.server.api.Exchange]. May use `dev.mixtral.server` and `wire`. Entry class:
/// [dev.mixtral.server.api.ServerApi].
@NullMarked
package dev.mixtral.server.api;

import org.jspecify.annotations.NullMarked;
