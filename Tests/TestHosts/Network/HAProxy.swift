import Foundation
import Glibc

/// A HAProxy of a test's own.
public final class HAProxy: Sendable {
  private static let port = 7433
  private let folder: TemporaryFolder
  private let process: ChildProcess

  /// Starts one before servers of PostgreSQL, each connection to the next of them.
  ///
  /// - Throws: `TestHostError` with the end of its log.
  public convenience init(before clusters: [PostgresCluster]) async throws {
    let folder = try TemporaryFolder("haproxy")
    guard unsafe chmod(folder.path, 0o755) == 0 else { throw TestHostError("chmod: errno \(errno)") }
    let servers = zip(clusters, 0...).map { cluster, number in
      "  server s\(number) unix@\(cluster.folder.path)/.s.PGSQL.\(cluster.port)"
    }
    try await self.init(
      folder,
      """
      listen shop
        mode tcp
        balance roundrobin
        bind unix@\(folder.path(".s.PGSQL.\(Self.port)")) mode 777
      \(servers.joined(separator: "\n"))
      """
    ) { FileManager.default.fileExists(atPath: folder.path(".s.PGSQL.\(Self.port)")) }
  }

  /// Starts one that takes HTTPS on a port of several addresses, and leads each to a server that takes HTTP on a port
  /// of 127.0.0.1; it keeps connections open.
  ///
  /// - Parameters:
  ///   - certificate: The file of its certificate and its key.
  ///   - port: The port, on each of the addresses.
  ///   - servers: The addresses, and the port of the server behind each.
  /// - Throws: `TestHostError` with the end of its log.
  public convenience init(certificate: String, on port: Int, before servers: [(address: String, port: Int)])
    async throws
  {
    let sections = servers.map { address, server in
      """
      listen on\(address)
        mode http
        bind \(address):\(port) ssl crt \(certificate)
        server s 127.0.0.1:\(server)
      """
    }
    try await self.init(TemporaryFolder("haproxy"), sections.joined(separator: "\n")) {
      servers.allSatisfy { Self.listens($0.address, port) }
    }
  }

  private init(_ folder: TemporaryFolder, _ sections: String, isUp: @escaping @Sendable () -> Bool) async throws {
    self.folder = folder
    let text = """
      defaults
        timeout connect 5s
        timeout client 1h
        timeout server 1h
      \(sections)

      """
    let file = try folder.write(text, to: "haproxy.cfg", permissions: 0o644)
    let program = "/usr/sbin/haproxy"
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw TestHostError("no haproxy: apt-get install haproxy")
    }
    process = try ChildProcess(program, ["-db", "-f", file])
    let process = process
    guard await eventually(within: .seconds(20), { process.end != nil || isUp() }), process.end == nil else {
      throw TestHostError("HAProxy did not start: \(process.standardError.suffix(2000))")
    }
  }

  private static func listens(_ address: String, _ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var place = sockaddr_in()
    (place.sin_family, place.sin_port) = (sa_family_t(AF_INET), in_port_t(port).bigEndian)
    place.sin_addr.s_addr = unsafe inet_addr(address)
    return unsafe withUnsafePointer(to: &place) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  /// A conninfo through it.
  public func conninfo(database: String, user: String = "postgres") -> String {
    "host=\(folder.path) port=\(Self.port) dbname=\(database) user=\(user)"
  }

  /// Ends it.
  public func stop() async throws {
    process.signal(SIGKILL)
    try await process.wait()
  }
}
