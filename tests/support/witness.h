// What an independent library sees on a token.
#pragma once

#include <string>
#include <vector>

#include "tests/support/softhsm_token.h"

namespace keystay::test {

// A key pair's half or a certificate, as libp11 reads it in a process of its own.
struct WitnessedObject {
  std::string kind;   // "private-key", "public-key" or "certificate"
  std::string id;     // CKA_ID, hexadecimal
  std::string der;    // SubjectPublicKeyInfo or certificate
  std::string label;  // CKA_LABEL
};

[[nodiscard]] std::vector<WitnessedObject> libp11_objects(const SoftHsmToken& token);

// The only object of this kind and label. Throws std::runtime_error.
[[nodiscard]] WitnessedObject libp11_object(const SoftHsmToken& token, const std::string& kind,
                                            const std::string& label);

}  // namespace keystay::test
