package org.keystay.jca;

import java.security.spec.AlgorithmParameterSpec;

/** An Edwards curve private key on a token, where the JDK has no EdECPrivateKey yet. */
final class OpaqueEdwardsKey extends AbstractOpaqueKey {
  private static final long serialVersionUID = 1L;

  OpaqueEdwardsKey(NativeEntry entry, EdwardsCurve curve, String algorithm) {
    super(entry, algorithm);
  }

  @Override
  public AlgorithmParameterSpec getParams() {
    return null;
  }
}
