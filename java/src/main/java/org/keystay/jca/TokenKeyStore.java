package org.keystay.jca;

import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A loaded key store: a token, the file that names it, and what was read from it. Reading is lock-free;
 * changes of one object wait for each other.
 */
final class TokenKeyStore {
  private final NativeStore store;
  private volatile KeyStoreFile file;

  /** Null while the token is locked: read when somebody else has given the PIN. */
  private final AtomicReference<Snapshot> snapshot = new AtomicReference<>();

  /** Whether somebody named the token: a key store file, or the provider's argument. */
  private final boolean chosen;

  private TokenKeyStore(NativeStore store, KeyStoreFile file, boolean chosen) {
    this.store = store;
    this.file = file;
    this.chosen = chosen;
  }

  /**
   * Without a file, a key store is all of the default token. Programs also load nothing because a file is
   * missing, so that this is a guess: good enough to read, and to make an alias.
   */
  private void requireChosenToken(String change) throws KeyStoreException {
    if (!chosen) {
      throw new KeyStoreException(
          "this key store was loaded without a key store file, and does not " + change + " on the"
              + " default token \"" + store.reference() + "\"; load a key store file, or name the token"
              + " in the provider's argument (keytool: -providerarg " + store.reference() + ")");
    }
  }

  /**
   * Logs in if there is a password, and lists the token. Without one, a token whose PIN nobody knows is
   * listed at the first use: keytool loads once without a password, asks for it, and loads again.
   */
  static TokenKeyStore load(
      NativeStore store, KeyStoreFile file, boolean chosen, StorePassword password)
      throws KeystayException {
    if (!password.isGiven() && store.isLocked()) {
      password.ask("PIN of token \"" + store.reference() + "\": ");
    }
    if (password.isGiven()) {
      store.unlock(password.characters());
    }
    TokenKeyStore keyStore = new TokenKeyStore(store, file, chosen);
    if (password.isGiven() || !store.isLocked()) {
      keyStore.snapshot();
    }
    return keyStore;
  }

  KeyStoreFile file() {
    return file;
  }

  Snapshot snapshot() throws KeystayException {
    Snapshot current = snapshot.get();
    if (current == null) {
      store.requireUnlocked();
      current = list();
      snapshot.compareAndSet(null, current);
    }
    return current;
  }

  /** Reads the token again. */
  Snapshot refresh() throws KeystayException {
    Snapshot current = list();
    snapshot.set(current);
    return current;
  }

  private Snapshot list() throws KeystayException {
    return Snapshot.of(store.list(), file::shows);
  }

  /** What a name means: a key, a trusted certificate, or one of them that cannot be used. */
  static final class Meaning {
    static final Meaning NOTHING = new Meaning(null, null, null);

    /** At most one of these is not null. */
    final TokenEntry key;

    final X509Certificate certificate;
    final String whyUnusable;

    private Meaning(TokenEntry key, X509Certificate certificate, String whyUnusable) {
      this.key = key;
      this.certificate = certificate;
      this.whyUnusable = whyUnusable;
    }

    boolean isNothing() {
      return key == null && certificate == null && whyUnusable == null;
    }
  }

  /**
   * A known alias is a memory read. For one that is not, the token is asked: it may be new, or another name of
   * one that is known.
   */
  Meaning meaning(String name) throws KeystayException {
    Snapshot current = snapshot();
    TokenEntry key = current.find(name);
    X509Certificate certificate = key == null ? current.findTrusted(name) : null;
    if (key != null || certificate != null) {
      return new Meaning(key, certificate, null);
    }
    NativeNamed named = store.resolve(name);
    // To the core, names are the token's; this key store may show a few of them.
    return named == null || !file.shows(named.alias()) ? Meaning.NOTHING : take(name, named);
  }

  /** Takes what the token has into the snapshot, under its alias. */
  private Meaning take(String name, NativeNamed named) throws KeystayException {
    String alias = named.alias();
    TokenEntry key = named.entry() == null ? null : put(alias, named.entry());
    X509Certificate certificate = named.certificate();
    if (certificate != null) {
      snapshot.updateAndGet(changed -> changed.withTrusted(alias, certificate));
    }
    snapshot.updateAndGet(changed -> changed.withName(name, alias));
    return new Meaning(key, certificate, named.whyUnusable());
  }

  /** The password is the PIN: an entry has none of its own, and no other can be set. */
  void requirePassword(char[] password) throws KeystayException {
    if (password != null && password.length > 0) {
      store.unlock(password);
    }
  }

