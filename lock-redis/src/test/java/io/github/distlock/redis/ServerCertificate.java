package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.JedisClientConfig;

/** The key and the self-signed certificate of servers at 127.0.0.1. */
final class ServerCertificate {
    private static final String ALIAS = "server";
    private static final char[] PASSWORD = "password".toCharArray();
    private static final Base64.Encoder LINES = Base64.getMimeEncoder();

    private final Path directory;
    private final KeyStore keys;

    /**
     * Makes a key and a certificate.
     *
     * @param directory an empty directory for their files
     */
    ServerCertificate(Path directory) throws IOException, InterruptedException, GeneralSecurityException {
        this.directory = directory;
        Path file = directory.resolve("server.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        ALIAS,
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=server",
                        "-ext",
                        "SAN=ip:127.0.0.1",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        String.valueOf(PASSWORD))
                .inheritIO()
                .start();
        assertEquals(0, keytool.waitFor());
        this.keys = KeyStore.getInstance(file.toFile(), PASSWORD);
    }

    /** Returns TLS with the key, which trusts the certificate. */
    SSLContext withKey() throws GeneralSecurityException {
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        return context(own.getKeyManagers());
    }

    /** Returns TLS without a key, which trusts the certificate. */
    SSLContext withoutKey() throws GeneralSecurityException {
        return context(new KeyManager[0]);
    }

    private SSLContext context(KeyManager[] own) throws GeneralSecurityException {
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own, trusted.getTrustManagers(), null);
        return context;
    }

    @SuppressWarnings("deprecation") // SslOptions would need the certificate in a file.
    static JedisClientConfig config(SSLContext tls) {
        return DefaultJedisClientConfig.builder()
                .ssl(true)
                .sslSocketFactory(tls.getSocketFactory())
                .build();
    }

    /** Returns the lines of a Redis server that has this certificate, and asks clients and servers for it. */
    List<String> redisLines() throws IOException, GeneralSecurityException {
        Path certificate = write(
                "certificate.pem", "CERTIFICATE", keys.getCertificate(ALIAS).getEncoded());
        Path key = write("key.pem", "PRIVATE KEY", keys.getKey(ALIAS, PASSWORD).getEncoded());
        return List.of(
                "tls-cert-file " + certificate,
                "tls-key-file " + key,
                "tls-ca-cert-file " + certificate,
                "tls-auth-clients yes",
                "tls-replication yes");
    }

    private Path write(String name, String kind, byte[] encoded) throws IOException {
        return Files.writeString(
                directory.resolve(name),
                "-----BEGIN " + kind + "-----\n" + LINES.encodeToString(encoded) + "\n-----END " + kind + "-----\n");
    }
}
