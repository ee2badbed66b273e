package org.keystay.jca;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The CKA_LABEL of a key that has no alias yet: it names the process that generated it, so that
 * another process can tell whether that one may still give it an alias.
 */
final class PendingLabel {
  private static final String PREFIX = "keystay-pending-";
  private static final Pattern FORM =
      Pattern.compile(PREFIX + "([0-9a-f]+)-([0-9]+)-([0-9]+)-([0-9]+)");
  private static final AtomicLong COUNTER = new AtomicLong();

  /** Where a process number means something: this machine and its PID namespace. */
  private static final String SCOPE = scope();

  private final String scope;
  private final long process;
  private final long started; // milliseconds since 1970; 0 if the system does not tell
  private final long number;

  private PendingLabel(String scope, long process, long started, long number) {
    this.scope = scope;
    this.process = process;
    this.started = started;
    this.number = number;
  }

  /** A label that this process has not used before. */
  static PendingLabel next() {
    ProcessHandle self = ProcessHandle.current();
    return new PendingLabel(SCOPE, self.pid(), start(self), COUNTER.incrementAndGet());
  }

  /** Null if a label is not of this form. */
  static PendingLabel parse(String label) {
    Matcher matcher = FORM.matcher(label);
    if (!matcher.matches()) {
      return null;
    }
    try {
      return new PendingLabel(
          matcher.group(1),
          Long.parseLong(matcher.group(2)),
          Long.parseLong(matcher.group(3)),
          Long.parseLong(matcher.group(4)));
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** Whether the process is known to have ended: nobody can tell of one on another machine. */
  boolean isAbandoned() {
    if (!scope.equals(SCOPE)) {
      return false;
    }
    Optional<ProcessHandle> alive = ProcessHandle.of(process).filter(ProcessHandle::isAlive);
    return alive.isEmpty() || start(alive.get()) != started;
  }

  @Override
  public String toString() {
    return PREFIX + scope + "-" + process + "-" + started + "-" + number;
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  private static String scope() {
    String machine =
        firstLine(Paths.get("/etc/machine-id"))
            + firstLine(Paths.get("/proc/sys/kernel/hostname"))
            + link(Paths.get("/proc/self/ns/pid"));
    return Integer.toHexString(machine.hashCode());
  }

  private static String firstLine(Path file) {
    try {
      return Files.readAllLines(file).stream().findFirst().orElse("");
    } catch (IOException e) {
      return "";
    }
  }

  private static String link(Path file) {
    try {
      return Files.readSymbolicLink(file).toString();
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }
}
