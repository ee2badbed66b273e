import com.sun.management.OperatingSystemMXBean;
import java.io.ByteArrayInputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import org.keystay.jca.KeystayProvider;

/**
 * What {@code verify = true} costs: {@code VerificationCost SECONDS}. Processor time of the whole process for each
 * signature by two groups of one token, with and without it, in turns; of each the cheapest turn.
 */
class VerificationCost {
  private static final int TURNS = 5;
  private static final String[][] SIGNATURES = {
    {"ec", "SHA256withECDSA"}, {"rsa", "SHA256withRSA"}, {"rsa", "RSASSA-PSS"}
  };

  public static void main(String[] arguments) throws Exception {
    double seconds = Double.parseDouble(arguments[0]) / TURNS;
    Security.addProvider(new KeystayProvider());
    KeyStore plain = load("plain");
    KeyStore verified = load("verified");
    System.out.printf("%-20s %14s %14s%n", "CPU us/signature", "without", "verify = true");
    for (String[] each : SIGNATURES) {
      double without = Double.MAX_VALUE;
      double with = Double.MAX_VALUE;
      for (int turn = 0; turn <= TURNS; turn++) { // the first warms up, and the compiler works beside it
        double plainTurn = microseconds(plain, each, seconds);
        double verifiedTurn = microseconds(verified, each, seconds);
        without = turn == 0 ? without : Math.min(without, plainTurn);
        with = turn == 0 ? with : Math.min(with, verifiedTurn);
      }
      System.out.printf("%-20s %14.1f %14.1f%n", each[1], without, with);
    }
  }

  private static KeyStore load(String group) throws Exception {
    String file = "# Keystay key store, version 1\ntoken = \"" + group + "\"\n";
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    keyStore.load(new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8)), null);
    return keyStore;
  }

  private static double microseconds(KeyStore keyStore, String[] how, double seconds) throws Exception {
    PrivateKey key = (PrivateKey) keyStore.getKey(how[0], null);
    OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long before = process.getProcessCpuTime();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    long count = 0;
    for (; System.nanoTime() < end; count++) {
      Signature signature = Signature.getInstance(how[1], KeystayProvider.NAME);
      if (how[1].equals("RSASSA-PSS")) {
        signature.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
      }
      signature.initSign(key);
      signature.update((byte) count);
      signature.sign();
    }
    return (process.getProcessCpuTime() - before) / 1e3 / count;
  }
}
