package io.github.distlock.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The rights that {@code docs/redis.md} gives a user of the servers, whose password is {@code secret}. */
final class DocumentedRights {
    private static final String COMMAND = "ACL SETUSER locks ";
    private static final Pattern WHITE_SPACE = Pattern.compile("\\s+");

    private DocumentedRights() {}

    /**
     * Returns the words that follow the user's name.
     *
     * @param prefix the beginning of all keys and channels, in the place of {@code distlock:}
     */
    static List<String> of(String prefix) {
        try {
            String page = Files.readString(Path.of("..", "docs", "redis.md"));
            int begin = page.indexOf(COMMAND) + COMMAND.length();
            String rights = page.substring(begin, page.indexOf("\n```", begin));
            return WHITE_SPACE
                    .splitAsStream(rights.replace("distlock:*", prefix + "*"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
