package org.keystay.jca;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.security.AlgorithmParameters;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGeneratorSpi;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.KeyStoreSpi;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Date;
import java.util.Enumeration;
import java.util.List;

/**
 * Keystay with a note of each call that reaches it, in the file that the property {@code recorder.file}
 * names: what keytool asks of a provider, command by command.
 */
public final class RecordingProvider extends Provider {
  private static final long serialVersionUID = 1L;

  private static final TokenChoice TOKENS = new TokenChoice();
  private static final KeystayProvider KEYSTAY = new KeystayProvider();

  public RecordingProvider() {
    super("Recorder", "1", "Keystay, recorded");
    record("Provider.<init>");
    putService(service("KeyStore", "Keystay", RecordingKeyStore.class, RecordingKeyStore::new));
    for (String algorithm : List.of("RSA", "EC", "EdDSA", "Ed25519")) {
      putService(
          service(
              "KeyPairGenerator",
              algorithm,
              RecordingKeyPairGenerator.class,
              () -> new RecordingKeyPairGenerator(algorithm)));
    }
    for (Provider.Service original : KEYSTAY.getServices()) {
      if (original.getType().equals("Signature")) {
        String algorithm = original.getAlgorithm();
        KeyType keyType = keyType(algorithm);
        putService(
            new KeystayService.ForKeys(
                this,
                "Signature",
                algorithm,
                keyType,
                RecordingSignature.class,
                List.of(),
                () -> new RecordingSignature(algorithm)));
      }
    }
  }

  private static KeyType keyType(String signature) {
    if (signature.startsWith("Ed")) {
      return KeyType.EDWARDS;
    }
    return signature.contains("RSA") ? KeyType.RSA : KeyType.EC;
  }

  private KeystayService service(
      String type, String algorithm, Class<?> implementation, KeystayService.Factory factory) {
    return new KeystayService(this, type, algorithm, implementation, List.of(), factory);
  }

