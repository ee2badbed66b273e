package org.keystay.jca;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.OptionalLong;

/**
 * A call to the token failed, or Keystay's configuration is wrong. The message says what failed, on
 * what, and what to do. The JCA's interfaces throw their own exceptions; this is their cause.
 */
public final class KeystayException extends GeneralSecurityException {
  private static final long serialVersionUID = 1L;
  private static final long NO_RETURN_VALUE = -1;

  // PKCS #11 v3.0, section 5.1
  private static final long CKR_ARGUMENTS_BAD = 0x07;
  private static final long CKR_FUNCTION_NOT_SUPPORTED = 0x54;
  private static final long CKR_KEY_FUNCTION_NOT_PERMITTED = 0x68;
  private static final long CKR_MECHANISM_INVALID = 0x70;
  private static final long CKR_MECHANISM_PARAM_INVALID = 0x71;
  private static final long CKR_PIN_INCORRECT = 0xA0;

  /** What a failure means for the caller. */
  public enum Kind {
    /** The request is wrong: it will fail again. */
    CLIENT(NativeCodes.CLIENT),
    /** The token or its host fails. */
    SERVER(NativeCodes.SERVER),
    /** The token has no room now: it may work later. */
    BUSY(NativeCodes.BUSY),
    /** Session, login or module state was lost, and repairing it did not help. */
    SESSION_LOST(NativeCodes.SESSION_LOST),
    /** A session had an operation left over. */
    DIRTY_SESSION(NativeCodes.DIRTY_SESSION),
    /** The PIN is wrong, locked or missing: the operator is needed. */
    AUTHENTICATION(NativeCodes.AUTHENTICATION),
    /** This process lacks memory or locks. */
    HOST(NativeCodes.HOST),
    /** keystay.toml or a key store file is wrong. */
    CONFIGURATION(NativeCodes.CONFIGURATION);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    private static Kind of(int code) {
      for (Kind kind : values()) {
        if (kind.code == code) {
          return kind;
        }
      }
      throw new IllegalArgumentException("no kind of failure has the number " + code);
    }
  }

  /** What the failure means. */
  private final Kind kind;

  /** A CK_RV, or {@link #NO_RETURN_VALUE}. */
  private final long returnValue;

  /** Called by the native library: the message is UTF-8, the kind one of {@link NativeCodes}. */
  KeystayException(byte[] message, int kind, long returnValue) {
    this(new String(message, StandardCharsets.UTF_8), Kind.of(kind), returnValue);
  }

  KeystayException(String message, Kind kind) {
    this(message, kind, NO_RETURN_VALUE);
  }

  KeystayException(String message, Kind kind, Throwable cause) {
    this(message, kind, NO_RETURN_VALUE);
    initCause(cause);
  }

  private KeystayException(String message, Kind kind, long returnValue) {
    super(message);
    this.kind = kind;
    this.returnValue = returnValue;
  }

  /**
   * Says what the failure means for the caller.
   *
   * @return the kind of failure
   */
  public Kind kind() {
    return kind;
  }

  /**
   * Whether the token, without looking at the data, refuses the key's use, the mechanism or its
   * parameters.
   */
  boolean isRefusal() {
    return returnValue == CKR_ARGUMENTS_BAD
        || returnValue == CKR_KEY_FUNCTION_NOT_PERMITTED
        || returnValue == CKR_MECHANISM_INVALID
        || returnValue == CKR_MECHANISM_PARAM_INVALID
        || returnValue == CKR_FUNCTION_NOT_SUPPORTED;
  }

  /** Whether a PIN was given that is not the token's: by the token's refusal, or by comparison. */
  boolean isWrongPin() {
    return returnValue == CKR_PIN_INCORRECT;
  }

  /**
   * Gives the PKCS #11 return value.
   *
   * @return the {@code CK_RV} of the call that failed, or nothing if Keystay itself found the fault
   */
  public OptionalLong returnValue() {
    return returnValue == NO_RETURN_VALUE ? OptionalLong.empty() : OptionalLong.of(returnValue);
  }
}
