package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
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
    NativeStore token = store();
    List<NativeEntry> entries = new ArrayList<>();
    for (int i = 0; i < KEYS; i++) {
      NativeEntry entry =
          TestToken.makeBareKey(
              token, TestToken.unusedAlias("freed"), KeySpec.ofGroup("EC", "secp256r1"));
      token.destroy(entry.key());
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

  private static NativeStore store() throws Exception {
    return ((OpaqueKey) TestToken.generate("EC", "secp256r1").getPrivate()).entry().store();
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
