import FlyingSocks
import Foundation
import Glibc
import Testing

@testable import PartnersSandbox

/// A client that sees the bytes, and the end of a connection.
struct RawClient {
  /// A way in which the server ended the connection.
  enum Ending: Equatable {
    case closed, reset, stillOpen
  }

  /// One answer as it came.
  struct Answer {
    let head: String
    let body: [UInt8]

    var status: Int? { head.split(separator: " ").dropFirst().first.flatMap { Int($0) } }

    func header(_ name: String) -> String? {
      for line in head.split(separator: "\r\n").dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2, parts[0].lowercased() == name.lowercased() {
          return parts[1].trimmingCharacters(in: .whitespaces)
        }
      }
      return nil
    }

    var json: SandboxJSON? { try? JSONReader.read(body) }
  }

  private let socket: AsyncSocket
  private var buffer: [UInt8] = []

  init(_ address: SandboxAddress) async throws {
    socket = try await AsyncSocket.connected(
      to: .inet(ip4: "127.0.0.1", port: address.port), pool: try await SharedSocketPool.shared.pool())
  }

  /// The bytes of a request with the default key.
  static func request(
    _ method: String, _ path: String, _ body: String = "", headers: [String] = [],
    key: String? = SandboxConfiguration.defaultKey
  ) -> String {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1"] + headers
    if let key { lines.append("X-API-Key: \(key)") }
    if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
  }

  func send(_ text: String) async throws { try await socket.write(Data(text.utf8)) }

  func close() async { await SharedSocketPool.shared.close(socket) }

  /// Reads what has come, or waits for something to come; returns how many bytes.
  mutating func readOnce() async throws -> Int {
    let bytes = try await socket.read(atMost: 4096)
    buffer += bytes
    return bytes.count
  }

  /// The next answer; its body is what Content-Length announces.
  mutating func answer(toHead: Bool = false) async throws -> Answer {
    var end = headEnd
    while end == nil {
      buffer += try await socket.read(atMost: 4096)
      end = headEnd
    }
    let headBytes = try #require(end)
    let head = String(decoding: buffer[..<headBytes], as: UTF8.self)
    buffer.removeFirst(headBytes + 4)
    let length = Answer(head: head, body: []).header("Content-Length").flatMap { Int($0) } ?? 0
    guard !toHead, length > 0 else { return Answer(head: head, body: []) }
    while buffer.count < length { buffer += try await socket.read(atMost: 65536) }
    defer { buffer.removeFirst(length) }
    return Answer(head: head, body: Array(buffer[..<length]))
  }

  private var headEnd: Int? {
    guard buffer.count >= 4 else { return nil }
    return (0...buffer.count - 4).first { Array(buffer[$0..<$0 + 4]) == Array("\r\n\r\n".utf8) }
  }

  /// Reads all that comes until the connection ends, or for that long.
  mutating func rest(within limit: Duration = .seconds(5)) async -> (bytes: [UInt8], ending: Ending) {
    let socket = socket
    let already = buffer
    return await withTaskGroup(of: ([UInt8], Ending)?.self) { group in
      let received = Received(already)
      group.addTask {
        while true {
          do {
            received.add(try await socket.read(atMost: 4096))
          } catch {
            return (received.bytes, Self.ending(error, socket))
          }
        }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first ?? (received.bytes, .stillOpen)
    }
  }

  private static func ending(_ error: any Error, _ socket: AsyncSocket) -> Ending {
    if case .failed(_, ECONNRESET, _) = error as? SocketError { return .reset }
    // The pool calls every end a disconnection; the socket knows which it was.
    do {
      _ = try socket.socket.read(atMost: 1)
    } catch SocketError.failed(_, ECONNRESET, _) {
      return .reset
    } catch {}
    return .closed
  }
}

/// Bytes that two tasks share.
private final class Received: @unchecked Sendable {
  private let lock = NSLock()
  private var all: [UInt8]

  init(_ bytes: [UInt8]) { all = bytes }

  var bytes: [UInt8] { lock.withLock { all } }

  func add(_ bytes: [UInt8]) { lock.withLock { all += bytes } }
}

/// Opens a connection for as long as `body` takes.
func withRawClient<Result>(
  _ address: SandboxAddress, _ body: (inout RawClient) async throws -> Result
) async throws -> Result {
  var client = try await RawClient(address)
  do {
    let result = try await body(&client)
    await client.close()
    return result
  } catch {
    await client.close()
    throw error
  }
}
