package org.keystay.jca;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.spec.ECFieldFp;
import java.security.spec.EllipticCurve;
import java.util.Arrays;

/** Points of elliptic curves over prime fields (SEC 1, sections 2.3.3 and 2.3.4). */
final class EcCurvePoint {
  private static final byte UNCOMPRESSED = 4;

  private EcCurvePoint() {}

  /**
   * The point in the uncompressed form, from that or the compressed one; null if it is not on the curve, or
   * if the JDK lacks the curve that these DER ECParameters name.
   */
  static byte[] uncompressed(byte[] parameters, byte[] point) {
    EllipticCurve curve = curve(parameters);
    if (curve == null || !(curve.getField() instanceof ECFieldFp)) {
      return null;
    }
    BigInteger p = ((ECFieldFp) curve.getField()).getP();
    int size = (p.bitLength() + 7) / 8;
    if (point.length == 1 + 2 * size && point[0] == UNCOMPRESSED) {
      return isOn(curve, p, number(point, 1, size), number(point, 1 + size, size)) ? point : null;
    }
    if (point.length == 1 + size && (point[0] | 1) == 3) {
      return decompressed(curve, p, number(point, 1, size), point[0] & 1);
    }
    return null;
  }

  private static EllipticCurve curve(byte[] parameters) {
    try {
      return JdkService.curve(parameters).getCurve();
    } catch (GeneralSecurityException | RuntimeException e) {
      return null; // some providers answer an unknown curve with an unchecked exception
    }
  }

  private static BigInteger number(byte[] bytes, int from, int size) {
    return new BigInteger(1, Arrays.copyOfRange(bytes, from, from + size));
  }

  /** x^3 + ax + b. */
  private static BigInteger rightSide(EllipticCurve curve, BigInteger p, BigInteger x) {
    return x.multiply(x).add(curve.getA()).multiply(x).add(curve.getB()).mod(p);
  }

  private static boolean isOn(EllipticCurve curve, BigInteger p, BigInteger x, BigInteger y) {
    return x.compareTo(p) < 0
        && y.compareTo(p) < 0
        && y.multiply(y).mod(p).equals(rightSide(curve, p, x));
  }

  /** All named curves of Keystay have p = 3 mod 4, so that a square root is one power. */
  private static byte[] decompressed(EllipticCurve curve, BigInteger p, BigInteger x, int sign) {
    if ((p.intValue() & 3) != 3) {
      return null;
    }
    BigInteger root = rightSide(curve, p, x).modPow(p.add(BigInteger.ONE).shiftRight(2), p);
    BigInteger y = root.testBit(0) == (sign == 1) ? root : p.subtract(root);
    return isOn(curve, p, x, y) ? encoded((p.bitLength() + 7) / 8, x, y) : null;
  }

  private static byte[] encoded(int size, BigInteger x, BigInteger y) {
    byte[] point = new byte[1 + 2 * size];
    point[0] = UNCOMPRESSED;
    byte[] first = PublicKeyParts.unsigned(x);
    byte[] second = PublicKeyParts.unsigned(y);
    System.arraycopy(first, 0, point, 1 + size - first.length, first.length);
    System.arraycopy(second, 0, point, 1 + 2 * size - second.length, second.length);
    return point;
  }
}
