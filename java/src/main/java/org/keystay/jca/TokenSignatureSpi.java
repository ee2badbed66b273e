package org.keystay.jca;

import java.security.AlgorithmParameters;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.security.spec.AlgorithmParameterSpec;

/**
 * What all signatures have in common: with a key of Keystay they collect their input and make one
 * call to the token, in {@code sign} and not before; everything else they leave to the next provider.
 *
 * <p>States are those of the JDK's own signatures: an initialisation that fails changes nothing, one that
 * succeeds drops what was collected, and so does {@code sign}, whether it succeeds or not. Parameters never
 * drop data: once there is some, they are refused.
 */
abstract class TokenSignatureSpi extends SignatureSpi {
  private final String algorithm;
  private final KeyType keyType;

  /** The key that signs; null unless initialised with one of ours. */
  private OpaqueKey key;

  /** What that key signs; null without one. */
  private SignatureInput input;

  /** The next provider's signature; null unless initialised for it. */
  private Signature next;

  TokenSignatureSpi(String algorithm, KeyType keyType) {
    this.algorithm = algorithm;
    this.keyType = keyType;
  }

  /** Checks that the key can be used with the parameters in force, and makes the place for what it will sign. */
  abstract SignatureInput newInput(OpaqueKey key) throws InvalidKeyException;

  /** Signs what was collected: one call to the token. */
  abstract byte[] sign(OpaqueKey key, byte[] collected) throws KeystayException;

  /** The algorithm by the name that other providers know. */
  String nextAlgorithm() {
    return algorithm;
  }

  /** The parameters in force; null for none. */
  AlgorithmParameterSpec parameters() {
    return null;
  }

  /** Checks new parameters, for this key of ours unless it is null. */
  void checkParameters(AlgorithmParameterSpec parameters, OpaqueKey forKey)
      throws InvalidAlgorithmParameterException {
    if (parameters != null) {
      throw new InvalidAlgorithmParameterException(algorithm + " has no parameters");
    }
  }

  /** Takes parameters that were checked; true if they matter to what is collected from now on. */
  boolean takeParameters(AlgorithmParameterSpec parameters) {
    return false;
  }

  /** What the JDK throws when data was collected already; null where new parameters do no harm. */
  RuntimeException tooLate(AlgorithmParameterSpec parameters) {
    return null;
  }

  @Override
  protected final void engineInitSign(PrivateKey privateKey) throws InvalidKeyException {
    if (privateKey == null) {
      throw new InvalidKeyException("the key is null");
    }
    if (privateKey instanceof OpaqueKey) {
      use((OpaqueKey) privateKey);
    } else {
      delegate(s -> s.initSign(privateKey));
    }
  }

  @Override
  protected final void engineInitSign(PrivateKey privateKey, SecureRandom random)
      throws InvalidKeyException {
    if (privateKey == null || privateKey instanceof OpaqueKey) {
      engineInitSign(privateKey); // the token has its own source of randomness
    } else {
      delegate(s -> s.initSign(privateKey, random));
    }
  }

  @Override
  protected final void engineInitVerify(PublicKey publicKey) throws InvalidKeyException {
    delegate(s -> s.initVerify(publicKey));
  }

  private void use(OpaqueKey newKey) throws InvalidKeyException {
    if (!keyType.isTypeOf(newKey)) {
      throw new InvalidKeyException(algorithm + " needs a key of " + keyType + ", got " + newKey);
    }
    input = newInput(newKey);
    key = newKey;
    next = null;
  }

  private void delegate(NextProvider.Initialization initialization) throws InvalidKeyException {
    next = NextProvider.signature(nextAlgorithm(), parameters(), initialization);
    key = null;
    input = null;
  }

  @Override
  protected final void engineUpdate(byte b) throws SignatureException {
    engineUpdate(new byte[] {b}, 0, 1);
  }

  @Override
  protected final void engineUpdate(byte[] bytes, int offset, int length)
      throws SignatureException {
    if (input != null) {
      input.update(bytes, offset, length);
    } else {
      next().update(bytes, offset, length);
    }
  }

  @Override
  protected final byte[] engineSign() throws SignatureException {
    if (key == null) {
      return next().sign();
    }
    try {
      return sign(key, input.finish());
    } catch (KeystayException e) {
      throw new SignatureException(e.getMessage(), e);
    }
  }

  @Override
  protected final boolean engineVerify(byte[] signature) throws SignatureException {
    return next().verify(signature);
  }

  @Override
  protected final boolean engineVerify(byte[] signature, int offset, int length)
      throws SignatureException {
    return next().verify(signature, offset, length);
  }

  @Override
  protected final void engineSetParameter(AlgorithmParameterSpec parameters)
      throws InvalidAlgorithmParameterException {
    checkParameters(parameters, key);
    if (next != null) {
      next.setParameter(parameters);
    }
    RuntimeException late = input != null && input.isStarted() ? tooLate(parameters) : null;
    if (late != null) {
      throw late;
    }
    if (takeParameters(parameters) && key != null) {
      try {
        input = newInput(key);
      } catch (InvalidKeyException e) {
        throw new InvalidAlgorithmParameterException(e.getMessage(), e); // they were checked
      }
    }
  }

  /** Always answers, because JSSE asks before there is a key. */
  @Override
  protected AlgorithmParameters engineGetParameters() {
    return null;
  }

  @Override
  @Deprecated
  protected final void engineSetParameter(String name, Object value) {
    throw new UnsupportedOperationException("use setParameter(AlgorithmParameterSpec)");
  }

  @Override
  @Deprecated
  protected final Object engineGetParameter(String name) {
    throw new UnsupportedOperationException("use getParameters()");
  }

  private Signature next() throws SignatureException {
    if (next == null) {
      throw new SignatureException("the signature is not initialised for this use");
    }
    return next;
  }
}
