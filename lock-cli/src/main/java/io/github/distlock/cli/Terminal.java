package io.github.distlock.cli;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The terminal, which Java does not know well enough. */
final class Terminal {
    private static final int ROWS = 24;
    private static final int COLUMNS = 80;

    /** The size of a terminal. */
    record Size(int rows, int columns) {}

    private Terminal() {}

    /** Returns whether the standard output is a terminal. */
    static boolean isOutput() throws InterruptedException {
        return isTerminal(1);
    }

    /** Returns whether the standard input is a terminal. */
    static boolean isInput() throws InterruptedException {
        return isTerminal(0);
    }

    private static boolean isTerminal(int stream) throws InterruptedException {
        try {
            List<String> test = List.of("/bin/sh", "-c", "test -t " + stream);
            return new ProcessBuilder(test).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    static Size size() throws InterruptedException {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/dev/tty"))
                    .redirectError(Redirect.DISCARD)
                    .start();
            String answer = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            List<Integer> numbers = answer.strip().matches("[1-9][0-9]* [1-9][0-9]*")
                    ? List.of(answer.strip().split(" ")).stream()
                            .map(Integer::valueOf)
                            .toList()
                    : List.of(ROWS, COLUMNS);
            stty.waitFor();
            return new Size(numbers.get(0), numbers.get(1));
        } catch (IOException e) {
            return new Size(ROWS, COLUMNS);
        }
    }
}
