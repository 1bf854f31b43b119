import ArgumentParser
import Foundation
import Glibc
import PartnersAPI
import PartnersSandbox
import ServiceLifecycle
import UnixSignals

/// `conversiond sandbox`: the API, served locally.
struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox",
    abstract: "Serve the partners API locally, for trials and tests.",
    discussion: """
      Serves all five endpoints to the letter of the reference: authentication, both limits, every error, idempotency. \
      State is in memory, and may be seeded from a file:

        {"referrals": [
          {"referralId": "r1", "status": "pending", "createdAt": 1765467600000,
           "friendEmail": "ana@example.com", "friendName": "Ana",
           "referrerIdentifier": "cust_42", "externalSourceId": "lead_991"}]}

      Faults are ordered, and the state is seen, beside the API, without a key:

        sandbox=http://127.0.0.1:8480/_sandbox
        curl $sandbox/faults -d \
          '[{"match":{"method":"POST"},"times":2,"action":"status","status":503}]'
        curl $sandbox/state

      EXAMPLES
        conversiond sandbox
        conversiond sandbox --port 8480 --seed referrals.json --window sliding
        conversiond sandbox --no-limits --latency 50-1500
      """)

  /// The kinds of window that a limit may have: the reference doesn't say which one the API has.
  enum Window: String, ExpressibleByArgument, CaseIterable {
    case fixed
    case sliding
    case counter
    case token
    case token1
  }

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("The port on 127.0.0.1; 0 takes a free one.", valueName: "port"))
  var port: UInt16 = 8480

  @Option(help: ArgumentHelp("A JSON file of referrals to begin with.", valueName: "file"))
  var seed: String?

  @Option(help: ArgumentHelp("Accept this key; may be given several times.", valueName: "oft_..."))
  var key: [String] = []

  @Option(help: "The kind of both limits' window; token is a bucket of a minute's worth, token1 of one.")
  var window = Window.fixed

  @Option(help: ArgumentHelp("Writes a minute for each IP address.", valueName: "count"))
  var writesPerMinute = 30

  @Option(help: ArgumentHelp("Conversions a minute for the partner.", valueName: "count"))
  var conversionsPerMinute = 60

  @Flag(help: "Serve without limits.")
  var noLimits = false

  @Flag(help: "Answer the replay of a conversion with 409, as a server may that keeps no answers.")
  var conflictOnReplay = false

  @Option(help: ArgumentHelp("The reach of search=: \(SandboxSearch.allNames).", valueName: "mode"))
  var search = "substring"

  @Option(help: ArgumentHelp("Milliseconds that a request takes, such as 50-1500.", valueName: "min-max"))
  var latency: String?

  func validate() throws {
    for text in key where APIKey(text) == nil {
      throw ValidationError("\(text) is no key: a key is oft_ and 32 hexadecimal characters")
    }
    guard writesPerMinute > 0, conversionsPerMinute > 0 else { throw ValidationError("a limit is 1 or more") }
    _ = try latencyRange()
    _ = try searchKind()
  }

  func run() async throws {
    let sandbox = PartnersSandbox(try settings(), seed: try seedReferrals())
    let requests = await sandbox.requestStream()
    let address: SandboxAddress
    do {
      address = try await sandbox.start()
    } catch {
      throw CommandFailure(.unreachable, "cannot listen on 127.0.0.1:\(port): \(error)")
    }
    announce(address)
    let group = ServiceGroup(
      services: [SandboxService(sandbox: sandbox, requests: requests)], gracefulShutdownSignals: [.sigterm, .sigint],
      logger: .silent)
    try await group.run()
  }

  private func settings() throws -> SandboxConfiguration {
    var settings = SandboxConfiguration()
    settings.port = port
    if !key.isEmpty {
      settings.apiKeys = Dictionary(key.map { ($0, SandboxConfiguration.defaultPartner) }) { first, _ in first }
    }
    settings.writeLimit = noLimits ? nil : SandboxRateLimit(writesPerMinute, shape: shape(writesPerMinute))
    settings.conversionLimit =
      noLimits ? nil : SandboxRateLimit(conversionsPerMinute, shape: shape(conversionsPerMinute))
    settings.conversionReplay = conflictOnReplay ? .alwaysConflict : .idempotent
    settings.latency = try latencyRange()
    settings.search = try searchKind()
    return settings
  }

  private func latencyRange() throws -> ClosedRange<Duration>? {
    guard let latency else { return nil }
    let bounds = latency.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
    guard bounds.count == 2, let low = bounds[0], let high = bounds[1], low <= high, high <= 600_000 else {
      throw ValidationError("\(latency) is no range of milliseconds, such as 50-1500")
    }
    return .milliseconds(low)...(.milliseconds(high))
  }

  private func searchKind() throws -> SandboxSearch {
    guard let kind = SandboxSearch(search) else {
      throw ValidationError("\(search) is no search: one of \(SandboxSearch.allNames)")
    }
    return kind
  }

  private func announce(_ address: SandboxAddress) {
    StandardStreams.write(
      """
      sandbox of the partners API: \(address.baseURL)
      key: \(key.first ?? SandboxConfiguration.defaultKey)

      """)
  }
}
