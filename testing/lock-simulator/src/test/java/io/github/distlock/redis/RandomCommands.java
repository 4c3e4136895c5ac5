package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/**
 * Commands and scripts with arguments from small sets, so that they meet what others have left: also keys of another
 * type, malformed numbers, and scripts that the server does not know.
 *
 * <p>The scripts read the time from two keys, so that all servers have the same time. Times by the server's own clock
 * are hours, so that no key expires during a test.
 */
final class RandomCommands {
    static final String SECONDS = "seconds";
    static final String MICROS = "micros";
    /** Where the scripts publish. */
    static final List<String> CHANNELS = List.of("channel", "wanted");

    private static final Script.Settings SETTINGS = new Script.Settings(Publisher.SCRIPT, 100_000_000);

    private static final List<List<String>> LOCKS = List.of(keysOf("one"), keysOf("two"));

    /** Each contender with the mode that it usually has. */
    private static final Map<String, String> MODES = Map.of(
            "a1", "lock", "a2", "lock", "a3", "lock", "r1", "read", "r2", "read", "w1", "write", "p1", "permits", "p2",
            "permits");

    private static final List<String> VALUES = MODES.keySet().stream().sorted().toList();
    private static final List<String> LEASES = List.of("100000000", "200000000", "300000000");
    private static final List<String> TOKEN_KEPT = List.of("400000000", "500000000");
    private static final List<String> COUNTS = List.of("1/3", "2/3", "3/3", "1");
    private static final String REQUEST = "request";
    /** Replies of scripts whose conversion has a rule. */
    private static final List<String> EXPRESSIONS = List.of(
            "nil",
            "false",
            "true",
            "3.7",
            "-3.7",
            "{ 1, 'text', false, { 2 } }",
            "{ 1, nil, 3 }",
            "{ err = 'CODE words' }",
            "{ ok = 'FINE' }",
            "redis.error_reply('CODE words')",
            "redis.status_reply('FINE')",
            "redis.call('ZSCORE', 'absent', 'member')",
            "redis.call('SET', 'other', 12345678901234567)",
            "redis.call('GET', 'other')",
            "redis.pcall('ZCARD', 'other').err",
            "{ redis.pcall('ZCARD', 'other') }",
            "redis.call('GET', nil)",
            "redis.call('GET', {})",
            "redis.call('ZCARD', 'other')",
            "redis.sha1hex(ARGV[1])",
            "#KEYS + #ARGV",
            "'\\0\\200\\255'",
            "nothing.field",
            "malformed malformed");

    private final Map<Script, String> sources = new HashMap<>();
    private final Map<String, String> digests = new HashMap<>();
    private final RandomGenerator random;
    /** Reads a value that the keys have at present, to be used as an argument. */
    private final UnaryOperator<String> string;

    private final UnaryOperator<String> member;

    /**
     * Makes commands.
     *
     * @param string returns the text at a key, or an empty one
     * @param member returns some member of the sorted set at a key, or an empty text
     */
    RandomCommands(RandomGenerator random, UnaryOperator<String> string, UnaryOperator<String> member) {
        this.random = random;
        this.string = string;
        this.member = member;
    }

    private static List<String> keysOf(String name) {
        LockKeys keys = LockKeys.of(name, each -> "distlock:" + each, "distlock:");
        List<String> all = new ArrayList<>();
        keys.withHolders().forEach(key -> all.add(new String(key, ISO_8859_1)));
        all.add("distlock:{distlock:" + name + "}:requested");
        return all;
    }

    /** Returns all keys that the commands write. */
    static List<String> keys() {
        List<String> all = new ArrayList<>(LOCKS.get(0));
        all.addAll(LOCKS.get(1));
        return all;
    }

    List<String> next() {
        return switch (random.nextInt(16)) {
            case 0 -> List.of("EVAL", "return " + pick(EXPRESSIONS), "0", "argument");
            case 1, 2, 3 -> command();
            default -> script();
        };
    }

    // Plain commands

