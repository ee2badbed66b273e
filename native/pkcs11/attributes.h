// Templates (what a caller asks for) and attributes (what a token answers); PKCS #11 v3.0, section 4.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// A CK_ATTRIBUTE array that owns its values, and wipes them: they may be those of a private key.
class Template final {
 public:
  Template() = default;
  Template(Template&&) noexcept = default;
  Template& operator=(Template&&) noexcept = default;
  Template(const Template&) = delete;
  Template& operator=(const Template&) = delete;
  ~Template();

  Template& flag(CK_ATTRIBUTE_TYPE type, bool value);  // CK_BBOOL
  Template& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Template& bytes(CK_ATTRIBUTE_TYPE type, ByteView value);
  Template& text(CK_ATTRIBUTE_TYPE type, std::string_view value);  // RFC 2279 string, not terminated

  // Cryptoki takes templates as pointers to non-const and does not write to those it searches or creates by.
  [[nodiscard]] CK_ATTRIBUTE* data() noexcept { return attributes_.data(); }
  [[nodiscard]] CK_ULONG size() const noexcept { return attributes_.size(); }

 private:
  std::vector<CK_ATTRIBUTE> attributes_;
  std::deque<Bytes> values_;  // a deque: values do not move when others come
};

// The attributes of one object, read in one batch. Absent, sensitive and unknown ones are not there.
class Attributes final {
 public:
  void put(CK_ATTRIBUTE_TYPE type, Bytes value);

  [[nodiscard]] const Bytes* find(CK_ATTRIBUTE_TYPE type) const noexcept;
  // Empty where the attribute is not there.
  [[nodiscard]] Bytes bytes(CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] std::string text(CK_ATTRIBUTE_TYPE type) const;
  // Nothing where the attribute is not there or has another size.
  [[nodiscard]] std::optional<CK_ULONG> number(CK_ATTRIBUTE_TYPE type) const noexcept;
  [[nodiscard]] std::optional<bool> flag(CK_ATTRIBUTE_TYPE type) const noexcept;

  // Those of one read are equal to those of another with the same types in the same order.
  friend bool operator==(const Attributes&, const Attributes&) = default;

 private:
  struct Value {
    CK_ATTRIBUTE_TYPE type;
    Bytes bytes;

    friend bool operator==(const Value&, const Value&) = default;
  };
  std::vector<Value> values_;
};

}  // namespace keystay::pkcs11
