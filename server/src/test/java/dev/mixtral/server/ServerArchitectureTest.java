package dev.mixtral.server;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Holds the direction between the packages, and what none of them may use.
class ServerArchitectureTest {
    private static JavaClasses server;

    @BeforeAll
    static void importCompiledClasses() {
        server = new ClassFileImporter().importPath(Path.of("target", "classes"));
        // A wrong folder would satisfy every rule.
        assertThat(server.contain(ServerConfig.class.getName())).isTrue();
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.mixtral.server.(*)..")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true)
                .check(server);
    }

    @Test
    void settingsKnowNothingOfTheRest() {
        noClasses()
                .that()
                .resideInAPackage("dev.mixtral.server")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.mixtral.server.*..")
                .check(server);
    }

    @Test
    void onlyTheHttpPackageKnowsTheHttpLibrary() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.mixtral.server.http..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.vertx..", "io.netty..")
                .check(server);
    }

    @Test
    void aLibraryNeitherPrintsNorExitsNorSetsProperties() {
        noClasses()
                .should()
                .accessTargetWhere(describe(
                        "prints, exits or sets system properties",
                        (JavaAccess<?> access) -> access.getTargetOwner().isEquivalentTo(System.class)
                                && Set.of("out", "err", "exit", "setProperty").contains(access.getName())))
                .check(server);
    }
}
