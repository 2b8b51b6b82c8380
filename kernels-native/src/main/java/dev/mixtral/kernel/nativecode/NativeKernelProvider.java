package dev.mixtral.kernel.nativecode;

import dev.mixtral.error.KernelUnavailableException;
import dev.mixtral.kernel.KernelProvider;
import dev.mixtral.kernel.Kernels;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Offers the C kernels where the library loads and the processor has one of its instruction sets.
public final class NativeKernelProvider implements KernelProvider {
    /// Used by [java.util.ServiceLoader].
    public NativeKernelProvider() {}

    @Override
    public String name() {
        return "native";
    }

    @Override
    public int rank() {
        return 20;
    }

    @Override
    public List<String> variants() {
        return Arrays.stream(InstructionSet.values())
                .map(InstructionSet::variant)
                .toList();
    }

    @Override
    public Optional<String> unavailable() {
        Optional<String> problem = NativeLibrary.problem();
        if (problem.isPresent()) {
            return problem;
        }
        return usable().isEmpty()
                ? Optional.of("the processor has none of the instruction sets " + String.join(", ", variants()))
                : Optional.empty();
    }

    @Override
    public Kernels kernels(Kernels others) {
        InstructionSet best = usable().stream()
                .reduce((_, later) -> later)
                .orElseThrow(() -> new IllegalStateException("asked for kernels that are not available"));
        return new NativeKernels(best, others);
    }

    @Override
    public Kernels kernels(String variant, Kernels others) {
        return usable().stream()
                .filter(set -> set.variant().equals(variant))
                .findFirst()
                .map(set -> new NativeKernels(set, others))
                .orElseThrow(() -> new KernelUnavailableException("this processor does not have " + variant
                        + "; native kernels run here with "
                        + usable().stream().map(InstructionSet::variant).collect(Collectors.joining(", ")) + "."));
    }

    private static Set<InstructionSet> usable() {
        int mask = NativeKernels.instructionSets();
        Set<InstructionSet> usable = EnumSet.noneOf(InstructionSet.class);
        for (InstructionSet set : InstructionSet.values()) {
            if ((mask >> set.number() & 1) != 0) {
                usable.add(set);
            }
        }
        return usable;
    }
}
