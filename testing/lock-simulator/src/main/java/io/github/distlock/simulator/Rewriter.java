package io.github.distlock.simulator;

import static java.util.Objects.requireNonNull;

import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Replaces calls that read clocks, wait for time, make threads or draw random numbers with calls of the hooks. In the
 * product's classes it also adds points at which another thread may run: at the beginning of each method, and before
 * each access to a volatile field of the same class or to a class of {@code java.util.concurrent}.
 *
 * <p>The JDK's classes: those of {@code java.util.concurrent} read the clock, {@code LockSupport} and {@code Thread}
 * wait. The immutable collections iterate in an order that differs from JVM to JVM, so they get a fixed order.
 */
final class Rewriter implements ClassFileTransformer {
    private static final String HOOKS = "io/github/distlock/simulator/hooks/Hooks";
    private static final String SIMULATOR = "io/github/distlock/simulator/";
    private static final String SCRIPTS = "io/github/distlock/redis/Script";
    private static final String CONCURRENT = "java/util/concurrent/";
    private static final String ZOOKEEPER = "org/apache/zookeeper/";
    private static final String CURRENT_THREAD = "java/lang/Thread.currentThread()Ljava/lang/Thread;";
    private static final String WEAK_REFERENCE = "java/lang/ref/WeakReference";
    private static final String WITH_A_QUEUE = "(Ljava/lang/Object;Ljava/lang/ref/ReferenceQueue;)V";
    private static final String MONITORED = "$monitored";
    private static final String COLLECTIONS = "java/util/ImmutableCollections";
    private static final long SALT = 0x5DEECE66DL & 0xFFFF_FFFFL;

    /** Static methods and their hooks of the same name and type. */
    private static final Set<String> STATIC_CALLS = Set.of(
            "java/lang/System.nanoTime()J",
            "java/lang/System.currentTimeMillis()J",
            "java/util/UUID.randomUUID()Ljava/util/UUID;",
            "java/util/concurrent/Executors.defaultThreadFactory()Ljava/util/concurrent/ThreadFactory;");

    /** Methods of each object, whose monitor is simulated, and the types of their hooks. */
    private static final Map<String, String> CALLS_OF_MONITORS = Map.of(
            "wait()V", "(Ljava/lang/Object;)V",
            "wait(J)V", "(Ljava/lang/Object;J)V",
            "notify()V", "(Ljava/lang/Object;)V",
            "notifyAll()V", "(Ljava/lang/Object;)V");

    /** Methods of classes that extend {@code Thread}, and the types of their hooks. */
    private static final Map<String, String> CALLS_OF_THREADS = Map.of(
            "start()V", "(Ljava/lang/Thread;)V",
            "join()V", "(Ljava/lang/Thread;)V",
            "join(J)V", "(Ljava/lang/Thread;J)V",
            "isAlive()Z", "(Ljava/lang/Thread;)Z");

    /** Methods of objects, and the types of their hooks. */
    private static final Map<String, String> CALLS = Map.of(
            "java/security/SecureRandom.nextBytes([B)V",
            "(Ljava/security/SecureRandom;[B)V",
            "java/lang/ref/ReferenceQueue.poll()Ljava/lang/ref/Reference;",
            "(Ljava/lang/ref/ReferenceQueue;)Ljava/lang/ref/Reference;");

    private static final Set<String> THREADS = Set.of(
            "(Ljava/lang/Runnable;)V",
            "(Ljava/lang/Runnable;Ljava/lang/String;)V",
            "(Ljava/lang/ThreadGroup;Ljava/lang/Runnable;Ljava/lang/String;JZ)V");

    /** Methods that return if the hook has waited: the hook, and the local variable with the time. */
    private static final Map<String, Wait> WAITS = Map.of(
            "java/util/concurrent/locks/LockSupport.parkNanos(J)V", new Wait("parkNanos", 0),
            "java/util/concurrent/locks/LockSupport.parkNanos(Ljava/lang/Object;J)V", new Wait("parkNanos", 1),
            "java/util/concurrent/locks/LockSupport.parkUntil(J)V", new Wait("parkUntil", 0),
            "java/util/concurrent/locks/LockSupport.parkUntil(Ljava/lang/Object;J)V", new Wait("parkUntil", 1),
            "java/lang/Thread.sleepNanos(J)V", new Wait("sleep", 0));

    private record Wait(String hook, int time) {}

