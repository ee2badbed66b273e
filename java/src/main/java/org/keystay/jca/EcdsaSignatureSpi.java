package org.keystay.jca;

import java.math.BigInteger;
import java.security.InvalidAlgorithmParameterException;
import java.security.interfaces.ECKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECParameterSpec;
import java.util.Arrays;

/** ECDSA (FIPS 186-5, section 6.4): the token signs the digest and gives r || s. */
final class EcdsaSignatureSpi extends TokenSignatureSpi {
  /** How r and s are written. */
  enum Format {
    /** A DER Ecdsa-Sig-Value (RFC 3279, section 2.2.3). */
    DER,
    /** r || s, each as long as the order (IEEE P1363). */
    P1363
  }

  private static final int LONGEST_DIGEST = 64;

  /** Null for NONEwithECDSA, whose caller has hashed. */
  private final Hash hash;

  private final Format format;

  EcdsaSignatureSpi(String algorithm, Hash hash, Format format) {
    super(algorithm, KeyType.EC);
    this.hash = hash;
    this.format = format;
  }

  @Override
  SignatureInput newInput(OpaqueKey key) {
    return hash == null ? SignatureInput.whole(LONGEST_DIGEST) : SignatureInput.hashed(hash);
  }

  /** As in the JDK, the curve of the key may be said once more. */
  @Override
  void checkParameters(AlgorithmParameterSpec parameters, OpaqueKey key)
      throws InvalidAlgorithmParameterException {
    if (parameters == null) {
      return;
    }
    if (!(parameters instanceof ECParameterSpec)) {
      throw new InvalidAlgorithmParameterException("ECDSA takes an ECParameterSpec, or none");
    }
    if (key != null && !EcCurve.isSame((ECParameterSpec) parameters, ((ECKey) key).getParams())) {
      throw new InvalidAlgorithmParameterException("these are parameters of another curve than " + key);
    }
  }

  @Override
  byte[] sign(OpaqueKey key, byte[] collected) throws KeystayException {
    // Some tokens refuse a digest that is longer than the order, instead of taking its leftmost bits.
    int orderSize = (((ECKey) key).getParams().getOrder().bitLength() + 7) / 8;
    byte[] digest =
        collected.length > orderSize ? Arrays.copyOf(collected, orderSize) : collected;
    byte[] signature = key.nativeKey().sign(NativeKey.Mechanism.ECDSA, digest);
    return format == Format.P1363 ? signature : toDer(signature);
  }

  private static byte[] toDer(byte[] signature) {
    int half = signature.length / 2;
    return Der.sequence(
        Der.integer(new BigInteger(1, Arrays.copyOf(signature, half))),
        Der.integer(new BigInteger(1, Arrays.copyOfRange(signature, half, signature.length))));
  }
}
