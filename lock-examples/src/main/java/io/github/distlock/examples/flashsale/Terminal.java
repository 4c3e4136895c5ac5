package io.github.distlock.examples.flashsale;

import java.io.IOException;
import java.util.Optional;

/**
 * Prints lines of at most 100 columns. On a terminal, it overwrites a progress line, and uses colors unless
 * {@code NO_COLOR} is set.
 */
final class Terminal {
    private static final int BAR = 30;
    private static final String ESCAPE = "\u001b[";

    private final boolean interactive;
    private final boolean colored;
    private String title = "";

    private Terminal(boolean interactive, boolean colored) {
        this.interactive = interactive;
        this.colored = colored;
    }

    static Terminal open() {
        boolean interactive = isTerminal();
        boolean wanted =
                Optional.ofNullable(System.getenv("NO_COLOR")).orElse("").isEmpty();
        return new Terminal(interactive, interactive && wanted);
    }

    /** Returns whether the output is a terminal. From JDK 22 on, {@code System.console()} does not show that. */
    private static boolean isTerminal() {
        if (Optional.ofNullable(System.getenv("TERM")).orElse("dumb").equals("dumb")) {
            return false;
        }
        try {
            return new ProcessBuilder("sh", "-c", "test -t 1")
                            .inheritIO()
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    void line(String text) {
        System.out.println(text);
    }

    void heading(String text) {
        line(paint("1", text));
    }

    /** Begins a step, which {@link #done} ends. */
    void begin(String what) {
        title = what;
        progress("");
    }

    void progress(double share, String text) {
        int full = (int) Math.round(BAR * Math.min(1, share));
        progress("[" + "#".repeat(full) + ".".repeat(BAR - full) + "] " + text);
    }

    private void progress(String text) {
        if (interactive) {
            System.out.print("\r" + String.format("  %-30s", title) + text + ESCAPE + "K");
            System.out.flush();
        }
    }

    void done(String text) {
        if (interactive) {
            System.out.print("\r" + ESCAPE + "K");
        }
        line(String.format("  %-30s", title) + text);
    }

    String good(String text) {
        return paint("32", text);
    }

    String bad(String text) {
        return paint("31", text);
    }

    private String paint(String code, String text) {
        return colored ? ESCAPE + code + "m" + text + ESCAPE + "0m" : text;
    }
}
