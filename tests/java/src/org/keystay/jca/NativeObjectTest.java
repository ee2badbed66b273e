package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What Java owns in C++ ends with the Java objects that refer to it, and not before. */
final class NativeObjectTest {
  private static final int KEYS = 30;

  @Test
  void aKeyIsFreedWhenNothingRefersToIt() throws Exception {
    collect(Integer.MIN_VALUE, 5); // what other tests left
    TestToken.load();
    NativeStore token = TestToken.token();
    List<NativeEntry> entries = new ArrayList<>();
    for (int i = 0; i < KEYS; i++) {
      String alias = TestToken.unusedAlias("freed");
      NativeEntry entry = TestToken.makeBareKey(token, alias, KeySpec.ofGroup("EC", "secp256r1"));
      token.remove(alias, entry.key());
      entries.add(entry);
    }
    int most = NativeKey.count();
    assertTrue(most >= KEYS, "held: " + most);
    entries.clear();
    assertTrue(collect(most - KEYS, 300), "held: " + NativeKey.count());
  }

  @Test
  void aKeyThatIsInUseIsNotFreed() throws Exception {
    KeyStore keyStore = TestToken.load();
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    PrivateKey key = (PrivateKey) TestToken.load().getKey(alias, null);
    for (int i = 0; i < 5; i++) {
      TestToken.load().getKey(alias, null);
      collect(Integer.MIN_VALUE, 1);
      TestToken.selfSigned(
          alias, new java.security.KeyPair(keyStore.getCertificate(alias).getPublicKey(), key));
    }
    assertEquals(key, TestToken.load().getKey(alias, null), "one object for one key");
  }

  /** A key store is loaded with a file that shows in the size of the process. */
  @Test
  void aLoadedKeyStoreIsFreedWhenNothingRefersToIt() throws Exception {
    byte[] file = ("# Keystay key store, version 1\n#" + "x".repeat(1 << 20) + "\n").getBytes();
    long before = residentKib();
    for (int i = 0; i < 400; i++) {
      assertEquals(file.length, NativeStore.open(null, "web", file).file().length);
      if (i % 20 == 0) {
        collect(Integer.MIN_VALUE, 1);
      }
    }
    collect(Integer.MIN_VALUE, 2);
    assertTrue(residentKib() < before + 200 * 1024, before + " KiB grew to " + residentKib());
  }

  private static long residentKib() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new AssertionError("no VmRSS");
  }

  /** Collects garbage until the library holds no more keys than this; false if it never does. */
  private static boolean collect(int atMost, int times) throws Exception {
    for (int i = 0; i < times; i++) {
      if (NativeKey.count() <= atMost) {
        return true;
      }
      ReferenceQueue<Object> queue = new ReferenceQueue<>();
      Reference<Object> garbage = new PhantomReference<>(new Object(), queue);
      System.gc();
      queue.remove(1000); // the collection has been
      Reference.reachabilityFence(garbage);
    }
    return NativeKey.count() <= atMost;
  }
}
