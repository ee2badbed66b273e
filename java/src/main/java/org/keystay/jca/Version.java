package org.keystay.jca;

/** The version of this jar; the build checks that it is the project's. */
final class Version {
  /** Compared with the native library's when that is loaded. */
  static final String STRING = "0.1.0";

  private Version() {}
}
