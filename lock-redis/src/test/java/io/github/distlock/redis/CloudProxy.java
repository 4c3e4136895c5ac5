package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * A proxy before a Redis server that refuses what the proxies of cloud providers refuse: scripts whose calls do not
 * name their keys as {@code KEYS[n]}, scripts that publish, keys of several slots, scripts without a key, and commands
 * that such proxies do not know. It closes a connection over which it refuses something, and keeps the reason.
 *
 * <p>Source: <a href="https://www.alibabacloud.com/help/en/apsaradb-for-redis/latest/usage-of-lua-scripts">Alibaba
 * Cloud, Usage of Lua scripts</a>, and <a href="https://github.com/redisson/redisson/issues/4221">redisson #4221</a>.
 */
final class CloudProxy implements AutoCloseable {
    /** How a script for many locks is refused. */
    static final String SEVERAL_SLOTS = "eval/evalsha command keys must be in same slot";

    private static final Set<String> UNKNOWN = Set.of("HELLO", "WAIT", "WAITAOF", "CLIENT");
    private static final Pattern COMMENT = Pattern.compile("--[^\\n]*");
    private static final Pattern CALL = Pattern.compile("redis\\.p?call\\(\\s*([^,)]+)(?:,\\s*([^,)]+))?");
    private static final Pattern LITERAL = Pattern.compile("'([A-Z]+)'");
    private static final Pattern KEY = Pattern.compile("KEYS\\[\\d+]");

    private final String host;
    private final int port;
    private final ServerSocket listener;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final List<String> refusals = new CopyOnWriteArrayList<>();

    /** Starts a proxy to {@code host:port}. */
    CloudProxy(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        this.host = address.substring(0, colon);
        this.port = Integer.parseInt(address.substring(colon + 1));
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "cloud-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    String address() {
        return listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort();
    }

    /** Returns why requests were refused. */
    List<String> refusals() {
        return List.copyOf(refusals);
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                sockets.add(client);
                start(() -> serve(client));
            }
        } catch (IOException e) {
            // The proxy is closed.
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket server = new Socket(host, port)) {
            sockets.add(server);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            start(() -> pass(server, client));
            DataInputStream requests = new DataInputStream(new BufferedInputStream(client.getInputStream()));
            OutputStream to = server.getOutputStream();
            while (true) {
                ByteArrayOutputStream raw = new ByteArrayOutputStream();
                List<String> command = read(requests, raw);
                String refusal = refusal(command);
                if (refusal != null) {
                    refusals.add(refusal);
                    client.getOutputStream().write(("-ERR " + refusal + "\r\n").getBytes(UTF_8));
                    return;
                }
                raw.writeTo(to);
                to.flush();
            }
        } catch (IOException e) {
            // Either side has closed its connection.
        }
    }

    /** Copies replies, and ends the client's connection with the server's. */
    private static void pass(Socket server, Socket client) {
        try (client) {
            InputStream replies = server.getInputStream();
            OutputStream to = client.getOutputStream();
            byte[] buffer = new byte[8_192];
            for (int read = replies.read(buffer); read >= 0; read = replies.read(buffer)) {
                to.write(buffer, 0, read);
                to.flush();
            }
        } catch (IOException e) {
            // Either side has closed its connection.
        }
    }

    private static List<String> read(DataInputStream from, ByteArrayOutputStream raw) throws IOException {
        int parts = length(from, raw, '*');
        List<String> command = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            byte[] part = new byte[length(from, raw, '$')];
            from.readFully(part);
            raw.write(part);
            raw.write(from.readByte());
            raw.write(from.readByte());
            command.add(new String(part, UTF_8));
        }
        return command;
    }

    private static int length(DataInputStream from, ByteArrayOutputStream raw, char kind) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = from.read(); next != '\n'; next = from.read()) {
            if (next < 0) {
                throw new EOFException();
            }
            raw.write(next);
            line.append((char) next);
        }
        raw.write('\n');
        if (line.charAt(0) != kind) {
            throw new IOException("not a command: " + line);
        }
        return Integer.parseInt(line.substring(1).strip());
    }

    /** Returns why a command is refused, or null. */
    static @Nullable String refusal(List<String> command) {
        String name = command.get(0).toUpperCase(Locale.ROOT);
        if (UNKNOWN.contains(name)) {
            return "unknown command '" + name + "'";
        }
        if (name.equals("EVAL") || name.equals("EVALSHA")) {
            String keys = refusalOfKeys(command);
            return keys != null || name.equals("EVALSHA") ? keys : refusalOfScript(command.get(1));
        }
        boolean loads = name.equals("SCRIPT") && command.get(1).equalsIgnoreCase("LOAD");
        return loads ? refusalOfScript(command.get(2)) : null;
    }

    private static @Nullable String refusalOfKeys(List<String> command) {
        int count = Integer.parseInt(command.get(2));
        if (count < 1) {
            return "for redis cluster, eval/evalsha number of keys can't be negative or zero";
        }
        long slots = command.subList(3, 3 + count).stream()
                .map(JedisClusterCRC16::getSlot)
                .distinct()
                .count();
        return slots > 1 ? SEVERAL_SLOTS : null;
    }

    private static @Nullable String refusalOfScript(String source) {
        return CALL.matcher(COMMENT.matcher(source).replaceAll(""))
                .results()
                .filter(call -> !isAllowed(call))
                .findFirst()
                .map(call -> "bad lua script for redis cluster: " + call.group())
                .orElse(null);
    }

    private static boolean isAllowed(MatchResult call) {
        Matcher command = LITERAL.matcher(call.group(1).strip());
        if (!command.matches()) {
            return false;
        }
        return command.group(1).equals("TIME")
                || (call.group(2) != null && KEY.matcher(call.group(2).strip()).matches());
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
