package dev.mixtral.kernel;

import dev.mixtral.error.KernelUnavailableException;
import dev.mixtral.kernel.scalar.ScalarKernels;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Chooses kernels at run time and says why.
public final class KernelSelector {
    /// The name that lets the selector choose.
    public static final String AUTO = "auto";

    private KernelSelector() {}

    /// The outcome of a selection.
    ///
    /// @param kernels the kernels
    /// @param reason one line for the log: what was chosen, what was refused and why
    public record Selection(Kernels kernels, String reason) {}

    /// Returns the kernels with this name, or the fastest available ones for `auto`.
    ///
    /// @throws KernelUnavailableException if the name is unknown or those kernels cannot run here
    public static Selection select(String name) {
        List<KernelProvider> providers = providers();
        if (!name.equals(AUTO)) {
            return named(name, providers);
        }
        List<String> refused = new ArrayList<>();
        for (KernelProvider provider : providers) {
            Optional<String> unavailable = provider.unavailable();
            if (unavailable.isEmpty()) {
                Kernels kernels = provider.kernels(below(provider, providers));
                String why = refused.isEmpty() ? "" : "; not " + String.join("; not ", refused);
                return new Selection(kernels, "kernels: " + kernels.name() + why);
            }
            refused.add(provider.name() + ": " + unavailable.get());
        }
        throw new AssertionError("scalar kernels are always available");
    }

    private static Selection named(String name, List<KernelProvider> providers) {
        String providerName = name.contains(":") ? name.substring(0, name.indexOf(':')) : name;
        KernelProvider provider = providers.stream()
                .filter(p -> p.name().equals(providerName))
                .findFirst()
                .orElseThrow(() -> new KernelUnavailableException(
                        "no kernels are called '" + name + "'; choose " + AUTO + ", " + names(providers) + "."));
        provider.unavailable().ifPresent(why -> {
            throw new KernelUnavailableException("the " + providerName + " kernels cannot run here: " + why);
        });
        Kernels others = below(provider, providers);
        Kernels kernels = name.equals(providerName)
                ? provider.kernels(others)
                : provider.kernels(name.substring(providerName.length() + 1), others);
        return new Selection(kernels, "kernels: " + kernels.name() + " (forced)");
    }

    private static String names(List<KernelProvider> providers) {
        return providers.stream()
                .flatMap(provider -> Stream.concat(
                        Stream.of(provider.name()),
                        provider.variants().stream().map(variant -> provider.name() + ":" + variant)))
                .collect(Collectors.joining(", "));
    }

    /// Returns the best available kernels of lower rank than a provider's, which scalar ones have none of.
    private static Kernels below(KernelProvider provider, List<KernelProvider> providers) {
        for (KernelProvider lower : providers.subList(providers.indexOf(provider) + 1, providers.size())) {
            if (lower.unavailable().isEmpty()) {
                return lower.kernels(below(lower, providers));
            }
        }
        return new ScalarKernels();
    }

    private static List<KernelProvider> providers() {
        List<KernelProvider> providers = new ArrayList<>();
        ServiceLoader.load(KernelProvider.class, KernelProvider.class.getClassLoader())
                .forEach(providers::add);
        providers.add(new ScalarProvider());
        providers.sort(Comparator.comparingInt(KernelProvider::rank).reversed());
        return providers;
    }

    private static final class ScalarProvider implements KernelProvider {
        @Override
        public String name() {
            return "scalar";
        }

        @Override
        public int rank() {
            return 0;
        }

        @Override
        public Optional<String> unavailable() {
            return Optional.empty();
        }

        @Override
        public Kernels kernels(Kernels others) {
            return new ScalarKernels();
        }
    }
}
