package org.keystay.jca;

import java.math.BigInteger;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.NoSuchAlgorithmException;
import java.security.ProviderException;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECFieldFp;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.util.Arrays;
import javax.crypto.KeyAgreement;
import javax.crypto.KeyAgreementSpi;
import javax.crypto.SecretKey;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.SecretKeySpec;

/** ECDH (SEC 1, section 3.3.1) with an EC key of the token; other keys are left to the next provider. */
final class EcdhKeyAgreementSpi extends KeyAgreementSpi {
  /** Null unless initialised with a key of ours. */
  private OpaqueEcKey key;

  private ECPublicKey peer;

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
    if (!lastPhase) {
      throw new IllegalStateException("ECDH has one phase");
    }
    if (!(publicKey instanceof ECPublicKey)) {
      throw new InvalidKeyException("the peer's key is not an EC public key");
    }
    requireOnCurve((ECPublicKey) publicKey);
    peer = (ECPublicKey) publicKey;
    return null;
  }

  /** A point of another curve would draw the key's bits out of an HSM that does not look (SEC 1, 3.2.2.1). */
  private void requireOnCurve(ECPublicKey publicKey) throws InvalidKeyException {
    ECParameterSpec ours = key.getParams();
    ECParameterSpec theirs = publicKey.getParams();
    ECPoint point = publicKey.getW();
    if (!ours.getCurve().equals(theirs.getCurve())
        || !ours.getGenerator().equals(theirs.getGenerator())
        || point.equals(ECPoint.POINT_INFINITY)
        || !(ours.getCurve().getField() instanceof ECFieldFp)) {
      throw new InvalidKeyException("the peer's key is on another curve than " + key);
    }
    BigInteger p = ((ECFieldFp) ours.getCurve().getField()).getP();
    BigInteger x = point.getAffineX();
    BigInteger y = point.getAffineY();
    BigInteger right =
        x.multiply(x).add(ours.getCurve().getA()).multiply(x).add(ours.getCurve().getB()).mod(p);
    boolean inField = x.signum() >= 0 && x.compareTo(p) < 0 && y.signum() >= 0 && y.compareTo(p) < 0;
    if (!inField || !y.multiply(y).mod(p).equals(right)) {
      throw new InvalidKeyException("the peer's public point is not on its curve");
    }
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
      byte[] secret = key.nativeKey().derive(PublicKeyParts.of(peer).second(), secretSize());
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
    if (key != null && secret.length - offset < secretSize()) {
      throw new ShortBufferException("the secret has " + secretSize() + " bytes");
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
    byte[] generated = engineGenerateSecret();
    try {
      return new SecretKeySpec(generated, algorithm);
    } finally {
      Arrays.fill(generated, (byte) 0);
    }
  }

  private int secretSize() {
    return (key.getParams().getCurve().getField().getFieldSize() + Byte.SIZE - 1) / Byte.SIZE;
  }
}
