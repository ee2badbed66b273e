package org.keystay.jca;

import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.KeyPair;
import java.security.KeyPairGeneratorSpi;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;

/**
 * Generates key pairs on the token, not extractable. The key keeps a label of its own until {@code
 * setKeyEntry} gives it an alias.
 */
final class TokenKeyPairGeneratorSpi extends KeyPairGeneratorSpi {
  private final TokenChoice tokens;
  private final String algorithm;
  private KeySpec spec;

  TokenKeyPairGeneratorSpi(TokenChoice tokens, String algorithm) {
    this.tokens = tokens;
    this.algorithm = algorithm;
    this.spec = KeySpec.of(algorithm);
  }

  /** The token has its own source of randomness. */
  @Override
  public void initialize(int size, SecureRandom random) {
    spec = KeySpec.ofSize(algorithm, size);
  }

  @Override
  public void initialize(AlgorithmParameterSpec parameters, SecureRandom random)
      throws InvalidAlgorithmParameterException {
    spec = spec(parameters);
  }

  @Override
  public KeyPair generateKeyPair() {
    try {
      KeytoolCommand.current().requireWritableFile();
      NativeEntry entry = PendingKeys.generate(tokens.forNewKeys(), spec);
      PublicKey publicKey = entry.publicKey();
      return new KeyPair(publicKey, entry.opaqueKey(publicKey));
    } catch (KeystayException e) {
      throw new ProviderException(e.getMessage(), e);
    }
  }

  private KeySpec spec(AlgorithmParameterSpec parameters)
      throws InvalidAlgorithmParameterException {
    if (algorithm.equals("RSA") && parameters instanceof RSAKeyGenParameterSpec) {
      RSAKeyGenParameterSpec rsa = (RSAKeyGenParameterSpec) parameters;
      if (!rsa.getPublicExponent().equals(RSAKeyGenParameterSpec.F4)) {
        throw new InvalidAlgorithmParameterException("the public exponent must be 65537");
      }
      return KeySpec.ofSize(algorithm, rsa.getKeysize());
    }
    // keytool -groupname offers a plain NamedParameterSpec for EC first, and wants it refused.
    if (algorithm.equals("EC") && parameters instanceof ECParameterSpec) {
      return KeySpec.ofGroup(algorithm, curveName((ECParameterSpec) parameters));
    }
    if (algorithm.equals("EC") && parameters instanceof ECGenParameterSpec) {
      return KeySpec.ofGroup(
          algorithm, EcCurve.name(((ECGenParameterSpec) parameters).getName()));
    }
    if (!algorithm.equals("RSA")
        && !algorithm.equals("EC")
        && parameters instanceof NamedParameterSpec) {
      return KeySpec.ofGroup(algorithm, ((NamedParameterSpec) parameters).getName());
    }
    throw new InvalidAlgorithmParameterException(
        "no " + algorithm + " key can be generated from " + parameters);
  }

  private static String curveName(ECParameterSpec curve) throws InvalidAlgorithmParameterException {
    try {
      return EcCurve.name(curve);
    } catch (GeneralSecurityException e) {
      throw new InvalidAlgorithmParameterException("no security provider has a name for this curve", e);
    }
  }
}
