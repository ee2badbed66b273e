#include "native/pkcs11/attributes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "native/pkcs11/wipe.h"

namespace keystay::pkcs11 {
namespace {

ByteView view(const auto& value) { return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value}; }

}  // namespace

Template::~Template() {
  for (Bytes& value : values_) wipe(value);
}

Template& Template::flag(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL boolean = value ? CK_TRUE : CK_FALSE;
  return bytes(type, view(boolean));
}

Template& Template::number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) { return bytes(type, view(value)); }

Template& Template::bytes(CK_ATTRIBUTE_TYPE type, ByteView value) {
  Bytes& kept = values_.emplace_back(value.begin(), value.end());
  attributes_.push_back({type, kept.data(), kept.size()});
  return *this;
}

Template& Template::text(CK_ATTRIBUTE_TYPE type, std::string_view value) {
  return bytes(type, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
}

void Attributes::put(CK_ATTRIBUTE_TYPE type, Bytes value) { values_.push_back({type, std::move(value)}); }

const Bytes* Attributes::find(CK_ATTRIBUTE_TYPE type) const noexcept {
  const auto at =
      std::find_if(values_.begin(), values_.end(), [type](const Value& v) { return v.type == type; });
  return at != values_.end() ? &at->bytes : nullptr;
}

Bytes Attributes::bytes(CK_ATTRIBUTE_TYPE type) const {
  const Bytes* value = find(type);
  return value ? *value : Bytes{};
}

std::string Attributes::text(CK_ATTRIBUTE_TYPE type) const {
  const Bytes* value = find(type);
  return value ? std::string(value->begin(), value->end()) : std::string{};
}

std::optional<CK_ULONG> Attributes::number(CK_ATTRIBUTE_TYPE type) const noexcept {
  const Bytes* value = find(type);
  if (!value || value->size() != sizeof(CK_ULONG)) return std::nullopt;
  CK_ULONG number = 0;
  std::memcpy(&number, value->data(), sizeof number);
  return number;
}

std::optional<bool> Attributes::flag(CK_ATTRIBUTE_TYPE type) const noexcept {
  const Bytes* value = find(type);
  if (!value || value->size() != sizeof(CK_BBOOL)) return std::nullopt;
  return value->front() != CK_FALSE;
}

}  // namespace keystay::pkcs11
