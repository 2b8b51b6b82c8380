/// Mixtral as a library: open weights, tokenizer, chat templates, kernels, the model and its sampling.
///
/// Embedders start at `dev.mixtral.engine`.
@SuppressWarnings("module") // qualified exports name modules that are compiled after this one
module dev.mixtral.engine {
    requires static transitive org.jspecify;
    requires transitive tools.jackson.databind;
    requires jdk.incubator.vector;
    requires jdk.management;
    requires jdk.unsupported;

    exports dev.mixtral.chat;
    exports dev.mixtral.engine;
    exports dev.mixtral.error;
    exports dev.mixtral.format;
    exports dev.mixtral.format.gguf;
    exports dev.mixtral.format.safetensors;
    exports dev.mixtral.grammar;
    exports dev.mixtral.lora;
    exports dev.mixtral.tensor;
    exports dev.mixtral.tokenizer;
    exports dev.mixtral.kernel;
    exports dev.mixtral.kvcache;
    exports dev.mixtral.model;
    exports dev.mixtral.quantize;
    exports dev.mixtral.sampling;

    uses dev.mixtral.chat.ChatTemplateCompiler;
    uses dev.mixtral.kernel.KernelProvider;

    provides dev.mixtral.kernel.KernelProvider with
            dev.mixtral.kernel.vector.VectorKernelProvider;
}
