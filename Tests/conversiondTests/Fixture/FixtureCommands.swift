import Foundation
import TestHosts

@testable import conversiond

extension DaemonFixture {
  /// The end of a command, and its output.
  typealias Result = (end: ChildProcess.End, output: String, errors: String)

  /// Runs a command of the program with this fixture's configuration.
  func run(
    _ arguments: String..., input: String? = nil, environment extra: [String: String] = [:]
  ) async throws -> Result {
    try await run(arguments + ["--config", configurationFile], input: input, environment: extra)
  }

  /// Runs the program with these arguments and no others.
  func run(
    _ arguments: [String], input: String? = nil, environment extra: [String: String] = [:]
  ) async throws -> Result {
    let result = try await ChildProcess.run(
      program, arguments, input: input, environment: environment.merging(extra) { $1 }, within: .seconds(30))
    let words = arguments.joined(separator: " ")
    // A help text has an example's address.
    if !arguments.contains("--help") {
      expectNoSecrets("output of \(words)", result.output + result.errors, except: words + (input ?? ""))
    }
    return result
  }

  /// Makes the ledger take another API, or mapping, as the configuration names it; the daemon is stopped.
  func acceptMapping() async throws {
    let result = try await run("accept-mapping", "--yes")
    guard result.end == .exited(0) else { throw TestHostError("accept-mapping: \(result.errors)") }
  }

  /// The status, as `status --json` tells it.
  func status() async throws -> (end: ChildProcess.End, report: StatusReport) {
    let result = try await run("status", "--json")
    return (result.end, try JSONDecoder.contract.decode(StatusReport.self, from: Data(result.output.utf8)))
  }

  /// Every entry by its key, as `queue list --state ALL --json` tells them.
  func entries() async throws -> [String: EntryReport] {
    let result = try await run("queue", "list", "--state", "ALL", "--json")
    guard result.end == .exited(0) else { throw TestHostError("queue list: \(result.errors)") }
    return try Self.byKey(
      result.output.split(separator: "\n").map {
        try JSONDecoder.contract.decode(EntryReport.self, from: Data($0.utf8))
      })
  }

  /// All that is known of one entry, as `queue show --json` tells it.
  func entry(_ key: String) async throws -> EntryReport? {
    guard let id = try await entries()[key]?.id else { return nil }
    let result = try await run("queue", "show", "--json", "#\(id)")
    return try JSONDecoder.contract.decode(EntryReport.self, from: Data(result.output.utf8))
  }

  /// Each entry's state, and its reason where it has one, through the command.
  func states() async throws -> [String: String] { try await entries().mapValues(Self.summary) }

  /// Waits until the running daemon tells these states; asks its socket, as a command each time would be slow.
  func reaches(_ expected: [String: String], within limit: Duration = .seconds(40)) async -> Bool {
    await eventually(within: limit, every: .milliseconds(100)) {
      guard let now = await peek()?.mapValues(Self.summary) else { return false }
      return expected.allSatisfy { now[$0.key] == $0.value }
    }
  }

  /// Waits until the first catch-up is over.
  func catchesUp() async -> Bool {
    await eventually(within: .seconds(90), every: .milliseconds(50)) { log.contains("caught up") }
  }

  /// The running daemon's entries by key; nil where it doesn't answer.
  func peek() async -> [String: EntryReport]? {
    let states = QueueListCommand.allStates.map { "state=\($0)" }.joined(separator: "&")
    let path = socket
    return await withCheckedContinuation { continuation in
      // The client blocks: not on a thread of the pool that the sandbox answers on.
      DispatchQueue.global().async {
        let answer = try? ControlClient(path: path).get("/v1/queue?\(states)&after=0&limit=1000")
        let page = answer.flatMap { try? JSONDecoder.contract.decode(EntryPage.self, from: $0.body) }
        continuation.resume(returning: page.flatMap { try? Self.byKey($0.entries) })
      }
    }
  }

  private static func byKey(_ entries: [EntryReport]) throws -> [String: EntryReport] {
    var result: [String: EntryReport] = [:]
    for entry in entries where result.updateValue(entry, forKey: entry.key) != nil {
      throw TestHostError("two entries with the key \(entry.key)")
    }
    return result
  }

  /// `review: invalid_amount`, or only the state where the reason adds nothing.
  private static func summary(_ entry: EntryReport) -> String {
    entry.state == "review" || entry.state == "cancelled" ? "\(entry.state): \(entry.reason ?? "-")" : entry.state
  }
}

extension QueueListCommand {
  fileprivate static let allStates = [
    "not_qualifying", "waiting", "held", "queued", "sending", "reported", "superseded", "no_referral",
    "outside_window", "cancelled", "discarded", "review",
  ]
}
