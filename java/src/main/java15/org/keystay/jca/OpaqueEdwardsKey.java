package org.keystay.jca;

import java.security.PublicKey;
import java.security.interfaces.EdECKey;
import java.security.interfaces.EdECPublicKey;
import java.security.spec.NamedParameterSpec;

/** An Edwards curve private key on a token: an {@code EdECKey}, which JDK 15 brought. */
final class OpaqueEdwardsKey extends AbstractOpaqueKey implements EdECKey {
  private static final long serialVersionUID = 1L;

  private final transient NamedParameterSpec parameters;

  OpaqueEdwardsKey(NativeEntry entry, PublicKey publicKey) {
    super(entry, "EdDSA");
    this.parameters = ((EdECPublicKey) publicKey).getParams();
  }

  @Override
  public NamedParameterSpec getParams() {
    return parameters;
  }
}
