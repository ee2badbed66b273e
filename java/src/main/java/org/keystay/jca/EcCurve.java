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

/** Elliptic curves as the JCA describes them. */
final class EcCurve {
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

  /** The object identifier of a curve in dotted form; fails for a curve without a name. */
  static String identifier(ECParameterSpec curve) throws GeneralSecurityException {
    AlgorithmParameters parameters = JdkService.algorithmParameters("EC");
    parameters.init(curve);
    return parameters.getParameterSpec(ECGenParameterSpec.class).getName();
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
