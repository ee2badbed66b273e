package org.keystay.jca;

import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.EdDSAParameterSpec;

/** EdDSAParameterSpec, which JDK 15 brought. */
final class EdDsaParameters {
  private EdDsaParameters() {}

  static boolean areParameters(AlgorithmParameterSpec parameters) {
    return parameters instanceof EdDSAParameterSpec;
  }

  /** Whether they say nothing but the pure form of RFC 8032; null does. */
  static boolean isPure(AlgorithmParameterSpec parameters) {
    if (parameters == null) {
      return true;
    }
    EdDSAParameterSpec spec = (EdDSAParameterSpec) parameters;
    return !spec.isPrehash() && spec.getContext().isEmpty();
  }
}