    /** What gives the immutable collections of a JVM their order. */
    private static final Set<String> ORDER = Set.of(COLLECTIONS + ".SALT32L", COLLECTIONS + ".REVERSE");

    /** What this rewriter has replaced of {@link #WAITS} and {@link #ORDER}. */
    private final Set<String> replaced = ConcurrentHashMap.newKeySet();

    /**
     * Looks whether the JDK has all that a simulation has to replace in it. Otherwise a thread would wait in real time,
     * or a seed would not repeat.
     *
     * @throws IllegalStateException if something was not found in the classes that were rewritten so far
     */
    void requireComplete() {
        Set<String> missing = new TreeSet<>(WAITS.keySet());
        missing.addAll(ORDER);
        missing.removeAll(replaced);
        if (!missing.isEmpty()) {
            throw new IllegalStateException("JDK " + Runtime.version().feature()
                    + " cannot run simulations: not found in its classes: " + String.join(", ", missing));
        }
    }

    /** Returns whether a class is rewritten. */
    static boolean concerns(String name) {
        return name.startsWith(CONCURRENT)
                || name.equals("java/lang/Thread")
                || name.startsWith(COLLECTIONS)
                || isOurs(name)
                || name.startsWith("org/apache/curator/")
                || name.startsWith(ZOOKEEPER);
    }

    private static boolean isOurs(String name) {
        return name.startsWith("io/github/distlock/") && !name.startsWith(SIMULATOR + "hooks/");
    }

    /** Returns whether a class is one of ZooKeeper's that extend {@code Thread}. */
    private static boolean isThread(String name) {
        return name.startsWith(ZOOKEEPER + "ClientCnxn$") && name.endsWith("Thread");
    }

    /**
     * Returns whether the monitors of a class are simulated. Those of the JVM wake threads on a thread of their own.
     * The product has none.
     */
    private static boolean isLibrary(String name) {
        return name.startsWith("org/apache/curator/") || name.startsWith(ZOOKEEPER);
    }

    private static boolean isProduct(String name) {
        return isOurs(name)
                && !name.startsWith(SIMULATOR)
                && !name.startsWith("io/github/distlock/tests/")
                // Caches the texts of scripts for all runs.
                && !name.equals(SCRIPTS)
                && !name.startsWith(SCRIPTS + "$");
    }

    @Override
    public byte @Nullable [] transform(
            @Nullable ClassLoader loader,
            @Nullable String name,
            @Nullable Class<?> retransformed,
            @Nullable ProtectionDomain domain,
            byte[] original) {
        if (name == null || !concerns(name)) {
            return null;
        }
        try {
            ClassReader reader = new ClassReader(original);
            ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
            Rewriting rewriting = new Rewriting(writer, name);
            reader.accept(rewriting, 0);
            return rewriting.changed ? writer.toByteArray() : null;
        } catch (RuntimeException e) {
            // The JVM would ignore it, and the class would read real clocks.
            throw fatal(name, e);
        }
    }

    private static Error fatal(String name, RuntimeException cause) {
        System.err.println("cannot rewrite " + name + ": " + cause);
        Runtime.getRuntime().halt(1);
        return new AssertionError(cause);
    }

    /** One class. Fields come before methods, so the volatile ones are known when their accesses are seen. */
    private final class Rewriting extends ClassVisitor {
        private final String name;
        private final Set<String> volatileFields = new HashSet<>();
        private String superName = "";
        private boolean changed;

        Rewriting(ClassVisitor next, String name) {
            super(Opcodes.ASM9, next);
            this.name = name;
        }

        @Override
        public void visit(
                int version,
                int access,
                String name,
                @Nullable String signature,
                @Nullable String superName,
                String @Nullable [] interfaces) {
            this.superName = superName == null ? "" : superName;
            super.visit(version, access, name, signature, superName, interfaces);
        }

        @Override
        public @Nullable FieldVisitor visitField(
                int access, String field, String type, @Nullable String signature, @Nullable Object value) {
            if ((access & Opcodes.ACC_VOLATILE) != 0) {
                volatileFields.add(field);
            }
            return super.visitField(access, field, type, signature, value);
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String method, String type, @Nullable String signature, String @Nullable [] exceptions) {
            boolean isMonitored = (access & Opcodes.ACC_SYNCHRONIZED) != 0 && isLibrary(name);
            if (isMonitored) {
                changed = true;
                addMonitor(access & ~Opcodes.ACC_SYNCHRONIZED, method, type, signature, exceptions);
            }
            MethodVisitor next = isMonitored
                    ? super.visitMethod(monitored(access), method + MONITORED, type, signature, exceptions)
                    : super.visitMethod(access, method, type, signature, exceptions);
            if (name.startsWith(COLLECTIONS)) {
                return method.equals("<clinit>") ? next : new FixedOrder(next);
            }
            String signed = name + "." + method + type;
            Wait wait = WAITS.get(signed);
            if (wait != null) {
                replaced.add(signed);
            }
            return wait == null && name.startsWith("java/lang/") ? next : new Calls(next, method, wait);
        }

