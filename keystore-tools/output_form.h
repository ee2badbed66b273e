// How a command writes what it found.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace keystay::tools {

enum class OutputForm {
  text,
  json,  // one line
};

// A name of a token's, an alias for instance, as JSON (RFC 8259, section 8.1) takes it: bytes that are no
// UTF-8 are written as pkcs11::printable() does.
[[nodiscard]] std::string json_text(std::string_view name);

// In one line.
[[nodiscard]] std::string json_line(const boost::json::object& object);

}  // namespace keystay::tools
