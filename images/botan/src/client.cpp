#include <arpa/inet.h>
#include <botan/hex.h>
#include <botan/tls_client.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <system_error>

#include "json.h"
#include "tls.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 512 << 10;
// As much of struct tcp_info as pqbed reads (include/uapi/linux/tcp.h).
constexpr socklen_t kTcpInfoBytes = 104;

// What ended a fetch before its time, by the name of its outcome.
struct Ended : std::runtime_error {
  Ended(const std::string& how, const std::string& why) : std::runtime_error(why), outcome(how) {}
  const std::string outcome;
};

[[noreturn]] void end_by_error(int number) {
  const std::string why = std::strerror(number);
  if (number == ECONNREFUSED) throw Ended("refused", why);
  if (number == ETIMEDOUT) throw Ended("timeout", "the kernel gave up connecting");
  throw Ended("reset", why);
}

// A TCP connection that ends at a time.
class Socket {
 public:
  explicit Socket(int64_t timeout_ns) : started_(Clock::now()), deadline_(started_ + std::chrono::nanoseconds(timeout_ns)) {}
  ~Socket() { release(); }

  void open(const std::string& address, int port) {
    descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int yes = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) throw Ended("refused", address + " is no address");
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return;
    if (errno != EINPROGRESS) end_by_error(errno);
    wait(POLLOUT);
    int failed = 0;
    socklen_t size = sizeof failed;
    getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &failed, &size);
    if (failed != 0) end_by_error(failed);
  }

  void write(std::span<const uint8_t> data) {
    while (!data.empty()) {
      const ssize_t sent = send(descriptor_, data.data(), data.size(), 0);
      if (sent < 0 && errno != EAGAIN) end_by_error(errno);
      if (sent < 0) wait(POLLOUT);
      else data = data.subspan(static_cast<size_t>(sent));
    }
  }

  size_t read(std::span<uint8_t> into) {
    for (;;) {
      const ssize_t got = recv(descriptor_, into.data(), into.size(), 0);
      if (got > 0) return static_cast<size_t>(got);
      if (got == 0) throw Ended("reset", "the server ended the connection");
      if (errno != EAGAIN) end_by_error(errno);
      wait(POLLIN);
    }
  }

  int64_t elapsed_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - started_).count();
  }

  std::string tcp_info() const {
    std::vector<uint8_t> info(kTcpInfoBytes);
    socklen_t size = kTcpInfoBytes;
    if (descriptor_ < 0 || getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, info.data(), &size) != 0) return "";
    return Botan::hex_encode(info.data(), size, false);
  }

  // Reset the connection, by connecting it to nowhere (AF_UNSPEC, connect(2)), and close it.
  void release() {
    if (descriptor_ < 0) return;
    const sockaddr nowhere{};
    connect(descriptor_, &nowhere, sizeof nowhere);
    close(descriptor_);
    descriptor_ = -1;
  }

 private:
  void wait(short what) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    pollfd one{descriptor_, what, 0};
    if (left <= 0 || poll(&one, 1, static_cast<int>(left) + 1) == 0) throw Ended("timeout", "time-out of the fetch");
  }

  const Clock::time_point started_, deadline_;
  int descriptor_ = -1;
};

struct Fetched {
  std::string outcome = "ok", detail, group, server_group, tcp_info;
  int64_t tcp_connect_ns = 0, tls_done_ns = 0, first_byte_ns = 0, last_byte_ns = 0, body_bytes = 0, http_status = 0;
  bool retried = false;
};

// One fetch, from the TLS handshake to the end of the body.
class Transfer : public TLS::Callbacks {
 public:
  Transfer(Socket& socket, Fetched& found, std::string header)
      : socket_(socket), found_(found), header_(std::move(header)) {}

  bool done() const { return found_.last_byte_ns != 0; }

  // Gathered, as by the server: a flight is one write.
  void tls_emit_data(std::span<const uint8_t> data) override { emitted_.insert(emitted_.end(), data.begin(), data.end()); }

  void flush() {
    socket_.write(emitted_);
    emitted_.clear();
  }

  // What ended the connection is what is reported, even if the server has gone meanwhile.
  void flush_alert() noexcept {
    try {
      flush();
    } catch (const std::exception&) {
    }
  }

  void tls_record_received(uint64_t, std::span<const uint8_t> data) override {
    if (found_.first_byte_ns == 0) found_.first_byte_ns = socket_.elapsed_ns();
    if (wanted_ < 0) {
      head_.append(reinterpret_cast<const char*>(data.data()), data.size());
      const auto end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      found_.body_bytes = static_cast<int64_t>(head_.size() - end - 4);
      read_head(head_.substr(0, end + 2));
    } else {
      found_.body_bytes += static_cast<int64_t>(data.size());
    }
    if (found_.body_bytes >= wanted_ && !done()) found_.last_byte_ns = socket_.elapsed_ns();
  }

  void tls_alert(TLS::Alert alert) override {
    if (alert.is_fatal()) throw Ended("tls_error", "the server sent the alert " + alert.type_string());
  }

  void tls_session_established(const TLS::Session_Summary& session) override { found_.group = group_of(session); }