        private static int monitored(int access) {
            return (access & Opcodes.ACC_STATIC) | Opcodes.ACC_PRIVATE | Opcodes.ACC_SYNTHETIC;
        }

        /** Adds a method that calls another one within a simulated monitor. */
        private void addMonitor(
                int access, String method, String type, @Nullable String signature, String @Nullable [] exceptions) {
            MethodVisitor code = super.visitMethod(access, method, type, signature, exceptions);
            boolean isStatic = (access & Opcodes.ACC_STATIC) != 0;
            Label begin = new Label();
            Label end = new Label();
            Label failed = new Label();
            code.visitCode();
            code.visitTryCatchBlock(begin, end, failed, null);
            monitor(code, isStatic, "enterMonitor");
            code.visitLabel(begin);
            int local = 0;
            if (!isStatic) {
                code.visitVarInsn(Opcodes.ALOAD, local++);
            }
            for (Type argument : Type.getArgumentTypes(type)) {
                code.visitVarInsn(argument.getOpcode(Opcodes.ILOAD), local);
                local += argument.getSize();
            }
            int call = isStatic ? Opcodes.INVOKESTATIC : Opcodes.INVOKESPECIAL;
            code.visitMethodInsn(call, name, method + MONITORED, type, false);
            code.visitLabel(end);
            monitor(code, isStatic, "exitMonitor");
            code.visitInsn(Type.getReturnType(type).getOpcode(Opcodes.IRETURN));
            code.visitLabel(failed);
            code.visitFrame(Opcodes.F_SAME1, 0, null, 1, new Object[] {"java/lang/Throwable"});
            monitor(code, isStatic, "exitMonitor");
            code.visitInsn(Opcodes.ATHROW);
            code.visitMaxs(0, 0);
            code.visitEnd();
        }

        private void monitor(MethodVisitor code, boolean isStatic, String hook) {
            if (isStatic) {
                code.visitLdcInsn(Type.getObjectType(name));
            } else {
                code.visitVarInsn(Opcodes.ALOAD, 0);
            }
            code.visitMethodInsn(Opcodes.INVOKESTATIC, HOOKS, hook, "(Ljava/lang/Object;)V", false);
        }

        private final class FixedOrder extends MethodVisitor {
            FixedOrder(MethodVisitor next) {
                super(Opcodes.ASM9, next);
            }

            @Override
            public void visitFieldInsn(int opcode, String owner, String field, String type) {
                String read = owner + "." + field;
                if (opcode != Opcodes.GETSTATIC || !ORDER.contains(read)) {
                    super.visitFieldInsn(opcode, owner, field, type);
                    return;
                }
                changed = true;
                replaced.add(read);
                if (field.equals("REVERSE")) {
                    visitInsn(Opcodes.ICONST_0);
                } else {
                    visitLdcInsn(SALT);
                }
            }
        }

        private final class Calls extends MethodVisitor {
            private final String method;
            private final @Nullable Wait wait;
            private final boolean initializes;
            private final boolean hasPoints;
            /** How many threads are being made here. Their NEW was dropped, and so must be their DUP. */
            private int threadsBegun;

            private boolean afterNewThread;

            Calls(MethodVisitor next, String method, @Nullable Wait wait) {
                super(Opcodes.ASM9, next);
                this.method = method;
                this.wait = wait;
                initializes = isOurs(name) && method.equals("<clinit>");
                // The JDK calls values() once and keeps the result.
                hasPoints = isProduct(name) && !initializes && !method.equals("values");
            }

            private void hook(String hook, String type) {
                changed = true;
                super.visitMethodInsn(Opcodes.INVOKESTATIC, HOOKS, hook, type, false);
            }

