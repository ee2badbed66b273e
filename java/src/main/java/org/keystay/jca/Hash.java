package org.keystay.jca;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.ProviderException;

/**
 * The hashes that Keystay signs with. Hashing is done in software; the token sees the digest.
 *
 * <p>A fact table: the JCA's name, the native core's code, and the DER DigestInfo that goes before
 * the digest in EMSA-PKCS1-v1_5 (RFC 8017, section 9.2, note 1).
 */
enum Hash {
  SHA1("SHA-1", 0, 20, "3021300906052b0e03021a05000414"),
  SHA224("SHA-224", 1, 28, "302d300d06096086480165030402040500041c"),
  SHA256("SHA-256", 2, 32, "3031300d060960864801650304020105000420"),
  SHA384("SHA-384", 3, 48, "3041300d060960864801650304020205000430"),
  SHA512("SHA-512", 4, 64, "3051300d060960864801650304020305000440");

  private final String jcaName;
  private final int nativeCode;
  private final int size;
  private final byte[] digestInfoPrefix;

  Hash(String jcaName, int nativeCode, int size, String digestInfoPrefix) {
    this.jcaName = jcaName;
    this.nativeCode = nativeCode;
    this.size = size;
    this.digestInfoPrefix = Der.fromHex(digestInfoPrefix);
  }

  /** By the JCA's name, with or without its hyphen; null for a hash that Keystay does not know. */
  static Hash byName(String name) {
    for (Hash hash : values()) {
      if (hash.jcaName.equalsIgnoreCase(name) || hash.name().equalsIgnoreCase(name)) {
        return hash;
      }
    }
    return null;
  }

  /** "SHA-256", as MessageDigest and PSSParameterSpec write it. */
  String jcaName() {
    return jcaName;
  }

  /** The place in the core's {@code pkcs11::Hash}. */
  int nativeCode() {
    return nativeCode;
  }

  /** Bytes of a digest. */
  int size() {
    return size;
  }

  MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance(jcaName);
    } catch (NoSuchAlgorithmException e) {
      throw new ProviderException("no security provider has the hash " + jcaName, e);
    }
  }

  /** The DER DigestInfo with this digest. */
  byte[] digestInfo(byte[] digest) {
    return Der.concatenate(digestInfoPrefix, digest);
  }
}
