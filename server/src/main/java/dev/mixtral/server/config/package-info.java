/// Configuration of the server: flags, environment, one YAML file and defaults, in this order of precedence.
///
/// [dev.mixtral.server.config.ConfigKeys] lists what can be set; each key's flag and environment name follow from its
/// name, so none can lack one. [dev.mixtral.server.config.Configuration] reads and merges the sources and says where
/// each value came from; [dev.mixtral.server.config.Settings] turns it into the records that the server runs on. May
/// use the server's root package and the engine's API.
@NullMarked
package dev.mixtral.server.config;

import org.jspecify.annotations.NullMarked;
