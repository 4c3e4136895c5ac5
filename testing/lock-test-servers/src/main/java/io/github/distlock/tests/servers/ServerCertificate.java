package io.github.distlock.tests.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The key and the self-signed certificate of servers at 127.0.0.1. Clients use the same ones. */
public final class ServerCertificate {
    private static final String ALIAS = "server";
    private static final char[] PASSWORD = "password".toCharArray();
    private static final Base64.Encoder LINES = Base64.getMimeEncoder();

    private final KeyStore keys;
    private final Path certificateFile;
    private final Path keyFile;

    /**
     * Makes a key and a certificate, with the {@code keytool} of this JDK.
     *
     * @param directory an empty directory for their files
     * @throws IOException if a file cannot be written
     * @throws InterruptedException if this thread is interrupted
     * @throws GeneralSecurityException if the key cannot be read
     */
    public ServerCertificate(Path directory) throws IOException, InterruptedException, GeneralSecurityException {
        Path store = Objects.requireNonNull(directory, "directory").resolve("server.p12");
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
                        store.toString(),
                        "-storepass",
                        String.valueOf(PASSWORD))
                .inheritIO()
                .start();
        if (keytool.waitFor() != 0) {
            throw new IllegalStateException("keytool made no key");
        }
        this.keys = KeyStore.getInstance(store.toFile(), PASSWORD);
        this.certificateFile = write(
                directory.resolve("certificate.pem"),
                "CERTIFICATE",
                keys.getCertificate(ALIAS).getEncoded());
        this.keyFile = write(
                directory.resolve("key.pem"),
                "PRIVATE KEY",
                keys.getKey(ALIAS, PASSWORD).getEncoded());
    }

    private static Path write(Path file, String kind, byte[] encoded) throws IOException {
        return Files.writeString(
                file,
                "-----BEGIN " + kind + "-----\n" + LINES.encodeToString(encoded) + "\n-----END " + kind + "-----\n");
    }

    /** {@return the file of the certificate, in PEM} */
    public Path certificateFile() {
        return certificateFile;
    }

    /** {@return the file of the private key, in PEM} */
    public Path keyFile() {
        return keyFile;
    }

    /**
     * Returns TLS with the key, which trusts the certificate.
     *
     * @return a context for clients
     * @throws GeneralSecurityException if this JDK has no such TLS
     */
    public SSLContext withKey() throws GeneralSecurityException {
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        return context(own.getKeyManagers());
    }

    /**
     * Returns TLS without a key, which trusts the certificate.
     *
     * @return a context for clients
     * @throws GeneralSecurityException if this JDK has no such TLS
     */
    public SSLContext withoutKey() throws GeneralSecurityException {
        return context(new KeyManager[0]);
    }

    private SSLContext context(KeyManager[] own) throws GeneralSecurityException {
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own, trusted.getTrustManagers(), null);
        return context;
    }

    /**
     * Returns the configuration of a Redis server that has this certificate, and asks clients and servers for it.
     *
     * @return lines for {@link RedisServer#startProcess}, {@link RedisSentinels#start} and {@link RedisCluster#start}
     */
    public List<String> redisLines() {
        return List.of(
                "tls-cert-file " + certificateFile,
                "tls-key-file " + keyFile,
                "tls-ca-cert-file " + certificateFile,
                "tls-auth-clients yes",
                "tls-replication yes");
    }
}
