/// The synthetic corpus of `mixtral-tiny`: small grammars that write conversations whose answers can be checked.
///
/// Entry classes: [dev.mixtral.train.corpus.CorpusGenerator] for training, [dev.mixtral.train.corpus.HeldOut] and
/// [dev.mixtral.train.corpus.Scorer] for scores. Everything is a function of a seed: no hash order, locale, clock or
/// library random generator takes part. Uses `dev.mixtral.chat` and a JSON library, nothing else.
@NullMarked
package dev.mixtral.train.corpus;

import org.jspecify.annotations.NullMarked;
