/// What the server's tests share: a scripted model, a running server, sockets.
@NullMarked
package dev.mixtral.server.testing;

import org.jspecify.annotations.NullMarked;
