package org.keystay.jca;

import java.util.Arrays;

/**
 * The Edwards curves of RFC 8410, whose SubjectPublicKeyInfo is a constant and the point. Read so, it
 * needs no class that JDK 11 lacks.
 */
enum EdwardsCurve {
  ED25519("Ed25519", "06032b6570", "302a300506032b6570032100", 32),
  ED448("Ed448", "06032b6571", "3043300506032b6571033a00", 57);

  private final String jcaName;
  private final byte[] parameters;
  private final byte[] encodedPrefix;
  private final int pointSize;

  EdwardsCurve(String jcaName, String parameters, String encodedPrefix, int pointSize) {
    this.jcaName = jcaName;
    this.parameters = Der.fromHex(parameters);
    this.encodedPrefix = Der.fromHex(encodedPrefix);
    this.pointSize = pointSize;
  }

  /** By a SubjectPublicKeyInfo; null if it is not one of such a curve. */
  static EdwardsCurve ofEncodedKey(byte[] encoded) {
    for (EdwardsCurve curve : values()) {
      if (encoded != null
          && encoded.length == curve.encodedPrefix.length + curve.pointSize
          && Arrays.equals(
              Arrays.copyOf(encoded, curve.encodedPrefix.length), curve.encodedPrefix)) {
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

  byte[] encodedKey(byte[] point) {
    return Der.concatenate(encodedPrefix, point);
  }
}
