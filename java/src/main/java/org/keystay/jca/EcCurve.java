package org.keystay.jca;

import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.EllipticCurve;
import java.util.Map;

/** Elliptic curves as the JCA describes them. */
final class EcCurve {
  /** SEC 2, appendix A.1, and RFC 5639, section 4.1. */
  private static final Map<String, String> NAMES =
      Map.of(
          "1.2.840.10045.3.1.7", "secp256r1",
          "1.3.132.0.34", "secp384r1",
          "1.3.132.0.35", "secp521r1",
          "1.3.132.0.10", "secp256k1",
          "1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1",
          "1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1",
          "1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1");

  private EcCurve() {}

  /** Two descriptions of one curve, by whichever providers: seeds and names do not count. */
  static boolean isSame(ECParameterSpec one, ECParameterSpec other) {
    return one.getCurve().getField().equals(other.getCurve().getField())
        && one.getCurve().getA().equals(other.getCurve().getA())
        && one.getCurve().getB().equals(other.getCurve().getB())
        && one.getGenerator().equals(other.getGenerator())
        && one.getOrder().equals(other.getOrder())
        && one.getCofactor() == other.getCofactor();
  }

  /** The name of a curve that is described; fails for one that no provider knows. */
  static String name(ECParameterSpec curve) throws GeneralSecurityException {
    AlgorithmParameters parameters = JdkService.algorithmParameters("EC");
    parameters.init(curve);
    return name(parameters.getParameterSpec(ECGenParameterSpec.class).getName());
  }

  /** The name of a curve, of which the JCA takes and gives the object identifier as well. */
  static String name(String nameOrIdentifier) {
    return NAMES.getOrDefault(nameOrIdentifier, nameOrIdentifier);
  }

  /** SEC 1, section 3.2.2.1: a point beside the curve would draw bits of a private key out of a token. */
  static void requireOnCurve(ECPublicKey key) throws InvalidKeyException {
    EllipticCurve curve = key.getParams().getCurve();
    ECPoint point = key.getW();
    if (point.equals(ECPoint.POINT_INFINITY) || !(curve.getField() instanceof ECFieldFp)) {
      throw new InvalidKeyException("the public point is no point of a curve over a prime field");
    }
    BigInteger p = ((ECFieldFp) curve.getField()).getP();
    BigInteger x = point.getAffineX();
    BigInteger y = point.getAffineY();
    BigInteger right = x.multiply(x).add(curve.getA()).multiply(x).add(curve.getB()).mod(p);
    boolean inField = x.signum() >= 0 && x.compareTo(p) < 0 && y.signum() >= 0 && y.compareTo(p) < 0;
    if (!inField || !y.multiply(y).mod(p).equals(right)) {
      throw new InvalidKeyException("the public point is not on its curve");
    }
  }
}
