package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Dfa;

/// Reads a time of day in second 60, which is 23:59:60 in UTC and another time elsewhere: `15:59:60-08:00`. Immutable.
///
/// RFC 3339 §5.7. Hours and minutes decide which offset has to follow, so a pattern would list 2,880 of them. A state
/// is
/// `(place, minute)`: the place in the text, and what was read as a minute of the day, or behind the sign the offset
/// that is expected.
final class LeapSecond implements Dfa {
    /// The only one: pools know automata by identity.
    static final LeapSecond AUTOMATON = new LeapSecond();

    private static final int MINUTES = 24 * 60;
    private static final int LAST_MINUTE = MINUTES - 1;
    private static final int MAX_FRACTION = 9;

    /// Places up to the second are the characters read: `hh:mm:60`.
    private static final int SECOND = 8;

    /// Behind the point; each fraction digit is a place more.
    private static final int POINT = 9;

    /// Behind the sign; each character of the offset, `hh:mm`, is a place more.
    private static final int SIGN = POINT + MAX_FRACTION + 1;

    private static final int END = SIGN + 5;

    private LeapSecond() {}

    private static int state(int place, int minute) {
        return place * MINUTES + minute;
    }

    @Override
    public int start() {
        return state(0, 0);
    }

    @Override
    public int next(int state, int value) {
        int place = state / MINUTES;
        int minute = state % MINUTES;
        if (place < SECOND) {
            return inTime(place, minute, value);
        }
        if (place >= SIGN) {
            return place < END
                            && value
                                    == "%02d:%02d"
                                            .formatted(minute / 60, minute % 60)
                                            .charAt(place - SIGN)
                    ? state(place + 1, minute)
                    : DEAD;
        }
        if (value == '.') {
            return place == SECOND ? state(POINT, minute) : DEAD;
        }
        if (value >= '0' && value <= '9') {
            return place >= POINT && place < POINT + MAX_FRACTION ? state(place + 1, minute) : DEAD;
        }
        return place == POINT ? DEAD : zone(minute, value);
    }

    private static int inTime(int place, int minute, int value) {
        int digit = value >= '0' && value <= '9' ? value - '0' : -1;
        int read = switch (place) {
            case 0 -> digit > 2 ? -1 : digit * 600;
            case 1 -> minute == 1200 && digit > 3 ? -1 : digit * 60;
            case 3 -> digit > 5 ? -1 : digit * 10;
            case 4 -> digit;
            case 6 -> digit == 6 ? 0 : -1;
            case 7 -> digit == 0 ? 0 : -1;
            default -> value == ':' ? 0 : -1;
        };
        return read < 0 ? DEAD : state(place + 1, minute + read);
    }

    private static int zone(int minute, int value) {
        return switch (value) {
            case 'Z', 'z' -> minute == LAST_MINUTE ? state(END, 0) : DEAD;
            case '+' -> state(SIGN, (minute + 1) % MINUTES);
            case '-' -> state(SIGN, LAST_MINUTE - minute);
            default -> DEAD;
        };
    }

    @Override
    public boolean accepts(int state) {
        return state / MINUTES == END;
    }

    @Override
    public int[] byteKeys() {
        int[] keys = new int[256];
        String own = "0123456789:.+-";
        for (int i = 0; i < own.length(); i++) {
            keys[own.charAt(i)] = i + 1;
        }
        keys['Z'] = own.length() + 1;
        keys['z'] = own.length() + 1;
        return keys;
    }
}
