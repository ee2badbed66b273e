package org.keystay.jca;

import java.security.PublicKey;
import java.security.spec.AlgorithmParameterSpec;

/** An Edwards curve private key on a token, where the JDK has no EdECKey yet. */
final class OpaqueEdwardsKey extends AbstractOpaqueKey {
  private static final long serialVersionUID = 1L;

  OpaqueEdwardsKey(NativeEntry entry, PublicKey publicKey) {
    super(entry, publicKey.getAlgorithm());
  }

  @Override
  public AlgorithmParameterSpec getParams() {
    return null;
  }
}
