// How a certificate request leaves a command.
#pragma once

#include <filesystem>
#include <string_view>

#include "keystore-tools/output_form.h"
#include "native/keys/entry.h"
#include "native/keys/key_source.h"

namespace keystay::tools {

struct RequestOutput {
  const keys::KeySource& source;      // where the key is
  const std::filesystem::path& file;  // empty: standard output
  OutputForm form;
};

// As PEM to the file or to standard output, or in the report of the command there. Throws Failure.
void write_request(std::string_view command, const keys::Entry& entry, pkcs11::ByteView der,
                   const RequestOutput& output);

}  // namespace keystay::tools
