#include "keystore-tools/output_form.h"

#include <boost/json.hpp>

#include "native/pkcs11/unicode.h"

namespace keystay::tools {

std::string json_text(std::string_view name) {
  return pkcs11::code_points(name) ? std::string(name) : pkcs11::printable(name);
}

std::string json_line(const boost::json::object& object) { return boost::json::serialize(object) + "\n"; }

}  // namespace keystay::tools
