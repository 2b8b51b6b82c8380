/// The entry for embedders: load a model, generate, chat.
///
/// ```java
/// try (var engine = Engine.load(Path.of("mixtral-8x7b-instruct"), EngineConfig.defaults())) {
///     var messages = List.of(Message.user("Why is the sky blue?"));
///     var request = engine.chat(messages, List.of(), SamplingParams.greedy().maxTokens(200).build());
///     for (var event : engine.generate(request)) {
///         switch (event) {
///             case TextDelta(var text, _) -> IO.print(text);
///             case ToolCalls(var calls) -> handle(calls);
///             case Started _, Routed _, ToolCallDelta _ -> {}
///             case Finished(var reason, var usage) -> IO.println("\n" + reason + " " + usage);
///         }
///     }
/// }
/// ```
///
/// May use every other package of this module. Entry class: [dev.mixtral.engine.Engine].
@NullMarked
package dev.mixtral.engine;

import org.jspecify.annotations.NullMarked;