  void tls_session_activated() override { found_.tls_done_ns = socket_.elapsed_ns(); }

  void tls_inspect_handshake_msg(const TLS::Handshake_Message& message) override {
    if (message.type() == TLS::Handshake_Type::HelloRetryRequest) found_.retried = true;
  }

  void tls_ssl_key_log_data(std::string_view label, std::span<const uint8_t> random,
                            std::span<const uint8_t> secret) const override {
    const char* path = std::getenv("SSLKEYLOGFILE");
    if (path == nullptr) return;
    std::ofstream(path, std::ios::app) << label << ' ' << Botan::hex_encode(random, false) << ' '
                                       << Botan::hex_encode(secret, false) << '\n';
  }

 private:
  void read_head(const std::string& head) {
    found_.http_status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
    found_.server_group = field(head, header_);
    const std::string length = field(head, "Content-Length");
    if (length.empty()) throw Ended("short_body", "the response has no Content-Length");
    wanted_ = std::stoll(length);
  }

  static std::string field(const std::string& head, const std::string& name) {
    for (size_t at = head.find("\r\n"); at != std::string::npos && at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
      const size_t line = at + 2;
      if (strncasecmp(head.c_str() + line, name.c_str(), name.size()) != 0 || head[line + name.size()] != ':') continue;
      const size_t begin = head.find_first_not_of(' ', line + name.size() + 1);
      return head.substr(begin, head.find("\r\n", begin) - begin);
    }
    return "";
  }

  Socket& socket_;
  Fetched& found_;
  const std::string header_;
  std::string head_;
  std::vector<uint8_t> emitted_;
  int64_t wanted_ = -1;
};

void transfer(const Asked& asked, Socket& socket, Fetched& found, const std::shared_ptr<Identity>& identity,
              std::vector<uint8_t>& buffer) {
  const auto policy = std::make_shared<OneGroup>(asked.number("group_id"), 0, 0, false);
  const auto callbacks = std::make_shared<Transfer>(socket, found, asked.text("header"));
  const std::string host = asked.text("server_name");
  const auto port = static_cast<uint16_t>(asked.number("port"));
  TLS::Client client(callbacks, std::make_shared<TLS::Session_Manager_Noop>(), identity, policy,
                     std::make_shared<Botan::AutoSeeded_RNG>(), TLS::Server_Information(host, port),
                     TLS::Protocol_Version::TLS_V13);
  callbacks->flush();
  bool sent = false;
  while (!callbacks->done()) {
    const size_t got = socket.read(buffer);
    try {
      client.received_data(std::span(buffer.data(), got));
    } catch (const std::exception&) {
      callbacks->flush_alert();
      throw;
    }
    callbacks->flush();
    if (client.is_active() && !sent) {
      client.send("GET /" + asked.text("size_bytes") + " HTTP/1.1\r\nHost: " + host + ":" + std::to_string(port) +
                  "\r\nUser-Agent: pqbed\r\nAccept: */*\r\n\r\n");
      callbacks->flush();
      sent = true;
    }
  }
}

Fetched fetch(const Asked& asked, std::unique_ptr<Socket>& socket, std::vector<uint8_t>& buffer) {
  Fetched found;
  try {
    const auto identity =
        std::make_shared<Identity>(asked.text("chain_pem"), asked.text("key_pem"), asked.text("root_pem"));
    socket = std::make_unique<Socket>(asked.number("timeout_ns"));
    socket->open(asked.text("address"), static_cast<int>(asked.number("port")));
    found.tcp_connect_ns = socket->elapsed_ns();
    transfer(asked, *socket, found, identity, buffer);
  } catch (const Ended& end) {
    found.outcome = end.outcome;
    found.detail = end.what();
  } catch (const std::exception& error) {
    found.outcome = "tls_error";
    found.detail = error.what();
  }
  if (socket) found.tcp_info = socket->tcp_info();
  return found;
}

void say(const Fetched& found) {
  std::cout << "{\"outcome\": " << quoted(found.outcome) << ", \"detail\": " << quoted(found.detail)
            << ", \"tcp_connect_ns\": " << found.tcp_connect_ns << ", \"tls_done_ns\": " << found.tls_done_ns
            << ", \"first_byte_ns\": " << found.first_byte_ns << ", \"last_byte_ns\": " << found.last_byte_ns
            << ", \"body_bytes\": " << found.body_bytes << ", \"http_status\": " << found.http_status
            << ", \"group\": " << quoted(found.group) << ", \"server_group\": " << quoted(found.server_group)
            << ", \"retried\": " << (found.retried ? "true" : "false") << ", \"tcp_info\": " << quoted(found.tcp_info)
            << "}" << std::endl;
}

}  // namespace

// Do what each line of the input asks for, one at a time, until it ends. The connection of a fetch is left open, dead
// still, until the next line.
int answer() {
  std::unique_ptr<Socket> socket;
  std::vector<uint8_t> buffer(kReadBytes);
  for (std::string line; std::getline(std::cin, line);) {
    const Asked asked(line);
    socket.reset();
    say(asked.text("call") == "fetch" ? fetch(asked, socket, buffer) : Fetched());
  }
  return 0;
}
