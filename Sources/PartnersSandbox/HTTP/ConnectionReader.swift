internal import FlyingSocks
internal import Foundation

/// Reads requests one after the other from a connection, and keeps what was read too far.
struct ConnectionReader {
  /// A request that can't be answered by the service.
  enum Failure: Error {
    /// To be told to the client before the connection closes.
    case refused(HTTPRequestHead.Failure)
    /// The client left, or sent nothing for too long.
    case ended
  }

  private static let chunkLineMax = 1024

  private let socket: AsyncSocket
  private let bodyMax: Int
  private var buffer: [UInt8] = []
  private var start = 0

  init(socket: AsyncSocket, bodyMax: Int) {
    self.socket = socket
    self.bodyMax = bodyMax
  }

  /// The next request, body included; asks for the body where the client waits to be asked.
  mutating func next() async throws(Failure) -> SandboxRequest {
    let head: HTTPRequestHead
    do {
      head = try HTTPRequestHead(try await headBytes())
    } catch let error as HTTPRequestHead.Failure {
      throw .refused(error)
    } catch let error as Failure {
      throw error
    } catch {
      throw .ended
    }
    if case .length(let count) = head.framing, count > bodyMax { throw tooLarge }
    if head.expectsContinue, buffer.count == start, head.framing != .length(0) {
      try await send("HTTP/1.1 100 Continue\r\n\r\n")
    }
    let body: [UInt8]
    switch head.framing {
    case .length(let count): body = try await bytes(count)
    case .chunked: body = try await chunks()
    }
    return SandboxRequest(
      method: head.method, target: head.target, headers: head.headers, body: body, keepsAlive: head.keepsAlive)
  }

  private var tooLarge: Failure { .refused(.init(status: 413, reason: "a body of more than \(bodyMax) bytes")) }

  private var headTooLarge: Failure {
    .refused(.init(status: 431, reason: "a head of more than \(HTTPRequestHead.bytesMax) bytes"))
  }

  private func send(_ text: String) async throws(Failure) {
    do { try await socket.write(Data(text.utf8)) } catch { throw .ended }
  }

  private mutating func receive() async throws(Failure) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    do { buffer += try await socket.read(atMost: 4096) } catch { throw .ended }
  }

  /// The bytes up to the first empty line; empty lines before a request are passed over, as RFC 9112, 2.2, asks.
  private mutating func headBytes() async throws(Failure) -> ArraySlice<UInt8> {
    var scanned = 0
    while true {
      while buffer.count - start >= 2, buffer[start] == 0x0D, buffer[start + 1] == 0x0A { start += 2 }
      var index = max(start, start + scanned - 3)
      while index + 3 < buffer.count {
        if buffer[index] == 0x0D, buffer[index + 1] == 0x0A, buffer[index + 2] == 0x0D, buffer[index + 3] == 0x0A {
          let head = buffer[start..<index]
          guard head.count <= HTTPRequestHead.bytesMax else { throw headTooLarge }
          start = index + 4
          return head
        }
        index += 1
      }
      scanned = buffer.count - start
      guard scanned <= HTTPRequestHead.bytesMax else { throw headTooLarge }
      try await receive()
    }
  }

  private mutating func bytes(_ count: Int) async throws(Failure) -> [UInt8] {
    while buffer.count - start < count { try await receive() }
    defer { start += count }
    return Array(buffer[start..<start + count])
  }

  private mutating func line() async throws(Failure) -> String {
    var index = start
    while true {
      while index + 1 < buffer.count {
        if buffer[index] == 0x0D, buffer[index + 1] == 0x0A {
          defer { start = index + 2 }
          return String(decoding: buffer[start..<index], as: UTF8.self)
        }
        index += 1
      }
      guard buffer.count - start <= Self.chunkLineMax else { throw malformedChunk }
      index -= start
      try await receive()
      index += start
    }
  }

  private var malformedChunk: Failure { .refused(.init(status: 400, reason: "a malformed chunk")) }

  private mutating func chunks() async throws(Failure) -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let size = try await line().prefix { $0 != ";" && $0 != " " }
      guard size.count <= 8, size.allSatisfy(\.isHexDigit), let count = Int(size, radix: 16) else {
        throw malformedChunk
      }
      if count == 0 { break }
      guard body.count + count <= bodyMax else { throw tooLarge }
      body += try await bytes(count)
      guard try await line().isEmpty else { throw malformedChunk }
    }
    var trailers = 0
    while try await !line().isEmpty {
      trailers += 1
      guard trailers <= HTTPRequestHead.fieldsMax else { throw malformedChunk }
    }
    return body
  }
}
