/// What a training run tells: a log that it can be continued from, curves in a page, event files for
/// TensorBoard.
///
/// Entry classes: [dev.mixtral.train.report.RunLog], [dev.mixtral.train.report.HtmlReport],
/// [dev.mixtral.train.report.EventFile].
@NullMarked
package dev.mixtral.train.report;

import org.jspecify.annotations.NullMarked;
