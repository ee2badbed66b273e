package org.keystay.jca;

import java.security.MessageDigest;

/** MGF1 (RFC 8017, appendix B.2.1), as PSS and OAEP use it. */
final class Mgf1 {
  private Mgf1() {}

  /** XORs the mask that grows from a seed into {@code length} bytes of a block. */
  static void apply(Hash hash, byte[] seed, byte[] block, int from, int length) {
    MessageDigest digest = hash.newDigest();
    for (int counter = 0, offset = 0; offset < length; counter++) {
      digest.update(seed);
      byte[] mask =
          digest.digest(
              new byte[] {
                (byte) (counter >>> 24), (byte) (counter >>> 16), (byte) (counter >>> 8), (byte) counter
              });
      for (int i = 0; i < Math.min(mask.length, length - offset); i++) {
        block[from + offset + i] ^= mask[i];
      }
      offset += mask.length;
    }
  }
}