  private static void record(String call) {
    try {
      Files.write(
          Paths.get(System.getProperty("recorder.file")),
          List.of(call),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String given(Object value) {
    return value == null ? "null" : "given";
  }

  private static String chain(Certificate[] chain) {
    return "chain[" + chain.length + "]";
  }

  private static final class RecordingKeyStore extends KeyStoreSpi {
    private final TokenKeyStoreSpi spi = new TokenKeyStoreSpi(TOKENS);

    @Override
    public boolean engineProbe(InputStream in) throws IOException {
      record("KeyStore.probe");
      return spi.engineProbe(in);
    }

    @Override
    public void engineLoad(InputStream in, char[] password) throws IOException {
      record("KeyStore.load(" + given(in) + ", " + given(password) + ")");
      spi.engineLoad(in, password);
    }

    @Override
    public void engineStore(OutputStream out, char[] password) throws IOException {
      record("KeyStore.store(" + given(out) + ", " + given(password) + ")");
      spi.engineStore(out, password);
    }

    @Override
    public Key engineGetKey(String alias, char[] password) throws UnrecoverableKeyException {
      record("KeyStore.getKey(" + alias + ", " + given(password) + ")");
      return spi.engineGetKey(alias, password);
    }

    @Override
    public Certificate[] engineGetCertificateChain(String alias) {
      record("KeyStore.getCertificateChain(" + alias + ")");
      return spi.engineGetCertificateChain(alias);
    }

    @Override
    public Certificate engineGetCertificate(String alias) {
      record("KeyStore.getCertificate(" + alias + ")");
      return spi.engineGetCertificate(alias);
    }

    @Override
    public Date engineGetCreationDate(String alias) {
      record("KeyStore.getCreationDate(" + alias + ")");
      return spi.engineGetCreationDate(alias);
    }

    @Override
    public void engineSetKeyEntry(String alias, Key key, char[] password, Certificate[] chain)
        throws KeyStoreException {
      record(
          "KeyStore.setKeyEntry(" + alias + ", " + key.getClass().getSimpleName() + ", "
              + given(password) + ", " + chain(chain) + ")");
      spi.engineSetKeyEntry(alias, key, password, chain);
    }

    @Override
    public void engineSetKeyEntry(String alias, byte[] key, Certificate[] chain)
        throws KeyStoreException {
      record("KeyStore.setKeyEntry(" + alias + ", bytes)");
      spi.engineSetKeyEntry(alias, key, chain);
    }

    @Override
    public void engineSetCertificateEntry(String alias, Certificate certificate)
        throws KeyStoreException {
      record("KeyStore.setCertificateEntry(" + alias + ")");
      spi.engineSetCertificateEntry(alias, certificate);
    }

    @Override
    public void engineDeleteEntry(String alias) throws KeyStoreException {
      record("KeyStore.deleteEntry(" + alias + ")");
      spi.engineDeleteEntry(alias);
    }

    @Override
    public Enumeration<String> engineAliases() {
      record("KeyStore.aliases");
      return spi.engineAliases();
    }

    @Override
    public boolean engineContainsAlias(String alias) {
      record("KeyStore.containsAlias(" + alias + ")");
      return spi.engineContainsAlias(alias);
    }

    @Override
    public int engineSize() {
      record("KeyStore.size");
      return spi.engineSize();
    }

    @Override
    public boolean engineIsKeyEntry(String alias) {
      record("KeyStore.isKeyEntry(" + alias + ")");
      return spi.engineIsKeyEntry(alias);
    }

    @Override
    public boolean engineIsCertificateEntry(String alias) {
      record("KeyStore.isCertificateEntry(" + alias + ")");
      return spi.engineIsCertificateEntry(alias);
    }

    @Override
    public String engineGetCertificateAlias(Certificate certificate) {
      record("KeyStore.getCertificateAlias");
      return spi.engineGetCertificateAlias(certificate);
    }

    @Override
    public KeyStore.Entry engineGetEntry(String alias, KeyStore.ProtectionParameter protection)
        throws KeyStoreException {
      record("KeyStore.getEntry(" + alias + ", " + given(protection) + ")");
      return spi.engineGetEntry(alias, protection);
    }

    @Override
    public void engineSetEntry(
        String alias, KeyStore.Entry entry, KeyStore.ProtectionParameter protection)
        throws KeyStoreException {
      record(
          "KeyStore.setEntry(" + alias + ", " + entry.getClass().getSimpleName() + ", "
              + given(protection) + ")");
      spi.engineSetEntry(alias, entry, protection);
    }

    @Override
    public boolean engineEntryInstanceOf(String alias, Class<? extends KeyStore.Entry> type) {
      record("KeyStore.entryInstanceOf(" + alias + ", " + type.getSimpleName() + ")");
      return spi.engineEntryInstanceOf(alias, type);
    }
  }

  private static final class RecordingKeyPairGenerator extends KeyPairGeneratorSpi {
    private final TokenKeyPairGeneratorSpi spi;
    private final String algorithm;

    RecordingKeyPairGenerator(String algorithm) {
      this.algorithm = algorithm;
      spi = new TokenKeyPairGeneratorSpi(TOKENS, algorithm);
    }

    @Override
    public void initialize(int size, SecureRandom random) {
      record("KeyPairGenerator." + algorithm + ".initialize(" + size + ")");
      spi.initialize(size, random);
    }

    @Override
    public void initialize(AlgorithmParameterSpec parameters, SecureRandom random)
        throws InvalidAlgorithmParameterException {
      record(
          "KeyPairGenerator." + algorithm + ".initialize("
              + parameters.getClass().getSimpleName() + ")");
      spi.initialize(parameters, random);
    }

    @Override
    public KeyPair generateKeyPair() {
      record("KeyPairGenerator." + algorithm + ".generateKeyPair");
      return spi.generateKeyPair();
    }
  }

  private static final class RecordingSignature extends SignatureSpi {
    private final String name;
    private final Signature signature;

    RecordingSignature(String algorithm) {
      // The default hash is the JDK's choice, by its version: SHA256 in 17, SHA384 in 25.
      name = "Signature." + algorithm.replaceFirst("^SHA[0-9]+", "SHAnnn");
      try {
        signature = Signature.getInstance(algorithm, KEYSTAY);
      } catch (java.security.NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    protected void engineInitVerify(PublicKey key) throws InvalidKeyException {
      record(name + ".initVerify");
      signature.initVerify(key);
    }

    @Override
    protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
      record(name + ".initSign");
      signature.initSign(key);
    }

    @Override
    protected void engineUpdate(byte b) throws SignatureException {
      record(name + ".update");
      signature.update(b);
    }

    @Override
    protected void engineUpdate(byte[] bytes, int offset, int length) throws SignatureException {
      record(name + ".update");
      signature.update(bytes, offset, length);
    }

    @Override
    protected byte[] engineSign() throws SignatureException {
      record(name + ".sign");
      return signature.sign();
    }

    @Override
    protected boolean engineVerify(byte[] value) throws SignatureException {
      record(name + ".verify");
      return signature.verify(value);
    }

    @Override
    protected void engineSetParameter(AlgorithmParameterSpec parameters)
        throws InvalidAlgorithmParameterException {
      record(name + ".setParameter");
      signature.setParameter(parameters);
    }

    @Override
    protected AlgorithmParameters engineGetParameters() {
      record(name + ".getParameters");
      return signature.getParameters();
    }

    @Override
    @Deprecated
    protected void engineSetParameter(String parameter, Object value) {
      throw new java.security.InvalidParameterException(parameter);
    }

    @Override
    @Deprecated
    protected Object engineGetParameter(String parameter) {
      throw new java.security.InvalidParameterException(parameter);
    }
  }
}
