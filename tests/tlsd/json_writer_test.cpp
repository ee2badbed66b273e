// JSON that is valid whatever the text is.
#include "tlsd/json_writer.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace keystay::test {
namespace {

struct TextCase {
  const char* name;
  std::string text;
  std::string json;
};

class JsonText : public testing::TestWithParam<TextCase> {};

TEST_P(JsonText, IsOneLineOfValidUtf8) {
  std::string json;
  tlsd::append_json_text(json, GetParam().text);
  EXPECT_EQ(json, "\"" + GetParam().json + "\"");
}

INSTANTIATE_TEST_SUITE_P(
    Json, JsonText,
    testing::Values(
        TextCase{"Nothing", "", ""}, TextCase{"Ascii", "/a?b=c", "/a?b=c"},
        TextCase{"Quotes", R"(a"b\c)", R"(a\"b\\c)"},
        TextCase{"Controls", std::string("\0\n\r\t\x1b\x7f", 6), R"(\u0000\u000a\u000d\u0009\u001b\u007f)"},
        TextCase{"Utf8", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91"},
        TextCase{"ControlsOfC1", "\xC2\x9B", R"(\u009b)"},
        TextCase{"Latin1", "caf\xE9 au", R"(caf\u00e9 au)"},
        TextCase{"CutShort", "a\xE2\x82", R"(a\u00e2\u0082)"},
        TextCase{"Overlong", "\xC0\xAF\xE0\x80\xAF", R"(\u00c0\u00af\u00e0\u0080\u00af)"},
        TextCase{"Surrogate", "\xED\xA0\x80", R"(\u00ed\u00a0\u0080)"},
        TextCase{"BeyondUnicode", "\xF4\x90\x80\x80", R"(\u00f4\u0090\u0080\u0080)"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(JsonWriter, PutsCommasBetweenWhatFollowsOneAnother) {
  using namespace std::chrono_literals;
  std::string text;
  tlsd::JsonWriter json(text);
  json.begin_object();
  json.member("a", 1U);
  json.name("b");
  json.begin_array();
  json.value("x");
  json.begin_object();
  json.end_object();
  json.begin_array();
  json.end_array();
  json.value(true);
  json.end_array();
  json.member("c", std::chrono::steady_clock::duration(1500us));
  json.member("d", 0.25);
  json.member("e", std::numeric_limits<double>::infinity());
  json.end_object();
  EXPECT_EQ(text, R"({"a":1,"b":["x",{},[],true],"c":0.001500,"d":0.25,"e":null})");
}

}  // namespace
}  // namespace keystay::test
