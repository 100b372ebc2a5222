// The stack `botan`: TLS by Botan, and as much of HTTP as a fetch needs. What it is asked and what it answers is in
// docs/reference/stacks.md.
#include <botan/version.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>

#include "json.h"
#include "tls.h"

// Codepoints of groups that are asked for, far above the last one given out.
constexpr uint16_t kLastGroup = 0x3000;

static int probe() {
  std::cout << "{\"version\": "
            << quoted("Botan " + std::to_string(Botan::version_major()) + "." + std::to_string(Botan::version_minor()) +
                      "." + std::to_string(Botan::version_patch()));
  std::string groups, schemes;
  for (uint16_t code = 1; code <= kLastGroup; ++code) {
    const TLS::Group_Params group(code);
    if (group.to_string() && group.is_available()) groups += (groups.empty() ? "" : ", ") + quoted(codepoint(code));
  }
  for (const auto& scheme : TLS::Signature_Scheme::all_available_schemes()) {
    if (scheme.is_compatible_with(TLS::Protocol_Version::TLS_V13))
      schemes += (schemes.empty() ? "" : ", ") + quoted(codepoint(scheme.wire_code()));
  }
  std::cout << ", \"groups\": [" << groups << "], \"signatures\": [" << schemes << "], \"providers\": []}\n";
  return 0;
}

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string what = count > 1 ? arguments[1] : "";
  try {
    if (what == "probe" && count == 2) return probe();
    if (what == "server" && count == 4) return serve(arguments[2], arguments[3]);
    if (what == "client" && count == 2) return answer();
    std::cerr << "usage: probe | server LISTENERS READY | client\n";
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}
