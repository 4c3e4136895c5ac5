package io.github.distlock.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads durations such as {@code 10s}, {@code 1.5m} and {@code 250ms}. A number alone is in seconds, as in flock. */
final class DurationOption implements ITypeConverter<Duration> {
    private static final BigDecimal LONGEST = BigDecimal.valueOf(Long.MAX_VALUE);
    private static final Pattern FORM = Pattern.compile("([0-9]{1,9}(?:\\.[0-9]{1,9})?)(ms|s|m|h|)");

    @Override
    public Duration convert(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + text + "' is not a duration such as 10s, 250ms, 5m or 1h");
        }
        long nanos = switch (matcher.group(2)) {
            case "ms" -> 1_000_000L;
            case "m" -> 60_000_000_000L;
            case "h" -> 3_600_000_000_000L;
            default -> 1_000_000_000L;
        };
        BigDecimal all = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(nanos));
        if (all.compareTo(LONGEST) > 0) {
            throw new TypeConversionException("'" + text + "' is longer than 292 years");
        }
        return Duration.ofNanos(all.longValue());
    }
}
