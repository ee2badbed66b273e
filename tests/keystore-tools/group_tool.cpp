#include "tests/keystore-tools/group_tool.h"

#include <fstream>
#include <sstream>

namespace keystay::tools {

GroupToolTest::GroupToolTest() {
  configuration_ = (token_.directory().path() / "group.toml").string();
  for (std::size_t i = 0; i < kTokens; ++i) {
    serials_.at(i) = token_.add_token(name(i));
    faults_.at(i) = test::FaultControl::of_copy(token_.directory().path() / (name(i) + ".so"),
                                                test::SoftHsmToken::softhsm());
  }
  configure("[group.front]\nmembers = [\"hsm-a\", \"hsm-b\", \"hsm-c\"]\nwrapping-key = \"kek\"\n");
}

std::string GroupToolTest::name(std::size_t token) {
  return std::string("hsm-") + static_cast<char>('a' + token);
}

void GroupToolTest::configure(std::string_view groups) const {
  std::string text = "default = \"front\"\n";
  for (std::size_t i = 0; i < kTokens; ++i) {
    text += "[token." + name(i) + "]\nmodule = \"" + faults_.at(i)->loaded_as().string() + "\"\nlabel = \"" +
            name(i) + "\"\npin = \"file:" + token_.pin_file().string() + "\"\n";
  }
  write("group.toml", text + std::string(groups));
}

std::string GroupToolTest::configured() const {
  std::ostringstream content;
  content << std::ifstream(configuration_).rdbuf();
  return content.str();
}

void GroupToolTest::bring_key(const std::string& alias, const test::Arguments& algorithm) const {
  const auto file = [&](const char* suffix) {
    return (token_.directory().path() / (alias + suffix)).string();
  };
  test::Arguments generation{"openssl", "genpkey", "-outform", "DER", "-out", file(".key")};
  generation.insert(generation.end(), algorithm.begin(), algorithm.end());
  test::run_or_throw(generation);
  test::run_or_throw({"openssl", "pkey", "-inform", "DER", "-in", file(".key"), "-pubout", "-outform", "DER",
                      "-out", file(".pub")});
  const std::string id = "0" + std::to_string(alias.size());
  for (const char token : {'a', 'b', 'c'}) {
    pkcs11_tool_on(token, {"--write-object", file(".key"), "--type", "privkey", "--label", alias, "--id", id,
                           "--usage-sign"});
    pkcs11_tool_on(token, {"--write-object", file(".pub"), "--type", "pubkey", "--label", alias, "--id", id});
  }
}

std::string GroupToolTest::pkcs11_tool_on(char token, const test::Arguments& arguments) const {
  test::Arguments all{"pkcs11-tool",
                      "--module",
                      test::SoftHsmToken::softhsm(),
                      "--token-label",
                      name(static_cast<std::size_t>(token - 'a')),
                      "--login",
                      "--pin",
                      "env:TOKEN_PIN"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return test::run_or_throw(all, {.environment = {{"TOKEN_PIN", token_.pin()}}});
}

}  // namespace keystay::tools
