// Responses of tlsd itself: a line of text that says what is wrong, or a page of the operator.
#pragma once

#include <chrono>
#include <string_view>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "tlsd/http/error_pages.h"
#include "tlsd/http/http.h"

namespace keystay::tlsd {

using Answer = http::response<http::string_body>;

constexpr std::chrono::seconds kAnswerLimit{5};  // for a client to take it

// `Connection: close`, and a body: that of `pages` for the status, if there is one, or else the text; for
// HEAD the body is left out.
[[nodiscard]] Answer make_answer(http::status status, std::string_view text,
                                 http::verb method = http::verb::get, const ErrorPages* pages = nullptr);

}  // namespace keystay::tlsd
