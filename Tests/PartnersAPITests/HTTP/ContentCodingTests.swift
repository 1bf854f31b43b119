import Conversions
import Foundation
import Testing

@testable import PartnersAPI

@Suite("Content codings that nobody asked for", .timeLimit(.minutes(5)))
struct ContentCodingTests {
  private static let gzip =
    "H4sIAAAAAAACAz3KQQqDMBCF4bvMuhSjNgFXLcVFjzFmRokkUcYUBPHuTjfdPb7/HSA8sgjGD0EH8+7g9qf3QqyIZqh9Q62WrWD5bmorZwp5Uhol6O4T"
    + "hvj7ZnzyjmmNfPdL0u6FsTC9CnTG2Udrna0qUzfnBQ1nr8B7AAAA"
  private static let deflate =
    "eJw9ykEKgzAQheG7zLoUozYBVy3FRY8xZkaJJFHGFATx7k433T2+/x0gPLIIxg9BB/Pu4Pan90KsiGaofUOtlq1g+W5qK2cKeVIaJejuE4b4+2Z88o5p"
    + "jXz3S9LuhbEwvQp0xtlHa52tKlM35wXMISdJ"
  /// 64 MiB of blanks, twice.
  private static let bomb =
    "H4sIAAAAAAACA+3coU5CcRTA4atcNqebQHAGg7f6BhQGGMgGzc4HMJqFMZPZ+QQEHsCN5mx2gtp4AJJjJN3Vex/jf74vnXzi2dnv9HEvq+w21m+TahgX"
    + "T79nx/P9DAAAAEjc+Gva2KmGovwYXVwBAAAAqbtpHeb1UeDn+mRoHQAAAJC8h163XX8IfN/f5tYBAAAAyTvargb1LeC9fOlc2gcAAAAk71MwAAAAAEIR"
    + "DAAAAIBYBAMAAAAgFsEAAAAACEYwAAAAAGIRDAAAAIBYBAMAAAAgFsEAAAAACEYwAAAAAGIRDAAAAIBYZr1uUT0GtDflXf+8mQEAABDJ4mC9fH3+H/I/"
    + "cvMIyuP+AAA="

  private static func script(_ status: Int, _ coding: String, _ base64: String) -> @Sendable (StubConnection) -> Void {
    let body = Data(base64Encoded: base64).map { [UInt8]($0) } ?? []
    return { connection in
      while connection.readRequest() != nil {
        let head = "HTTP/1.1 \(status) Stub\r\nContent-Length: \(body.count)\r\nContent-Type: application/json\r\n"
        connection.write(Array("\(head)Content-Encoding: \(coding)\r\n\r\n".utf8) + body)
      }
    }
  }

  @Test(
    "an answer is decoded", arguments: [("gzip", gzip), ("x-gzip", gzip), ("GZIP", gzip), ("deflate", deflate)])
  func decoded(coding: String, body: String) async throws {
    try await ClientFixture.with(script: Self.script(200, coding, body)) { fixture in
      let answer = await fixture.client.referral(ReferralID("jx7"))
      #expect(answer.value?.friendEmail == "ana@example.com", "\(answer)")
      #expect(await fixture.client.referral(ReferralID("jx7")).value != nil, "the connection goes on")
      #expect(fixture.server.accepts == 1)
    }
  }

  @Test("what comes out of a coding is capped") func bomb() async throws {
    try await ClientFixture.with(script: Self.script(200, "gzip, gzip", Self.bomb)) { fixture in
      let failure = try #require(await fixture.client.list(ReferralQuery()).transportFailure)
      #expect(failure.kind == .tooLarge, "\(failure.message)")
      #expect(try await fixture.convert().transportFailure?.mayHaveBeenDone == true)
    }
  }

  @Test(
    "a coding that can't be decoded is named, and what was asked for may have been done",
    arguments: [
      ("compress", gzip), ("x-made-up", gzip), ("gzip", "bm90IGd6aXA="), ("br", "bm90IGJyb3RsaQ=="),
      ("zstd", "bm90IHpzdGQ="),
    ])
  func unknown(coding: String, body: String) async throws {
    try await ClientFixture.with(script: Self.script(201, coding, body)) { fixture in
      let failure = try #require(try await fixture.convert().transportFailure)
      #expect(failure.mayHaveBeenDone)
      #expect(failure.message.contains("coding, \(coding), can't be decoded"), "\(failure.message)")
    }
  }
}
