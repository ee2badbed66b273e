// The status page for people: files of admin/status_page, which the build puts into the program.
#pragma once

#include <array>
#include <string_view>

namespace keystay::tlsd {

struct StatusPageFile {
  std::string_view target;
  std::string_view content_type;
  std::string_view text;
};

// In the generated status_page.cpp.
extern const std::array<StatusPageFile, 3> kStatusPage;

}  // namespace keystay::tlsd
