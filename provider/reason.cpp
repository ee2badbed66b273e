#include "provider/reason.h"

#include <new>

#include "native/config/error.h"
#include "native/pkcs11/uri.h"
#include "native/x509/error.h"

namespace keystay::provider {
namespace {

OSSL_ITEM item(Reason reason, const char* text) {
  // OSSL_ITEM is not const-correct; libcrypto only reads the text.
  return {static_cast<unsigned int>(reason), const_cast<char*>(text)};
}

Reason reason_of(const pkcs11::Error& error) noexcept {
  using pkcs11::ErrorClass;
  switch (error.error_class()) {
    case ErrorClass::client:
      return error.code() ? Reason::token_refused : Reason::refused;
    case ErrorClass::dirty_session:
      return Reason::token_refused;
    case ErrorClass::server:
    case ErrorClass::busy:
    case ErrorClass::session_lost:
      return Reason::token_unavailable;
    case ErrorClass::authentication:
      return Reason::login;
    case ErrorClass::host:
      return Reason::resources;
  }
  return Reason::internal;
}

Failure translate() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.reason(), error.what(), error.code()};
  } catch (const pkcs11::UriError& error) {
    return {Reason::reference, error.what()};
  } catch (const pkcs11::Error& error) {
    return {reason_of(error), error.what(), error.code()};
  } catch (const config::Error& error) {
    return {Reason::configuration, error.what()};
  } catch (const x509::Error& error) {
    return {Reason::reference, error.what()};
  } catch (const std::bad_alloc&) {
    return {Reason::resources, "out of memory"};
  } catch (const std::exception& error) {
    return {Reason::internal, error.what()};
  } catch (...) {
    return {Reason::internal, "an exception of unknown type"};
  }
}

}  // namespace

Failure current_failure() noexcept {
  try {
    return translate();
  } catch (...) {
    return {Reason::resources, {}};  // no memory even for the message
  }
}

const OSSL_ITEM* reason_strings() noexcept {
  static const OSSL_ITEM items[] = {
      item(Reason::configuration, "wrong configuration"),
      item(Reason::reference, "unusable key reference"),
      item(Reason::key_not_found, "no such key"),
      item(Reason::token_refused, "the token refused the operation"),
      item(Reason::token_unavailable, "the token is not available"),
      item(Reason::login, "login to the token failed"),
      item(Reason::not_exportable, "the private key cannot leave its token"),
      item(Reason::another_key, "this is another key"),
      item(Reason::unsupported, "not supported"),
      item(Reason::software, "operation in software failed"),
      item(Reason::abandoned, "operation abandoned by the application"),
      item(Reason::resources, "out of resources"),
      item(Reason::refused, "refused by Keystay"),
      item(Reason::internal, "internal error"),
      {0, nullptr},
  };
  return items;
}

}  // namespace keystay::provider
