// The option -o.
#pragma once

#include "keystore-tools/output_form.h"

namespace CLI {
class App;
}

namespace keystay::tools {

// -o json|text.
void declare_output(CLI::App& options, OutputForm& form);

}  // namespace keystay::tools
