import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.util.concurrent.atomic.AtomicLong;
import org.keystay.jca.KeystayProvider;

/**
 * Keystay beside SunPKCS11, in one JVM and on one token: {@code Benchmark MODULE PIN SECONDS}. Prints
 * signatures per second by threads, and processor times: of one signature, of KeyStore.load, and of reading
 * one alias. What else runs on the machine moves the first much more than the others.
 */
class Benchmark {
  private static final int[] THREADS = {1, 2, 4, 16};
  private static final int TURNS = 5;
  private static final int LOADS = 3; // the first warms up
  private static final byte[] MESSAGE = new byte[146]; // what TLS 1.3 signs with SHA-256

  private final String name;
  private final Provider provider;
  private final KeyStore keyStore;

  /** Of a turn, and of one signature in the cheapest turn. */
  private final AtomicLong cpuNanoseconds = new AtomicLong();

  private double cpuMicroseconds;

  private Benchmark(String name, String type, Provider provider, char[] pin) throws Exception {
    this.name = name;
    this.provider = provider;
    this.keyStore = KeyStore.getInstance(type, provider);
    keyStore.load(null, pin);
  }

  public static void main(String[] arguments) throws Exception {
    char[] pin = arguments[1].toCharArray();
    double seconds = Double.parseDouble(arguments[2]);
    Provider sun =
        Security.getProvider("SunPKCS11")
            .configure("--name=bench\nlibrary=" + arguments[0] + "\nslotListIndex=0\n");
    Benchmark[] both = {
      new Benchmark("Keystay", "Keystay", new KeystayProvider(), pin),
      new Benchmark("SunPKCS11", "PKCS11", sun, pin),
    };
    for (Benchmark each : both) {
      each.signatures("ec", "SHA256withECDSA", 1, seconds); // warms up
      each.signatures("rsa", "SHA256withRSA", 1, seconds);
    }
    System.out.printf("%-28s %12s %12s %8s%n", "", "Keystay", "SunPKCS11", "ratio");
    for (String[] key : new String[][] {{"ec", "SHA256withECDSA"}, {"rsa", "SHA256withRSA"}}) {
      for (int threads : THREADS) {
        double ours = 0;
        double theirs = 0;
        both[0].cpuMicroseconds = both[1].cpuMicroseconds = Double.MAX_VALUE;
        // The best of short turns: what else runs on the machine must not choose the winner.
        for (int turn = 0; turn < TURNS; turn++) {
          ours = Math.max(ours, both[0].signatures(key[0], key[1], threads, seconds / TURNS));
          theirs = Math.max(theirs, both[1].signatures(key[0], key[1], threads, seconds / TURNS));
        }
        row(key[1] + ", " + threads + " threads, 1/s", ours, theirs);
        row("  CPU us each", both[0].cpuMicroseconds, both[1].cpuMicroseconds);
      }
    }
    for (int round = 0; round < LOADS; round++) {
      double ours = both[0].load(pin);
      row("load " + both[0].keyStore.size() + " aliases, CPU ms", ours, both[1].load(pin));
    }
    row("getKey and chain, CPU us", both[0].read(), both[1].read());
  }

  private static void row(String what, double ours, double theirs) {
    System.out.printf("%-28s %12.1f %12.1f %8.2f%n", what, ours, theirs, ours / theirs);
  }

  private double signatures(String alias, String algorithm, int threads, double seconds)
      throws Exception {
    PrivateKey key = (PrivateKey) keyStore.getKey(alias, null);
    AtomicLong count = new AtomicLong();
    long start = System.nanoTime();
    long end = start + (long) (seconds * 1e9);
    Thread[] workers = new Thread[threads];
    for (int i = 0; i < threads; i++) {
      workers[i] = new Thread(() -> count.addAndGet(sign(key, algorithm, end)), name);
      workers[i].start();
    }
    for (Thread worker : workers) {
      worker.join();
    }
    double elapsed = (System.nanoTime() - start) / 1e9;
    double cpu = cpuNanoseconds.getAndSet(0) / 1e3 / count.get();
    cpuMicroseconds = Math.min(cpuMicroseconds, cpu);
    return count.get() / elapsed;
  }

  private long sign(PrivateKey key, String algorithm, long end) {
    try {
      ThreadMXBean clock = ManagementFactory.getThreadMXBean();
      long before = clock.getCurrentThreadCpuTime();
      long count = 0;
      for (; System.nanoTime() < end; count++) {
        Signature signature = Signature.getInstance(algorithm, provider);
        signature.initSign(key);
        signature.update(MESSAGE);
        signature.sign();
      }
      cpuNanoseconds.addAndGet(clock.getCurrentThreadCpuTime() - before);
      return count;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private double load(char[] pin) throws Exception {
    ThreadMXBean clock = ManagementFactory.getThreadMXBean();
    long start = clock.getCurrentThreadCpuTime();
    keyStore.load(null, pin);
    return (clock.getCurrentThreadCpuTime() - start) / 1e6;
  }

  private double read() throws Exception {
    ThreadMXBean clock = ManagementFactory.getThreadMXBean();
    int rounds = 200;
    long start = clock.getCurrentThreadCpuTime();
    for (int i = 0; i < rounds; i++) {
      keyStore.getKey("ec", null);
      keyStore.getCertificateChain("ec");
    }
    return (clock.getCurrentThreadCpuTime() - start) / 1e3 / rounds;
  }
}
