package org.keystay.jca;

import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.NoSuchAlgorithmException;
import java.security.ProviderException;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import javax.crypto.KeyAgreement;
import javax.crypto.KeyAgreementSpi;
import javax.crypto.SecretKey;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.SecretKeySpec;

/** ECDH (SEC 1, section 3.3.1) with an EC key of the token; other keys are left to the next provider. */
final class EcdhKeyAgreementSpi extends KeyAgreementSpi {
  /** What the JDK's own ECDH makes, in capitals. */
  private static final Set<String> OUTPUTS = Set.of("TLSPREMASTERSECRET", "GENERIC");

  /** Null unless initialised with a key of ours. */
  private OpaqueEcKey key;

  private ECPublicKey peer;

  /** Bytes of the secret with the last peer; 0 before there was one. */
  private int secretSize;

  /** The next provider's agreement; null unless initialised for it. */
  private KeyAgreement next;

  @Override
  protected void engineInit(Key newKey, SecureRandom random) throws InvalidKeyException {
    key = null;
    peer = null;
    next = null;
    if (newKey instanceof OpaqueEcKey) {
      key = (OpaqueEcKey) newKey;
    } else if (newKey instanceof OpaqueKey) {
      throw new InvalidKeyException("ECDH needs a key of EC, got " + newKey);
    } else {
      next =
          NextProvider.find(
              "KeyAgreement",
              "ECDH",
              provider -> {
                KeyAgreement agreement = KeyAgreement.getInstance("ECDH", provider);
                agreement.init(newKey, random);
                return agreement;
              });
    }
  }

  @Override
  protected void engineInit(Key newKey, AlgorithmParameterSpec parameters, SecureRandom random)
      throws InvalidKeyException, InvalidAlgorithmParameterException {
    if (parameters != null) {
      throw new InvalidAlgorithmParameterException("ECDH has no parameters");
    }
    engineInit(newKey, random);
  }

  @Override
  protected Key engineDoPhase(Key publicKey, boolean lastPhase) throws InvalidKeyException {
    if (next != null) {
      return next.doPhase(publicKey, lastPhase);
    }
    if (key == null) {
      throw new IllegalStateException("not initialised with a private key");
    }
    if (peer != null) {
      throw new IllegalStateException("the peer's key was given already: generate the secret, or call init");
    }
    if (!lastPhase) {
      throw new IllegalStateException("ECDH has one phase");
    }
    if (!(publicKey instanceof ECPublicKey)) {
      throw new InvalidKeyException("the peer's key is not an EC public key");
    }
    requireSameCurve((ECPublicKey) publicKey);
    peer = (ECPublicKey) publicKey;
    secretSize = (key.getParams().getCurve().getField().getFieldSize() + Byte.SIZE - 1) / Byte.SIZE;
    return null;
  }

  private void requireSameCurve(ECPublicKey publicKey) throws InvalidKeyException {
    if (!EcCurve.isSame(key.getParams(), publicKey.getParams())) {
      throw new InvalidKeyException("the peer's key is on another curve than " + key);
    }
    EcCurve.requireOnCurve(publicKey);
  }

  @Override
  protected byte[] engineGenerateSecret() {
    if (next != null) {
      return next.generateSecret();
    }
    if (peer == null) {
      throw new IllegalStateException("the peer's public key is missing: call doPhase first");
    }
    try {
      byte[] secret = key.nativeKey().derive(PublicKeyParts.of(peer).second(), secretSize);
      peer = null; // the JCA's rule: the next agreement has a peer of its own
      return secret;
    } catch (KeystayException e) {
      throw new ProviderException(e.getMessage(), e);
    }
  }

  @Override
  protected int engineGenerateSecret(byte[] secret, int offset) throws ShortBufferException {
    if (next != null) {
      return next.generateSecret(secret, offset);
    }
    if (secret.length - offset < secretSize) { // before the state is looked at, as in the JDK
      throw new ShortBufferException("the secret has " + secretSize + " bytes");
    }
    byte[] generated = engineGenerateSecret();
    System.arraycopy(generated, 0, secret, offset, generated.length);
    Arrays.fill(generated, (byte) 0);
    return generated.length;
  }

  @Override
  protected SecretKey engineGenerateSecret(String algorithm)
      throws NoSuchAlgorithmException, InvalidKeyException {
    if (next != null) {
      return next.generateSecret(algorithm);
    }
    if (algorithm == null || !OUTPUTS.contains(algorithm.toUpperCase(Locale.ROOT))) {
      throw new NoSuchAlgorithmException(
          "the secret of an ECDH is a TlsPremasterSecret or Generic, and no key of " + algorithm
              + ": derive that from it");
    }
    byte[] generated = engineGenerateSecret();
    try {
      return new SecretKeySpec(generated, algorithm);
    } finally {
      Arrays.fill(generated, (byte) 0);
    }
  }
}
