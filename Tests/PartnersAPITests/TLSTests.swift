import Conversions
import Foundation
import Testing

@testable import PartnersAPI

/// A certificate authority, a server certificate of each sort, and `openssl s_server`, all made for one test.
private final class TLSServer {
  let process = Process()
  let port: Int

  init(folder: String, certificate: String, key: String) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "\(folder)/\(certificate).pem", "-key",
      "\(folder)/\(key).key",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var text = ""
    var port: Int?
    while port == nil {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw FixtureError() }
      text += String(decoding: data, as: UTF8.self)
      let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first {
        $0.hasPrefix("ACCEPT")
      }
      port = line?.split(separator: ":").last.flatMap { Int($0) }
    }
    self.port = port ?? 0
  }

  func stop() {
    // Not SIGTERM, which a child inherits as blocked from the threads that tests run on.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  static let isAvailable = (try? openssl(["version"], in: "/")) != nil

  static func openssl(_ arguments: [String], in folder: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw FixtureError() }
  }

  /// `ca.pem`, and certificates by it: `good`, `expired` and `other` (for another host); and `alone`, signed by itself.
  static func makeCertificates(in folder: String) throws {
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    try openssl(
      ["req", "-x509"] + curve + ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=CA", "-days", "2"], in: folder)
    let names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    try openssl(
      ["req", "-x509"] + curve + ["-keyout", "alone.key", "-out", "alone.pem", "-subj", "/CN=x", "-days", "2"] + names,
      in: folder)
    try openssl(["req"] + curve + ["-keyout", "good.key", "-out", "good.csr", "-subj", "/CN=x"], in: folder)
    for (name, host, days) in [
      ("good", "IP:127.0.0.1", "2"), ("expired", "IP:127.0.0.1", "-1"), ("other", "DNS:a.example", "2"),
    ] {
      try "subjectAltName=\(host)\n".write(toFile: "\(folder)/ext", atomically: true, encoding: .utf8)
      try openssl(
        [
          "x509", "-req", "-in", "good.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
          "-extfile", "ext", "-out", "\(name).pem",
        ], in: folder)
    }
  }
}

@Suite("TLS: certificates are verified, whatever happens", .serialized, .timeLimit(.minutes(2)))
struct TLSTests {
  @Test(
    "only a certificate of a known authority, in its time and for this host, is talked to",
    .enabled(if: TLSServer.isAvailable, "needs the openssl command to make certificates"),
    arguments: [("good", nil), ("expired", "expired"), ("other", "match"), ("alone", "self-signed")]
      as [(String, String?)])
  func certificates(_ name: String, _ complaint: String?) async throws {
    let stub = try StubServer { _ in }
    defer { stub.stop() }
    try await ClientFixture.withFolder { folder in
      try TLSServer.makeCertificates(in: folder)
      let server = try TLSServer(folder: folder, certificate: name, key: name == "alone" ? "alone" : "good")
      defer { server.stop() }
      let url = try #require(PartnersBaseURL("https://127.0.0.1:\(server.port)"))
      try await ClientFixture.with(baseURL: url, server: stub, certificateAuthorities: folder + "/ca.pem") { fixture in
        let answer = await fixture.client.list(ReferralQuery())
        guard let complaint else {
          #expect(answer.head?.status == 200)
          #expect(answer.failure?.message.hasPrefix("HTTP 200, text/html") == true)
          return
        }
        let failure = try #require(answer.transportFailure)
        #expect(failure.kind == .tls)
        #expect(!failure.mayHaveBeenDone)
        #expect(failure.message.contains(complaint), "\(failure.message)")
      }
    }
  }

  @Test("a server that speaks no TLS is a TLS failure; one that hangs up in the handshake or says nothing is not")
  func handshakes() async throws {
    let cases: [(@Sendable (StubConnection) -> Void, TransportFailure.Kind)] = [
      (
        {
          $0.write("HTTP/1.1 400 Bad Request\r\n\r\n"); $0.hang()
        }, .tls
      ), ({ $0.reset() }, .connection),
      ({ $0.hang() }, .connection),
    ]
    for (script, kind) in cases {
      let server = try StubServer(script)
      defer { server.stop() }
      let url = try #require(PartnersBaseURL("https://127.0.0.1:\(server.port)"))
      try await ClientFixture.with(baseURL: url, server: server, timeout: .milliseconds(800)) { fixture in
        let failure = try #require(try await fixture.convert().transportFailure)
        #expect(failure.kind == kind, "\(failure.message)")
        #expect(!failure.mayHaveBeenDone)
      }
    }
  }
}
