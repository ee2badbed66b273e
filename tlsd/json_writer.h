// Writes JSON (RFC 8259) at the end of a string, without a tree in memory.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace keystay::tlsd {

// With quotes around it. Control characters, also those of C1 and DEL, are escaped, so that the text can be
// shown on a terminal and is one line. Bytes that are no UTF-8 are taken for ISO 8859-1, as those of HTTP's
// fields once were (RFC 9110, section 5.5): what is written is valid whatever the text is.
void append_json_text(std::string& out, std::string_view text);

// Who calls it sees to it that begins and ends fit. Puts the commas.
class JsonWriter final {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { begin('{'); }
  void end_object() { out_.push_back('}'); }
  void begin_array() { begin('['); }
  void end_array() { out_.push_back(']'); }

  // In an object; a value follows.
  void name(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(std::same_as<bool> auto truth) { literal(truth ? "true" : "false"); }
  void value(std::unsigned_integral auto number) requires(!std::same_as<decltype(number), bool>) {
    whole(number);
  }
  void value(double number);
  // In seconds, to the microsecond.
  void value(std::chrono::steady_clock::duration time);

  template <typename Value>
  void member(std::string_view key, const Value& its_value) {
    name(key);
    value(its_value);
  }

 private:
  void begin(char bracket);
  void separate();
  void literal(std::string_view text);
  void whole(std::uint64_t number);

  std::string& out_;
};

}  // namespace keystay::tlsd
