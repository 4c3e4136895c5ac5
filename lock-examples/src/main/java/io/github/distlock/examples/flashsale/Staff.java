package io.github.distlock.examples.flashsale;

import io.github.distlock.tests.servers.ChildProgram;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The processes that run {@link Till}. Sends them commands, and reads their answers. */
final class Staff implements AutoCloseable {
    /** Longer than any command takes. Only a failed command takes this long. */
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private final List<ChildProgram> tills = new ArrayList<>();

    /** Starts the tills, and waits until all are open. */
    static Staff hire(int number, Servers servers, String stockUrl) {
        Staff staff = new Staff();
        try {
            for (int i = 0; i < number; i++) {
                staff.tills.add(ChildProgram.start(
                        Till.class, servers.address(Store.REDIS), servers.address(Store.ZOOKEEPER), stockUrl));
            }
            staff.tellAll("open");
            staff.awaitAll("open");
            return staff;
        } catch (RuntimeException e) {
            staff.close();
            throw e;
        }
    }

    ChildProgram till(int index) {
        return tills.get(index);
    }

    void tellAll(String command) {
        tills.forEach(till -> till.send(command));
    }

    /** Returns the answers of all tills, without the word with which each answer begins. */
    List<String> awaitAll(String word) {
        return tills.stream().map(till -> await(till, word)).toList();
    }

    static String ask(ChildProgram till, String command, String word) {
        till.send(command);
        return await(till, word);
    }

    static String await(ChildProgram till, String word) {
        return till.awaitLine(word, PATIENCE).substring(word.length()).strip();
    }

    /** Kills a till, and removes it from the staff. */
    void kill(ChildProgram till) {
        till.kill();
        tills.remove(till);
    }

    @Override
    public void close() {
        tills.forEach(ChildProgram::close);
    }
}
