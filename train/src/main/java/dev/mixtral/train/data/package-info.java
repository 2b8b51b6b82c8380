/// Training data as people keep it: chats and texts in several formats, checked, with the place of every fault.
///
/// Reading needs no PyTorch. Entry classes: [dev.mixtral.train.data.DataFiles] reads files,
/// [dev.mixtral.train.data.ExampleEncoder] makes tokens of what they hold.
@NullMarked
package dev.mixtral.train.data;

import org.jspecify.annotations.NullMarked;
