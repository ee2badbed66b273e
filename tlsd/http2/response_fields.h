// The fields of a response as those of HTTP/2 (RFC 9113, section 8.3.2): without those of a connection, which
// are malformed there (section 8.2.2).
#pragma once

#include <string>

#include "tlsd/http/http.h"
#include "tlsd/http2/http2_frames.h"

namespace keystay::tlsd {

class ResponseFields final {
 public:
  // Refers to the fields, which stay as they are.
  ResponseFields(unsigned status, const http::fields& fields);
  ResponseFields(const ResponseFields&) = delete;
  ResponseFields& operator=(const ResponseFields&) = delete;

  [[nodiscard]] const FieldList& list() const noexcept { return list_; }

 private:
  std::string status_;
  FieldList list_;
};

// Those of a trailer section; refers to them.
[[nodiscard]] FieldList trailer_fields(const http::fields& fields);

}  // namespace keystay::tlsd
