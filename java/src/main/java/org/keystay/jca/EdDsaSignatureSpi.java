package org.keystay.jca;

import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.InvalidParameterException;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.NamedParameterSpec;

/** EdDSA in its pure form (RFC 8032, section 5.1.6): the token sees the whole message. */
final class EdDsaSignatureSpi extends TokenSignatureSpi {
  private static final int LONGEST_MESSAGE = 1 << 20;

  /** Null for "EdDSA", which takes a key of either curve. */
  private final EdwardsCurve curve;

  /** An EdDSAParameterSpec, which JDK 15 brought; null for the pure form. */
  private AlgorithmParameterSpec parameters;

  EdDsaSignatureSpi(String algorithm, EdwardsCurve curve) {
    super(algorithm, KeyType.EDWARDS);
    this.curve = curve;
  }

  @Override
  SignatureInput newInput(OpaqueKey key) throws InvalidKeyException {
    AlgorithmParameterSpec named = key.getParams();
    if (curve != null
        && named instanceof NamedParameterSpec
        && !((NamedParameterSpec) named).getName().equalsIgnoreCase(curve.jcaName())) {
      throw new InvalidKeyException(curve.jcaName() + " needs a key of that curve, got " + key);
    }
    if (!EdDsaParameters.isPure(parameters)) {
      throw new InvalidKeyException("Keystay signs without prehash and context only, with " + key);
    }
    return SignatureInput.whole(LONGEST_MESSAGE);
  }

  @Override
  AlgorithmParameterSpec parameters() {
    return parameters;
  }

  @Override
  void checkParameters(AlgorithmParameterSpec spec, OpaqueKey key)
      throws InvalidAlgorithmParameterException {
    if (spec == null) {
      return;
    }
    if (!EdDsaParameters.areParameters(spec)) {
      throw new InvalidAlgorithmParameterException("EdDSA takes an EdDSAParameterSpec, or none");
    }
    if (key != null && !EdDsaParameters.isPure(spec)) {
      throw new InvalidAlgorithmParameterException(
          "Keystay signs without prehash and context only, with " + key);
    }
  }

  /** As in the JDK, null changes nothing. */
  @Override
  boolean takeParameters(AlgorithmParameterSpec spec) {
    if (spec != null) {
      parameters = spec;
    }
    return false;
  }

  @Override
  RuntimeException tooLate(AlgorithmParameterSpec spec) {
    return spec == null
        ? null
        : new InvalidParameterException("parameters cannot be changed after the first update");
  }

  @Override
  byte[] sign(OpaqueKey key, byte[] collected) throws KeystayException {
    return key.nativeKey().sign(NativeKey.Mechanism.EDDSA, collected);
  }
}
