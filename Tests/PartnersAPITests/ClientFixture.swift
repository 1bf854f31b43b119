import Conversions
import Foundation

@testable import PartnersAPI

/// A client of a stub server, with a pacer file in a folder of its own.
struct ClientFixture {
  static let keyText = "oft_0123456789abcdef0123456789ABCDEF"

  let server: StubServer
  let client: PartnersClient
  let pacer: WritePacer

  /// Serves with a script, hands a client to `body`, and stops all of it, whatever happens.
  static func with(
    timeout: Duration = .seconds(10), limits: WriteLimits = WriteLimits(writes: .unlimited, conversions: .unlimited),
    connectionLifeMax: Duration = .seconds(180), script: @escaping @Sendable (StubConnection) -> Void,
    _ body: (ClientFixture) async throws -> Void
  ) async throws {
    let server = try StubServer(script)
    defer { server.stop() }
    guard let baseURL = server.baseURL else { throw FixtureError() }
    try await with(
      baseURL: baseURL, server: server, timeout: timeout, limits: limits, connectionLifeMax: connectionLifeMax,
      body)
  }

  static func with(
    baseURL: PartnersBaseURL, server: StubServer, timeout: Duration = .seconds(10),
    limits: WriteLimits = WriteLimits(writes: .unlimited, conversions: .unlimited),
    certificateAuthorities: String? = nil, connectionLifeMax: Duration = .seconds(180),
    _ body: (ClientFixture) async throws -> Void
  ) async throws {
    guard let key = APIKey(keyText) else { throw FixtureError() }
    try await withFolder { folder in
      let pacer = WritePacer(path: folder + "/pacer", limits: limits)
      let options = HTTPOptions(
        apiKey: key, userAgent: "conversiond/1.2.3", timeout: timeout, connectionLifeMax: connectionLifeMax,
        bypassesProxies: true, certificateAuthorities: certificateAuthorities)
      let client = PartnersClient(
        baseURL: baseURL, options: options, readsPerMinute: .unlimited, pacer: pacer, clock: SystemClock())
      try await body(ClientFixture(server: server, client: client, pacer: pacer))
    }
  }

  /// A folder that is gone afterwards.
  static func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("conversiond-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.path)
  }

  /// Reports a conversion with a permit of its own.
  func convert(_ id: String = "r1", permit: SendPermit? = nil) async throws -> APIAnswer<ConversionReceipt> {
    guard let order = TransactionID("order_77") else { throw FixtureError() }
    let report = ConversionReport(referralID: ReferralID(id), transactionID: order, value: 12_999, metadata: nil)
    if let permit { return await client.convert(report, permit: permit) }
    return await client.convert(report, permit: try await client.reserveConversion())
  }

  static let receipt = """
    {"referralId":"r1","status":"converted","convertedAt":1765467600000,"conversionValue":"12999","idempotent":false}
    """

  static let referral = """
    {"referralId":"jx7","referralCode":"a1b2c3d4","status":"pending","friendEmail":"ana@example.com",\
    "friendName":"Ana","createdAt":1765467600123,"convertedAt":null,"conversionValue":null,"currency":null,\
    "referrerIdentifier":"cust_42","externalSourceId":null,"metadata":{"a":[1,{}]},"later":true}
    """
}

/// A fixture that can't be made.
struct FixtureError: Error {}

extension APIAnswer {
  /// The transport failure, nil for an answer.
  var transportFailure: TransportFailure? {
    if case .transport(let failure) = self { failure } else { nil }
  }

  /// The failure, nil for a success and for none.
  var failure: APIFailure? {
    if case .failure(let failure, _) = self { failure } else { nil }
  }

  /// The head, nil for no answer.
  var head: AnswerHead? {
    switch self {
    case .success(_, let head), .failure(_, let head): head
    case .transport: nil
    }
  }

  /// The success, nil for all else.
  var value: Success? {
    if case .success(let value, _) = self { value } else { nil }
  }
}
