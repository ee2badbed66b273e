package org.keystay.jca;

/** What new keys are made for. */
enum KeyUse {
  SIGN(NativeCodes.SIGN),

  /** RSA keys decrypt as well, EC keys derive. */
  SIGN_AND_EXCHANGE(NativeCodes.SIGN_AND_EXCHANGE);

  /** The property that asks for more than signing: the JCA has no word for it. */
  private static final String PROPERTY = "org.keystay.exchange";

  private final int code;

  KeyUse(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  static KeyUse configured() {
    return Boolean.getBoolean(PROPERTY) ? SIGN_AND_EXCHANGE : SIGN;
  }
}
