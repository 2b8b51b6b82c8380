/// Metrics of the server in Prometheus' text format, through Micrometer.
///
/// Every name begins with `mixtral_`; behind the prefix they are vLLM's where vLLM has them, so that its dashboards
/// adapt by a replacement. Entry class: [dev.mixtral.server.metrics.ServerMetrics]. May use the server's root package
/// and the engine's API.
@NullMarked
package dev.mixtral.server.metrics;

import org.jspecify.annotations.NullMarked;
