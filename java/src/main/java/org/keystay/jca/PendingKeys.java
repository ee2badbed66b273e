package org.keystay.jca;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keys that came to be on the token and have no alias yet: the JCA generates a key pair first and names it
 * later, in {@code setKeyEntry}. Until then the key is on the token under an unfinished label. One that is
 * never named is destroyed when this process ends. What a process that was killed has left nobody but the
 * operator can tell from a key that another machine is about to name: {@code keystay -cleanup} removes it.
 */
final class PendingKeys {
  private static final Logger LOGGER = System.getLogger(PendingKeys.class.getName());

  private static final Map<NativeKey, NativeStore> PENDING = new ConcurrentHashMap<>();

  private PendingKeys() {}

  /** Generates a key pair that is no alias yet. */
  static NativeEntry generate(NativeStore store, KeySpec spec) throws KeystayException {
    return add(store, () -> store.generate(spec));
  }

  /** Brings a key pair to the token, unfinished too: its chain and its alias follow. */
  static NativeEntry bring(NativeStore store, SoftwareKey key) throws KeystayException {
    return add(store, () -> store.importKey(key));
  }

  private static NativeEntry add(NativeStore store, Origin origin) throws KeystayException {
    store.requireUnlocked();
    ShutdownHook.require();
    NativeEntry entry = origin.make();
    PENDING.put(entry.key(), store);
    return entry;
  }

  /** How a key comes to the token. */
  private interface Origin {
    NativeEntry make() throws KeystayException;
  }

  /** The key gets no alias. */
  static void discard(NativeStore store, NativeKey key) {
    if (PENDING.remove(key) != null) {
      destroy(store, key);
    }
  }

  /** The key has an alias now, and stays. */
  static void adopt(NativeKey key) {
    PENDING.remove(key);
  }

  private static void destroyAll() {
    PENDING.forEach((key, store) -> destroy(store, key));
    PENDING.clear();
  }

  private static void destroy(NativeStore store, NativeKey key) {
    try {
      store.withdraw(key);
    } catch (KeystayException e) {
      LOGGER.log(
          Level.WARNING, "a key without an alias stays on the token: " + e.getMessage());
    }
  }

  /** Registered at the first key, so that programs that generate none have no hook. */
  private static final class ShutdownHook {
    static {
      Runtime.getRuntime()
          .addShutdownHook(new Thread(PendingKeys::destroyAll, "keystay-pending-keys"));
    }

    static void require() {}
  }
}
