package dev.mixtral;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Holds the direction between the packages, and what none of them may use.
class ArchitectureTest {
    private static final String ROOT = "dev.mixtral.";

    /// What each package may use besides itself. Reading order: lowest first.
    private static final Map<String, Set<String>> MAY_USE = Map.ofEntries(
            Map.entry("error", Set.of()),
            Map.entry("tensor", Set.of("error")),
            Map.entry("format", Set.of("error", "tensor")),
            Map.entry("lora", Set.of("error", "tensor", "format")),
            Map.entry("tokenizer", Set.of("error", "format")),
            Map.entry("chat", Set.of("error", "format", "tokenizer")),
            Map.entry("quantize", Set.of("error", "tensor", "format", "tokenizer", "kernel", "lora", "model")),
            Map.entry("kvcache", Set.of("error", "tensor")),
            Map.entry("kernel", Set.of("error", "tensor", "kvcache")),
            Map.entry("model", Set.of("error", "tensor", "format", "kvcache", "kernel", "lora")),
            Map.entry("sampling", Set.of("error")),
            Map.entry("scheduler", Set.of("kvcache")),
            Map.entry("grammar", Set.of("error", "tokenizer", "sampling")),
            Map.entry(
                    "engine",
                    Set.of(
                            "error",
                            "tensor",
                            "format",
                            "tokenizer",
                            "chat",
                            "grammar",
                            "kvcache",
                            "kernel",
                            "lora",
                            "model",
                            "quantize",
                            "sampling",
                            "scheduler")));

    private static JavaClasses engine;

    @BeforeAll
    static void importCompiledClasses() {
        engine = new ClassFileImporter().importPath(Path.of("target", "classes"));
        // A wrong folder would satisfy every rule.
        assertThat(engine).hasSizeGreaterThan(30);
        assertThat(engine.contain("dev.mixtral.error.MixtralException")).isTrue();
    }

    @Test
    void packagesUseOnlyWhatLiesBelowThem() {
        classes().should(useOnlyWhatTheTableAllows()).check(engine);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching(ROOT + "(*)..").should().beFreeOfCycles().check(engine);
    }

    @Test
    void onlyTheVectorKernelsUseTheIncubator() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.mixtral.kernel.vector..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator..")
                .check(engine);
    }

    @Test
    void nobodyCallsNativeCodeOrUnsafe() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker")
                .orShould()
                .dependOnClassesThat()
                .haveSimpleName("Unsafe")
                .check(engine);
    }

    @Test
    void aLibraryNeitherPrintsNorExitsNorSetsProperties() {
        noClasses()
                .should()
                .accessTargetWhere(describe(
                        "prints, exits or sets system properties",
                        (JavaAccess<?> access) -> access.getTargetOwner().isEquivalentTo(System.class)
                                && Set.of("out", "err", "exit", "setProperty").contains(access.getName())))
                .orShould()
                .callMethod(Throwable.class, "printStackTrace")
                .check(engine);
    }

    @Test
    void computeNeverRunsOnTheCommonPool() {
        noClasses()
                .should()
                .accessTargetWhere(describe(
                        "uses parallel streams or the common pool",
                        (JavaAccess<?> access) -> Set.of("parallel", "parallelStream", "commonPool")
                                .contains(access.getName())))
                .check(engine);
    }

    private static ArchCondition<JavaClass> useOnlyWhatTheTableAllows() {
        return new ArchCondition<>("use only what the table in this test allows") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                String user = topPackage(item);
                if (user.isEmpty()) {
                    return; // module-info
                }
                Set<String> mayUse = MAY_USE.get(user);
                if (mayUse == null) {
                    events.add(SimpleConditionEvent.violated(item, "package " + user + " is not in the table"));
                    return;
                }
                for (Dependency dependency : item.getDirectDependenciesFromSelf()) {
                    String used = topPackage(dependency.getTargetClass());
                    boolean allowed = used.isEmpty() || used.equals(user) || mayUse.contains(used);
                    if (!allowed) {
                        events.add(SimpleConditionEvent.violated(item, dependency.getDescription()));
                    }
                }
            }
        };
    }

    /// Returns `kernel` for `dev.mixtral.kernel.vector.Lanes`, and nothing for classes of others.
    private static String topPackage(JavaClass type) {
        String name = type.getPackageName();
        return name.startsWith(ROOT) ? name.substring(ROOT.length()).replaceFirst("\\..*", "") : "";
    }
}
