package io.github.distlock.cli;

import java.util.ArrayList;
import java.util.List;

/** What a run of the binary has ended with. */
record Result(int code, List<String> output, String errors) {
    /** Waits for the end. */
    static Result of(Binary binary) {
        List<String> output = new ArrayList<>();
        try {
            while (true) {
                output.add(binary.line());
            }
        } catch (IllegalStateException e) {
            // The output has ended.
        }
        return new Result(binary.code(), output, binary.errors());
    }
}
