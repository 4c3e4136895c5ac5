package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import party.iroiro.luajava.Lua;
import party.iroiro.luajava.lua51.Lua51;
import party.iroiro.luajava.lua51.Lua51Natives;

/**
 * Runs scripts in Lua 5.1, which Redis embeds, and converts values as Redis 7.0 does. One interpreter may serve several
 * servers: it compiles each script once. Unlike Redis, it lets a script write global variables, which ours do not.
 * Not thread-safe.
 *
 * <p>This class calls the native functions of Lua directly, because the script's calls of commands dominate a run. They
 * take texts without a zero and without bytes above 127. Other texts take a longer way.
 */
public final class LuaInterpreter implements AutoCloseable {
    /** What Redis defines. The last line returns the handler of errors, as in Redis. */
    private static final String PRELUDE = """
            local call, pcall, sha1hex = ...
            local error, getinfo, tostring, type = error, debug.getinfo, tostring, type
            redis = { call = call, pcall = pcall, sha1hex = sha1hex }
            function redis.error_reply(words) return { err = (string.gsub(words, '^%-', '')) } end
            function redis.status_reply(words) return { ok = words } end
            debug, dofile, io, java, loadfile, module, os, package, print, require = nil
            math.random, math.randomseed = nil
            KEYS, ARGV = {}, {}
            local nonexistent = "Script attempted to access nonexistent global variable '"
            setmetatable(_G, { __index = function(_, name) error(nonexistent .. tostring(name) .. "'", 2) end })
            return function(err)
              local info = getinfo(2, 'nSl')
              if info and info.what == 'C' then
                info = getinfo(3, 'nSl')
              end
              if type(err) ~= 'table' then
                err = { err = 'ERR ' .. tostring(err) }
              end
              if info then
                err.source, err.line = info.source, info.currentline
              end
              return err
            end
            """;

    private static final int OK = 0;
    private static final int RAISE = -1;
    private static final int TOP = -1;
    // Types of Lua
    private static final int BOOLEAN = 1;
    private static final int NUMBER = 3;
    private static final int STRING = 4;
    private static final int TABLE = 5;

    private static final ThreadLocal<LuaInterpreter> OF_THREAD = ThreadLocal.withInitial(LuaInterpreter::new);

    private final Lua51 lua = new Lua51();
    private final Lua51Natives natives;
    private final long state;
    private final int registry;
    private final int handler;
    /** References of the compiled scripts, by their digests. */
    private final Map<String, Integer> functions = new HashMap<>();
    /** Of the server whose script runs. */
    private @Nullable Commands commands;
    /** What this model does not know. */
    private @Nullable RuntimeException failure;

    /** Makes an interpreter without scripts. */
    public LuaInterpreter() {
        natives = (Lua51Natives) lua.getLuaNatives();
        state = lua.getPointer();
        registry = natives.getRegistryIndex();
        lua.openLibraries();
        load(PRELUDE, "@prelude");
        lua.push(called -> call(true));
        lua.push(called -> call(false));
        lua.push(this::sha1hex);
        if (natives.lua_pcall(state, 3, 1, 0) != OK) {
            throw new IllegalStateException(natives.lua_tostring(state, TOP));
        }
        handler = natives.luaL_ref(state, registry);
    }

    /** Returns the interpreter that all simulations of this thread share. */
    static LuaInterpreter ofThread() {
        return OF_THREAD.get();
    }

    /**
     * Compiles a script that is not known yet.
     *
     * @throws RedisError if it is malformed
     */
    void compile(String digest, String source) {
        if (!functions.containsKey(digest)) {
            load(source, "@user_script");
            functions.put(digest, natives.luaL_ref(state, registry));
        }
    }

