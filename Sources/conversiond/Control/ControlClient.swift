import Foundation
import Glibc

/// Asks the running daemon over its control socket. Blocking, for a command that has nothing else to do.
struct ControlClient {
  let path: String
  /// The seconds to wait: a daemon that doesn't answer within them is busy or stuck, and the command says so.
  var patience = 2

  /// An answer's status and body.
  struct Answer {
    var status: Int
    var body: Data
  }

  /// - Returns: nil where no process listens: the daemon is not running.
  /// - Throws: `CommandFailure` 75 where it doesn't answer in time, 77 where the socket may not be opened.
  func get(_ target: String) throws -> Answer? { try ask("GET", target, body: "") }

  /// - Returns: nil where no process listens: the daemon is not running.
  /// - Throws: `CommandFailure` 75 where it doesn't answer in time, 77 where the socket may not be opened.
  func post(_ target: String, body: String) throws -> Answer? { try ask("POST", target, body: body) }

  /// Asks for what may be large, and hands it on piece by piece.
  ///
  /// - Returns: The answer, without the body of one with status 200, which went to `take`; nil where no process listens.
  /// - Throws: `CommandFailure` as for `get`, and 75 where the answer breaks off; any error that `take` throws.
  func download(_ target: String, _ take: (Data) throws -> Void) throws -> Answer? {
    guard let descriptor = try connect() else { return nil }
    defer { close(descriptor) }
    try send("GET \(target) HTTP/1.1\r\nHost: conversiond\r\nConnection: close\r\n\r\n", over: descriptor)
    var (head, body, left) = (Data(), Data(), Int?.none)
    var answer: Answer?
    while let piece = try receivePiece(over: descriptor) {
      if answer == nil {
        head.append(piece)
        guard let gap = head.range(of: Data("\r\n\r\n".utf8)) else { continue }
        answer = try parse(head)
        left = Self.length(String(decoding: head[..<gap.lowerBound], as: UTF8.self))
        body = answer?.body ?? Data()
        answer?.body = Data()
      } else {
        body = piece
      }
      left? -= body.count
      if answer?.status == 200 { try take(body) } else { answer?.body.append(body) }
    }
    guard let answer else { throw silent }
    guard left == 0 else { throw CommandFailure(.tryAgain, "the daemon's answer over \(path) broke off; try again") }
    return answer
  }

  private static func length(_ head: String) -> Int? {
    head.split(separator: "\r\n").lazy.compactMap { line -> Int? in
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
      return Int(parts[1].trimmingCharacters(in: .whitespaces))
    }.first
  }

  private func ask(_ method: String, _ target: String, body: String) throws -> Answer? {
    guard let descriptor = try connect() else { return nil }
    defer { close(descriptor) }
    let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
    let head = "\(method) \(target) HTTP/1.1\r\nHost: conversiond\r\n\(length)Connection: close\r\n\r\n"
    try send(head + body, over: descriptor)
    return try parse(receive(over: descriptor))
  }

  private func connect() throws -> Int32? {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw CommandFailure(.internalError, "cannot make a socket") }
    var patience = timeval(tv_sec: patience, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      unsafe setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      close(descriptor)
      throw CommandFailure(.configuration, "\(path) is too long for a socket's path")
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let connected = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if connected == 0 { return descriptor }
    let code = errno
    close(descriptor)
    switch code {
    case ECONNREFUSED, ENOENT: return nil
    case EACCES, EPERM:
      throw CommandFailure(.permission, "\(path): permission denied; ask as root or as the daemon's user")
    default: throw CommandFailure(.tryAgain, "\(path): \(unsafe String(cString: strerror(code)))")
    }
  }

  private func send(_ text: String, over descriptor: Int32) throws {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let sent = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { throw silent }
      bytes = bytes.dropFirst(sent)
    }
  }

  private func receive(over descriptor: Int32) throws -> Data {
    var received = Data()
    while let piece = try receivePiece(over: descriptor) { received.append(piece) }
    return received
  }

  /// Receives what has come; nil at the end.
  private func receivePiece(over descriptor: Int32) throws -> Data? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
    if count < 0 { throw silent }
    return count == 0 ? nil : Data(buffer[..<count])
  }

  private var silent: CommandFailure {
    CommandFailure(.tryAgain, "the daemon did not answer over \(path) within \(patience) s; try again")
  }

  private func parse(_ data: Data) throws -> Answer {
    guard let gap = data.range(of: Data("\r\n\r\n".utf8)),
      let status = String(decoding: data.prefix(64), as: UTF8.self).split(separator: " ").dropFirst().first.flatMap({
        Int($0)
      })
    else { throw silent }
    return Answer(status: status, body: Data(data[gap.upperBound...]))
  }
}
