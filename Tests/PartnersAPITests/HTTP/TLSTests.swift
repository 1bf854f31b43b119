import Conversions
import Foundation
import TestHosts
import Testing

@testable import PartnersAPI

@Suite("TLS: certificates are verified, whatever happens", .serialized, .timeLimit(.minutes(5)))
struct TLSTests {
  @Test(
    "only a certificate of a known authority, in its time and for this host, is talked to",
    .enabled("needs the openssl command to make certificates") { await TLSServer.isAvailable() },
    arguments: [("good", nil), ("expired", "expired"), ("other", "match"), ("alone", "self-signed")]
      as [(String, String?)])
  func certificates(_ name: String, _ complaint: String?) async throws {
    let stub = try StubServer { _ in }
    defer { stub.stop() }
    try await ClientFixture.withFolder { folder in
      try await TLSServer.makeCertificates(in: folder)
      let server = try await TLSServer(folder: folder, certificate: name)
      let url = try PartnersBaseURL("https://127.0.0.1:\(server.port)")
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
      await server.stop()
    }
  }

  @Test(
    "a server that speaks only what is older than TLS 1.2 is told as that, not as a certificate",
    .enabled("needs the openssl command to make certificates") { await TLSServer.isAvailable() },
    arguments: ["tls1_1", "tls1"])
  func oldProtocols(_ name: String) async throws {
    let stub = try StubServer { _ in }
    defer { stub.stop() }
    try await ClientFixture.withFolder { folder in
      try await TLSServer.makeCertificates(in: folder)
      let server = try await TLSServer(folder: folder, certificate: "good", speaking: name)
      let url = try PartnersBaseURL("https://127.0.0.1:\(server.port)")
      try await ClientFixture.with(baseURL: url, server: stub, certificateAuthorities: folder + "/ca.pem") { fixture in
        let failure = try #require(await fixture.client.list(ReferralQuery()).transportFailure)
        #expect(failure.kind == .tls && !failure.mayHaveBeenDone)
        #expect(failure.message.contains("only TLS older than 1.2"), "\(failure.message)")
        #expect(!failure.message.contains("certificate"))
      }
      await server.stop()
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
      let url = try PartnersBaseURL("https://127.0.0.1:\(server.port)")
      try await ClientFixture.with(baseURL: url, server: server, timeout: .milliseconds(800)) { fixture in
        let failure = try #require(try await fixture.convert().transportFailure)
        #expect(failure.kind == kind, "\(failure.message)")
        #expect(!failure.mayHaveBeenDone)
      }
    }
  }
}