    private List<String> command() {
        String key = pick(keys());
        String text = pick(List.of("", "text", "1700000000000000", "1700000000000000\n", "\u00e9\u0000\u00ff"));
        String member = pick(List.of("m1", "m2", "m3", entry(pick(VALUES))));
        String number = pick(List.of("0", "1", "-1", "2", "07", "x", "", "9223372036854775808"));
        String score = pick(List.of("1", "2", "3", "1700000000000000", "8000000000000000", "-inf", "x"));
        String least = pick(List.of("-inf", "0", "(1", "2", "(8000000000000000", "y"));
        String most = pick(List.of("+inf", "3", "(3", "1", "z"));
        return switch (random.nextInt(18)) {
            case 0 -> List.of("GET", key);
            case 1 -> List.of("SET", key, text);
            case 2 -> List.of("SET", key, text, "PX", pick(LEASES), pick(List.of("NX", "XX", "GET")));
            case 3 -> List.of("SET", key, text, pick(List.of("KEEPTTL", "GET", "NX", "XX", "PX", "OTHER")));
            case 4 -> List.of("SET", key, text, "PX", pick(List.of("0", "-1", "x", "9223372036854775807")));
            case 5 -> List.of("APPEND", key, text);
            case 6 -> List.of("DEL", key, pick(keys()));
            case 7 -> List.of("PEXPIRE", key, pick(List.of("100000000", "0", "-1", "x")));
            case 8 -> List.of("PTTL", key);
            case 9 -> List.of("ZADD", key, pick(List.of("NX", "XX", "GT")), score, pick(List.of("m1", "m2")));
            case 10 -> List.of("ZADD", key, score, member, pick(List.of("1", "2")), "m1");
            case 11 -> List.of("ZREM", key, member, "m1");
            case 12 -> List.of("ZRANGE", key, number, pick(List.of("0", "-1", "1", "-2")), "WITHSCORES");
            case 13 -> List.of("ZRANGEBYSCORE", key, least, most, "LIMIT", "1", pick(List.of("0", "1", "2")));
            case 14 -> List.of("ZREMRANGEBYSCORE", key, least, most);
            case 15 -> List.of("ZREMRANGEBYRANK", key, number, number);
            case 16 -> List.of("ZCOUNT", key, least, most);
            default ->
                pick(List.of(
                        List.of("ZCARD", key),
                        List.of("ZSCORE", key, member),
                        List.of("GET"),
                        List.of("ZRANGE", key, "0"),
                        List.of("PING")));
        };
    }

    // Scripts

    private List<String> script() {
        List<String> keys = new ArrayList<>(pick(LOCKS));
        boolean isShared = keys.get(0).endsWith("two") != isRare();
        String value = value(isShared);
        String other = value(isShared);
        if (isRare()) {
            keys.set(random.nextInt(keys.size()), pick(keys()));
        }
        List<String> four = keys.subList(0, 4);
        List<String> five = keys.subList(0, 5);
        String lock = keys.get(0);
        String lease = pick(LEASES);
        String kept = pick(TOKEN_KEPT);
        String bit = pick(List.of("0", "1"));
        String floor = pick(List.of("0", "0", "1700000000500000"));
        String yield = pick(List.of("0", "0", "500"));
        String entry = pick(List.of(entry(value), entry(value), ""));
        String record = record(keys);
        boolean isAlone = random.nextBoolean();
        List<String> locks = List.of(LOCKS.get(0).get(0), LOCKS.get(1).get(0));
        List<String> tokens = List.of(LOCKS.get(0).get(1), LOCKS.get(1).get(1));
        List<List<String>> choices = new ArrayList<>();
        choices.add(pick(List.of(
                call(Script.READ_REQUEST, List.of(keys.get(5))),
                call(Script.IS_WAITED_FOR, List.of(keys.get(3))),
                call(Script.TRY_COMMANDS, five, "channel"),
                call(Script.REQUEST_RELEASE, keys, "id", owner()),
                call(Script.FORCE_RELEASE, five, pick(List.of("", "", base(record)))),
                call(Script.RELEASE_MANY, locks, record, record),
                call(Script.RENEW_MANY, locks, value, lease, other, lease),
                call(Script.KEEP_TOKENS, tokens, kept, kept))));
        choices.add(call(Script.SERVE, five));
        choices.add(call(Script.INSPECT, five, "0"));
        if (isShared) {
            String mode = isRare() ? pick(List.of("read", "write", "permits")) : MODES.get(value);
            String count = mode.equals("permits") ? pick(COUNTS) : "1";
            List<String> shares = List.of(value, owner(), lease, floor, entry, lease, mode, count, bit);
            choices.add(call(Script.ACQUIRE_SHARED, five, shares));
            choices.add(call(Script.ACQUIRE_SHARED, five, shares));
            choices.add(call(Script.ACQUIRE_SHARED, five, shares));
            choices.add(call(Script.RELEASE_SHARED, five, value, bit, record, yield));
            choices.add(call(Script.WITHDRAW_SHARED, five, value, entry, bit));
            choices.add(call(
                    Script.RENEW_SHARED,
                    isAlone ? List.of(lock, keys.get(4)) : List.of(lock, keys.get(4), keys.get(1)),
                    record,
                    lease,
                    kept));
            choices.add(call(Script.HEARTBEAT_SHARED, five, lease, "10000", value, entry(value), other, entry(other)));
            choices.add(call(Script.DOWNGRADE, five, value, record(keys), lease));
        } else {
            choices.add(call(Script.ACQUIRE_FREE, keys.subList(0, 2), value, owner(), lease, kept));
            choices.add(call(Script.NEXT_BASE, keys.subList(0, 2), record, value, owner(), kept));
            choices.add(call(Script.RELEASE_ALONE, List.of(lock), record));
            choices.add(call(Script.ACQUIRE, four, value, owner(), lease, floor, entry, lease));
            choices.add(call(Script.ACQUIRE, four, value, owner(), lease, floor, entry, lease));
            choices.add(call(Script.ACQUIRE, four, value, owner(), lease, floor, entry, lease));
            choices.add(call(Script.ACQUIRE_ALONE, List.of(lock), value, owner(), lease, floor));
            choices.add(call(Script.RELEASE, four, value, bit, yield));
            choices.add(call(Script.RELEASE, four, value, bit, yield));
            choices.add(call(Script.KEEP, four, value, bit, lease));
            choices.add(call(Script.KEEP_ALONE, List.of(lock), value, bit, lease));
            choices.add(call(Script.WITHDRAW, four, value, entry, bit));
            choices.add(call(Script.END_ALONE, List.of(lock), value));
            choices.add(call(Script.HEARTBEAT, four, lease, "10000", value, entry(value), other, entry(other)));
            choices.add(call(Script.VOTE, five, value, owner(), lease, floor, pick(List.of("1000", "60000")), bit));
            choices.add(call(Script.RAISE, keys.subList(0, 2), value, owner(), lease, "1700000000700000"));
            choices.add(call(
                    Script.FENCE,
                    List.of("fence", lock),
                    "170000000000000000" + bit,
                    kept,
                    "SET",
                    "text",
                    "PX",
                    lease));
            choices.add(call(Script.FENCE, List.of("fence", lock), "1700000000000000001", kept, "APPEND", "x"));
        }
        choices.add(call(Script.RENEW, isAlone ? List.of(lock) : keys.subList(0, 2), value, lease, kept));
        return pick(choices);
    }

