#include "keystore-tools/acme/json.h"

#include <boost/json.hpp>

namespace keystay::tools::acme {

const boost::json::value* member(const boost::json::object& object, std::string_view name) {
  return object.if_contains({name.data(), name.size()});
}

std::string_view text_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = member(object, name);
  const boost::json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(text->data(), text->size()) : std::string_view();
}

const boost::json::object* object_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = member(object, name);
  return value ? value->if_object() : nullptr;
}

const boost::json::array* array_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = member(object, name);
  return value ? value->if_array() : nullptr;
}

}  // namespace keystay::tools::acme
