package org.keystay.jca;

import java.security.spec.AlgorithmParameterSpec;

/** EdDSAParameterSpec, where the JDK has none yet. */
final class EdDsaParameters {
  private EdDsaParameters() {}

  static boolean areParameters(AlgorithmParameterSpec parameters) {
    return false;
  }

  /** Whether they say nothing but the pure form of RFC 8032; null does. */
  static boolean isPure(AlgorithmParameterSpec parameters) {
    return parameters == null;
  }
}
