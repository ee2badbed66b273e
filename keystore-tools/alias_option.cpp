#include "keystore-tools/alias_option.h"

#include "native/keys/entry.h"
#include "native/pkcs11/text.h"

namespace keystay::tools {

std::string fault_of_alias(const std::string& alias) {
  const bool names_nothing = pkcs11::equal_ignoring_case(alias, keys::kIdPrefix);
  return names_nothing ? "\"" + alias + "\" has no CKA_ID behind it; was a variable empty?" : "";
}

}  // namespace keystay::tools
