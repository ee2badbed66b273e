// What is shown of slots, tokens and mechanisms: in words and in JSON.
#pragma once

#include <string>

#include <boost/json/fwd.hpp>

#include "native/pkcs11/slot_info.h"

namespace keystay::tools {

// "set", "not set", "count low", "final try", "locked", "to be changed".
[[nodiscard]] std::string_view words(pkcs11::PinState state);

// The keys of the JSON stand in docs/user/keystay.md.
[[nodiscard]] boost::json::object slot_in_json(const std::string& module, const pkcs11::SlotInfo& slot);
[[nodiscard]] boost::json::object token_in_json(const pkcs11::TokenDetails& token);
[[nodiscard]] boost::json::object mechanism_in_json(const pkcs11::MechanismInfo& mechanism);

// "sign, verify".
[[nodiscard]] std::string uses_in_words(const pkcs11::MechanismInfo& mechanism);

}  // namespace keystay::tools
