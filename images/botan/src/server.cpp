#include <arpa/inet.h>
#include <botan/tls_server.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>

#include "json.h"
#include "tls.h"

namespace {

constexpr size_t kReadBytes = 64 << 10;

struct Listener {
  int port;
  std::string header;
  std::shared_ptr<OneGroup> policy;
  std::shared_ptr<Identity> identity;
};

std::string contents(const std::string& path) {
  if (path.empty()) return "";
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// One connection: TLS, and the answers to requests for /N, which are N bytes.
class Connection : public TLS::Callbacks, public std::enable_shared_from_this<Connection> {
 public:
  Connection(int descriptor, const Listener& listener) : descriptor_(descriptor), listener_(listener) {}
  ~Connection() override { close(descriptor_); }

  void run() {
    TLS::Server server(shared_from_this(), std::make_shared<TLS::Session_Manager_Noop>(), listener_.identity,
                       listener_.policy, std::make_shared<Botan::AutoSeeded_RNG>());
    std::vector<uint8_t> buffer(kReadBytes);
    ssize_t got;
    while (!server.is_closed() && (got = recv(descriptor_, buffer.data(), buffer.size(), 0)) > 0) {
      try {
        server.received_data(std::span(buffer.data(), static_cast<size_t>(got)));
      } catch (const std::exception&) {
        flush();  // the alert
        throw;
      }
      for (size_t end; (end = request_.find("\r\n\r\n")) != std::string::npos; request_.erase(0, end + 4))
        server.send(response(request_.substr(0, end)));
      flush();
    }
  }

  // Gathered: what Botan emits in parts, a flight's messages among them, is one write, as of other servers.
  void tls_emit_data(std::span<const uint8_t> data) override { emitted_.insert(emitted_.end(), data.begin(), data.end()); }

  void tls_record_received(uint64_t, std::span<const uint8_t> data) override {
    request_.append(reinterpret_cast<const char*>(data.data()), data.size());
  }

  void tls_alert(TLS::Alert) override {}
  void tls_session_established(const TLS::Session_Summary& session) override { group_ = group_of(session); }

 private:
  void flush() {
    for (std::span<const uint8_t> rest(emitted_); !rest.empty();) {
      const ssize_t sent = send(descriptor_, rest.data(), rest.size(), 0);
      if (sent < 0) throw std::system_error(errno, std::generic_category(), "send");
      rest = rest.subspan(static_cast<size_t>(sent));
    }
    emitted_.clear();
  }

  std::string response(const std::string& request) const {
    std::istringstream words(request);
    std::string method, path;
    words >> method >> path;
    std::ostringstream out;
    if (path.size() < 2 || path.find_first_not_of("0123456789", 1) != std::string::npos) {
      out << "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
      return out.str();
    }
    const size_t size = std::stoul(path.substr(1));
    out << "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " << size << "\r\n"
        << listener_.header << ": " << group_ << "\r\n\r\n"
        << std::string(size, '\0');
    return out.str();
  }

  const int descriptor_;
  const Listener& listener_;
  std::string request_, group_;
  std::vector<uint8_t> emitted_;
};

int listen_on(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(descriptor, 64) != 0)
    throw std::system_error(errno, std::generic_category(), "port " + std::to_string(port));
  return descriptor;
}

void accept_all(int descriptor, const Listener& listener) {
  for (;;) {
    const int accepted = accept(descriptor, nullptr, nullptr);
    if (accepted < 0) continue;
    const int yes = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::thread([accepted, &listener] {
      try {
        std::make_shared<Connection>(accepted, listener)->run();
      } catch (const std::exception&) {
        // The client sees what became of it; the next one is served.
      }
    }).detach();
  }
}

}  // namespace

// Listen on every port of the file `listeners`, then fill the file `ready`. Ends with the process.
int serve(const std::string& listeners, const std::string& ready) {
  std::vector<Listener> all;
  std::ifstream in(listeners);
  for (std::string line; std::getline(in, line);) {
    const Asked asked(line);
    const auto scheme = static_cast<uint16_t>(asked.number("signature_id"));
    const auto client_scheme = static_cast<uint16_t>(asked.number("client_signature_id"));
    const std::string client_root = asked.text("client_root");
    all.push_back({static_cast<int>(asked.number("port")), asked.text("header"),
                   std::make_shared<OneGroup>(asked.number("group_id"), scheme, client_scheme, !client_root.empty()),
                   std::make_shared<Identity>(contents(asked.text("chain")), contents(asked.text("key")),
                                              contents(client_root))});
  }
  std::vector<std::thread> threads;
  for (const auto& listener : all) threads.emplace_back(accept_all, listen_on(listener.port), std::cref(listener));
  std::ofstream(ready) << "ready\n";
  for (auto& thread : threads) thread.join();
  return 0;
}
