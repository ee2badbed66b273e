import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.security.InvalidKeyException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.keystay.jca.KeystayProvider;

/**
 * Signs in several threads and verifies each signature by the certificate: {@code VerifiedSignatures KEYSTORE ALIAS
 * ALGORITHM SIGNATURES}, so many for each line of the input. Prints how many were right, wrong and refused, with the
 * first refusal. At the end of the input it returns from {@code main}: what else runs must not keep the JVM.
 */
class VerifiedSignatures {
  private static final int THREADS = 4;

  private final PrivateKey key;
  private final Certificate certificate;
  private final String algorithm;
  private final AtomicInteger right = new AtomicInteger();
  private final AtomicInteger wrong = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicReference<Exception> refusal = new AtomicReference<>();

  private VerifiedSignatures(KeyStore keyStore, String alias, String algorithm) throws Exception {
    key = (PrivateKey) keyStore.getKey(alias, null);
    certificate = keyStore.getCertificate(alias);
    this.algorithm = algorithm;
  }

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new KeystayProvider());
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    try (InputStream file = new FileInputStream(arguments[0])) {
      keyStore.load(file, null);
    }
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    while (input.readLine() != null) {
      new VerifiedSignatures(keyStore, arguments[1], arguments[2]).make(Integer.parseInt(arguments[3]));
    }
  }

  private void make(int count) throws InterruptedException {
    Thread[] threads = new Thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
      int number = i;
      threads[i] = new Thread(() -> make(number, count / THREADS));
      threads[i].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    if (refusal.get() != null) {
      System.out.println(refusal.get().getMessage());
    }
    System.out.println(right + " right, " + wrong + " wrong, " + refused + " refused");
  }

  private void make(int thread, int count) {
    for (int i = 0; i < count; i++) {
      byte[] message = ByteBuffer.allocate(8).putInt(thread).putInt(i).array();
      try {
        (isRight(message, sign(message)) ? right : wrong).incrementAndGet();
      } catch (InvalidKeyException | SignatureException e) { // the first where no member is left to ask
        refused.incrementAndGet();
        refusal.compareAndSet(null, e);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private byte[] sign(byte[] message) throws Exception {
    Signature signature = withParameters(Signature.getInstance(name(), KeystayProvider.NAME));
    signature.initSign(key);
    signature.update(message);
    return signature.sign();
  }

  private boolean isRight(byte[] message, byte[] value) throws Exception {
    Signature signature = withParameters(Signature.getInstance(name()));
    signature.initVerify(certificate.getPublicKey());
    signature.update(message);
    try {
      return signature.verify(value);
    } catch (SignatureException e) {
      return false; // as some of the JDK's say
    }
  }

  private String name() {
    return algorithm.split("/")[0];
  }

  /** "RSASSA-PSS/SHA-256" is PSS of a SHA-384 digest, with this hash for MGF1. */
  private Signature withParameters(Signature signature) throws Exception {
    if (!name().equals(algorithm)) {
      String mgf1 = algorithm.substring(name().length() + 1);
      signature.setParameter(new PSSParameterSpec("SHA-384", "MGF1", new MGF1ParameterSpec(mgf1), 48, 1));
    }
    return signature;
  }
}
