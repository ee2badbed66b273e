/**
 * The provider {@code Keystay}. Applications meet {@link org.keystay.jca.KeystayProvider} and, as the
 * cause of the JCA's own exceptions, {@link org.keystay.jca.KeystayException}; everything else is
 * reached through {@code java.security}.
 *
 * <p>The boundary to the native core is crossed in three classes only: {@code NativeStore} and {@code
 * NativeKey} call it, {@code PkixUpcalls} is called by it. Text crosses as UTF-8 bytes. C++ objects that
 * Java owns are freed by {@code NativeObject}.
 */
package org.keystay.jca;
