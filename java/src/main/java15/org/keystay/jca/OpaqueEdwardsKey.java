package org.keystay.jca;

import java.security.interfaces.EdECPrivateKey;
import java.security.spec.NamedParameterSpec;
import java.util.Optional;

/**
 * An Edwards curve private key on a token. An {@code EdECPrivateKey}, which JDK 15 brought: jarsigner and
 * jose4j look for that, and its value may be missing.
 */
final class OpaqueEdwardsKey extends AbstractOpaqueKey implements EdECPrivateKey {
  private static final long serialVersionUID = 1L;

  private final transient NamedParameterSpec parameters;

  OpaqueEdwardsKey(NativeEntry entry, EdwardsCurve curve, String algorithm) {
    super(entry, algorithm);
    this.parameters = new NamedParameterSpec(curve.jcaName());
  }

  @Override
  public NamedParameterSpec getParams() {
    return parameters;
  }

  /** None: the value stays on the token. */
  @Override
  public Optional<byte[]> getBytes() {
    return Optional.empty();
  }
}
