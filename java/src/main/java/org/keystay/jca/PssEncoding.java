package org.keystay.jca;

import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * EMSA-PSS (RFC 8017, section 9.1): the encoding, for tokens that have raw RSA but not CKM_RSA_PKCS_PSS, and
 * its verification, by a digest that the JDK's own signatures do not take. The names are the standard's.
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
    maskedDb[0] &= (byte) leftmostBits(modulusBits);

    byte[] block = new byte[(modulusBits + 7) / 8]; // one octet more than emLen if 8 divides emBits
    int offset = block.length - size;
    System.arraycopy(maskedDb, 0, block, offset, maskedDb.length);
    System.arraycopy(h, 0, block, offset + maskedDb.length, h.length);
    block[block.length - 1] = TRAILER;
    return block;
  }

  /** EMSA-PSS-VERIFY (section 9.1.2) of a block of k octets, which RSAVP1 gave. */
  boolean isEncoding(byte[] digest, byte[] block, int modulusBits) {
    int size = size(modulusBits);
    int dbSize = size - hash.size() - 1;
    int offset = block.length - size;
    if (digest.length != hash.size()
        || saltLength < 0
        || saltLength > dbSize - 1
        || block.length != (modulusBits + 7) / 8
        || (offset == 1 && block[0] != 0) // too large for emLen octets: section 8.1.2, step 2c
        || block[block.length - 1] != TRAILER) {
      return false;
    }
    byte[] db = Arrays.copyOfRange(block, offset, offset + dbSize); // masked
    if ((db[0] & 0xff & ~leftmostBits(modulusBits)) != 0) {
      return false;
    }
    byte[] h = Arrays.copyOfRange(block, offset + dbSize, block.length - 1);
    Mgf1.apply(mgf1Hash, h, db, 0, dbSize);
    db[0] &= (byte) leftmostBits(modulusBits);
    int one = dbSize - saltLength - 1;
    for (int i = 0; i < one; i++) {
      if (db[i] != 0) {
        return false;
      }
    }
    return db[one] == 1 && Arrays.equals(h, saltedHash(digest, Arrays.copyOfRange(db, one + 1, dbSize)));
  }

  /** The bits of the first octet of DB that emBits leaves to it. */
  private static int leftmostBits(int modulusBits) {
    return 0xff >>> (8 * size(modulusBits) - (modulusBits - 1));
  }

  /** H = Hash(00 00 00 00 00 00 00 00 || mHash || salt). */
  private byte[] saltedHash(byte[] digest, byte[] salt) {
    MessageDigest h = hash.newDigest();
    h.update(new byte[ZEROS]);
    h.update(digest);
    return h.digest(salt);
  }
}
