import Glibc
import Synchronization

/// One accepted connection of a stub server, for a script that reads requests and writes raw bytes.
final class StubConnection: Sendable {
  let descriptor: Int32
  /// The connection's number among the server's, from 1.
  let number: Int
  private let server: StubServer

  init(descriptor: Int32, number: Int, server: StubServer) {
    (self.descriptor, self.number, self.server) = (descriptor, number, server)
  }

  /// Reads one whole request; nil where the client closed.
  func readRequest() -> String? {
    var bytes: [UInt8] = []
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if let end = text.firstRange(of: "\r\n\r\n") {
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let length =
          lines.first { $0.lowercased().hasPrefix("content-length:") }
          .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
        if text[end.upperBound...].utf8.count >= length {
          server.note(text)
          return text
        }
      }
      var chunk = [UInt8](repeating: 0, count: 16 << 10)
      let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      bytes += chunk[..<count]
    }
  }

  /// Writes raw bytes; false where the client is gone.
  @discardableResult
  func write(_ text: String) -> Bool { write(Array(text.utf8)) }

  /// Writes raw bytes; false where the client is gone.
  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let rest = Array(bytes[sent...])
      let count = unsafe send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL))
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Writes a whole answer.
  @discardableResult
  func answer(_ status: Int, _ body: String, type: String? = "application/json", headers: [String] = []) -> Bool {
    let lines =
      ["HTTP/1.1 \(status) Stub", "Content-Length: \(body.utf8.count)"] + (type.map { ["Content-Type: \($0)"] } ?? [])
      + headers
    return write(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }

  /// Ends the connection with a reset instead of a close.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  /// Says nothing until the client or the server goes away.
  func hang() {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while unsafe recv(descriptor, &chunk, chunk.count, 0) > 0 {}
  }

  /// Lets no new connection in.
  func closeListener() { server.closeListener() }
}
