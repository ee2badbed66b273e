#include "tlsd/json_writer.h"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace keystay::tlsd {
namespace {

constexpr unsigned kFirstPrintable = 0xA0;  // behind the control characters of C1

unsigned byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<unsigned char>(text[index]);
}

struct Character {
  unsigned code_point;
  std::size_t size;  // in bytes; 0: no UTF-8
};

// That at the front of `text`, whose first byte is not ASCII (RFC 3629, section 4).
Character character(std::string_view text) noexcept {
  const unsigned first = byte_at(text, 0);
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return {first, 0};
  unsigned code_point = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const unsigned next = byte_at(text, i);
    if ((next & 0xC0U) != 0x80U) return {first, 0};
    code_point = code_point << 6U | (next & 0x3FU);
  }
  const bool overlong = (size == 3 && code_point < 0x800) || (size == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  if (overlong || surrogate || code_point > 0x10FFFF) return {first, 0};
  return {code_point, size};
}

bool is_plain(char c) noexcept { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; }

void append_escaped(std::string& out, unsigned code_point) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", code_point);
}

void append_ascii(std::string& out, char c) {
  if (c == '"' || c == '\\') {
    out.push_back('\\');
    out.push_back(c);
  } else {
    append_escaped(out, static_cast<unsigned char>(c));
  }
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (byte_at(text, 0) < 0x80) {
      append_ascii(out, text.front());
      text.remove_prefix(1);
      continue;
    }
    const Character next = character(text);
    if (next.size == 0 || next.code_point < kFirstPrintable) {
      append_escaped(out, next.code_point);
    } else {
      out.append(text.substr(0, next.size));
    }
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  out.push_back('"');
}

// A value follows one that is complete, unless it is the first of its object or array, or follows its name.
void JsonWriter::separate() {
  if (out_.empty()) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':') out_.push_back(',');
}

void JsonWriter::begin(char bracket) {
  separate();
  out_.push_back(bracket);
}

void JsonWriter::name(std::string_view name) {
  separate();
  append_json_text(out_, name);
  out_.push_back(':');
}

void JsonWriter::value(std::string_view text) {
  separate();
  append_json_text(out_, text);
}

void JsonWriter::literal(std::string_view text) {
  separate();
  out_.append(text);
}

void JsonWriter::whole(std::uint64_t number) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
}

// JSON knows neither infinity nor "not a number".
void JsonWriter::value(double number) {
  separate();
  if (!std::isfinite(number)) {
    out_.append("null");
  } else {
    fmt::format_to(std::back_inserter(out_), "{}", number);
  }
}

void JsonWriter::value(std::chrono::steady_clock::duration time) {
  separate();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  fmt::format_to(std::back_inserter(out_), "{}.{:06}", microseconds / 1'000'000, microseconds % 1'000'000);
}

}  // namespace keystay::tlsd
