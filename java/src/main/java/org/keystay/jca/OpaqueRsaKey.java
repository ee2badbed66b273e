package org.keystay.jca;

import java.math.BigInteger;
import java.security.interfaces.RSAKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.AlgorithmParameterSpec;

/**
 * An RSA private key on a token. An {@code RSAKey}, because JSSE wants to know its size; never an
 * {@code RSAPrivateKey}, because software providers would take it for one of theirs.
 */
final class OpaqueRsaKey extends AbstractOpaqueKey implements RSAKey {
  private static final long serialVersionUID = 1L;

  private final BigInteger modulus;

  OpaqueRsaKey(NativeEntry entry, RSAPublicKey publicKey) {
    super(entry, publicKey.getAlgorithm());
    this.modulus = publicKey.getModulus();
  }

  @Override
  public BigInteger getModulus() {
    return modulus;
  }

  @Override
  public AlgorithmParameterSpec getParams() {
    return null;
  }
}
