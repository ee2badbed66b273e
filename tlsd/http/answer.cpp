#include "tlsd/http/answer.h"

namespace keystay::tlsd {

Answer make_answer(http::status status, std::string_view text, http::verb method, const ErrorPages* pages) {
  Answer answer(status, 11);
  const std::string* page = pages != nullptr ? pages->find(static_cast<unsigned>(status)) : nullptr;
  answer.set(http::field::content_type,
             page != nullptr ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
  answer.body() = page != nullptr ? *page : std::string(text) + "\n";
  answer.prepare_payload();
  answer.keep_alive(false);
  if (method == http::verb::head) answer.body().clear();
  return answer;
}

}  // namespace keystay::tlsd
