#include "tests/support/witness.h"

#include <sstream>
#include <stdexcept>

namespace keystay::test {

namespace {

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace

std::vector<WitnessedObject> libp11_objects(const SoftHsmToken& token) {
  std::istringstream lines(run_or_throw({KEYSTAY_LIBP11_WITNESS, SoftHsmToken::softhsm(), token.label()},
                                        {.environment = {{"TOKEN_PIN", token.pin()}}}));
  std::vector<WitnessedObject> objects;
  WitnessedObject object;
  std::string der;
  while (lines >> object.kind >> object.id >> der && std::getline(lines >> std::ws, object.label)) {
    object.der = from_hex(der);
    objects.push_back(object);
  }
  return objects;
}

WitnessedObject libp11_object(const SoftHsmToken& token, const std::string& kind, const std::string& label) {
  std::vector<WitnessedObject> found = libp11_objects(token);
  std::erase_if(found,
                [&](const WitnessedObject& object) { return object.kind != kind || object.label != label; });
  if (found.size() == 1) return found.front();
  throw std::runtime_error("libp11 sees " + std::to_string(found.size()) + " objects " + kind + " " + label);
}

}  // namespace keystay::test