    private void load(String source, String name) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(source.length());
        bytes.put(source.getBytes(ISO_8859_1)).flip();
        if (natives.luaJ_loadbuffer(state, bytes, source.length(), name) != OK) {
            String words = text(TOP);
            natives.lua_settop(state, 0);
            throw new RedisError("ERR Error compiling script (new function): " + words);
        }
    }

    /**
     * Runs a script that was compiled.
     *
     * @return its reply, as {@link Commands} says, or a {@link RedisError}
     */
    @Nullable
    Object run(String digest, List<String> keys, List<String> arguments, Commands server) {
        setGlobal("KEYS", keys);
        setGlobal("ARGV", arguments);
        commands = server;
        failure = null;
        try {
            natives.lua_rawgeti(state, registry, handler);
            natives.lua_rawgeti(state, registry, requireNonNull(functions.get(digest)));
            boolean isComplete = natives.lua_pcall(state, 0, 1, -2) == OK;
            if (failure != null) {
                throw failure;
            }
            return isComplete ? reply() : error(digest);
        } finally {
            natives.lua_settop(state, 0);
            commands = null;
        }
    }

    private RedisError error(String digest) {
        return new RedisError(
                field("err") + " script: " + digest + ", on " + field("source") + ":" + field("line") + ".");
    }

    private String field(String name) {
        natives.lua_getfield(state, TOP, name);
        String text = natives.lua_isstring(state, TOP) != 0 ? text(TOP) : "";
        natives.lua_pop(state, 1);
        return text;
    }

    private void setGlobal(String name, List<String> texts) {
        push(texts);
        natives.lua_setglobal(state, name);
    }

    /** Calls a command for the script. Its words are on the stack. */
    private int call(boolean raises) {
        try {
            push(requireNonNull(commands).execute(words()));
            return 1;
        } catch (RedisError e) {
            natives.lua_createtable(state, 0, 1);
            push(e.words());
            natives.lua_setfield(state, -2, "err");
            return raises ? RAISE : 1;
        } catch (RuntimeException e) {
            failure = e;
            natives.lua_pushnil(state);
            return RAISE;
        }
    }

    private String[] words() {
        String[] words = new String[natives.lua_gettop(state)];
        if (words.length == 0) {
            throw new RedisError("ERR Please specify at least one argument for this redis lib call");
        }
        for (int i = 0; i < words.length; i++) {
            switch (natives.lua_type(state, i + 1)) {
                case STRING -> words[i] = text(i + 1);
                case NUMBER -> words[i] = Numbers.text(natives.lua_tonumber(state, i + 1));
                default -> throw new RedisError("ERR Lua redis lib command arguments must be strings or integers");
            }
        }
        return words;
    }

    private int sha1hex(Lua called) {
        push(digest(text(1)));
        return 1;
    }

    /** Returns the SHA-1 digest of a text, in hexadecimal. */
    static String digest(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(text.getBytes(ISO_8859_1));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
    }

    // Values of Lua

    private void push(@Nullable Object value) {
        if (value == null) {
            natives.lua_pushboolean(state, 0);
        } else if (value instanceof String text) {
            push(text);
        } else if (value instanceof Long number) {
            natives.lua_pushinteger(state, number);
        } else if (value instanceof Commands.Status status) {
            natives.lua_createtable(state, 0, 1);
            push(status.words());
            natives.lua_setfield(state, -2, "ok");
        } else {
            push((List<?>) value);
        }
    }

    private void push(List<?> values) {
        natives.lua_createtable(state, values.size(), 0);
        for (int i = 0; i < values.size(); i++) {
            push(values.get(i));
            natives.lua_rawseti(state, -2, i + 1);
        }
    }

    private void push(String text) {
        if (isPlain(text)) {
            natives.lua_pushstring(state, text);
            return;
        }
        StringBuilder literal = new StringBuilder("return '");
        text.chars().forEach(each -> literal.append(String.format("\\%03d", each)));
        load(literal.append('\'').toString(), "@text");
        if (natives.lua_pcall(state, 0, 1, 0) != OK) {
            throw new IllegalStateException("a text cannot be pushed");
        }
    }

    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            if (each == 0 || each > 127) {
                return false;
            }
        }
        return true;
    }

    private String text(int index) {
        String text = natives.lua_tostring(state, index);
        if (text.length() == natives.lua_objlen(state, index) && isPlain(text)) {
            return text;
        }
        ByteBuffer bytes = (ByteBuffer) natives.luaJ_tobuffer(state, index);
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return new String(copy, ISO_8859_1);
    }

    /** Returns the value on the top of the stack as a reply. */
    private @Nullable Object reply() {
        return switch (natives.lua_type(state, TOP)) {
            case STRING -> text(TOP);
            case NUMBER -> (long) natives.lua_tonumber(state, TOP);
            case BOOLEAN -> natives.lua_toboolean(state, TOP) != 0 ? 1L : null;
            case TABLE -> tableReply();
            default -> null;
        };
    }

    private Object tableReply() {
        String error = field("err");
        if (!error.isEmpty()) {
            return new RedisError(error);
        }
        String status = field("ok");
        if (!status.isEmpty()) {
            return new Commands.Status(status);
        }
        return items();
    }

    /** Returns the items of the table on the top of the stack, up to the first that is nil. */
    private List<@Nullable Object> items() {
        List<@Nullable Object> items = new ArrayList<>();
        for (int i = 1; ; i++) {
            natives.lua_rawgeti(state, TOP, i);
            boolean isNil = natives.lua_type(state, TOP) <= 0;
            if (!isNil) {
                items.add(reply());
            }
            natives.lua_pop(state, 1);
            if (isNil) {
                return items;
            }
        }
    }

    @Override
    public void close() {
        lua.close();
    }
}
