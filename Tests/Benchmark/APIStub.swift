import Foundation
import Synchronization

/// The least server that answers a report with its receipt: one thread, kept connections, no limits. Its cost is
/// the same for all that are compared, and as little as can be.
final class APIStub: Sendable {
  let port: UInt16
  private let listener: Int32
  private let counts = Mutex<(answered: Int, isStopped: Bool)>((0, false))

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(listener, pointer, length) == 0 && listen(listener, 128) == 0
          && getsockname(listener, pointer, &length) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
    (self.listener, port) = (listener, UInt16(bigEndian: address.sin_port))
    Thread { [self] in serve() }.start()
  }

  var baseURL: String { "http://127.0.0.1:\(port)/api/v1/partners" }
  /// The number of reports that were answered.
  var answered: Int { counts.withLock { $0.answered } }

  func stop() { counts.withLock { $0.isStopped = true } }

  private func serve() {
    var polled = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    var buffers: [Int32: [UInt8]] = [:]
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while !counts.withLock({ $0.isStopped }) {
      guard unsafe poll(&polled, nfds_t(polled.count), 100) > 0 else { continue }
      var closed: Set<Int32> = []
      for ready in polled where ready.revents != 0 {
        if ready.fd == listener {
          accept(&polled)
          continue
        }
        let count = unsafe read(ready.fd, &chunk, chunk.count)
        guard count > 0 else {
          close(ready.fd)
          closed.insert(ready.fd)
          continue
        }
        buffers[ready.fd, default: []] += chunk[..<count]
        answer(ready.fd, &buffers[ready.fd, default: []])
      }
      guard !closed.isEmpty else { continue }
      polled.removeAll { closed.contains($0.fd) }
      for descriptor in closed { buffers[descriptor] = nil }
    }
    for each in polled { close(each.fd) }
  }

  private func accept(_ polled: inout [pollfd]) {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    var on: Int32 = 1
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    polled.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
  }

  /// Answers each whole request in a buffer.
  private func answer(_ descriptor: Int32, _ buffer: inout [UInt8]) {
    while let request = StubRequest(buffer) {
      buffer.removeFirst(request.length)
      // Before anything is sent, a known referral is asked for.
      let body =
        request.value.isEmpty
        ? """
        {"referralId":"\(request.referral)","referralCode":"a1","status":"pending","friendEmail":null,"friendName":null,\
        "createdAt":1765000000000,"convertedAt":null,"conversionValue":null,"currency":null,\
        "referrerIdentifier":"cust_1","externalSourceId":null,"metadata":null}
        """
        : """
        {"referralId":"\(request.referral)","status":"converted","convertedAt":1765000000000,\
        "conversionValue":"\(request.value)","idempotent":false}
        """
      let status = request.value.isEmpty ? "200 OK" : "201 Created"
      let head = "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
      let bytes = Array((head + body).utf8)
      _ = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      if !request.value.isEmpty { counts.withLock { $0.answered += 1 } }
    }
  }
}

/// A request, as far as it has to be understood.
private struct StubRequest {
  let length: Int
  let referral: String
  /// Empty for a read.
  let value: String

  init?(_ bytes: [UInt8]) {
    guard let end = Self.find("\r\n\r\n", in: bytes, from: 0) else { return nil }
    guard let start = Self.find("/referrals/", in: bytes, from: 0) else { return nil }
    let name = bytes[(start + 11)...].prefix { ![UInt8(ascii: "/"), UInt8(ascii: " ")].contains($0) }
    referral = String(decoding: name, as: UTF8.self)
    guard bytes[0] == UInt8(ascii: "P") else {
      (length, value) = (end + 4, "")
      return
    }
    guard
      let size = Self.find("Content-Length: ", in: bytes, from: 0).flatMap({ Int(Self.digits(bytes, from: $0 + 16)) }),
      bytes.count >= end + 4 + size, let named = Self.find("\"conversionValue\":", in: bytes, from: end)
    else { return nil }
    length = end + 4 + size
    value = Self.digits(bytes, from: named + 18)
  }

  private static func digits(_ bytes: [UInt8], from start: Int) -> String {
    String(decoding: bytes[start...].prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self)
  }

  private static func find(_ wanted: String, in bytes: [UInt8], from start: Int) -> Int? {
    let wanted = Array(wanted.utf8)
    var index = start
    while index + wanted.count <= bytes.count {
      if bytes[index] == wanted[0], bytes[index..<(index + wanted.count)].elementsEqual(wanted) { return index }
      index += 1
    }
    return nil
  }
}
