/// Kernels on the incubating Vector API (JEP 508): portable, no native code.
///
/// The only package that imports `jdk.incubator.vector`. Vectors stay in local variables of small static methods,
/// since one that escapes is boxed. Sums across lanes are done in a fixed order by hand: the API leaves the order of
/// `reduceLanes` open, and interpreted and compiled code differ in it.
@NullMarked
package dev.mixtral.kernel.vector;

import org.jspecify.annotations.NullMarked;
