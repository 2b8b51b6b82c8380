package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;

/// The formats of the specification as languages. Shares its pool's confinement.
///
/// Every text of a language has the format. Rare texts of a format are left out: encoded names such as `xn--zca`,
/// names in small scripts, fractions of a nanosecond, and patterns that ECMAScript reads otherwise than the engines
/// of other languages, as with the empty set `[]`: what reads the answer is seldom a browser.
final class Formats {
    private static final String DATE =
            "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
                    + "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
                    + "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
    private static final String TIME =
            "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
    /// The first and second halves of years that ended with a leap second.
    private static final String LEAP_SECONDS = "1972a 1972b 1973b 1974b 1975b 1976b 1977b 1978b 1979b 1981a 1982a 1983a"
            + " 1985a 1987b 1989b 1990b 1992a 1993a 1994a 1995b 1997a 1998b 2005b 2008b 2012a 2015a 2016b";
    private static final String TIME_OF_DURATION = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)";
    private static final String DURATION =
            "P(?:[0-9]+W|(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)(?:" + TIME_OF_DURATION + ")?|"
                    + TIME_OF_DURATION + ")";
    private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private static final String SHORT_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,28}[A-Za-z0-9])?";
    /// Three labels, or eight short ones, are not more than the 253 characters of a name: to count all characters too
    /// takes thousands of states.
    private static final String HOSTNAME =
            "(?:" + LABEL + "(?:\\." + LABEL + "){0,2}|" + SHORT_LABEL + "(?:\\." + SHORT_LABEL + "){0,7})";
    private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String IPV4 = OCTET + "(?:\\." + OCTET + "){3}";
    private static final String IPV6 = ipv6();
    private static final String FUTURE_ADDRESS = "[Vv][0-9A-Fa-f]+\\.[A-Za-z0-9._~!$&'()*+,;=:-]+";
    private static final String NON_ASCII = "\\u{80}-\\u{10FFFF}";
    private static final String EMAIL = email("", SHORT_LABEL);
    private static final String IDN_EMAIL = email(NON_ASCII, "(?:" + SHORT_LABEL + "|" + idnLabel() + ")");
    private static final String UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";
    private static final String POINTER = "(?:/(?:[^/~]|~[01])*)*";
    private static final String RELATIVE_POINTER = "(?:0|[1-9][0-9]*)(?:[+-][1-9][0-9]*)?(?:#|" + POINTER + ")";
    private static final String UCSCHAR = ucschar();
    private static final String PRIVATE = "\\uE000-\\uF8FF\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}";

    private static final Map<String, String> PATTERNS = Map.ofEntries(
            Map.entry("date", DATE),
            Map.entry("time", TIME),
            Map.entry("date-time", DATE + "[Tt]" + TIME),
            Map.entry("duration", DURATION),
            Map.entry("email", EMAIL),
            Map.entry("idn-email", IDN_EMAIL),
            Map.entry("hostname", HOSTNAME),
            Map.entry("ipv4", IPV4),
            Map.entry("ipv6", IPV6),
            Map.entry("uuid", UUID),
            Map.entry("uri", uri("", "", false)),
            Map.entry("uri-reference", uri("", "", true)),
            Map.entry("iri", uri(UCSCHAR, PRIVATE, false)),
            Map.entry("iri-reference", uri(UCSCHAR, PRIVATE, true)),
            Map.entry("uri-template", uriTemplate()),
            Map.entry("json-pointer", POINTER),
            Map.entry("relative-json-pointer", RELATIVE_POINTER),
            Map.entry("regex", regex()));

    /// Patterns of all texts that may have a format, for formats of which some are left out. Wide enough for
    /// everything that validators are known to take.
    private static final Map<String, String> POSSIBLE = Map.ofEntries(
            Map.entry("time", "[0-9]{2}:[0-9]{2}.*"),
            Map.entry("date-time", "[0-9]{4}-[0-9]{2}-[0-9]{2}.+"),
            Map.entry("duration", "[+-]?[Pp].*"),
            Map.entry("email", ".*@.*"),
            Map.entry("idn-email", ".*@.*"),
            Map.entry("hostname", "[A-Za-z0-9._-]*"),
            Map.entry("uri", "[A-Za-z][A-Za-z0-9+.-]*:.*"),
            Map.entry("uri-reference", ".*"),
            Map.entry("iri", "[A-Za-z][A-Za-z0-9+.-]*:.*"),
            Map.entry("iri-reference", ".*"),
            Map.entry("uri-template", ".*"),
            Map.entry("regex", ".*"));

    /// The texts of a format.
    ///
    /// @param written those that are written
    /// @param possible all that may have the format; the same expression if none is left out
    record Texts(Regex written, Regex possible) {}

    private final RegexPool pool;
    private final TextForm form;
    private final PatternCompiler patterns;
    /// For parts that are followed by others; none of their characters is escaped in a string.
    private final PatternCompiler plain;
    /// What was found already: schemas name a few formats many times.
    private final Map<String, Texts> found = new HashMap<>();

    Formats(RegexPool pool, TextForm form) {
        this.pool = pool;
        this.form = form;
        this.patterns = new PatternCompiler(pool, form);
        this.plain = new PatternCompiler(pool, TextForm.plain(pool));
    }

    /// Returns the names of the formats that are enforced.
    static List<String> names() {
        return List.copyOf(new TreeSet<>(PATTERNS.keySet()));
    }

    /// Returns the texts of a format, or empty if the specification does not know it.
    Optional<Texts> find(String name) {
        return PATTERNS.containsKey(name) ? Optional.of(found.computeIfAbsent(name, this::texts)) : Optional.empty();
    }

    private Texts texts(String name) {
        Regex written = written(name);
        String wide = POSSIBLE.get(name);
        if (wide == null) {
            return new Texts(written, written);
        }
        return new Texts(written, wide.equals(".*") ? form.anyText() : patterns.full(wide, true));
    }

    private Regex leapSecond() {
        return pool.concat(pool.automaton(LeapSecond.AUTOMATON), form.end());
    }

    /// Returns leap seconds with their dates. There were 27 of them, and validators know that.
    ///
    /// @param later days that the date is behind the one in UTC
    /// @param zone a pattern of the times that have such dates: east of UTC, the next day has begun
    private Regex leapSecond(int later, String zone) {
        List<byte[]> dates = new ArrayList<>();
        for (String half : LEAP_SECONDS.split(" ", -1)) {
            int year = Integer.parseInt(half, 0, 4, 10);
            LocalDate last = half.endsWith("a") ? LocalDate.of(year, 6, 30) : LocalDate.of(year, 12, 31);
            dates.add(last.plusDays(later).toString().getBytes(StandardCharsets.US_ASCII));
        }
        Regex separator = plain.full("[Tt]", false);
        Regex time = pool.and(leapSecond(), patterns.full(zone, false));
        return pool.concat(List.of(pool.literals(dates), separator, time));
    }

    private Regex written(String name) {
        Regex texts = patterns.full(Objects.requireNonNull(PATTERNS.get(name)), true);
        return switch (name) {
            case "time" -> pool.or(texts, leapSecond());
            case "date-time" -> pool.or(List.of(texts, leapSecond(0, "[^+]*|.*\\+00:00"), leapSecond(1, ".*\\+.*")));
            // Labels like xn--… are encodings, which may be invalid.
            case "hostname" -> pool.minus(texts, patterns.search("(?:^|\\.)[^.]{2}--"));
            case "email", "idn-email" ->
                pool.and(List.of(
                        texts,
                        patterns.search("^(?:\"|[^@]{1,64}@)"),
                        pool.not(patterns.search("[@.][A-Za-z0-9-]{2}--[^@]*$"))));
            default -> texts;
        };
    }

    /// RFC 5321 and 6531: what is quoted may have blanks and dots in a row, a domain may be an address.
    ///
    /// Quoted, 31 characters are surely not more than 64 octets; six short labels behind them are not too long.
    ///
    /// @param more further characters of local parts
    private static String email(String more, String label) {
        String domain = label + "(?:\\." + label + "){0,5}";
        String atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~" + more + "-]+";
        String quoted = "\"(?:[ !#-\\[\\]-~" + more + "]|\\\\[ -~]){0,31}\"";
        String address = "\\[(?:" + IPV4 + "|IPv6:" + IPV6 + ")\\]";
        return "(?:" + atom + "(?:\\." + atom + ")*|" + quoted + ")@(?:" + domain + "|" + address + ")";
    }

    /// Letters of large scripts, which IDNA 2008 takes as they are in any place of a label, and so few that their
    /// encoding is not too long.
    private static String idnLabel() {
        return "[a-z0-9ß-öø-ÿά-ώа-яё一-鿋가-힣ぁ-ゔァ-ヴ]{1,12}";
    }

    /// RFC 3987: all planes but the two last code points of each.
    private static String ucschar() {
        StringBuilder set = new StringBuilder("\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF\\u{E1000}-\\u{EFFFD}");
        for (int plane = 1; plane < 0xe; plane++) {
            set.append("\\u{%x0000}-\\u{%<xFFFD}".formatted(plane));
        }
        return set.toString();
    }

    private static String ipv6() {
        String group = "[0-9A-Fa-f]{1,4}";
        String last = "(?:" + group + ":" + group + "|" + IPV4 + ")";
        StringBuilder pattern = new StringBuilder("(?:(?:" + group + ":){6}" + last);
        // RFC 3986: the two colons stand for what is missing of the groups on both sides.
        for (int after = 5; after >= 0; after--) {
            int before = 5 - after;
            String left = before == 0 ? "" : "(?:(?:" + group + ":){0," + (before - 1) + "}" + group + ")?";
            pattern.append('|')
                    .append(left)
                    .append("::(?:")
                    .append(group)
                    .append(":){")
                    .append(after)
                    .append('}');
            pattern.append(last);
        }
        pattern.append("|(?:(?:")
                .append(group)
                .append(":){0,5}")
                .append(group)
                .append(")?::")
                .append(group);
        pattern.append("|(?:(?:").append(group).append(":){0,6}").append(group).append(")?::");
        return pattern.append(')').toString();
    }

    /// @param more further characters everywhere
    /// @param inQuery further characters in queries
    private static String uri(String more, String inQuery, boolean reference) {
        String escaped = "%[0-9A-Fa-f]{2}";
        String unreserved = "A-Za-z0-9._~" + more + "-";
        String delimiters = "!$&'()*+,;=";
        String character = "(?:[" + delimiters + ":@" + unreserved + "]|" + escaped + ")";
        String colonless = "(?:[" + delimiters + "@" + unreserved + "]|" + escaped + ")";
        String user = "(?:(?:[" + delimiters + ":" + unreserved + "]|" + escaped + ")*@)?";
        String name = "(?:[" + delimiters + unreserved + "]|" + escaped + ")*";
        String authority = user + "(?:\\[(?:" + IPV6 + "|" + FUTURE_ADDRESS + ")\\]|" + name + ")(?::[0-9]*)?";
        String segments = "(?:/" + character + "*)*";
        String absolutePath = "/(?:" + character + "+" + segments + ")?";
        String tail = "(?:\\?(?:" + character + "|[/?" + inQuery + "])*)?(?:#(?:" + character + "|[/?])*)?";
        String scheme = "[A-Za-z][A-Za-z0-9+.-]*:";
        String hierarchy =
                "(?://" + authority + segments + "|" + absolutePath + "|" + character + "+" + segments + ")?";
        String absolute = scheme + hierarchy + tail;
        if (!reference) {
            return absolute;
        }
        String relative = "(?://" + authority + segments + "|" + absolutePath + "|" + colonless + "+" + segments + ")?";
        return "(?:" + absolute + "|" + relative + tail + ")";
    }

    private static String uriTemplate() {
        String escaped = "%[0-9A-Fa-f]{2}";
        String literal = "(?:[!#$&'(-;=?-\\[\\]_a-z~" + UCSCHAR + PRIVATE + "]|" + escaped + ")";
        String character = "(?:[A-Za-z0-9_]|" + escaped + ")";
        String variable = character + "(?:\\.?" + character + ")*(?::[1-9][0-9]{0,3}|\\*)?";
        return "(?:" + literal + "|\\{[+#./;?&]?" + variable + "(?:," + variable + ")*\\})*";
    }

    /// Patterns that are the same to ECMAScript, with and without its flag `u`, and to Java: to that one `[]` has no
    /// end, and `&&` in a set means an intersection.
    private static String regex() {
        String escape = "\\\\(?:[dDwWsStnrfv^$\\\\.*+?()\\[\\]{}|/]|c[A-Za-z]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})";
        String inClass = "(?:[A-Za-z0-9 _.,:;@#$%*+=!?/<>~'(){}|]|" + escape + ")";
        String range = "(?:a-z|A-Z|0-9|a-f|A-F)";
        String set = "\\[\\^?(?:" + range + "|" + inClass + ")+-?\\]";
        String quantifier = "(?:(?:[*+?]|\\{(?:[0-9]{1,3},?|" + risingCounts() + ")\\})\\??)?";
        String plain = "[^\\\\^$.*+?()\\[\\]{}|/\\u0000-\\u001f]";
        String pattern = "(?:" + plain + "|/|\\.|" + escape + "|" + set + ")" + quantifier;
        String branch = "(?:" + pattern + ")*";
        for (int depth = 0; depth < 2; depth++) {
            String inside = branch + "(?:\\|" + branch + ")*\\)";
            branch = "(?:" + pattern + "|\\((?:\\?:)?" + inside + quantifier + "|\\(\\?[=!]" + inside + ")*";
        }
        return "\\^?" + branch + "(?:\\|" + branch + ")*\\$?";
    }

    /// Two counts of a quantifier, the second of which is not less: of different lengths, or of up to two digits.
    private static String risingCounts() {
        StringBuilder pattern = new StringBuilder("[0-9],[1-9][0-9]{1,2}|[0-9]{2},[1-9][0-9]{2}");
        for (int first = 0; first <= 9; first++) {
            pattern.append('|').append(first).append(",[").append(first).append("-9]");
            if (first < 9) {
                pattern.append('|')
                        .append(first)
                        .append("[0-9],[")
                        .append(first + 1)
                        .append("-9][0-9]");
            }
            for (int second = 0; second <= 9; second++) {
                pattern.append('|').append(first).append(second);
                pattern.append(',').append(first).append('[').append(second).append("-9]");
            }
        }
        return pattern.toString();
    }
}
