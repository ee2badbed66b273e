// The Java classes, constructors, methods and fields that the library uses, looked up once when it is loaded.
#pragma once

#include <jni.h>

namespace keystay::jni {

struct JavaTypes {
  jclass byte_array;

  jclass exception;  // KeystayException
  jmethodID exception_init;

  jclass native_entry;
  jmethodID native_entry_init;

  jclass native_named;
  jmethodID native_named_init;

  jclass native_listing;
  jmethodID native_listing_init;

  jclass pkix_upcalls;
  jmethodID decode;
  jmethodID is_issued_by;
  jmethodID key_identifier;
  jmethodID uncompressed_point;

  jclass signature_upcalls;
  jmethodID is_signature;
  jmethodID description;  // of a Throwable

  struct {  // of DecodedCertificate
    jfieldID subject, issuer, serial_number, not_before, not_after, key_type, first, second, is_ca;
  } certificate;
};

// In JNI_OnLoad. Throws PendingJavaException.
void load_java_types(JNIEnv* env);

[[nodiscard]] const JavaTypes& java_types() noexcept;

}  // namespace keystay::jni
