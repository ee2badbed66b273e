// The parameters of openssl.cnf, one `name = value` per line.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "native/config/error.h"
#include "provider/configuration/cnf_file.h"
#include "provider/configuration/cnf_section.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

using provider::CnfParameter;

std::vector<CnfParameter> parameters(std::string_view text) {
  std::vector<CnfParameter> found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = line.find(" = ");
    if (equals != std::string_view::npos) found.push_back({line.substr(0, equals), line.substr(equals + 3)});
  }
  return found;
}

void parse(std::string_view text) {
  for (const std::string& name : provider::doubled_names(text, "default"))
    require(!name.empty() && text.find(name) != text.rfind(name), "what stands twice stands there twice");
  const auto given = parameters(text);
  try {
    const provider::CnfSection section = provider::parse_cnf_section(given, "openssl.cnf");
    const auto known = provider::cnf_parameter_names();
    require(std::ranges::all_of(given,
                                [&](const CnfParameter& parameter) {
                                  return std::ranges::find(known, parameter.name) != known.end();
                                }),
            "no unknown parameter is accepted");
    if (!section.whole_module) return;
    require(section.whole_module->settings.module.is_absolute(), "the module has an absolute path");
    require(section.whole_module->pin.has_value() == section.whole_module->settings.pin.empty(),
            "the PIN has one source");
  } catch (const config::Error&) {
    return;  // refused
  }
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
