import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import org.keystay.jca.KeystayProvider;

/**
 * Signs and lists again and again, and fails if the process grows: {@code Soak SIGNATURES}. The first rounds are
 * for warming up: the JVM compiles what runs often, and its heap finds its size.
 */
class Soak {
  private static final int ROUNDS = 10;
  private static final int WARM_UP_ROUNDS = 4;
  private static final int LOADS = 5;
  private static final long ALLOWED_KIB = 24 * 1024;
  private static final int ALLOWED_DESCRIPTORS = 4; // the JVM itself opens one now and then

  public static void main(String[] arguments) throws Exception {
    long signatures = Long.parseLong(arguments[0]);
    Security.addProvider(new KeystayProvider());
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    keyStore.load(null, null);
    PrivateKey key = (PrivateKey) keyStore.getKey("httpd", null);

    long memory = 0;
    int descriptors = 0;
    for (int round = 1; round <= WARM_UP_ROUNDS + ROUNDS; round++) {
      for (long i = 0; i < signatures / ROUNDS; i++) {
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key);
        signature.update((byte) i);
        signature.sign();
      }
      for (int i = 0; i < LOADS; i++) {
        keyStore.load(null, null);
      }
      System.gc();
      System.out.println(round + ": " + memory() + " KiB, " + descriptors() + " descriptors");
      if (round == WARM_UP_ROUNDS) {
        memory = memory();
        descriptors = descriptors();
      }
    }
    if (memory() > memory + ALLOWED_KIB || descriptors() > descriptors + ALLOWED_DESCRIPTORS) {
      System.out.println("the process grew");
      System.exit(1);
    }
  }

  private static long memory() throws IOException {
    for (String line : Files.readAllLines(Paths.get("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("no VmRSS");
  }

  private static int descriptors() {
    return new File("/proc/self/fd").list().length;
  }
}
