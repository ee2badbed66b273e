// Starting a program from a library: without a child, a signal or a descriptor that the host process would
// notice.
#pragma once

#include <filesystem>
#include <span>

namespace keystay::remote {

// Starts the program without arguments, with an environment of its own, nothing on standard input, output and
// error, and `descriptors` as its descriptors from 3 on; all others are closed. It is no child of this
// process: a server that counts and reaps its children (wait(2)) never sees it, and gets no SIGCHLD. No
// handler of this process runs in between, and no atfork handler: any thread of any program may call it.
// Throws std::system_error.
void spawn_detached(const std::filesystem::path& program, std::span<const int> descriptors);

}  // namespace keystay::remote
