package dev.mixtral.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// The program's version, as the build wrote it into `version.properties`.
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
        return new String[] {"mixtral-java " + number() + ", Java " + Runtime.version()};
    }

    /// Returns the program's version alone.
    static String number() throws IOException {
        Properties properties = new Properties();
        try (InputStream stream = Version.class.getResourceAsStream("version.properties")) {
            if (stream != null) {
                properties.load(stream);
            }
        }
        return properties.getProperty("version", "of an unknown version");
    }
}
