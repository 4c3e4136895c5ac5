package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The scripts, each in a file that says what it takes and answers, behind what they share. Its last argument names the
 * request, and comes back beside the answer: a reply that was meant for another request is no answer to this one.
 */
final class Script {
    static final Script ACQUIRE = new Script("acquire");
    static final Script RELEASE = new Script("release");
    static final Script WITHDRAW = new Script("withdraw");
    static final Script RENEW = new Script("renew");
    static final Script HEARTBEAT = new Script("heartbeat");
    static final Script INSPECT = new Script("inspect");
    static final Script FORCE_RELEASE = new Script("force-release");

    private final byte[] source;
    private final byte[] sha;

    private Script(String file) {
        source = (read("queue") + "local function answer()\n" + read(file)
                        + "end\n\nreturn { ARGV[#ARGV], answer() }\n")
                .getBytes(UTF_8);
        try {
            sha = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-1").digest(source))
                    .getBytes(UTF_8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
    }

    private static String read(String name) {
        try (InputStream file = Script.class.getResourceAsStream(name + ".lua")) {
            if (file == null) {
                throw new IllegalStateException("the script " + name + ".lua is missing");
            }
            return new String(file.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    byte[] source() {
        return source;
    }

    byte[] sha() {
        return sha;
    }
}
