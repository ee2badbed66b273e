package org.keystay.jca;

import java.util.Arrays;

/**
 * EME-OAEP decoding (RFC 8017, section 7.1.2, step 3), for tokens that have raw RSA but not OAEP with
 * every hash. The names are the standard's.
 */
final class OaepEncoding {
  private final Hash hash;
  private final Hash mgf1Hash;
  private final byte[] labelHash;

  OaepEncoding(Hash hash, Hash mgf1Hash, byte[] label) {
    this.hash = hash;
    this.mgf1Hash = mgf1Hash;
    this.labelHash = hash.newDigest().digest(label);
  }

  /**
   * The message in a block of k octets, which is wiped.
   *
   * <p>All checks are made before one error is thrown, by operations whose time does not depend on the block:
   * an attacker who knows which one failed can decrypt without the key (J. Manger, CRYPTO 2001).
   */
  byte[] decode(byte[] block) throws KeystayException {
    int size = hash.size();
    int start = 1 + size; // of DB = lHash' || PS || 0x01 || M
    if (block.length < start + size + 1) {
      throw failure();
    }
    byte[] seed = Arrays.copyOfRange(block, 1, start);
    Mgf1.apply(mgf1Hash, Arrays.copyOfRange(block, start, block.length), seed, 0, size);
    Mgf1.apply(mgf1Hash, seed, block, start, block.length - start);

    int bad = block[0];
    for (int i = 0; i < size; i++) {
      bad |= block[start + i] ^ labelHash[i];
    }
    int searching = 1; // 1 until the 0x01 is met
    int message = 0;
    for (int i = start + size; i < block.length; i++) {
      int value = block[i] & 0xff;
      int isOne = zero(value ^ 1);
      bad |= searching & (1 - isOne) & (1 - zero(value));
      message = select(searching & isOne, i + 1, message);
      searching &= 1 - isOne;
    }
    byte[] result = Arrays.copyOfRange(block, message, block.length);
    Arrays.fill(block, (byte) 0);
    if ((bad | searching) != 0) {
      Arrays.fill(result, (byte) 0);
      throw failure();
    }
    return result;
  }

  /** 1 for zero and 0 for any other octet. */
  private static int zero(int octet) {
    return (octet - 1) >>> 31;
  }

  private static int select(int condition, int one, int other) {
    return other ^ (-condition & (one ^ other));
  }

  private static KeystayException failure() {
    return new KeystayException("OAEP decoding failed", KeystayException.Kind.CLIENT);
  }
}
