package org.keystay.jca;

import java.lang.annotation.Native;

/**
 * The numbers that cross between Java and the native library, once. The compiler writes them into a C
 * header, by whose names native_codes.cpp translates them: neither side relies on an order.
 */
final class NativeCodes {
  /** Mechanisms (PKCS #11 Mechanisms v3.0): CKM_RSA_PKCS and so on. */
  @Native static final int RSA_PKCS = 0;

  @Native static final int RSA_X509 = 1;
  @Native static final int RSA_PSS = 2;
  @Native static final int RSA_OAEP = 3;
  @Native static final int ECDSA = 4;
  @Native static final int EDDSA = 5;

  /** Hashes of PSS, of OAEP and of their mask generation. */
  @Native static final int SHA1 = 0;

  @Native static final int SHA224 = 1;
  @Native static final int SHA256 = 2;
  @Native static final int SHA384 = 3;
  @Native static final int SHA512 = 4;

  /** {@link KeyUse}. */
  @Native static final int SIGN = 0;

  @Native static final int SIGN_AND_EXCHANGE = 1;

  /** {@link PublicKeyParts}. */
  @Native static final int RSA_KEY = 0;

  @Native static final int EC_KEY = 1;
  @Native static final int EDWARDS_KEY = 2;

  /** {@link KeystayException.Kind}. */
  @Native static final int CLIENT = 0;

  @Native static final int SERVER = 1;
  @Native static final int BUSY = 2;
  @Native static final int SESSION_LOST = 3;
  @Native static final int DIRTY_SESSION = 4;
  @Native static final int AUTHENTICATION = 5;
  @Native static final int HOST = 6;
  @Native static final int CONFIGURATION = 7;

  private NativeCodes() {}
}
