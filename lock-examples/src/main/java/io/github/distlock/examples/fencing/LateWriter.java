package io.github.distlock.examples.fencing;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The process of the holder that is paused. It checks its hold, reports this, and writes when it has read a line. It
 * has no memory in common with the service, so it sends the service a line for each write of the account in memory.
 */
final class LateWriter {
    static final String CHECKED = "checked";
    static final String DONE = "done";
    /** What the service is asked for: with the balance, and for the fenced one also with the token. */
    static final String WRITE = "write";

    static final String WRITE_UNFENCED = "write-unfenced";
    static final String BALANCE = "90";

    private static final Duration LEASE = Duration.ofSeconds(2);

    private LateWriter() {}

    /** Runs the holder. The arguments are the addresses of the stores. */
    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Stores stores = Stores.connect(arguments)) {
            LockHandle held = stores.locks
                    .lock("account/7", LockOptions.defaults().renewedLease(LEASE))
                    .acquire();
            held.ensureHeld();
            System.out.println(CHECKED);
            input.readLine(); // The process stands still here, until another holder has written.
            for (Map.Entry<String, Account> each :
                    stores.accounts(new Service(input)).entrySet()) {
                Account account = each.getValue();
                account.writeUnfenced(BALANCE);
                boolean refused = isRefused(account, held.fencingToken());
                System.out.println(each.getKey() + " " + (refused ? "refused" : "written"));
            }
            System.out.println(DONE);
        }
    }

    private static boolean isRefused(Account account, long token) throws Exception {
        try {
            account.write(BALANCE, token);
            return false;
        } catch (StaleTokenException e) {
            return true;
        }
    }

    /** The account of the service. */
    private record Service(BufferedReader answers) implements Account {
        @Override
        public void write(String balance, long token) throws IOException {
            System.out.println(WRITE + " " + balance + " " + FencingToken.toText(token));
            String answer = requireNonNull(answers.readLine(), "the answer of the service");
            if (!answer.isEmpty()) {
                throw new StaleTokenException("account/7", token, OptionalLong.of(FencingToken.parse(answer)));
            }
        }

        @Override
        public void writeUnfenced(String balance) throws IOException {
            System.out.println(WRITE_UNFENCED + " " + balance);
            answers.readLine();
        }

        @Override
        public String balance() {
            throw new UnsupportedOperationException();
        }

        @Override
        public String unfencedBalance() {
            throw new UnsupportedOperationException();
        }
    }
}
