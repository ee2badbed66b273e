package org.keystay.jca;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.ProviderException;

/**
 * The hashes that Keystay signs with. Hashing is done in software; the token sees the digest.
 *
 * <p>A fact table: the JCA's name of the hash and what its names of signatures begin with, the native core's
 * code, and the DER DigestInfo that goes before the digest in EMSA-PKCS1-v1_5 (RFC 8017, section 9.2,
 * note 1; NIST's registry of object identifiers for SHA-3).
 */
enum Hash {
  SHA1("SHA-1", "SHA1", NativeCodes.SHA1, 20, "3021300906052b0e03021a05000414"),
  SHA224("SHA-224", "SHA224", NativeCodes.SHA224, 28, "302d300d06096086480165030402040500041c"),
  SHA256("SHA-256", "SHA256", NativeCodes.SHA256, 32, "3031300d060960864801650304020105000420"),
  SHA384("SHA-384", "SHA384", NativeCodes.SHA384, 48, "3041300d060960864801650304020205000430"),
  SHA512("SHA-512", "SHA512", NativeCodes.SHA512, 64, "3051300d060960864801650304020305000440"),
  SHA512_224("SHA-512/224", "SHA512/224", Hash.NOT_NATIVE, 28, "302d300d06096086480165030402050500041c"),
  SHA512_256("SHA-512/256", "SHA512/256", Hash.NOT_NATIVE, 32, "3031300d060960864801650304020605000420"),
  SHA3_224("SHA3-224", "SHA3-224", Hash.NOT_NATIVE, 28, "302d300d06096086480165030402070500041c"),
  SHA3_256("SHA3-256", "SHA3-256", Hash.NOT_NATIVE, 32, "3031300d060960864801650304020805000420"),
  SHA3_384("SHA3-384", "SHA3-384", Hash.NOT_NATIVE, 48, "3041300d060960864801650304020905000430"),
  SHA3_512("SHA3-512", "SHA3-512", Hash.NOT_NATIVE, 64, "3051300d060960864801650304020a05000440");

  private static final int NOT_NATIVE = -1;

  /** Bytes of the DigestInfo between the object identifier and the digest. */
  private static final int NULL_AND_OCTET_STRING = 4;

  private final String jcaName;
  private final String signaturePrefix;
  private final int nativeCode;
  private final int size;
  private final byte[] digestInfoPrefix;

  Hash(String jcaName, String signaturePrefix, int nativeCode, int size, String digestInfoPrefix) {
    this.jcaName = jcaName;
    this.signaturePrefix = signaturePrefix;
    this.nativeCode = nativeCode;
    this.size = size;
    this.digestInfoPrefix = Der.fromHex(digestInfoPrefix);
  }

  /** By the JCA's name, with or without its first hyphen; null for a hash that Keystay does not know. */
  static Hash byName(String name) {
    for (Hash hash : values()) {
      if (hash.jcaName.equalsIgnoreCase(name) || hash.signaturePrefix.equalsIgnoreCase(name)) {
        return hash;
      }
    }
    return null;
  }

  /** By its number in {@link NativeCodes}. */
  static Hash byNativeCode(int code) {
    for (Hash hash : values()) {
      if (hash.isNative() && hash.nativeCode == code) {
        return hash;
      }
    }
    throw new IllegalArgumentException("no hash has the number " + code);
  }

  /** "SHA-256", as MessageDigest and PSSParameterSpec write it. */
  String jcaName() {
    return jcaName;
  }

  /** "SHA256", of "SHA256withRSA". */
  String signaturePrefix() {
    return signaturePrefix;
  }

  /** Whether the core can ask a token for PSS or OAEP with this hash; Java does the padding else. */
  boolean isNative() {
    return nativeCode != NOT_NATIVE;
  }

  /** As of {@link NativeCodes}. */
  int nativeCode() {
    return nativeCode;
  }

  /** Bytes of a digest. */
  int size() {
    return size;
  }

  /** The last arc of the object identifier that NIST gave it, which is in the DigestInfo; not for SHA-1. */
  int nistNumber() {
    return digestInfoPrefix[digestInfoPrefix.length - NULL_AND_OCTET_STRING - 1];
  }

  MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance(jcaName); // of any provider: they differ in speed only
    } catch (NoSuchAlgorithmException e) {
      throw new ProviderException("no security provider has the hash " + jcaName, e);
    }
  }

  /** The DER DigestInfo with this digest. */
  byte[] digestInfo(byte[] digest) {
    return Der.concatenate(digestInfoPrefix, digest);
  }

  /** Bytes of it. */
  int digestInfoSize() {
    return digestInfoPrefix.length + size;
  }
}
