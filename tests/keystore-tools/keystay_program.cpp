#include "tests/keystore-tools/keystay_program.h"

#include <algorithm>
#include <sstream>

namespace keystay::tools {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string keystay_program() { return KEYSTAY_PROGRAM; }

test::Outcome KeystayTest::keystay(const test::Arguments& arguments, test::RunOptions options) const {
  test::Arguments command{"setsid", "--wait", keystay_program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  options.environment.try_emplace("KEYSTAY_CONF", configuration_);
  return test::run(command, options);
}

std::string KeystayTest::done(const test::Arguments& arguments, test::RunOptions options) const {
  const test::Outcome outcome = keystay(arguments, std::move(options));
  EXPECT_TRUE(outcome.ok()) << testing::PrintToString(arguments) << outcome;
  EXPECT_THAT(outcome.error, Not(HasSubstr(token_.pin())));
  return outcome.output;
}

void KeystayTest::refused(int code, const testing::Matcher<std::string>& message,
                          const test::Arguments& arguments, test::RunOptions options) const {
  SCOPED_TRACE(testing::PrintToString(arguments));
  const std::vector<std::string> before = objects();
  const test::Outcome outcome = keystay(arguments, std::move(options));
  EXPECT_EQ(outcome.exit_code, code) << outcome;
  EXPECT_THAT(outcome.output, IsEmpty());
  EXPECT_THAT(outcome.error, message);
  EXPECT_THAT(outcome.error, testing::EndsWith("\n"));
  EXPECT_THAT(outcome.error, Not(HasSubstr(token_.pin())));
  EXPECT_EQ(objects(), before) << "the token was changed";
}

void KeystayTest::make_alias(const std::string& alias) const {
  done({"-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN=localhost"});
}

std::string KeystayTest::reply(const std::string& alias, const test::LeafOptions& options) const {
  return ca_.sign_with_chain(done({"-certreq", "-alias", alias}), options);
}

std::string KeystayTest::write(const std::string& name, const std::string& content) const {
  return token_.directory().write(name, content);
}

std::vector<std::string> KeystayTest::objects() const {
  std::vector<std::string> objects;
  std::istringstream lines(token_.pkcs11_tool({"--list-objects"}));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(' ') && !objects.empty()) {
      objects.back() += "\n" + line;
    } else {
      objects.push_back(line);
    }
  }
  std::ranges::sort(objects);
  return objects;
}

}  // namespace keystay::tools
