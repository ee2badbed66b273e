package org.keystay.jca;

import java.security.PrivateKey;
import java.security.spec.AlgorithmParameterSpec;

/**
 * A private key that stays on its token: a name for the key, never its value.
 *
 * <p>{@code getParams} is declared here because {@code PrivateKey} and {@code RSAKey}, {@code ECKey}
 * and {@code EdECKey} each have a default of their own from JDK 22 on. A class compiled for an older
 * release that inherits both fails there with an IncompatibleClassChangeError; one that overrides a
 * method of this interface has the bridge that resolves them.
 */
interface OpaqueKey extends PrivateKey {
  /** The curve of an EC or Edwards key; null for RSA. */
  AlgorithmParameterSpec getParams();

  /** The entry that the key was read from. */
  NativeEntry entry();

  /** How the token is asked to use it. */
  default NativeKey nativeKey() {
    return entry().key();
  }
}