            @Override
            public void visitCode() {
                super.visitCode();
                if (wait != null) {
                    Label original = new Label();
                    visitVarInsn(Opcodes.LLOAD, wait.time);
                    hook(wait.hook, "(J)Z");
                    visitJumpInsn(Opcodes.IFEQ, original);
                    visitInsn(Opcodes.RETURN);
                    visitLabel(original);
                    visitFrame(Opcodes.F_SAME, 0, null, 0, null);
                    visitInsn(Opcodes.NOP);
                }
                if (initializes) {
                    hook("beginAtomic", "()V");
                }
                if (hasPoints) {
                    hook("point", "()V");
                }
            }

            @Override
            public void visitInsn(int opcode) {
                if (afterNewThread) {
                    afterNewThread = false;
                    if (opcode != Opcodes.DUP) {
                        throw new IllegalStateException("a new thread is made in an unknown way in " + method);
                    }
                    return;
                }
                if (isLibrary(name) && (opcode == Opcodes.MONITORENTER || opcode == Opcodes.MONITOREXIT)) {
                    hook(opcode == Opcodes.MONITORENTER ? "enterMonitor" : "exitMonitor", "(Ljava/lang/Object;)V");
                    return;
                }
                if (initializes && opcode == Opcodes.RETURN) {
                    hook("endAtomic", "()V");
                }
                if (opcode == Opcodes.MONITOREXIT) {
                    hook("endAtomic", "()V");
                }
                super.visitInsn(opcode);
                if (opcode == Opcodes.MONITORENTER) {
                    hook("beginAtomic", "()V");
                }
            }

            @Override
            public void visitTypeInsn(int opcode, String type) {
                if (opcode == Opcodes.NEW && type.equals("java/lang/Thread") && !name.startsWith("java/")) {
                    threadsBegun++;
                    afterNewThread = true;
                } else {
                    super.visitTypeInsn(opcode, type);
                }
            }

            @Override
            public void visitFieldInsn(int opcode, String owner, String field, String type) {
                if (hasPoints && owner.equals(name) && volatileFields.contains(field) && !method.equals("<init>")) {
                    hook("point", "()V");
                }
                super.visitFieldInsn(opcode, owner, field, type);
            }

            @Override
            public void visitMethodInsn(int opcode, String owner, String called, String type, boolean isInterface) {
                String call = owner + "." + called + type;
                if (STATIC_CALLS.contains(call)) {
                    hook(called, type);
                } else if (name.startsWith(ZOOKEEPER) && call.equals(CURRENT_THREAD)) {
                    hook(called, type);
                } else if (isLibrary(name) && CALLS_OF_MONITORS.containsKey(called + type)) {
                    hook(called + "Monitor", requireNonNull(CALLS_OF_MONITORS.get(called + type)));
                } else if (isThread(owner) && CALLS_OF_THREADS.containsKey(called + type)) {
                    hook(called, requireNonNull(CALLS_OF_THREADS.get(called + type)));
                } else if (CALLS.containsKey(call)) {
                    hook(called, CALLS.get(call));
                } else if (threadsBegun > 0 && owner.equals("java/lang/Thread") && called.equals("<init>")) {
                    if (!THREADS.contains(type)) {
                        throw new IllegalStateException("no hook for new Thread" + type);
                    }
                    threadsBegun--;
                    hook("newThread", type.replace(")V", ")Ljava/lang/Thread;"));
                } else {
                    if (hasPoints && owner.startsWith(CONCURRENT) && !called.equals("<init>")) {
                        hook("point", "()V");
                    }
                    if (owner.equals(WEAK_REFERENCE) && called.equals("<init>")) {
                        keepReferent(type);
                    }
                    super.visitMethodInsn(opcode, owner, called, type, isInterface);
                    if (owner.equals(WEAK_REFERENCE) && type.equals(WITH_A_QUEUE)) {
                        noteReference();
                    }
                }
            }

            /** A new reference is on the stack twice. In a constructor of a subclass, it is {@code this}. */
            private void noteReference() {
                if (superName.equals(WEAK_REFERENCE) && method.equals("<init>")) {
                    visitVarInsn(Opcodes.ALOAD, 0);
                } else {
                    visitInsn(Opcodes.DUP);
                }
                hook("made", "(Ljava/lang/ref/Reference;)V");
            }

            private void keepReferent(String type) {
                if (type.equals("(Ljava/lang/Object;)V")) {
                    visitInsn(Opcodes.DUP);
                } else {
                    visitInsn(Opcodes.DUP2);
                    visitInsn(Opcodes.POP);
                }
                hook("keep", "(Ljava/lang/Object;)V");
            }
        }
    }
}
