package org.keystay.jca;

/** What new keys are made for, in the order of the core's {@code KeyUse}. */
enum KeyUse {
  SIGN,

  /** RSA keys decrypt as well, EC keys derive. */
  SIGN_AND_EXCHANGE;

  /** The property that asks for more than signing: the JCA has no word for it. */
  private static final String PROPERTY = "org.keystay.exchange";

  static KeyUse configured() {
    return Boolean.getBoolean(PROPERTY) ? SIGN_AND_EXCHANGE : SIGN;
  }
}
