package io.github.distlock.bench;

import java.lang.ProcessHandle.Info;

/** The CPU time of this process. */
final class ProcessCpu {
    private ProcessCpu() {}

    static double seconds() {
        Info info = ProcessHandle.current().info();
        return info.totalCpuDuration().orElseThrow().toNanos() / 1e9;
    }
}
