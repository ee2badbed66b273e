package org.keystay.jca;

import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A loaded key store, as the JCA wants it: what was read is a snapshot, and a changed entry is in it at once. The
 * rules of aliases and of the key store file are the native core's ({@link NativeStore}). Reading is lock-free;
 * changes of one object wait for each other.
 */
final class TokenKeyStore {
  private final NativeStore store;

  /** Null while the token is locked: read once the PIN is known, from another key store of the token perhaps. */
  private final AtomicReference<Snapshot> snapshot = new AtomicReference<>();

  private TokenKeyStore(NativeStore store) {
    this.store = store;
  }

  /**
   * Logs in if there is a password, and lists the token. Without one, a token whose PIN is not known is
   * listed at the first use: keytool loads once without a password, asks for it, and loads again.
   */
  static TokenKeyStore load(NativeStore store, StorePassword password) throws KeystayException {
    if (!password.isGiven() && store.isLocked()) {
      password.ask("PIN of token \"" + store.reference() + "\": ");
    }
    if (password.isGiven()) {
      store.unlock(password.characters());
    }
    TokenKeyStore keyStore = new TokenKeyStore(store);
    if (password.isGiven() || !store.isLocked()) {
      keyStore.snapshot();
    }
    return keyStore;
  }

  /** The content of the key store file, as it is to be written. */
  byte[] file() {
    return store.file();
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
    return Snapshot.of(store.list());
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
    return named == null ? Meaning.NOTHING : take(name, named);
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

  /** Names a new key, replaces the chain of an alias, or gives a key another alias: NativeStore.setKey. */
  synchronized void setKeyEntry(
      String alias, OpaqueKey key, char[] password, X509Certificate[] chain)
      throws KeystayException, KeyStoreException {
    requirePassword(password);
    snapshot(); // where the PIN is missing, this says so
    NativeEntry before = key.entry();
    if (!PublicKeyParts.areSame(before.publicKey(), chain[0].getPublicKey())) {
      throw new KeyStoreException(
          "the certificate for alias \"" + alias + "\" is of another key: its public key is not the"
              + " one on the token");
    }
    boolean isCertified = !PlaceholderCertificate.isOne(chain[0]);
    NativeEntry entry =
        store.setKey(alias, before.key(), isCertified ? chain : new X509Certificate[0]);
    PendingKeys.adopt(before.key());
    if (!before.alias().equals(entry.alias())) {
      snapshot.updateAndGet(changed -> changed.without(before.alias()));
    }
    put(entry.alias(), entry);
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

  synchronized void setCertificate(String alias, X509Certificate certificate)
      throws KeystayException {
    snapshot();
    store.setCertificate(alias, certificate);
    snapshot.updateAndGet(changed -> changed.withTrusted(alias, certificate));
  }

  /**
   * An alias that is not there is deleted already, unless that was interrupted. A key that cannot be used is
   * deleted as any other.
   */
  synchronized void delete(String name) throws KeystayException {
    Meaning meaning = meaning(name);
    String alias = snapshot().resolve(name);
    store.remove(
        meaning.whyUnusable == null ? alias : name,
        meaning.key == null ? null : meaning.key.nativeEntry().key());
    snapshot.updateAndGet(changed -> changed.without(alias));
  }

  private TokenEntry put(String alias, NativeEntry entry) throws KeystayException {
    TokenEntry result = new TokenEntry(alias, entry);
    snapshot.updateAndGet(changed -> changed.with(result));
    return result;
  }
}
