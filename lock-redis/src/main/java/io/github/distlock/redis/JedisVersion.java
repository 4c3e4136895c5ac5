package io.github.distlock.redis;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.Protocol;

/** Checks the version of Jedis on the class path. Other frameworks may choose an old one, which would fail later. */
final class JedisVersion {
    static final String NEEDED = "7.4";

    private JedisVersion() {}

    static void require() {
        String found = found();
        if (!isEnough(found)) {
            throw new IllegalStateException("the Redis backend needs Jedis " + NEEDED
                    + " or newer, but the one on the class path is " + (found.isEmpty() ? "older" : found)
                    + "; frameworks that manage versions may have chosen it");
        }
    }

    static boolean isEnough(String version) {
        Matcher numbers = Pattern.compile("(\\d{1,6})\\.(\\d{1,6}).*").matcher(version);
        if (!numbers.matches()) {
            return false;
        }
        int major = Integer.parseInt(numbers.group(1));
        return major > 7 || (major == 7 && Integer.parseInt(numbers.group(2)) >= 4);
    }

    private static String found() {
        String version = version("pom.properties");
        if (version.isEmpty()) {
            version = version("/META-INF/maven/redis.clients/jedis/pom.properties");
        }
        // A repacked jar may have lost both files. Then the presence of a class decides.
        return version.isEmpty() && hasClientOfNeeded() ? NEEDED : version;
    }

    private static String version(String resource) {
        try (InputStream file = Protocol.class.getResourceAsStream(resource)) {
            Properties properties = new Properties();
            if (file != null) {
                properties.load(file);
            }
            return properties.getProperty("version", "");
        } catch (IOException e) {
            return "";
        }
    }

    private static boolean hasClientOfNeeded() {
        try {
            Class.forName("redis.clients.jedis.RedisClient", false, Protocol.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
