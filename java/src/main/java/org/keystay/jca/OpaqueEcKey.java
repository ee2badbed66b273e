package org.keystay.jca;

import java.security.interfaces.ECKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECParameterSpec;

/** An EC private key on a token: an {@code ECKey}, because JSSE wants to know its curve. */
final class OpaqueEcKey extends AbstractOpaqueKey implements ECKey {
  private static final long serialVersionUID = 1L;

  private final transient ECParameterSpec parameters;

  OpaqueEcKey(NativeEntry entry, ECPublicKey publicKey) {
    super(entry, publicKey.getAlgorithm());
    this.parameters = publicKey.getParams();
  }

  @Override
  public ECParameterSpec getParams() {
    return parameters;
  }
}
