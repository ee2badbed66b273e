package org.keystay.jca;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keys that came to be on the token and have no alias yet: the JCA generates a key pair first and names it
 * later, in {@code setKeyEntry}. Until then the key is on the token under a label of its own. One that
 * is never named is destroyed when the process ends, or, if the process was killed, by the next one
 * that lists the token.
 */
final class PendingKeys {
  private static final Logger LOGGER = System.getLogger(PendingKeys.class.getName());

  private static final Map<NativeKey, NativeStore> PENDING = new ConcurrentHashMap<>();

  private PendingKeys() {}

  /** Generates a key pair under a label that no alias has. */
  static NativeEntry generate(NativeStore store, KeySpec spec) throws KeystayException {
    return add(store, label -> store.generate(label, spec));
  }

  /** Brings a key pair to the token, under such a label too: its chain and its alias follow. */
  static NativeEntry bring(NativeStore store, SoftwareKey key) throws KeystayException {
    return add(store, label -> store.importKey(label, key));
  }

  private static NativeEntry add(NativeStore store, Origin origin) throws KeystayException {
    store.requireUnlocked();
    ShutdownHook.require();
    NativeEntry entry = origin.make(PendingLabel.next().toString());
    PENDING.put(entry.key(), store);
    return entry;
  }

  /** How a key comes to the token. */
  private interface Origin {
    NativeEntry make(String label) throws KeystayException;
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

  /** The entries that are aliases. Keys that a process left behind when it died are destroyed. */
  static List<NativeEntry> sweep(NativeStore store, List<NativeEntry> entries) {
    List<NativeEntry> named = new ArrayList<>(entries.size());
    for (NativeEntry entry : entries) {
      PendingLabel label = PendingLabel.parse(entry.alias());
      if (label == null) {
        named.add(entry);
      } else if (label.isAbandoned()) {
        destroy(store, entry.key());
      }
    }
    return named;
  }

  private static void destroyAll() {
    PENDING.forEach((key, store) -> destroy(store, key));
    PENDING.clear();
  }

  private static void destroy(NativeStore store, NativeKey key) {
    try {
      store.destroy(key);
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
