package org.keystay.jca;

import java.security.InvalidKeyException;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.NamedParameterSpec;

/** EdDSA in its pure form (RFC 8032, section 5.1.6): the token sees the whole message. */
final class EdDsaSignatureSpi extends TokenSignatureSpi {
  private static final int LONGEST_MESSAGE = 1 << 20;

  /** Null for "EdDSA", which takes a key of either curve. */
  private final EdwardsCurve curve;

  EdDsaSignatureSpi(String algorithm, EdwardsCurve curve) {
    super(algorithm, "EdDSA");
    this.curve = curve;
  }

  @Override
  SignatureInput newInput(OpaqueKey key) throws InvalidKeyException {
    AlgorithmParameterSpec parameters = key.getParams();
    if (curve != null
        && parameters instanceof NamedParameterSpec
        && !((NamedParameterSpec) parameters).getName().equalsIgnoreCase(curve.jcaName())) {
      throw new InvalidKeyException(curve.jcaName() + " needs a key of that curve, got " + key);
    }
    return SignatureInput.whole(LONGEST_MESSAGE);
  }

  @Override
  byte[] sign(NativeKey key, byte[] collected) throws KeystayException {
    return key.sign(NativeKey.Mechanism.EDDSA, collected);
  }
}
