package io.github.distlock.examples.orders;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Primary;

/** An instance of the application as a process. It sends a report when the test {@linkplain #letSend lets it}. */
final class OrdersProcess implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final String PORT = "port ";

    private final HttpClient http = HttpClient.newHttpClient();
    private final ChildProgram program;
    private String port = "";

    OrdersProcess(RedisServer redis, String... arguments) {
        String[] all = new String[arguments.length + 2];
        all[0] = "--server.port=0";
        all[1] = "--distlock.redis.url=" + redis.uri();
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        program = ChildProgram.start(OrdersProcess.class, all);
    }

    void awaitStart() {
        port = program.awaitLine(PORT, LIMIT).substring(PORT.length());
    }

    /** The process. */
    public static void main(String[] arguments) {
        String port = new SpringApplicationBuilder(OrdersApplication.class, PatientMail.class)
                .run(arguments)
                .getEnvironment()
                .getProperty("local.server.port");
        System.out.println(PORT + port);
    }

    long pid() {
        return program.pid();
    }

    void letSend() {
        program.send("send");
    }

    /** Waits until the process sends a report, and returns it. */
    String sending() {
        return program.awaitLine("report ", LIMIT);
    }

    HttpResponse<String> actuator(String path) {
        URI uri = URI.create("http://localhost:" + port + "/actuator/" + path);
        try {
            return http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    void kill() {
        program.kill();
    }

    @Override
    public void close() {
        program.close();
    }

    /** Writes a report to the standard output, and waits for the test. */
    @Primary
    static class PatientMail extends Mail {
        @Override
        void send(String report) {
            System.out.println(report);
            try {
                int unused = System.in.read();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
