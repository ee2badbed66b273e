#include "provider/reason.h"

namespace keystay::provider {
namespace {

OSSL_ITEM item(Reason reason, const char* text) {
  // OSSL_ITEM is not const-correct; libcrypto only reads the text.
  return {static_cast<unsigned int>(reason), const_cast<char*>(text)};
}

}  // namespace

const OSSL_ITEM* reason_strings() noexcept {
  static const OSSL_ITEM items[] = {
      item(Reason::configuration, "wrong configuration"),
      item(Reason::reference, "unusable key reference"),
      item(Reason::key_not_found, "no such key"),
      item(Reason::token_refused, "the token refused the operation"),
      item(Reason::token_unavailable, "the token is not available"),
      item(Reason::login, "login to the token failed"),
      item(Reason::not_exportable, "the private key cannot leave its token"),
      item(Reason::unsupported, "not supported"),
      item(Reason::software, "operation in software failed"),
      item(Reason::abandoned, "operation abandoned by the application"),
      item(Reason::resources, "out of resources"),
      item(Reason::internal, "internal error"),
      {0, nullptr},
  };
  return items;
}

}  // namespace keystay::provider
