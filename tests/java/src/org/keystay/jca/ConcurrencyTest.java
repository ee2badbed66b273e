package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.KeyPair;
import java.security.KeyStore;
import java.security.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Many threads with one key, and with one key store. */
class ConcurrencyTest {
  private static final int THREADS = 8;
  private static final int ROUNDS = 100;

  @Test
  void manyThreadsSignWithOneKey() throws Exception {
    TestToken.load();
    KeyPair pair = TestToken.generate("EC", "secp256r1");
    inThreads(
        number -> {
          for (int i = 0; i < ROUNDS; i++) {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(pair.getPrivate());
            signature.update((byte) i);
            byte[] value = signature.sign();
            signature = Signature.getInstance("SHA256withECDSA");
            signature.initVerify(pair.getPublic());
            signature.update((byte) i);
            assertTrue(signature.verify(value));
          }
        });
  }

  @Test
  void readersSeeWholeSnapshotsWhileAliasesComeAndGo() throws Exception {
    KeyStore keyStore = TestToken.load();
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    inThreads(
        number -> {
          if (number == 0) {
            for (int i = 0; i < 5; i++) {
              keyStore.deleteEntry(TestToken.newAlias(keyStore, "EC", "secp256r1"));
              keyStore.load(null, TestToken.PIN);
            }
            return;
          }
          for (int i = 0; i < ROUNDS; i++) {
            assertEquals("EC", keyStore.getKey(alias, null).getAlgorithm());
            assertEquals(1, keyStore.getCertificateChain(alias).length);
          }
        });
  }

  private interface Body {
    void run(int thread) throws Exception;
  }

  private static void inThreads(Body body) throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int number = i;
        results.add(
            executor.submit(
                () -> {
                  body.run(number);
                  return null;
                }));
      }
      for (Future<?> result : results) {
        result.get();
      }
    } finally {
      executor.shutdownNow();
    }
  }
}