    private List<String> call(Script script, List<String> keys, String... arguments) {
        return call(script, keys, List.of(arguments));
    }

    private List<String> call(Script script, List<String> keys, List<String> arguments) {
        List<String> words = new ArrayList<>();
        boolean byDigest = random.nextInt(3) > 0;
        String source = sources.computeIfAbsent(script, RandomCommands::sourceOf);
        words.add(byDigest ? "EVALSHA" : "EVAL");
        words.add(byDigest ? digests.computeIfAbsent(source, RedisModelTest::sha1) : source);
        words.add(Integer.toString(keys.size()));
        words.addAll(keys);
        if (script != Script.FENCE) {
            words.add(REQUEST);
        }
        words.addAll(arguments);
        return words;
    }

    private static String sourceOf(Script script) {
        return new String(script.text(SETTINGS).source, ISO_8859_1)
                .replace(
                        "redis.call('TIME')",
                        "{ redis.call('GET', '" + SECONDS + "'), redis.call('GET', '" + MICROS + "') }")
                .replace("TOMBSTONE_KEPT = 60000", "TOMBSTONE_KEPT = 60000000")
                .replace("REQUEST_KEPT = 60000", "REQUEST_KEPT = 60000000")
                .replace("keep_alive(ms,", "keep_alive(90000000,");
    }

    private String value(boolean isShared) {
        List<String> fitting = VALUES.stream()
                .filter(each -> MODES.get(each).equals("lock") != isShared)
                .toList();
        return isRare() ? pick(VALUES) : pick(fitting);
    }

    private String owner() {
        return "host\t7\tclient\tthread" + (random.nextInt(4) == 0 ? "\twanted" : "");
    }

    private String entry(String value) {
        String mode = MODES.get(value);
        String count = mode.equals("permits") ? (value.equals("p1") ? "1/3" : "3/3") : "1";
        return String.join("\t", "1", mode, count, value, "channel", "100000000", "host", "7", "client", "thread");
    }

    /** Returns a record that some contender has, as a client knows it. */
    private String record(List<String> keys) {
        String record = random.nextBoolean() ? string.apply(keys.get(0)) : member.apply(keys.get(4));
        return record.endsWith("\n") ? record.substring(0, record.length() - 1) : record;
    }

    private static String base(String record) {
        String[] fields = record.split("\t", -1);
        return fields.length > 4 ? fields[4] : "1";
    }

    private boolean isRare() {
        return random.nextInt(25) == 0;
    }

    private <T> T pick(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
