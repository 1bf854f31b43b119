import Foundation
import Glibc
import Synchronization

/// A balancer before several servers: each connection goes to the next of them, as HAProxy's round robin does.
public final class ConnectionBalancer: Sendable {
  private static let port = 7432
  private let folder: TemporaryFolder
  private let listener: Int32
  private let turns: Turns

  /// The servers' turns.
  private final class Turns: Sendable {
    private let state: Mutex<(paths: [String], next: Int)>

    init(_ paths: [String]) { state = Mutex((paths, 0)) }

    func take() -> String {
      state.withLock { state in
        defer { state.next += 1 }
        return state.paths[state.next % state.paths.count]
      }
    }
  }

  /// Begins to take connections to the clusters' sockets.
  ///
  /// - Throws: `TestHostError` where there is no socket to be had.
  public init(_ clusters: [PostgresCluster]) throws {
    folder = try TemporaryFolder("balancer")
    guard unsafe chmod(folder.path, 0o755) == 0 else { throw TestHostError("chmod: errno \(errno)") }
    turns = Turns(clusters.map { "\($0.folder.path)/.s.PGSQL.\($0.port)" })
    let path = folder.path(".s.PGSQL.\(Self.port)")
    listener = try unsafe LocalSocket.open(path) { unsafe bind($0, $1, $2) == 0 && listen($0, 64) == 0 }
    guard unsafe chmod(path, 0o777) == 0 else { throw TestHostError("chmod \(path): errno \(errno)") }
    let (listener, turns) = (listener, turns)
    Thread.detachNewThread {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        guard let server = try? unsafe LocalSocket.open(turns.take(), { unsafe connect($0, $1, $2) == 0 }) else {
          close(client)
          continue
        }
        for (from, to) in [(client, server), (server, client)] {
          Thread.detachNewThread { Self.copy(from, to) }
        }
      }
    }
  }

  /// A conninfo through it.
  public func conninfo(database: String, user: String = "postgres") -> String {
    "host=\(folder.path) port=\(Self.port) dbname=\(database) user=\(user)"
  }

  /// Copies until one side ends, and then ends the other. The descriptors are left to the process's end.
  private static func copy(_ from: Int32, _ to: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe read(from, &buffer, buffer.count)
      guard count > 0 else { break }
      var sent = 0
      while sent < count {
        let part = unsafe buffer[sent..<count].withUnsafeBytes { unsafe write(to, $0.baseAddress, $0.count) }
        guard part > 0 else { break }
        sent += part
      }
      guard sent == count else { break }
    }
    shutdown(from, Int32(SHUT_RDWR))
    shutdown(to, Int32(SHUT_RDWR))
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }
}
