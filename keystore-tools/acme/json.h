// Members of JSON objects (RFC 8259) that a server has sent, each of the type that is wanted or taken for
// absent.
#pragma once

#include <string_view>

#include <boost/json/fwd.hpp>

namespace keystay::tools::acme {

// Empty if it is absent or no string.
[[nodiscard]] std::string_view text_member(const boost::json::object& object, std::string_view name);
// Null if it is absent or no such value.
[[nodiscard]] const boost::json::object* object_member(const boost::json::object& object,
                                                       std::string_view name);
[[nodiscard]] const boost::json::array* array_member(const boost::json::object& object,
                                                     std::string_view name);
[[nodiscard]] const boost::json::value* member(const boost::json::object& object, std::string_view name);

}  // namespace keystay::tools::acme
