package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.common.PathUtils;

/**
 * The paths of locks: one directory for each name, {@code <base>/<encoded name>}. A name is one path element, so its
 * slashes have no meaning in ZooKeeper. The encoding keeps harmless ASCII characters, and percent-encodes the UTF-8
 * bytes of all others. So distinct names have distinct paths.
 */
final class LockPaths {
    private static final String HARMLESS = "-_.:,;@+=~!*'()[]{}$&#";
    private static final String HEX = "0123456789ABCDEF";
    private static final Pattern PART = Pattern.compile("%([0-9A-F]{2})|.", Pattern.DOTALL);

    private LockPaths() {}

    /** The mapping from names to paths below a base path. Path elements lead back to names. */
    record Below(String base) implements Function<String, String> {
        @Override
        public String apply(String name) {
            return (base.equals("/") ? "/" : base + "/") + encode(name);
        }
    }

    /**
     * Returns the path of a lock, as the caller's mapping has it.
     *
     * @throws IllegalStateException if the mapping throws
     * @throws NullPointerException as for {@link #requirePath}
     * @throws IllegalArgumentException as for {@link #requirePath}
     */
    static String map(String name, Function<String, String> mapping) {
        String path;
        try {
            path = mapping.apply(name);
        } catch (RuntimeException e) {
            throw new IllegalStateException("lock \"" + name + "\": the mapping to a path failed: " + e, e);
        }
        return requirePath(path, name);
    }

    /**
     * Checks the path that the caller's mapping has returned for a name.
     *
     * @return the path
     * @throws NullPointerException if the mapping has returned null
     * @throws IllegalArgumentException if it is not a valid absolute path, or is the root
     */
    static String requirePath(String path, String name) {
        requireNonNull(path, () -> "the path of lock \"" + name + "\"");
        if (path.equals("/")) {
            throw new IllegalArgumentException("the path of lock \"" + name + "\" must not be the root");
        }
        try {
            PathUtils.validatePath(path);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the path of lock \"" + name + "\": " + e.getMessage(), e);
        }
        return path;
    }

    static String encode(String name) {
        if (name.equals(".") || name.equals("..") || name.equals("zookeeper")) {
            // These path elements have a special meaning in ZooKeeper.
            return hex((byte) name.charAt(0)) + (name.equals("..") ? hex((byte) '.') : name.substring(1));
        }
        StringBuilder encoded = new StringBuilder(name.length() + 16);
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (isHarmless(c)) {
                encoded.append(c);
            } else {
                encoded.append(hex(b));
            }
        }
        return encoded.toString();
    }

    /** Returns the name that a path element encodes, or empty if it encodes no name. */
    static Optional<String> decode(String element) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(element.length());
        Matcher parts = PART.matcher(element);
        while (parts.find()) {
            String code = parts.group(1);
            bytes.write(code == null ? parts.group().charAt(0) : Integer.parseInt(code, 16));
        }
        String name = bytes.toString(StandardCharsets.UTF_8);
        return !name.isEmpty() && encode(name).equals(element) ? Optional.of(name) : Optional.empty();
    }

    private static boolean isHarmless(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || HARMLESS.indexOf(c) >= 0;
    }

    private static String hex(byte b) {
        return "%" + HEX.charAt((b >> 4) & 0xf) + HEX.charAt(b & 0xf);
    }

    static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash == 0 ? "/" : path.substring(0, slash);
    }

    static String element(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
