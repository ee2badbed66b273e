#include "tlsd/http/answer.h"

namespace keystay::tlsd {

Answer make_answer(http::status status, std::string_view text, http::verb method) {
  Answer answer(status, 11);
  answer.set(http::field::content_type, "text/plain; charset=utf-8");
  answer.body() = std::string(text) + "\n";
  answer.prepare_payload();
  answer.keep_alive(false);
  if (method == http::verb::head) answer.body().clear();
  return answer;
}

}  // namespace keystay::tlsd
