package org.keystay.jca;

import java.security.AlgorithmParameters;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.InvalidParameterException;
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
 */
abstract class TokenSignatureSpi extends SignatureSpi {
  private final String algorithm;
  private final String keyAlgorithm;

  /** The key that signs; null unless initialised with one of ours. */
  private OpaqueKey key;

  /** What that key signs. */
  private SignatureInput input;

  /** The next provider's signature; null unless initialised for it. */
  private Signature next;

  TokenSignatureSpi(String algorithm, String keyAlgorithm) {
    this.algorithm = algorithm;
    this.keyAlgorithm = keyAlgorithm;
  }

  /** Checks that the key can be used, and makes the place for what it will sign. */
  abstract SignatureInput newInput(OpaqueKey key) throws InvalidKeyException;

  /** Signs what was collected: one call to the token. */
  abstract byte[] sign(NativeKey key, byte[] collected) throws KeystayException, SignatureException;

  /** The parameters in force; null for none. */
  AlgorithmParameterSpec parameters() {
    return null;
  }

  /** Takes new parameters, before or after a key. */
  void setParameters(AlgorithmParameterSpec parameters) throws InvalidAlgorithmParameterException {
    if (parameters != null) {
      throw new InvalidAlgorithmParameterException(algorithm + " has no parameters");
    }
  }

  @Override
  protected final void engineInitSign(PrivateKey privateKey) throws InvalidKeyException {
    clear();
    if (privateKey == null) {
      throw new InvalidKeyException("the key is null");
    }
    if (!(privateKey instanceof OpaqueKey)) {
      next = NextProvider.signature(algorithm, parameters(), s -> s.initSign(privateKey));
      return;
    }
    if (!privateKey.getAlgorithm().equals(keyAlgorithm)) {
      throw new InvalidKeyException(
          algorithm + " needs a key of " + keyAlgorithm + ", got " + privateKey);
    }
    input = newInput((OpaqueKey) privateKey);
    key = (OpaqueKey) privateKey;
  }

  @Override
  protected final void engineInitSign(PrivateKey privateKey, SecureRandom random)
      throws InvalidKeyException {
    if (privateKey instanceof OpaqueKey) {
      engineInitSign(privateKey); // the token has its own source of randomness
      return;
    }
    clear();
    next = NextProvider.signature(algorithm, parameters(), s -> s.initSign(privateKey, random));
  }

  @Override
  protected final void engineInitVerify(PublicKey publicKey) throws InvalidKeyException {
    clear();
    next = NextProvider.signature(algorithm, parameters(), s -> s.initVerify(publicKey));
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
      return sign(key.nativeKey(), input.finish());
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
    setParameters(parameters);
    if (next != null) {
      next.setParameter(parameters);
    }
    if (key == null) {
      return;
    }
    try {
      input = newInput(key);
    } catch (InvalidKeyException e) {
      clear();
      throw new InvalidAlgorithmParameterException(e.getMessage(), e);
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
    throw new InvalidParameterException("use setParameter(AlgorithmParameterSpec)");
  }

  @Override
  @Deprecated
  protected final Object engineGetParameter(String name) {
    throw new InvalidParameterException("use getParameters()");
  }

  private Signature next() throws SignatureException {
    if (next == null) {
      throw new SignatureException("the signature is not initialised for this use");
    }
    return next;
  }

  private void clear() {
    key = null;
    input = null;
    next = null;
  }
}
