package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Keys that were made in software, on a token whose section of keystay.toml says import = "allow". */
class ImportTest {
  private static final String FILE = "# Keystay key store, version 1\ntoken = \"importing\"\n";

  private KeyStore keyStore;

  @BeforeEach
  void load() throws Exception {
    keyStore = TestToken.load(FILE);
  }

  @Test
  void anRsaKeySignsOnTheTokenAfterwards() throws Exception {
    signsAfterwards(software("RSA", "2048"), "SHA256withRSA");
  }

  @Test
  void anEcKeySignsOnTheTokenAfterwards() throws Exception {
    signsAfterwards(software("EC", "secp256r1"), "SHA256withECDSA");
    signsAfterwards(software("EC", "secp521r1"), "SHA512withECDSA");
  }

  @Test
  void anEd25519KeySignsOnTheTokenAfterwards() throws Exception {
    assumeTrue(Runtime.version().feature() >= 15, "this JDK has no Ed25519");
    signsAfterwards(KeyPairGenerator.getInstance("Ed25519").generateKeyPair(), "Ed25519");
  }

  private void signsAfterwards(KeyPair pair, String algorithm) throws Exception {
    String alias = TestToken.unusedAlias("imported");
    X509Certificate[] chain = {TestToken.selfSigned(alias, pair)};
    keyStore.setKeyEntry(alias, pair.getPrivate(), "of another store".toCharArray(), chain);
    for (KeyStore view : new KeyStore[] {keyStore, TestToken.load(FILE)}) {
      assertArrayEquals(chain, view.getCertificateChain(alias));
      PrivateKey key = (PrivateKey) view.getKey(alias, null);
      assertInstanceOf(OpaqueKey.class, key);
      assertNull(key.getEncoded());
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update((byte) 1);
      byte[] value = signature.sign();
      signature.initVerify(pair.getPublic());
      signature.update((byte) 1);
      assertTrue(signature.verify(value));
    }
  }

  @Test
  void aCertificateOfAnotherKeyIsRefused() throws Exception {
    Set<String> before = aliases();
    KeyPair other = software("EC", "secp256r1");
    for (KeyPair pair : new KeyPair[] {software("EC", "secp256r1"), software("RSA", "2048")}) {
      refused("of another key", "misfit", pair, TestToken.selfSigned("misfit", other));
    }
    assertTrue(aliases().equals(before));
  }

  @Test
  void anAliasThatExistsIsRefused() throws Exception {
    String alias = TestToken.unusedAlias("taken");
    KeyPair first = software("EC", "secp256r1");
    keyStore.setKeyEntry(
        alias, first.getPrivate(), null, new X509Certificate[] {TestToken.selfSigned(alias, first)});
    KeyPair pair = software("EC", "secp256r1");
    Set<String> before = aliases();
    refused("exists", alias, pair, TestToken.selfSigned(alias, pair));
    assertTrue(aliases().equals(before));
  }

  @Test
  void theSameKeyIsNotImportedTwice() throws Exception {
    String alias = TestToken.unusedAlias("once");
    KeyPair pair = software("EC", "secp256r1");
    X509Certificate certificate = TestToken.selfSigned(alias, pair);
    keyStore.setKeyEntry(alias, pair.getPrivate(), null, new X509Certificate[] {certificate});
    refused("as alias \"" + alias + "\"", "twice", pair, certificate);
    assertFalse(keyStore.containsAlias("twice"));
  }

  /** A name that the token refuses comes last: the key and its chain were there for a moment. */
  @Test
  void aKeyThatGetsNoAliasIsDestroyed() throws Exception {
    Set<String> before = aliases();
    KeyPair pair = software("EC", "secp256r1");
    refused("cannot be an alias", "id:00", pair, TestToken.selfSigned("id", pair));
    assertTrue(aliases().equals(before));
  }

  private void refused(String words, String alias, KeyPair pair, X509Certificate certificate) {
    KeyStoreException refusal =
        assertThrows(
            KeyStoreException.class,
            () ->
                keyStore.setKeyEntry(
                    alias, pair.getPrivate(), null, new X509Certificate[] {certificate}));
    assertTrue(refusal.getMessage().contains(words), refusal.getMessage());
  }

  /** By the core's own listing, which hides no key that has no alias yet. */
  private static Set<String> aliases() throws Exception {
    NativeStore store = NativeStore.open(null, "importing", null);
    Set<String> aliases = new TreeSet<>();
    for (NativeEntry entry : store.list().entries()) {
      aliases.add(entry.alias());
    }
    return Collections.unmodifiableSet(aliases);
  }

  private static KeyPair software(String algorithm, String sizeOrGroup) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    if (algorithm.equals("RSA")) {
      generator.initialize(Integer.parseInt(sizeOrGroup));
    } else {
      generator.initialize(new ECGenParameterSpec(sizeOrGroup));
    }
    return generator.generateKeyPair();
  }
}
