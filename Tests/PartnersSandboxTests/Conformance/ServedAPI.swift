import Foundation
import PartnersSandbox
import Testing

/// The server that the conformance suite talks to.
///
/// `PARTNERS_API_URL` and `PARTNERS_API_KEY` name another server than the sandbox; `PARTNERS_API_OTHER_KEY` is a
/// second partner's key and `PARTNERS_API_UNAPPROVED_KEY` one of a partner not approved, without which the tests
/// that need them are skipped.
struct ServedAPI: Sendable {
  @TaskLocal static var current: ServedAPI?

  let client: APIClient
  let otherKey: String?
  let unapprovedKey: String?

  private static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

  static var isExternal: Bool { variable("PARTNERS_API_URL") != nil }
  static var hasOtherKey: Bool { !isExternal || variable("PARTNERS_API_OTHER_KEY") != nil }
  static var hasUnapprovedKey: Bool { !isExternal || variable("PARTNERS_API_UNAPPROVED_KEY") != nil }

  /// The server of the running test.
  static func api() throws -> ServedAPI { try #require(current) }

  /// A client with the partner's key.
  static func client() throws -> APIClient { try api().client }

  static let otherSandboxKey = "oft_" + String(repeating: "0", count: 32)
  static let unapprovedSandboxKey = "oft_" + String(repeating: "1", count: 32)

  static func external() -> ServedAPI? {
    guard let url = variable("PARTNERS_API_URL") else { return nil }
    return ServedAPI(
      client: APIClient(baseURL: url, key: variable("PARTNERS_API_KEY")), otherKey: variable("PARTNERS_API_OTHER_KEY"),
      unapprovedKey: variable("PARTNERS_API_UNAPPROVED_KEY"))
  }
}

/// Gives a suite its server: the one that the environment names, or a sandbox without limits of its own.
struct ServedAPITrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
  ) async throws {
    if let external = ServedAPI.external() {
      return try await ServedAPI.$current.withValue(external) { try await function() }
    }
    var configuration = SandboxConfiguration()
    configuration.writeLimit = nil
    configuration.conversionLimit = nil
    configuration.apiKeys[ServedAPI.otherSandboxKey] = "partner_other"
    configuration.unapprovedKeys = [ServedAPI.unapprovedSandboxKey]
    try await withSandbox(configuration) { _, address in
      let client = APIClient(baseURL: address.baseURL, key: SandboxConfiguration.defaultKey)
      let served = ServedAPI(
        client: client, otherKey: ServedAPI.otherSandboxKey, unapprovedKey: ServedAPI.unapprovedSandboxKey)
      try await ServedAPI.$current.withValue(served) { try await function() }
    }
  }
}

/// Runs a sandbox for as long as `body` takes, and stops it also where that fails.
func withSandbox<Result: Sendable>(
  _ configuration: SandboxConfiguration = .unlimited, seed: SandboxSeed? = nil, clock: SandboxClock = .system,
  _ body: (PartnersSandbox, SandboxAddress) async throws -> Result
) async throws -> Result {
  let sandbox = PartnersSandbox(configuration, seed: seed, clock: clock)
  let address = try await sandbox.start()
  do {
    let result = try await body(sandbox, address)
    await sandbox.stop()
    return result
  } catch {
    await sandbox.stop()
    throw error
  }
}

extension SandboxConfiguration {
  /// Without limits.
  static var unlimited: SandboxConfiguration {
    var configuration = SandboxConfiguration()
    configuration.writeLimit = nil
    configuration.conversionLimit = nil
    return configuration
  }
}
