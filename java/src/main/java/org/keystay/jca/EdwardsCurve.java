package org.keystay.jca;

import java.util.Arrays;

/**
 * The Edwards curves of RFC 8410, whose SubjectPublicKeyInfo is a constant and the point, and whose
 * PKCS #8 forms are constants and the keys. Read so, they need no class that JDK 11 lacks.
 */
enum EdwardsCurve {
  ED25519(
      "Ed25519",
      "06032b6570",
      "302a300506032b6570032100",
      "302e020100300506032b657004220420",
      "3051020101300506032b657004220420",
      "812100",
      32),
  ED448(
      "Ed448",
      "06032b6571",
      "3043300506032b6571033a00",
      "3047020100300506032b6571043b0439",
      "308183020101300506032b6571043b0439",
      "813a00",
      57);

  private final String jcaName;
  private final byte[] parameters;
  private final byte[] encodedPrefix;
  private final byte[] privatePrefix;

  /** Of the form with the public key (RFC 8410, section 7), and what stands between the two. */
  private final byte[] pairPrefix;

  private final byte[] pairMiddle;
  private final int pointSize;

  EdwardsCurve(
      String jcaName,
      String parameters,
      String encodedPrefix,
      String privatePrefix,
      String pairPrefix,
      String pairMiddle,
      int pointSize) {
    this.jcaName = jcaName;
    this.parameters = Der.fromHex(parameters);
    this.encodedPrefix = Der.fromHex(encodedPrefix);
    this.privatePrefix = Der.fromHex(privatePrefix);
    this.pairPrefix = Der.fromHex(pairPrefix);
    this.pairMiddle = Der.fromHex(pairMiddle);
    this.pointSize = pointSize;
  }

  /** By a SubjectPublicKeyInfo; null if it is not one of such a curve. */
  static EdwardsCurve ofEncodedKey(byte[] encoded) {
    for (EdwardsCurve curve : values()) {
      if (hasForm(encoded, curve.encodedPrefix, curve.pointSize)) {
        return curve;
      }
    }
    return null;
  }

  static EdwardsCurve ofPointSize(int size) {
    for (EdwardsCurve curve : values()) {
      if (curve.pointSize == size) {
        return curve;
      }
    }
    return null;
  }

  String jcaName() {
    return jcaName;
  }

  /** CKA_EC_PARAMS: the DER OBJECT IDENTIFIER. */
  byte[] parameters() {
    return parameters.clone();
  }

  byte[] point(byte[] encodedKey) {
    return Arrays.copyOfRange(encodedKey, encodedPrefix.length, encodedKey.length);
  }

  /** The private key in a PKCS #8 encoding, with its public key or without; null for any other encoding. */
  static byte[] privateValue(byte[] encoded) {
    for (EdwardsCurve curve : values()) {
      if (hasForm(encoded, curve.privatePrefix, curve.pointSize)) {
        return Arrays.copyOfRange(encoded, curve.privatePrefix.length, encoded.length);
      }
      int size = curve.pointSize;
      if (hasForm(encoded, curve.pairPrefix, 2 * size + curve.pairMiddle.length)) {
        return Arrays.copyOfRange(encoded, curve.pairPrefix.length, curve.pairPrefix.length + size);
      }
    }
    return null;
  }

  private static boolean hasForm(byte[] encoded, byte[] prefix, int rest) {
    return encoded != null
        && encoded.length == prefix.length + rest
        && Arrays.equals(Arrays.copyOf(encoded, prefix.length), prefix);
  }

  byte[] encodedKey(byte[] point) {
    return Der.concatenate(encodedPrefix, point);
  }
}
