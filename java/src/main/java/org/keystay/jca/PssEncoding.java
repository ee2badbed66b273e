package org.keystay.jca;

import java.security.MessageDigest;
import java.security.SecureRandom;

/**
 * EMSA-PSS-ENCODE (RFC 8017, section 9.1.1), for tokens that have raw RSA but not CKM_RSA_PKCS_PSS.
 * The names are the standard's.
 */
final class PssEncoding {
  private static final int ZEROS = 8; // before mHash in M'
  private static final byte TRAILER = (byte) 0xbc;

  private final Hash hash;
  private final Hash mgf1Hash;
  private final int saltLength;

  PssEncoding(Hash hash, Hash mgf1Hash, int saltLength) {
    this.hash = hash;
    this.mgf1Hash = mgf1Hash;
    this.saltLength = saltLength;
  }

  /** emLen: the octets of an encoded message for a modulus of this length. */
  static int size(int modulusBits) {
    return (modulusBits - 1 + 7) / 8;
  }

  /** The block of k octets that raw RSA signs. */
  byte[] encode(byte[] digest, int modulusBits) {
    byte[] salt = new byte[saltLength];
    new SecureRandom().nextBytes(salt);
    return encode(digest, salt, modulusBits);
  }

  byte[] encode(byte[] digest, byte[] salt, int modulusBits) {
    int size = size(modulusBits);
    byte[] h = saltedHash(digest, salt);
    byte[] maskedDb = new byte[size - h.length - 1];
    maskedDb[maskedDb.length - salt.length - 1] = 1; // DB = PS || 0x01 || salt
    System.arraycopy(salt, 0, maskedDb, maskedDb.length - salt.length, salt.length);
    Mgf1.apply(mgf1Hash, h, maskedDb, 0, maskedDb.length);
    maskedDb[0] &= (byte) (0xff >>> (8 * size - (modulusBits - 1)));

    byte[] block = new byte[(modulusBits + 7) / 8]; // one octet more than emLen if 8 divides emBits
    int offset = block.length - size;
    System.arraycopy(maskedDb, 0, block, offset, maskedDb.length);
    System.arraycopy(h, 0, block, offset + maskedDb.length, h.length);
    block[block.length - 1] = TRAILER;
    return block;
  }

  /** H = Hash(00 00 00 00 00 00 00 00 || mHash || salt). */
  private byte[] saltedHash(byte[] digest, byte[] salt) {
    MessageDigest h = hash.newDigest();
    h.update(new byte[ZEROS]);
    h.update(digest);
    return h.digest(salt);
  }
}