  /** Names a new key, replaces the chain of an alias, or gives a key another alias. */
  synchronized void setKeyEntry(
      String alias, OpaqueKey key, char[] password, X509Certificate[] chain)
      throws KeystayException, KeyStoreException {
    requirePassword(password);
    NativeEntry entry = key.entry();
    if (!entry.store().equals(store)) {
      throw new KeyStoreException(
          "the key for alias \"" + alias + "\" is on another token than this key store; name that"
              + " token in the key store file, or generate the key after loading this key store");
    }
    if (!PublicKeyParts.areSame(entry.publicKey(), chain[0].getPublicKey())) {
      throw new KeyStoreException(
          "the certificate for alias \"" + alias + "\" is of another key: its public key is not the"
              + " one on the token");
    }
    // An alias that is not known here yet is refused by the token's own rules, when it gets its name.
    Meaning meaning = meaning(alias);
    TokenEntry existing = meaning.key;
    if (existing != null && !existing.nativeEntry().isSameKey(entry)) {
      throw new KeyStoreException(
          "alias \"" + existing.alias() + "\" exists and is another key; delete it first");
    }
    if (existing == null) {
      if (meaning.certificate != null) {
        throw new KeyStoreException(
            "alias \"" + alias + "\" exists and is a trusted certificate; delete it first");
      }
      if (!PendingKeys.holds(entry.key())) {
        requireChosenToken("rename alias \"" + entry.alias() + "\"");
      }
      put(alias, name(alias, entry, chain));
    } else {
      requireChosenToken("replace the certificate of alias \"" + existing.alias() + "\"");
      put(existing.alias(), replaceChain(existing, chain));
    }
    file = file.with(existing == null ? alias : existing.alias());
  }

  /** Whether a key that was made in software may come to the token. */
  boolean takesKeys() throws KeystayException {
    return store.takesKeys();
  }

  /**
   * Brings a key to the token that was made in software, with its chain. It has no password here, and
   * that of the key store it comes from does not matter.
   */
  synchronized void importKey(String alias, PrivateKey key, X509Certificate[] chain)
      throws KeystayException, KeyStoreException {
    if (!meaning(alias).isNothing()) {
      throw new KeyStoreException("alias \"" + alias + "\" exists; delete it first");
    }
    NativeEntry entry;
    try (SoftwareKey software = SoftwareKey.of(key, chain[0].getPublicKey())) {
      entry = PendingKeys.bring(store, software);
    }
    try {
      setKeyEntry(alias, entry.opaqueKey(entry.publicKey()), null, chain);
    } finally {
      PendingKeys.discard(store, entry.key()); // unless it has its alias now
    }
  }

  /** The chain first: a key that fails to get its chain does not get the alias either. */
  private NativeEntry name(String alias, NativeEntry entry, X509Certificate[] chain)
      throws KeystayException {
    NativeEntry current = entry;
    if (!Arrays.equals(entry.chain(), chain) && !PlaceholderCertificate.isOne(chain[0])) {
      current = store.replaceChain(entry.key(), chain);
    }
    NativeEntry renamed = store.rename(current.key(), alias);
    PendingKeys.adopt(entry.key());
    snapshot.updateAndGet(changed -> changed.without(entry.alias()));
    file = file.without(entry.alias());
    return renamed;
  }

  private NativeEntry replaceChain(TokenEntry existing, X509Certificate[] chain)
      throws KeystayException {
    if (Arrays.equals(existing.chain(), chain)) {
      return existing.nativeEntry();
    }
    return store.replaceChain(existing.nativeEntry().key(), chain);
  }

  synchronized void addCertificate(String alias, X509Certificate certificate)
      throws KeystayException, KeyStoreException {
    Meaning existing = meaning(alias);
    if (existing.key != null) {
      throw new KeyStoreException("alias \"" + alias + "\" is a key; it has a chain of its own");
    }
    if (existing.certificate != null) {
      if (existing.certificate.equals(certificate)) {
        return;
      }
      throw new KeyStoreException("alias \"" + alias + "\" exists; delete it first");
    }
    store.addCertificate(alias, certificate);
    snapshot.updateAndGet(changed -> changed.withTrusted(alias, certificate));
    file = file.with(alias);
  }

  /**
   * An alias that is not there is deleted already, unless that was interrupted. A key that cannot be used is
   * deleted as any other.
   */
  synchronized void delete(String name) throws KeystayException, KeyStoreException {
    Meaning meaning = meaning(name);
    String alias = snapshot().resolve(name);
    if (!file.isForgetting() && !meaning.isNothing()) {
      requireChosenToken("destroy alias \"" + alias + "\"");
      store.remove(
          meaning.whyUnusable == null ? alias : name,
          meaning.key == null ? null : meaning.key.nativeEntry().key());
    } else if (!file.isForgetting() && chosen && file.shows(name)) {
      store.remove(name, null);
    }
    file = file.without(alias);
    snapshot.updateAndGet(changed -> changed.without(alias));
  }

  private TokenEntry put(String alias, NativeEntry entry) throws KeystayException {
    TokenEntry result = new TokenEntry(alias, entry);
    snapshot.updateAndGet(changed -> changed.with(result));
    return result;
  }
}
