/// Fine-tuning of a checkpoint on data of one's own: low-rank adapters over frozen weights of any type, or
/// all weights.
///
/// Entry class: [dev.mixtral.train.finetune.Finetuning]. May use the engine, `train` and `data`.
@NullMarked
package dev.mixtral.train.finetune;

import org.jspecify.annotations.NullMarked;
