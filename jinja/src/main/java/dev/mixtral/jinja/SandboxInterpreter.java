package dev.mixtral.jinja;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.InterpreterFactory;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import org.jspecify.annotations.Nullable;

/// Prints values as Python does, and counts every look-up of a variable.
final class SandboxInterpreter extends JinjavaInterpreter {
    private SandboxInterpreter(JinjavaInterpreter original) {
        super(original);
    }

    private SandboxInterpreter(Jinjava application, Context context, JinjavaConfig config) {
        super(application, context, config);
    }

    /// Makes interpreters of this class.
    static final class Factory implements InterpreterFactory {
        @Override
        public JinjavaInterpreter newInstance(JinjavaInterpreter original) {
            return new SandboxInterpreter(original);
        }

        @Override
        public JinjavaInterpreter newInstance(Jinjava application, Context context, JinjavaConfig config) {
            return new SandboxInterpreter(application, context, config);
        }
    }

    @Override
    public @Nullable Object retraceVariable(String variable, int lineNumber, int startPosition) {
        RenderScope.current().tick();
        return super.retraceVariable(variable, lineNumber, startPosition);
    }

    @Override
    public String getAsString(@Nullable Object value) {
        return PythonValues.print(value);
    }
}
