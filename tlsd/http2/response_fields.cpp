#include "tlsd/http2/response_fields.h"

namespace keystay::tlsd {
namespace {

bool is_of_connection(http::field name) noexcept {
  switch (name) {
    case http::field::connection:
    case http::field::keep_alive:
    case http::field::proxy_connection:
    case http::field::transfer_encoding:
    case http::field::upgrade:
      return true;
    default:
      return false;
  }
}

void append(FieldList& list, const http::fields& fields) {
  for (const auto& field : fields) {
    if (!is_of_connection(field.name())) list.push_back(field_of(field.name_string(), field.value()));
  }
}

}  // namespace

ResponseFields::ResponseFields(unsigned status, const http::fields& fields)
    : status_(std::to_string(status)) {
  constexpr std::size_t kUsual = 16;
  list_.reserve(kUsual);
  list_.push_back(field_of(":status", status_));
  append(list_, fields);
}

FieldList trailer_fields(const http::fields& fields) {
  FieldList list;
  append(list, fields);
  return list;
}

}  // namespace keystay::tlsd
