package org.keystay.jca;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.Key;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.KeyStoreSpi;
import java.security.PrivateKey;
import java.security.ProviderException;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.Date;
import java.util.Enumeration;
import java.util.Map;
import java.util.Objects;

/**
 * The key store {@code Keystay}: the aliases of a token, seen through a key store file or, with {@code
 * NONE}, the provider's default token.
 *
 * <p>Loading reads the token once; after that known aliases are memory reads. Making one does no I/O
 * and never fails, because every {@code KeyStore.getInstance(File)} does it. Changes are on the token
 * when the method returns; {@code store} writes the key store file only.
 */
final class TokenKeyStoreSpi extends KeyStoreSpi {
  private final TokenChoice tokens;

  /** Null until loaded. */
  private volatile TokenKeyStore loaded;

  TokenKeyStoreSpi(TokenChoice tokens) {
    this.tokens = tokens;
  }

  @Override
  public boolean engineProbe(InputStream in) throws IOException {
    return KeyStoreFile.probe(Objects.requireNonNull(in, "input stream must not be null"));
  }

  @Override
  public void engineLoad(InputStream in, char[] password) throws IOException {
    load(in, StorePassword.of(password));
  }

  @Override
  public void engineLoad(KeyStore.LoadStoreParameter parameter) throws IOException {
    if (parameter instanceof LoadedStoreRequest) {
      ((LoadedStoreRequest) parameter).answer(loaded());
      return;
    }
    load(null, StorePassword.of(parameter == null ? null : parameter.getProtectionParameter()));
  }

  private void load(InputStream in, StorePassword password) throws IOException {
    try {
      NativeStore store = tokens.open(in == null ? null : in.readAllBytes());
      loaded = TokenKeyStore.load(store, password);
    } catch (KeystayException e) {
      throw loadFailure(e, password.isGiven());
    } finally {
      password.close();
    }
  }

  /**
   * As KeyStore.load wants it: a wrong password is an UnrecoverableKeyException as the cause. That is the PIN that was given and no
   * other fault, such as a configured PIN that is wrong, or a PIN file that others may read.
   */
  private static IOException loadFailure(KeystayException failure, boolean passwordGiven) {
    if (!passwordGiven || !failure.isWrongPin()) {
      return new IOException(failure.getMessage(), failure);
    }
    UnrecoverableKeyException cause = new UnrecoverableKeyException(failure.getMessage());
    cause.initCause(failure);
    return new IOException("keystore password was incorrect: " + failure.getMessage(), cause);
  }

  /** The password is never changed here: it is the token's PIN. */
  @Override
  public void engineStore(OutputStream out, char[] password) throws IOException {
    try {
      loaded().requirePassword(password);
    } catch (KeystayException e) {
      throw new IOException(
          "the store password is the token's PIN, which a key store does not change: "
              + e.getMessage(),
          e);
    }
    if (out != null) {
      out.write(loaded().file());
      out.flush();
    }
  }

  @Override
  public void engineStore(KeyStore.LoadStoreParameter parameter) {
    loaded(); // everything is on the token already
  }

  @Override
  public Key engineGetKey(String alias, char[] password) throws UnrecoverableKeyException {
    TokenKeyStore.Meaning meaning = meaning(alias);
    if (meaning.whyUnusable != null) {
      throw new UnrecoverableKeyException(meaning.whyUnusable);
    }
    return meaning.key == null ? null : meaning.key.key();
  }

  @Override
  public Certificate[] engineGetCertificateChain(String alias) {
    TokenEntry entry = find(alias);
    return entry == null ? null : entry.chain();
  }

  /** keytool -exportcert takes null for a key without a certificate, and says nothing of the reason. */
  @Override
  public Certificate engineGetCertificate(String alias) {
    TokenKeyStore.Meaning meaning = meaning(alias);
    if (meaning.whyUnusable != null && KeytoolCommand.current().isKeytool()) {
      throw new ProviderException(meaning.whyUnusable); // all that KeyStoreSpi allows here
    }
    return meaning.key == null ? meaning.certificate : meaning.key.leaf();
  }

  @Override
  public Date engineGetCreationDate(String alias) {
    TokenKeyStore.Meaning meaning = meaning(alias);
    if (meaning.key != null) {
      return meaning.key.creationDate();
    }
    return meaning.certificate == null ? null : meaning.certificate.getNotBefore();
  }

  @Override
  public void engineSetKeyEntry(String alias, Key key, char[] password, Certificate[] chain)
      throws KeyStoreException {
    requireAlias(alias);
    try {
      KeytoolCommand.current().requireWritableFile();
      if (key instanceof OpaqueKey) {
        loaded().setKeyEntry(alias, (OpaqueKey) key, password, X509Chain.of(chain));
      } else if (key instanceof PrivateKey && loaded().takesKeys()) {
        loaded().importKey(alias, (PrivateKey) key, X509Chain.of(chain));
      } else {
        throw new KeyStoreException(refusal(alias, key));
      }
    } catch (KeystayException e) {
      throw new KeyStoreException(e.getMessage(), e);
    }
  }

  private static String refusal(String alias, Key key) {
    return "the "
        + (key == null ? "missing" : key.getAlgorithm())
        + " key for alias \""
        + alias
        + "\" was made in software; a key store of Keystay holds keys that its token generated. With"
        + " keytool, say -providername Keystay together with -genkeypair. For keys that exist already,"
        + " like those of -importkeystore, write import = \"allow\" into the token's section of"
        + " keystay.toml";
  }

