/// What users' clients see: published client libraries against a running server with the embedded model.
@NullMarked
package dev.mixtral.server.clients;

import org.jspecify.annotations.NullMarked;
