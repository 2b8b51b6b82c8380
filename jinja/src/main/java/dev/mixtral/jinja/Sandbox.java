package dev.mixtral.jinja;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaProcessors;
import com.hubspot.jinjava.el.TruthyTypeConverter;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.Context.Library;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.lib.Importable;
import com.hubspot.jinjava.loader.ResourceLocator;
import com.hubspot.jinjava.loader.ResourceNotFoundException;
import dev.mixtral.error.InvalidRequestException;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import jinjava.de.odysseus.el.ExpressionFactoryImpl;
import jinjava.de.odysseus.el.tree.TreeStore;
import jinjava.de.odysseus.el.tree.impl.Cache;
import jinjava.javax.el.ExpressionFactory;

/// Runs template code that nobody has vouched for.
///
/// | danger | answer |
/// |---|---|
/// | files, classes | no tags that load templates, a locator that refuses, no reflection ([SandboxResolver]) |
/// | code in messages | output is never interpreted again |
/// | endless work | a deadline, checked at every node, operator and look-up, on a thread of its own |
/// | endless memory | limits on strings, lists and their sum ([RenderScope]) |
///
/// Any error that Jinjava notes, even one it would go on after, ends in a refusal. Thread-safe.
final class Sandbox {
    private static final Duration TIMEOUT = Duration.ofMillis(1500);
    /// What an operation may take beyond the deadline before the caller stops waiting for it.
    private static final Duration GRACE = Duration.ofMillis(500);

    private static final int MAX_RENDER_DEPTH = 20;

    private static final Set<String> TAGS = Set.of(
            "if",
            "elif",
            "else",
            "for",
            "set",
            "macro",
            "raw",
            "break",
            "continue",
            "endif",
            "endfor",
            "endset",
            "endmacro",
            "endraw");
    private static final Set<String> FUNCTIONS = Set.of(":raise_exception", ":strftime_now", ":namespace", ":range");

    private static final JinjavaConfig CONFIG = config();

    private final Clock clock;
    private final Jinjava jinjava;

    Sandbox(Clock clock) {
        this.clock = clock;
        this.jinjava = new SandboxJinjava(CONFIG);
        jinjava.setResourceLocator(refusingLocator());
        Context global = jinjava.getGlobalContext();
        global.registerTag(new LoopTag());
        PythonFilter.NAMES.forEach(name -> global.registerFilter(new PythonFilter(name)));
        TemplateFunctions.all().forEach(global::registerFunction);
    }

    /// Runs renderings on a thread with a deadline and returns their text.
    ///
    /// @throws InvalidRequestException if the template refuses, breaks a rule or a limit, or is no template
    String run(Supplier<String> work) {
        RenderScope scope = new RenderScope(TIMEOUT.toNanos(), clock);
        RenderThread thread = new RenderThread(scope, work);
        thread.start();
        try {
            thread.join(TIMEOUT.plus(GRACE));
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
            throw new InvalidRequestException("messages", "the rendering of the chat template was interrupted");
        }
        if (thread.isAlive()) {
            thread.interrupt();
            throw refused("it takes too long");
        }
        String raised = scope.raised();
        if (raised != null) {
            throw new InvalidRequestException("messages", raised);
        }
        String result = thread.result();
        if (result == null) {
            throw refused(String.valueOf(thread.failure()));
        }
        return result;
    }

    /// Renders a template; to be called within [#run(Supplier)] only.
    String render(String template, Map<String, Object> bindings) {
        RenderResult result = jinjava.renderForResult(template, bindings);
        if (!result.getErrors().isEmpty()) {
            var error = result.getErrors().getFirst();
            throw new RenderAbort("line " + error.getLineno() + ": " + error.getMessage());
        }
        return result.getOutput();
    }

    static InvalidRequestException refused(String why) {
        return new InvalidRequestException(
                "messages",
                "the model's chat template cannot be used: " + why
                        + ". Choose one of Mistral's instruct formats instead, if the model was trained on it.");
    }

    private static JinjavaConfig config() {
        Context known = new Jinjava().getGlobalContext();
        return JinjavaConfig.newBuilder()
                .withTrimBlocks(true)
                .withLstripBlocks(true)
                .withNestedInterpretationEnabled(false)
                .withElResolver(new SandboxResolver())
                .withInterperterFactory(new SandboxInterpreter.Factory())
                .withProcessors(JinjavaProcessors.newBuilder()
                        .withNodePreProcessor(
                                (node, interpreter) -> RenderScope.current().tick())
                        .build())
                .withMaxRenderDepth(MAX_RENDER_DEPTH)
                .withEnableRecursiveMacroCalls(true)
                .withMaxMacroRecursionDepth(MAX_RENDER_DEPTH)
                .withMaxOutputSize(RenderScope.MAX_STRING)
                .withMaxStringLength(RenderScope.MAX_STRING)
                .withDisabled(Map.of(
                        Library.TAG, others(known.getAllTags(), TAGS),
                        Library.FILTER, others(known.getAllFilters(), PythonFilter.NAMES),
                        Library.FUNCTION, others(known.getAllFunctions(), FUNCTIONS)))
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        .withEvaluateMapKeys(true)
                        .withIterateOverMapKeys(true)
                        .withUsePyishObjectMapper(true)
                        .withUseNaturalOperatorPrecedence(true)
                        .withParseWhitespaceControlStrictly(true)
                        .withAllowAdjacentTextNodes(true)
                        .withUseTrimmingForNotesAndExpressions(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .build();
    }

    private static Set<String> others(Collection<? extends Importable> known, Collection<String> allowed) {
        Set<String> names = new HashSet<>();
        known.forEach(each -> names.add(each.getName()));
        names.removeAll(List.copyOf(allowed));
        return names;
    }

    private static ResourceLocator refusingLocator() {
        return (name, encoding, interpreter) -> {
            throw new ResourceNotFoundException("templates may not load '" + name + "'");
        };
    }

    /// Jinjava with the sandbox's own expressions.
    private static final class SandboxJinjava extends Jinjava {
        private final ExpressionFactory expressions = new ExpressionFactoryImpl(
                new TreeStore(new SandboxParser.SyntaxBuilder(), new Cache(1000)), new TruthyTypeConverter());

        SandboxJinjava(JinjavaConfig config) {
            super(config);
        }

        @Override
        public ExpressionFactory getExpressionFactory() {
            return expressions;
        }

        @Override
        public ExpressionFactory getEagerExpressionFactory() {
            return expressions;
        }
    }
}