  @Override
  public void engineSetKeyEntry(String alias, byte[] key, Certificate[] chain)
      throws KeyStoreException {
    requireAlias(alias);
    throw new KeyStoreException(
        "a key store of Keystay takes no encoded keys: generate the key on the token");
  }

  @Override
  public void engineSetCertificateEntry(String alias, Certificate certificate)
      throws KeyStoreException {
    requireAlias(alias);
    try {
      KeytoolCommand.current().requireWritableFile();
      loaded().setCertificate(alias, X509Chain.of(new Certificate[] {certificate})[0]);
    } catch (KeystayException e) {
      throw new KeyStoreException(e.getMessage(), e);
    }
  }

  @Override
  public void engineDeleteEntry(String alias) throws KeyStoreException {
    requireAlias(alias);
    try {
      KeytoolCommand.current().requireWritableFile();
      loaded().delete(alias);
    } catch (KeystayException e) {
      throw new KeyStoreException(e.getMessage(), e);
    }
  }

  @Override
  public Enumeration<String> engineAliases() {
    return Collections.enumeration(snapshot().aliases());
  }

  /** Also of a key that cannot be used: its name is taken, and it can be deleted. */
  @Override
  public boolean engineContainsAlias(String alias) {
    return !meaning(alias).isNothing();
  }

  @Override
  public int engineSize() {
    return snapshot().size();
  }

  @Override
  public boolean engineIsKeyEntry(String alias) {
    return find(alias) != null;
  }

  @Override
  public boolean engineIsCertificateEntry(String alias) {
    return meaning(alias).certificate != null;
  }

  @Override
  public String engineGetCertificateAlias(Certificate certificate) {
    Snapshot current = snapshot();
    for (TokenEntry entry : current.keys()) {
      if (entry.leaf().equals(certificate)) {
        return entry.alias();
      }
    }
    for (Map.Entry<String, X509Certificate> entry : current.trusted().entrySet()) {
      if (entry.getValue().equals(certificate)) {
        return entry.getKey();
      }
    }
    return null;
  }

  /** No entry has a password of its own: null and any other protection are accepted. */
  @Override
  public KeyStore.Entry engineGetEntry(String alias, KeyStore.ProtectionParameter protection)
      throws KeyStoreException {
    TokenKeyStore.Meaning meaning = meaning(alias);
    if (meaning.whyUnusable != null) {
      throw new KeyStoreException(meaning.whyUnusable); // for no password would it be another one
    }
    TokenEntry entry = meaning.key;
    if (entry != null && KeytoolCommand.current().isExport()) {
      throw new KeyStoreException(
          "the private key of alias \"" + alias + "\" stays on its token, and has no form in which another"
              + " key store could hold it; -exportcert gives its certificate");
    }
    if (entry != null) {
      return entry.keyEntry();
    }
    return meaning.certificate == null
        ? null
        : new KeyStore.TrustedCertificateEntry(meaning.certificate);
  }

  @Override
  public void engineSetEntry(
      String alias, KeyStore.Entry entry, KeyStore.ProtectionParameter protection)
      throws KeyStoreException {
    if (entry instanceof KeyStore.TrustedCertificateEntry) {
      engineSetCertificateEntry(
          alias, ((KeyStore.TrustedCertificateEntry) entry).getTrustedCertificate());
      return;
    }
    if (!(entry instanceof KeyStore.PrivateKeyEntry)) {
      throw new KeyStoreException("a key store of Keystay holds private keys and certificates");
    }
    KeyStore.PrivateKeyEntry key = (KeyStore.PrivateKeyEntry) entry;
    engineSetKeyEntry(alias, key.getPrivateKey(), null, key.getCertificateChain());
  }

  /**
   * What cannot be used is an entry of no type. keytool, where a name is taken by no type that it knows, does
   * nothing and reports no failure, so that the reason is thrown.
   */
  @Override
  public boolean engineEntryInstanceOf(String alias, Class<? extends KeyStore.Entry> type) {
    TokenKeyStore.Meaning meaning = meaning(alias);
    if (meaning.whyUnusable != null) {
      throw new ProviderException(meaning.whyUnusable); // all that KeyStoreSpi allows here
    }
    if (type == KeyStore.PrivateKeyEntry.class) {
      return meaning.key != null;
    }
    return type == KeyStore.TrustedCertificateEntry.class && meaning.certificate != null;
  }

  private TokenEntry find(String alias) {
    return meaning(alias).key;
  }

  /** Nothing is asked of the token for an alias that is null, and nothing is changed. */
  private static void requireAlias(String alias) {
    Objects.requireNonNull(alias, "the alias must not be null");
  }

  private TokenKeyStore.Meaning meaning(String alias) {
    requireAlias(alias);
    try {
      return loaded().meaning(alias);
    } catch (KeystayException e) {
      throw new ProviderException(e.getMessage(), e); // all that KeyStoreSpi allows here
    }
  }

  private Snapshot snapshot() {
    try {
      return loaded().snapshot();
    } catch (KeystayException e) {
      throw new ProviderException(e.getMessage(), e);
    }
  }

  private TokenKeyStore loaded() {
    TokenKeyStore store = loaded;
    if (store == null) {
      throw new ProviderException("the key store is not loaded");
    }
    return store;
  }
}
