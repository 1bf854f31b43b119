import Foundation
import Glibc
import Synchronization
import TestHosts

/// A pooler as PgBouncer in its transaction mode: each transaction of a client may go to another session of the server,
/// so that whatever a client leaves in its session stays behind in a stranger's. As PgBouncer's, its clients are told a
/// process number and key of the pooler's own making.
final class TransactionPooler: Sendable {
  static let port = 6432
  let folder: TemporaryFolder
  private let listener: Int32
  private let server: String
  private let isClosed = Mutex(false)

  init(_ cluster: PostgresCluster) throws {
    folder = try TemporaryFolder("pool")
    server = "\(cluster.folder.path)/.s.PGSQL.\(cluster.port)"
    listener = try unsafe LocalSocket.open("\(folder.path)/.s.PGSQL.\(Self.port)") { descriptor, address, length in
      unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0
    }
    let (listener, server) = (listener, server)
    Thread.detachNewThread { [weak self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0, self?.isClosed.withLock({ $0 }) == false else { return }
        Thread.detachNewThread { Self.serve(client, server) }
      }
    }
  }

  deinit {
    isClosed.withLock { $0 = true }
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// One client with two sessions of the server, taken in turns (PostgreSQL manual, 55.2).
  private static func serve(_ client: Int32, _ server: String) {
    let client = FileHandle(fileDescriptor: client, closeOnDealloc: true)
    guard let startup = unnamed(client), startup.count > 8, startup[startup.startIndex + 4] == 0,
      let first = session(
        server, startup,
        { message in
          var told = message
          if told.first == UInt8(ascii: "K") {
            for index in 5..<9 { told[told.startIndex + index] = UInt8.random(in: 1...100) }
          }
          try client.write(contentsOf: told)
        }),
      let second = session(server, startup, { _ in })
    else { return }
    let sessions = [first, second]
    var (current, outstanding, isIdle) = (0, 0, true)
    do {
      while true {
        var waits = ([client] + sessions).map { pollfd(fd: $0.fileDescriptor, events: Int16(POLLIN), revents: 0) }
        guard unsafe poll(&waits, 3, -1) > 0 || errno == EINTR else { return }
        if waits[0].revents != 0 {
          guard let message = message(client), message.first != UInt8(ascii: "X") else { return }
          if outstanding == 0, isIdle { current = 1 - current }
          isIdle = false
          if message.first == UInt8(ascii: "Q") || message.first == UInt8(ascii: "S") { outstanding += 1 }
          try sessions[current].write(contentsOf: message)
        }
        for (index, session) in sessions.enumerated() where waits[index + 1].revents != 0 {
          guard let message = message(session) else { return }
          guard index == current else { continue }
          if message.first == UInt8(ascii: "Z") {
            (outstanding, isIdle) = (outstanding - 1, message.last == UInt8(ascii: "I"))
          }
          try client.write(contentsOf: message)
        }
      }
    } catch {}
  }

  /// A session that is ready for its first query.
  private static func session(_ server: String, _ startup: Data, _ tell: (Data) throws -> Void) -> FileHandle? {
    guard let descriptor = try? unsafe LocalSocket.open(server, { unsafe connect($0, $1, $2) == 0 }) else { return nil }
    let session = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try session.write(contentsOf: startup)
      while let message = message(session) {
        try tell(message)
        if message.first == UInt8(ascii: "Z") { return session }
      }
    } catch {}
    return nil
  }

  private static func message(_ from: FileHandle) -> Data? {
    guard let type = try? from.read(upToCount: 1), type.count == 1, let rest = unnamed(from) else { return nil }
    return type + rest
  }

  /// A message without a type: its length, which counts itself, and what follows.
  private static func unnamed(_ from: FileHandle) -> Data? {
    guard let length = try? from.read(upToCount: 4), length.count == 4 else { return nil }
    let count = length.reduce(0) { $0 << 8 | Int($1) } - 4
    guard count > 0 else { return length }
    guard let body = try? from.read(upToCount: count), body.count == count else { return nil }
    return length + body
  }
}
